//! UTF-8 checked as it streams, failing at the first bad byte (RFC 6455 §8.1).

/// Checks text that arrives in pieces; a character may be cut anywhere.
#[derive(Clone, Debug, Default)]
pub struct Utf8Validator {
    /// The bytes of a character whose end has not come yet: `cut[..cut_len]`, at most three.
    cut: [u8; 4],
    cut_len: u8,
}

/// Bytes that are not, and cannot become, UTF-8.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidUtf8;

/// What one piece gave: whole characters. A character cut at its end is kept for the next piece.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Checked<'a> {
    /// The character that the last piece had begun and this one ended.
    pub first: Option<char>,
    /// The characters that lie within this piece.
    pub rest: &'a str,
}

/// From this length on the vectorised checker wins over std's.
const SIMD_FROM: usize = 64;

impl Utf8Validator {
    /// Checks the next piece, in full: a byte that can never become part of UTF-8 fails at once.
    ///
    /// # Errors
    /// [`InvalidUtf8`], after which the text is lost.
    pub fn push<'a>(&mut self, piece: &'a [u8]) -> Result<Checked<'a>, InvalidUtf8> {
        if self.cut_len == 0 && cut_at_end(piece) == 0 {
            // Most pieces begin and end with whole characters.
            return Ok(Checked { first: None, rest: check(piece).ok_or(InvalidUtf8)? });
        }
        let mut rest = piece;
        let first = if self.cut_len == 0 { None } else { self.complete(&mut rest)? };
        if self.cut_len > 0 {
            // The piece was too short to end the character.
            return Ok(Checked { first: None, rest: "" });
        }
        let whole = rest.len() - cut_at_end(rest);
        let (whole, cut) = rest.split_at(whole);
        let text = check(whole).ok_or(InvalidUtf8)?;
        for byte in cut {
            self.add(*byte)?;
        }
        Ok(Checked { first, rest: text })
    }

    /// Whether a character was begun and not ended.
    pub fn is_cut(&self) -> bool {
        self.cut_len > 0
    }

    /// The text is over: no character may be left open.
    ///
    /// # Errors
    /// [`InvalidUtf8`] if the last character was cut.
    pub fn finish(&mut self) -> Result<(), InvalidUtf8> {
        if std::mem::take(&mut self.cut_len) > 0 { Err(InvalidUtf8) } else { Ok(()) }
    }

    /// Takes from `rest` what the open character lacks.
    fn complete(&mut self, rest: &mut &[u8]) -> Result<Option<char>, InvalidUtf8> {
        while let Some((byte, tail)) = rest.split_first() {
            *rest = tail;
            let first = self.add(*byte)?;
            if first.is_some() {
                return Ok(first);
            }
        }
        Ok(None)
    }

    /// Adds a byte to the open character, which it may end.
    fn add(&mut self, byte: u8) -> Result<Option<char>, InvalidUtf8> {
        let len = usize::from(self.cut_len);
        self.cut[len] = byte;
        match str::from_utf8(&self.cut[..=len]) {
            Ok(text) => {
                self.cut_len = 0;
                Ok(text.chars().next())
            }
            // `None`: so far so good, and not over.
            Err(error) if error.error_len().is_none() => {
                self.cut_len += 1;
                Ok(None)
            }
            Err(_) => Err(InvalidUtf8),
        }
    }
}

fn check(bytes: &[u8]) -> Option<&str> {
    if bytes.len() < SIMD_FROM {
        str::from_utf8(bytes).ok()
    } else {
        simdutf8::basic::from_utf8(bytes).ok()
    }
}

/// How many bytes at the end begin a character that does not end there.
fn cut_at_end(bytes: &[u8]) -> usize {
    if bytes.last().is_none_or(u8::is_ascii) {
        return 0;
    }
    for (back, byte) in bytes.iter().rev().take(3).enumerate() {
        let width = match byte {
            0x80..=0xBF => continue, // a continuation byte: its lead stands further ahead
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xFF => 4,
            0x00..=0x7F => return 0,
        };
        return if back + 1 < width { back + 1 } else { 0 };
    }
    0
}
