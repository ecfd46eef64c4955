//! Messages that go out compressed (RFC 7692 §6.1).

use bytes::Bytes;

use super::send::{Sender, data_opcode};
use crate::deflate::{Deflater, PART};
#[cfg(feature = "deflate")]
use crate::error::SendError;
use crate::frame::Opcode;
use crate::message::{Message, MessageKind, Part};

/// What a sender compresses with.
#[derive(Debug)]
pub(super) struct Compression {
    deflater: Deflater,
    /// A large message that is compressed as there is room for it.
    message: Option<Compressing>,
}

/// A whole message of which this much is not compressed yet.
#[derive(Debug)]
struct Compressing {
    kind: MessageKind,
    first: bool,
    rest: Bytes,
}

impl Sender {
    /// Compresses from now on, as was agreed on.
    #[cfg(feature = "deflate")]
    pub(super) fn compress_with(&mut self, deflater: Deflater) {
        self.outbox.forbid_quick();
        self.compression = Some(Box::new(Compression { deflater, message: None }));
    }

    fn deflater(&mut self) -> Option<&mut Deflater> {
        self.compression.as_mut().map(|compression| &mut compression.deflater)
    }

    /// Sends a message that was compressed before, or as it is where that form cannot be used.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[cfg(feature = "deflate")]
    pub fn send_prepared(&mut self, message: &crate::Prepared) -> Result<(), SendError> {
        self.check_open()?;
        if self.message.is_some() {
            return Err(SendError::MessageOpen);
        }
        self.finish_compressing();
        let Some(compressed) = self.deflater().and_then(|deflater| deflater.prepared(message))
        else {
            self.send_plain(message.message().clone());
            return Ok(());
        };
        self.push_whole(data_opcode(message.message().kind()), true, compressed.clone());
        Ok(())
    }

    /// Whether the messages begun from now on are compressed, where that was agreed on. They are at
    /// first.
    ///
    /// What is compressed already, or mixes secrets with what others chose (RFC 7692 §8), is better
    /// sent as it is.
    #[cfg(feature = "deflate")]
    pub fn compress(&mut self, on: bool) {
        if let Some(deflater) = self.deflater() {
            deflater.set(on);
        }
    }

    /// What [`compress`](Self::compress) set; false where compression was not agreed on.
    #[cfg(feature = "deflate")]
    pub fn get_compress(&self) -> bool {
        self.compression.as_ref().is_some_and(|compression| compression.deflater.is_on())
    }

    /// Whether the part of a message that comes next is compressed.
    pub(super) fn compresses(&self, first: bool, len: usize, fin: bool) -> bool {
        match (&self.message, &self.compression) {
            (Some(open), _) if !first => open.compressed,
            (_, Some(compression)) => compression.deflater.wants(len, fin),
            (_, None) => false,
        }
    }

    /// Sends a part compressed, if its message is to be.
    #[inline(never)]
    pub(super) fn compress_part_now(&mut self, part: &Part<'_>) -> bool {
        self.finish_compressing();
        let first = self.message.is_none();
        if !self.compresses(first, part.len(), part.end) {
            return false;
        }
        match part.first {
            None => self.push_compressed(first, part.kind, part.rest, part.end),
            // A character that was cut before it: it has to be joined somewhere.
            Some(cut) => {
                let mut joined = cut.to_string().into_bytes();
                joined.extend_from_slice(part.rest);
                self.push_compressed(first, part.kind, &joined, part.end);
            }
        }
        true
    }

    /// Compresses a message, or as much of it as one frame takes; false if it is no smaller so and
    /// may go as it is.
    pub(super) fn send_compressed(&mut self, message: &Message) -> bool {
        let Some(compression) = &mut self.compression else { return false };
        let deflater = &mut compression.deflater;
        if message.len() > PART {
            let rest = message.clone().into_bytes();
            compression.message = Some(Compressing { kind: message.kind(), first: true, rest });
            self.go_on_compressing();
            return true;
        }
        let scratch = deflater.deflate(message.as_bytes(), true);
        let smaller = scratch.as_slice().len() < message.len();
        let used = smaller || !deflater.may_go_plain();
        if used {
            self.push_frame(true, true, data_opcode(message.kind()), scratch.as_slice());
            self.tally.message();
        }
        if let Some(deflater) = self.deflater() {
            deflater.recycle(scratch);
        }
        used
    }

    /// The next frame of a large message.
    pub(super) fn go_on_compressing(&mut self) {
        let Some(compression) = &mut self.compression else { return };
        let Some(open) = &mut compression.message else { return };
        let part = open.rest.split_to(open.rest.len().min(PART));
        let (kind, first) = (open.kind, std::mem::replace(&mut open.first, false));
        let fin = open.rest.is_empty();
        if fin {
            compression.message = None;
        }
        self.push_part(fin, first, kind, &part);
        if fin {
            self.tally.message();
        }
    }

    /// All that is left of a large message, now.
    pub(super) fn finish_compressing(&mut self) {
        while self.is_compressing() {
            self.go_on_compressing();
        }
    }

    /// Compresses the next part of a message, into a frame for each `PART`.
    pub(super) fn push_compressed(
        &mut self,
        first: bool,
        kind: MessageKind,
        payload: &[u8],
        fin: bool,
    ) {
        let before = payload.len().saturating_sub(1) / PART * PART;
        let (parts, last) = payload.split_at(before);
        for (at, part) in parts.chunks(PART).enumerate() {
            self.push_part(false, first && at == 0, kind, part);
        }
        self.push_part(fin, first && before == 0, kind, last);
        self.end_fragment(kind, true, fin);
    }

    /// Compresses a part of a message into a frame.
    fn push_part(&mut self, fin: bool, first: bool, kind: MessageKind, part: &[u8]) {
        let Some(deflater) = self.deflater() else { return };
        let scratch = deflater.deflate(part, fin);
        let opcode = if first { data_opcode(kind) } else { Opcode::Continuation };
        // RFC 7692 §6.1: only the first frame says so.
        self.push_frame(fin, first, opcode, scratch.as_slice());
        if let Some(deflater) = self.deflater() {
            deflater.recycle(scratch);
        }
    }

    /// Whether a message is not in the outbox in full.
    #[inline]
    pub(super) fn is_compressing(&self) -> bool {
        self.compression.as_ref().is_some_and(|compression| compression.message.is_some())
    }

    /// Leaves a message where it stands: the connection has failed.
    pub(super) fn stop_compressing(&mut self) {
        self.compression = None;
    }
}
