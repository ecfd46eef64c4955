//! The text of a manifest or a policy, whatever it was written with.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{ManifestError, Place, Warning};

/// Largest manifest or policy that is read. The largest of Microsoft's samples has 30 KiB.
const MAX_BYTES: usize = 1 << 20;

/// The bytes of a file, as far as they can be needed.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ManifestError> {
    let limit = u64::try_from(MAX_BYTES).expect("it is small") + 1;
    let mut bytes = Vec::new();
    let mut read = || -> io::Result<()> {
        File::open(path)?.take(limit).read_to_end(&mut bytes)?;
        Ok(())
    };
    read().map_err(|cause| ManifestError::unreadable(path, cause))?;
    Ok(bytes)
}

/// A text and its name.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Source {
    /// UTF-8, or UTF-16 with the mark with which it begins.
    pub(crate) fn decode(name: &str, bytes: &[u8]) -> Result<Self, ManifestError> {
        let at = |place| move |what: &str| ManifestError::new(name, place, what);
        let begin = Place { line: 1, column: 1 };
        if bytes.len() > MAX_BYTES {
            return Err(at(begin)("it has more than 1 MiB, so it is no manifest"));
        }
        let text = match bytes {
            [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
            [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
            bytes => {
                let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
                match std::str::from_utf8(bytes) {
                    Ok(text) => Some(text.to_owned()),
                    Err(error) => {
                        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                        let place = Place::of(&good, good.len());
                        return Err(at(place)("it is not UTF-8").suggest(Some(
                            "save it as UTF-8, or as UTF-16 with a byte order mark".to_owned(),
                        )));
                    }
                }
            }
        };
        let text = text.ok_or_else(|| at(begin)("it is garbled UTF-16"))?;
        Ok(Self { name: name.to_owned(), text })
    }

    pub(crate) fn error(&self, byte: usize, what: impl Into<String>) -> ManifestError {
        ManifestError::new(&self.name, Place::of(&self.text, byte), what)
    }

    pub(crate) fn warning(&self, byte: usize, what: impl Into<String>) -> Warning {
        Warning { place: Place::of(&self.text, byte), what: what.into() }
    }
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Option<String> {
    let (units, []) = bytes.as_chunks::<2>() else { return None };
    let units: Vec<u16> = units.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16(&units).ok()
}
