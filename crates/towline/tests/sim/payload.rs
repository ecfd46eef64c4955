//! What the messages carry: who sent it, its number, and bytes that follow from both.

use std::sync::LazyLock;

use towline::MessageKind;

/// From this length on no two messages of a run are equal.
pub(crate) const UNIQUE: usize = 10;

/// The payload of writer `writer`'s message number `number` towards `to`, `len` bytes long.
pub(crate) fn payload(
    kind: MessageKind,
    to: usize,
    writer: usize,
    number: usize,
    len: usize,
) -> Vec<u8> {
    // The writer comes first, so that one byte tells whose order it belongs to.
    let mut bytes = format!("{writer:x}{to:x}{number:07x}.").into_bytes();
    match kind {
        MessageKind::Binary => {
            let start = number.wrapping_mul(31) % PERIOD;
            while bytes.len() < len {
                let from = if bytes.len() == UNIQUE { start } else { 0 };
                let end = (from + len - bytes.len()).min(PERIOD);
                bytes.extend_from_slice(&BINARY[from..end]);
            }
        }
        MessageKind::Text => {
            let skipped = number % 5;
            for character in TEXT.chars().cycle().skip(skipped) {
                if bytes.len() + character.len_utf8() > len {
                    break;
                }
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            bytes.resize(len.max(bytes.len()), b'x');
        }
    }
    bytes.truncate(len);
    bytes
}

/// The byte at a place of a stream without messages.
pub(crate) fn stream_byte(to: usize, position: u64) -> u8 {
    let place = position.wrapping_mul(0x9E37_79B9).wrapping_add(u64::try_from(to).unwrap());
    place.to_le_bytes()[2]
}

/// A prime, so that it never lines up with a buffer.
const PERIOD: usize = 4093;

static BINARY: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..PERIOD).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[1]).collect());

/// Characters of one to four bytes.
const TEXT: &str = "aé€😀zßあ𝄞";
