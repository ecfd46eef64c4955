//! [`Chunks`]: the parts in which a body comes whose length nobody knew (RFC 9112 §7.1).

/// Where in a body of chunks we are.
///
/// ```text
/// Size ──LF, n > 0──→ Data(n) ──n bytes──→ DataEnd ──LF──→ Size
///   └──LF, n = 0──→ Trailer ──LF after nothing──→ the end
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Chunks {
    /// In the line that says how long a chunk is.
    Size {
        so_far: u64,
        digits: u8,
        extension: bool,
    },
    Data(u64),
    /// In the line end behind a chunk.
    DataEnd,
    /// In a line behind the last chunk.
    Trailer {
        empty: bool,
    },
}

/// Most digits of the size of a chunk: more would be beyond any body that is read.
const MAX_DIGITS: u8 = 8;

impl Chunks {
    pub(super) const START: Self = Self::Size { so_far: 0, digits: 0, extension: false };

    /// After a byte that is not of a chunk's content; `None` at the end of the body.
    pub(super) fn next(self, byte: u8) -> Result<Option<Self>, ()> {
        Ok(Some(match (self, byte) {
            (Self::Size { digits: 0, .. }, b'\n' | b';') => return Err(()),
            (Self::Size { so_far: 0, .. }, b'\n') => Self::Trailer { empty: true },
            (Self::Size { so_far, .. }, b'\n') => Self::Data(so_far),
            (Self::Size { so_far, digits, extension: true }, _) => {
                Self::Size { so_far, digits, extension: true }
            }
            (Self::Size { so_far, digits, .. }, b';' | b'\r' | b' ' | b'\t') => {
                Self::Size { so_far, digits, extension: true }
            }
            (Self::Size { so_far, digits, .. }, byte) => {
                let digit = char::from(byte).to_digit(16).ok_or(())?;
                if digits == MAX_DIGITS {
                    return Err(());
                }
                let so_far = so_far * 16 + u64::from(digit);
                Self::Size { so_far, digits: digits + 1, extension: false }
            }
            (Self::Data(_) | Self::DataEnd, b'\n') => Self::START,
            (Self::Data(_), b'\r') => Self::DataEnd,
            (Self::Data(_) | Self::DataEnd, _) => return Err(()),
            (Self::Trailer { empty: true }, b'\n') => return Ok(None),
            (Self::Trailer { .. }, b'\n') => Self::Trailer { empty: true },
            (Self::Trailer { empty }, b'\r') => Self::Trailer { empty },
            (Self::Trailer { .. }, _) => Self::Trailer { empty: false },
        }))
    }
}
