//! What travels: whose it is, its number, and bytes that follow from both.

use towline::{Message, MessageKind};

/// Bytes at a message's beginning that name it.
pub(crate) const NAME: usize = 25;

/// Message `number` of a connection, of about `len` bytes.
pub(crate) fn message(kind: MessageKind, id: u64, number: u32, len: usize) -> Message {
    let name = format!("{id:016x}{number:08x}.");
    match kind {
        MessageKind::Binary => {
            let mut bytes = name.into_bytes();
            let shift = usize::try_from(number % 251).unwrap_or_default();
            bytes.extend((shift..).take(len).map(|n| n.wrapping_mul(167).to_le_bytes()[0]));
            bytes.into()
        }
        MessageKind::Text => {
            let mut text = name;
            // Characters of one to four bytes, cut by frames and reads wherever those end.
            let characters = "Grüße, 世界, 😀 et à bientôt; ";
            while text.len() < len {
                text.push_str(characters);
            }
            text.into()
        }
    }
}

/// Why what came back is not what was sent.
pub(crate) fn compare(sent: &Message, got: &Message) -> Result<(), String> {
    if sent == got {
        return Ok(());
    }
    let name = |message: &Message| {
        let bytes = message.as_bytes();
        let name = String::from_utf8_lossy(&bytes[..bytes.len().min(NAME)]).into_owned();
        format!("{:?} {name} of {} bytes", message.kind(), bytes.len())
    };
    Err(format!("sent {}, got {}", name(sent), name(got)))
}
