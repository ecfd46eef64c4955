//! Messages to bytes (RFC 6455 §6.1).

mod control;
mod fragments;
mod keys;
mod quick;

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use fragments::{OpenFrame, OpenMessage};

pub(super) use control::Waiting;
pub use keys::MaskKeys;

use super::closing::State;
use super::compress::Compression;
use super::counts::{Counts, Tally};
use super::timers::Timers;
use crate::Role;
use crate::config::Config;
use crate::error::SendError;
use crate::frame::{FrameHeader, Opcode};
use crate::mask::MaskKey;
use crate::message::{Message, MessageKind, Part};
use crate::outbox::Outbox;

/// The sending half of a [`Connection`](super::Connection): turns messages into bytes, answers
/// pings, carries out the closing handshake and keeps the deadlines.
#[derive(Debug)]
pub struct Sender {
    pub(super) config: Arc<Config>,
    pub(super) outbox: Outbox,
    /// A server masks nothing.
    keys: Option<MaskKeys>,
    pub(super) state: State,
    pub(super) message: Option<OpenMessage>,
    frame: Option<OpenFrame>,
    /// There if compression was agreed on.
    pub(super) compression: Option<Box<Compression>>,
    pub(super) waiting: Option<Box<Waiting>>,
    pub(super) timers: Timers,
    pub(super) tally: Tally,
    /// Bytes of control frames behind the last bytes of a message.
    behind_data: u64,
}

impl Sender {
    /// The sending half of a connection that was just opened.
    ///
    /// A client masks with `keys`; a server has no use for them.
    pub fn new(role: Role, config: Arc<Config>, keys: impl Into<MaskKeys>, now: Instant) -> Self {
        Self {
            timers: Timers::new(&config, now),
            config,
            outbox: Outbox::default(),
            keys: match role {
                Role::Client => Some(keys.into()),
                Role::Server => None,
            },
            state: State::Open,
            message: None,
            frame: None,
            compression: None,
            waiting: None,
            tally: Tally::default(),
            behind_data: 0,
        }
    }

    /// Sends a whole message, in one frame; one that is compressed, in frames of 64 KiB of it.
    ///
    /// # Errors
    /// [`SendError::Closed`], [`SendError::MessageOpen`] or [`SendError::FrameOpen`]
    #[inline]
    pub fn send(&mut self, message: Message) -> Result<(), SendError> {
        if self.send_quick(&Part::from(&message)) { Ok(()) } else { self.send_any(message) }
    }

    fn send_any(&mut self, message: Message) -> Result<(), SendError> {
        if self.begin_message(&message)? {
            self.send_plain(message);
        }
        Ok(())
    }

    /// Whether the message is to be sent as it is; otherwise it was sent compressed.
    fn begin_message(&mut self, message: &Message) -> Result<bool, SendError> {
        self.check_open()?;
        if self.message.is_some() {
            return Err(SendError::MessageOpen);
        }
        self.finish_compressing();
        Ok(!(self.compresses(true, message.len(), true) && self.send_compressed(message)))
    }

    /// Sends a whole message as [`send_part_through`](Self::send_part_through) does if it has to be
    /// copied, which only a client does; otherwise as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`send`](Self::send); then `write` was not called.
    pub fn send_through(
        &mut self,
        message: Message,
        write: impl FnMut(&[IoSlice<'_>]) -> usize,
    ) -> Result<(), SendError> {
        if self.begin_message(&message)? {
            if self.masks() {
                self.push_part_through(&Part::from(&message), write);
            } else {
                self.send_plain(message);
            }
        }
        Ok(())
    }

    pub(super) fn send_plain(&mut self, message: Message) {
        let opcode = data_opcode(message.kind());
        self.push_whole(opcode, false, message.into_bytes());
    }

    /// A whole message as one frame.
    pub(super) fn push_whole(&mut self, opcode: Opcode, compressed: bool, payload: Bytes) {
        if self.masks() {
            self.push_frame(true, compressed, opcode, &payload);
        } else {
            self.push_header(true, compressed, opcode, length(&payload));
            self.tally.bytes += length(&payload);
            self.outbox.push_shared(payload);
            self.behind_data = 0;
        }
        self.tally.message();
        self.allow_quick();
    }

    /// Sends a message, or the next part of one, in one frame, from memory that is only borrowed.
    ///
    /// # Errors
    /// [`SendError::Closed`] or [`SendError::FrameOpen`]; [`SendError::MessageOpen`] if the part
    /// begins a message and another is open, [`SendError::KindChanged`] if it belongs to one of
    /// another kind, [`SendError::InvalidUtf8`] if the text before it ends within a character.
    #[inline(always)]
    pub fn send_part<'a>(&mut self, part: impl Into<Part<'a>>) -> Result<(), SendError> {
        let part = part.into();
        if self.send_quick(&part) { Ok(()) } else { self.send_any_part(part) }
    }

    #[inline(never)]
    fn send_any_part(&mut self, part: Part<'_>) -> Result<(), SendError> {
        if self.begin_part(&part)? && !self.compress_part(&part) {
            let mut mask = self.push_part_header(&part);
            self.outbox.push_payload(mask.as_mut(), part.rest);
            self.allow_quick();
        }
        Ok(())
    }

    /// The same, but offers what waits and the payload behind it to `write`, which says how many
    /// bytes it took, so that a large payload that the byte stream takes at once is not copied.
    ///
    /// A client has to mask the payload (RFC 6455 §5.3) and so to copy it, of which it does 1 MiB at a
    /// time: it calls `write` for each, until one is not taken whole.
    ///
    /// # Errors
    /// As [`send_part`](Self::send_part); then `write` was not called.
    pub fn send_part_through<'a>(
        &mut self,
        part: impl Into<Part<'a>>,
        write: impl FnMut(&[IoSlice<'_>]) -> usize,
    ) -> Result<(), SendError> {
        let part = part.into();
        if self.begin_part(&part)? && !self.compress_part(&part) {
            self.push_part_through(&part, write);
        }
        Ok(())
    }

    fn push_part_through(&mut self, part: &Part<'_>, write: impl FnMut(&[IoSlice<'_>]) -> usize) {
        match self.push_part_header(part) {
            None => self.outbox.push_through(part.rest, write),
            Some(mask) => self.outbox.push_masked_through(mask, part.rest, write),
        }
    }

    /// Whether what is sent is masked: by a client (RFC 6455 §5.3).
    pub const fn masks(&self) -> bool {
        self.keys.is_some()
    }

    /// Whether less waits to be written than [`Config::max_outbox`].
    #[inline(always)]
    pub fn has_room(&self) -> bool {
        self.outbox_has_room() && !self.is_compressing()
    }

    /// Between the frames of a message there is room for a control frame.
    fn outbox_has_room(&self) -> bool {
        self.outbox.len() < self.config.max_outbox
    }

    /// The bytes to write. What waited for room is added first.
    #[inline]
    pub fn outbox(&mut self) -> &mut Outbox {
        if self.waiting.is_some() || self.compression.is_some() {
            self.push_what_waits();
        }
        &mut self.outbox
    }

    #[inline(never)]
    fn push_what_waits(&mut self) {
        if self.frame.is_none() {
            if self.outbox_has_room() {
                self.push_waiting_pong();
            }
            while self.outbox_has_room() && self.is_compressing() {
                self.go_on_compressing();
            }
            if !self.must_finish_first() {
                self.push_waiting_close();
            }
        }
    }

    /// Lends memory to the outbox; see [`Outbox::lend`].
    pub fn lend_memory(&mut self, memory: Vec<u8>) {
        self.outbox.lend(memory);
        if self.behind_data == 0 {
            self.allow_quick();
        }
    }

    /// Whether the outbox has memory to gather small messages in.
    #[inline]
    pub fn has_memory(&self) -> bool {
        self.outbox.has_memory()
    }

    /// Takes back the memory that was lent to the outbox, once nothing waits in it.
    pub fn take_back_memory(&mut self) -> Option<Vec<u8>> {
        self.outbox.take_back()
    }

    /// The limits and deadlines.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What was sent so far, counting what waits in the outbox.
    pub const fn counts(&self) -> Counts {
        self.tally.counts()
    }

    pub(super) fn has_open_frame(&self) -> bool {
        self.frame.is_some()
    }

    /// Whether something that was sent before has to go out before the closing frame can.
    pub(super) fn must_finish_first(&self) -> bool {
        self.frame.is_some() || self.is_compressing()
    }

    /// Bytes that have left the outbox.
    pub(super) fn written(&self) -> u64 {
        self.tally.bytes - u64::try_from(self.outbox.len()).unwrap_or(u64::MAX)
    }

    /// Grows whenever bytes of messages are sent, and whenever bytes up to their end are written.
    pub(super) fn data_progress(&self) -> u64 {
        let data_end = self.tally.bytes - self.behind_data;
        data_end.saturating_add(self.written().min(data_end))
    }

    /// Whether there is something to send.
    fn begin_part(&mut self, part: &Part<'_>) -> Result<bool, SendError> {
        self.check_open()?;
        match &self.message {
            None => {}
            Some(_) if part.start => return Err(SendError::MessageOpen),
            Some(open) if open.kind != part.kind => return Err(SendError::KindChanged),
            Some(open) if open.utf8.is_cut() => return Err(SendError::InvalidUtf8),
            Some(_) => {}
        }
        // Of a text less than a character may have come: there is nothing to pass on yet.
        Ok(part.end || !part.is_empty())
    }

    /// The header of a part's frame, and a character that was cut before it.
    fn push_part_header(&mut self, part: &Part<'_>) -> Option<MaskKey> {
        let first = self.message.is_none();
        let opcode = if first { data_opcode(part.kind) } else { Opcode::Continuation };
        let len = u64::try_from(part.len()).unwrap_or(u64::MAX);
        let mut mask = self.push_header(part.end, false, opcode, len);
        if let Some(first) = part.first {
            self.outbox.push_payload(mask.as_mut(), first.encode_utf8(&mut [0; 4]).as_bytes());
        }
        self.tally.bytes += len;
        self.behind_data = 0;
        if first && part.end {
            self.tally.message();
        } else {
            self.end_fragment(part.kind, false, part.end);
        }
        mask
    }

    /// Sends a part compressed, if its message is to be.
    #[inline]
    fn compress_part(&mut self, part: &Part<'_>) -> bool {
        self.compression.is_some() && self.compress_part_now(part)
    }

    #[inline(always)]
    pub(super) fn check_open(&self) -> Result<(), SendError> {
        if self.state != State::Open {
            return Err(SendError::Closed);
        }
        if self.frame.is_some() { Err(SendError::FrameOpen) } else { Ok(()) }
    }

    #[inline(always)]
    fn push_header(
        &mut self,
        fin: bool,
        compressed: bool,
        opcode: Opcode,
        len: u64,
    ) -> Option<MaskKey> {
        // RFC 6455 §5.3: a fresh, unpredictable key for each frame.
        let mask = self.keys.as_mut().map(MaskKeys::next);
        let header = FrameHeader::new(fin, opcode, mask, len).compressed(compressed);
        self.tally.frames(1);
        self.tally.bytes += self.outbox.push_header(&header);
        mask
    }

    pub(super) fn push_frame(
        &mut self,
        fin: bool,
        compressed: bool,
        opcode: Opcode,
        payload: &[u8],
    ) {
        let before = self.tally.bytes;
        let mut mask = self.push_header(fin, compressed, opcode, length(payload));
        self.outbox.push_payload(mask.as_mut(), payload);
        self.tally.bytes += length(payload);
        if opcode.is_control() {
            self.behind_data += self.tally.bytes - before;
        } else {
            self.behind_data = 0;
        }
    }
}

pub(super) const fn data_opcode(kind: MessageKind) -> Opcode {
    match kind {
        MessageKind::Text => Opcode::Text,
        MessageKind::Binary => Opcode::Binary,
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
