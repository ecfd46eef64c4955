//! The quick way for whole messages: nothing is looked at but the room there is.

use super::{MaskKeys, Sender, data_opcode, length};
use crate::frame::FrameHeader;
use crate::message::{MessageKind, Part};

/// Longer messages are looked at from all sides, which costs little beside them: an owned one is
/// rather queued than copied.
const QUICK_MOST: usize = 4 * 1024;

impl Sender {
    /// Sends a whole message, if it can be done without looking far. False says nothing:
    /// [`send_part`](Self::send_part) then knows. It is there to be inlined into a loop.
    #[inline(always)]
    pub fn send_quick(&mut self, part: &Part<'_>) -> bool {
        if !(part.start && part.end && part.first.is_none()) {
            return false;
        }
        let Some(len) = u8::try_from(part.rest.len()).ok().filter(|len| *len < 126) else {
            return self.send_quick_long(part.kind, part.rest);
        };
        if self.masks() {
            return self.send_quick_masked(part.kind, len, part.rest);
        }
        let header = FrameHeader::short(data_opcode(part.kind), len);
        if !self.outbox.push_quick(header, part.rest) {
            return false;
        }
        self.tally.whole();
        self.tally.bytes += u64::from(len) + 2;
        true
    }

    /// The same from a client (RFC 6455 §5.3).
    #[inline(never)]
    fn send_quick_masked(&mut self, kind: MessageKind, len: u8, payload: &[u8]) -> bool {
        let Some(keys) = &mut self.keys else { return false };
        let mask = keys.next();
        let header = FrameHeader::short_masked(data_opcode(kind), len, mask);
        if !self.outbox.push_quick(header, payload) {
            return false;
        }
        mask.apply_all(self.outbox.last(payload.len()));
        self.tally.whole();
        self.tally.bytes += u64::from(len) + 6;
        true
    }

    /// The same with a longer header.
    #[inline(never)]
    fn send_quick_long(&mut self, kind: MessageKind, payload: &[u8]) -> bool {
        let len = payload.len();
        if len > QUICK_MOST || !self.outbox.is_quick(FrameHeader::MAX_LEN + len) {
            return false;
        }
        let mask = self.keys.as_mut().map(MaskKeys::next);
        let header = FrameHeader::new(true, data_opcode(kind), mask, length(payload)).encode();
        let (header_len, out) = self.outbox.push_quick_long(header.as_ref(), payload);
        if let Some(mask) = mask {
            mask.apply_all(out);
        }
        self.tally.whole();
        self.tally.bytes += header_len + length(payload);
        true
    }

    /// Lets small messages take the quick way, on which nothing is compressed and nothing is looked
    /// at. Whatever else goes into the outbox ends that: a fragment, an open frame, a control frame.
    pub(super) fn allow_quick(&mut self) {
        let plain = self.compression.is_none() && self.message.is_none();
        if plain && self.check_open().is_ok() {
            self.outbox.allow_quick(self.config.max_outbox);
        }
    }
}
