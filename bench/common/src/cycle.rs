//! Messages made beforehand, sent round and round: what goes over the wire, and what comes back.

use crate::payload::{Kind, payload};

/// A ring of messages, all of one length.
#[derive(Debug)]
pub struct Cycle {
    pub kind: Kind,
    /// How many there are.
    pub count: usize,
    /// Bytes of one payload.
    pub size: usize,
    /// What a client sends, masked, all messages one behind another.
    pub wire: Vec<u8>,
    /// What a server sends back, each message in one frame.
    pub reply: Vec<u8>,
    /// Bytes of one message in `reply` before its payload.
    pub reply_header: usize,
}

/// The ring should fit into the second-level cache with what the kernel touches.
const CYCLE_BYTES: usize = 128 * 1024;

impl Cycle {
    /// Messages of `size` bytes, sent in `frames` frames each.
    pub fn new(kind: Kind, size: usize, frames: usize) -> Self {
        Self::of((CYCLE_BYTES / size.max(1)).clamp(4, 4096).next_power_of_two(), kind, size, frames)
    }

    /// So many messages.
    pub fn of(count: usize, kind: Kind, size: usize, frames: usize) -> Self {
        let (mut wire, mut reply) = (Vec::new(), Vec::new());
        let mut reply_header = 0;
        for number in 0..count {
            let payload = payload(kind, size, u64::try_from(number).expect("small"));
            let key = (0x5bd1_e995_u32.wrapping_mul(u32::try_from(number).expect("small") + 1))
                .to_le_bytes();
            let part = size.div_ceil(frames).max(1);
            let mut parts = payload.chunks(part).peekable();
            let mut opcode = kind.opcode();
            while let Some(part) = parts.next() {
                header(&mut wire, opcode, parts.peek().is_none(), Some(key), part.len());
                let from = wire.len();
                wire.extend_from_slice(part);
                mask(key, &mut wire[from..]);
                opcode = 0;
            }
            let from = reply.len();
            header(&mut reply, kind.opcode(), true, None, size);
            reply_header = reply.len() - from;
            reply.extend_from_slice(&payload);
        }
        Self { kind, count, size, wire, reply, reply_header }
    }

    /// Bytes of one message on its way to the server.
    pub fn wire_len(&self) -> usize {
        self.wire.len() / self.count
    }

    /// Bytes of one message on its way back, in one frame.
    pub fn reply_len(&self) -> usize {
        self.reply.len() / self.count
    }

    /// The payload of a message, counted on beyond the end of the ring.
    pub fn payload(&self, number: u64) -> &[u8] {
        let index = usize::try_from(number).expect("64 bits") % self.count;
        let from = index * self.reply_len() + self.reply_header;
        &self.reply[from..from + self.size]
    }
}

/// Writes a frame's header (RFC 6455 §5.2).
pub fn header(into: &mut Vec<u8>, opcode: u8, fin: bool, key: Option<[u8; 4]>, len: usize) {
    let mask = if key.is_some() { 0x80 } else { 0 };
    into.push(opcode | if fin { 0x80 } else { 0 });
    match len {
        0..=125 => into.push(mask | u8::try_from(len).expect("at most 125")),
        126..=0xffff => {
            into.push(mask | 126);
            into.extend_from_slice(&u16::try_from(len).expect("16 bits").to_be_bytes());
        }
        _ => {
            into.push(mask | 127);
            into.extend_from_slice(&u64::try_from(len).expect("64 bits").to_be_bytes());
        }
    }
    into.extend_from_slice(key.as_ref().map_or(&[][..], |key| &key[..]));
}

/// Masks from a frame's first byte on.
pub fn mask(key: [u8; 4], payload: &mut [u8]) {
    let [a, b, c, d] = key;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip([a, b, c, d, a, b, c]) {
        *byte ^= key;
    }
}
