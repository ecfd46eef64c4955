//! A message whose fragments have all come, made one where they lie (RFC 6455 §5.4).

use std::ops::Range;

use super::receive::Receiver;
use crate::Role;
use crate::config::Config;
use crate::frame::{FrameHeader, Opcode};
use crate::mask::MaskKey;
use crate::message::MessageKind;

/// Fragments that are joined at most. Who sends a message that fits into one read in more of them
/// is served as well, one by one.
const MAX_FRAGMENTS: usize = 16;

/// A message at the front of an input, in fragments with nothing between them.
#[derive(Debug)]
pub(super) struct Fragments {
    pub(super) kind: MessageKind,
    pub(super) count: usize,
    /// Bytes of the message.
    len: usize,
    /// Where the payloads lie, and how they are masked.
    payloads: [(Range<usize>, Option<MaskKey>); MAX_FRAGMENTS],
}

impl Fragments {
    /// Finds them, if all have come. Whatever else there is, and whatever is wrong, is left to the
    /// [`Receiver`], which sees every frame by itself.
    fn find(input: &[u8], role: Role, config: &Config) -> Option<Self> {
        let mut found = Self {
            kind: MessageKind::Binary,
            count: 0,
            len: 0,
            payloads: [const { (0..0, None) }; MAX_FRAGMENTS],
        };
        let mut at = 0;
        for (number, place) in found.payloads.iter_mut().enumerate() {
            let (header, len) = FrameHeader::parse(input.get(at..)?, role).ok()??;
            match (header.opcode, number) {
                (Opcode::Text, 0) => found.kind = MessageKind::Text,
                (Opcode::Binary, 0) => found.kind = MessageKind::Binary,
                (Opcode::Continuation, 1..) => {}
                _ => return None,
            }
            // There is a limit on those that are empty.
            if header.len > config.max_frame_size || (header.len == 0 && !header.fin) {
                return None;
            }
            let start = at + len;
            let end = start.checked_add(usize::try_from(header.len).ok()?)?;
            if end > input.len() {
                return None;
            }
            *place = (start..end, header.mask);
            found.len += end - start;
            found.count += 1;
            at = end;
            if header.fin {
                return Some(found);
            }
        }
        None
    }

    /// Bytes of all the frames.
    pub(super) fn consumed(&self) -> usize {
        self.payloads[self.count - 1].0.end
    }

    /// Unmasks the payloads, moves them together, and gives their place.
    pub(super) fn join(self, input: &mut [u8]) -> Range<usize> {
        let start = self.payloads[0].0.start;
        let mut end = start;
        for (place, mask) in self.payloads.into_iter().take(self.count) {
            if let Some(mask) = mask {
                mask.apply_all(&mut input[place.clone()]);
            }
            let len = place.len();
            if place.start > end {
                input.copy_within(place, end);
            }
            end += len;
        }
        start..end
    }
}

impl Receiver {
    /// The message at the front of `input`, if its fragments have all come and no limit forbids it.
    pub(super) fn find_fragments(&self, input: &[u8]) -> Option<Fragments> {
        let found = Fragments::find(input, self.at_rest?, &self.config)?;
        let fragments = u64::try_from(found.count).unwrap_or(u64::MAX);
        let few = !self.hold_messages || fragments <= self.config.max_fragments;
        (few && found.len <= self.whole_limit).then_some(found)
    }
}
