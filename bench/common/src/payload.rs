//! Payloads: a number in front, a pattern of that number behind it, so that a message that is lost,
//! doubled, cut or given to another connection shows.

use clap::ValueEnum;

/// What a message is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Kind {
    /// Any bytes, in binary messages.
    Binary,
    /// Text of one byte a character.
    Ascii,
    /// Text of one to four bytes a character.
    Text,
}

impl Kind {
    /// RFC 6455 §5.2.
    pub fn opcode(self) -> u8 {
        match self {
            Self::Binary => 2,
            Self::Ascii | Self::Text => 1,
        }
    }
}

/// The payload of message `number`, exactly `size` bytes.
pub fn payload(kind: Kind, size: usize, number: u64) -> Vec<u8> {
    let mut random = Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut payload = Vec::with_capacity(size + 16);
    match kind {
        Kind::Binary => {
            payload.extend_from_slice(&number.to_le_bytes());
            while payload.len() < size {
                payload.extend_from_slice(&random.number().to_le_bytes());
            }
        }
        Kind::Ascii => {
            payload.extend_from_slice(format!("{number:08}").as_bytes());
            while payload.len() < size {
                payload.extend(random.number().to_le_bytes().map(|byte| b' ' + byte % 95));
            }
        }
        Kind::Text => {
            payload.extend_from_slice(format!("{number:08}").as_bytes());
            let mut character = [0; 4];
            while payload.len() < size {
                let first = match random.number() % 8 {
                    0 | 1 => 0x61,   // Latin
                    2..=4 => 0x430,  // Cyrillic, two bytes
                    5 | 6 => 0x4e00, // Han, three
                    _ => 0x1f600,    // faces, four
                };
                let code = first + u32::try_from(random.number() % 24).expect("below 24");
                let text = char::from_u32(code).expect("in a block of characters");
                let text = text.encode_utf8(&mut character);
                if payload.len() + text.len() > size {
                    payload.resize(size, b'.');
                } else {
                    payload.extend_from_slice(text.as_bytes());
                }
            }
        }
    }
    payload.truncate(size);
    payload
}

/// Xorshift: a pattern, no secret.
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}
