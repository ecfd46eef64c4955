//! Messages to bytes (RFC 6455 §6.1).

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::closing::State;
use super::compress::Compression;
use super::counts::{Counts, Tally};
use super::receive::ControlPayload;
use super::timers::Timers;
use crate::Role;
use crate::close::CloseFrame;
use crate::config::Config;
use crate::error::SendError;
use crate::frame::{FrameHeader, MAX_CONTROL_LEN, Opcode};
use crate::mask::MaskKey;
use crate::message::{Message, MessageKind, Part};
use crate::outbox::Outbox;
use crate::utf8::Utf8Validator;

/// The sending half of a [`Connection`](super::Connection): turns messages into bytes, answers
/// pings, carries out the closing handshake and keeps the deadlines.
#[derive(Debug)]
pub struct Sender {
    pub(super) config: Arc<Config>,
    pub(super) outbox: Outbox,
    /// A client's source of masking keys. A server masks nothing.
    keys: Option<Box<ChaCha12Rng>>,
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

/// A control frame that waits for room, or for an open frame's end.
#[derive(Debug)]
pub(super) enum Waiting {
    /// Only the newest ping needs an answer (RFC 6455 §5.5.3), and none once we close.
    Pong(ControlPayload),
    Close(Option<CloseFrame>),
}

/// A message that is being sent in fragments.
#[derive(Debug)]
pub(super) struct OpenMessage {
    kind: MessageKind,
    pub(super) compressed: bool,
    utf8: Utf8Validator,
}

/// A frame whose header is out and whose payload is not complete.
#[derive(Debug)]
struct OpenFrame {
    kind: MessageKind,
    fin: bool,
    mask: Option<MaskKey>,
    remaining: u64,
}

impl Sender {
    /// The sending half of a connection that was just opened.
    ///
    /// A client masks with keys drawn from `seed`, which must be unpredictable (RFC 6455 §10.3).
    pub fn new(role: Role, config: Arc<Config>, seed: [u8; 32], now: Instant) -> Self {
        Self {
            timers: Timers::new(&config, now),
            config,
            outbox: Outbox::default(),
            keys: match role {
                Role::Client => Some(Box::new(ChaCha12Rng::from_seed(seed))),
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
        self.check_open()?;
        if self.message.is_some() {
            return Err(SendError::MessageOpen);
        }
        self.finish_compressing();
        if self.compresses(true, message.len(), true) && self.send_compressed(&message) {
            return Ok(());
        }
        self.send_plain(message);
        Ok(())
    }

    pub(super) fn send_plain(&mut self, message: Message) {
        let opcode = data_opcode(message.kind());
        self.push_whole(opcode, false, message.into_bytes());
    }

    /// A whole message as one frame.
    pub(super) fn push_whole(&mut self, opcode: Opcode, compressed: bool, payload: Bytes) {
        if self.keys.is_some() {
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

    /// Sends a whole message, if it can be done without looking far. False says nothing:
    /// [`send_part`](Self::send_part) then knows. It is there to be inlined into a loop.
    #[inline(always)]
    pub fn send_quick(&mut self, part: &Part<'_>) -> bool {
        if !(part.start && part.end && part.first.is_none()) {
            return false;
        }
        let short = u8::try_from(part.rest.len()).ok().filter(|len| *len < 126);
        let Some(len) = short.filter(|_| self.keys.is_none()) else {
            return self.send_quick_long(part.kind, part.rest);
        };
        let header = FrameHeader::short(data_opcode(part.kind), len);
        if !self.outbox.push_quick(header, part.rest) {
            return false;
        }
        self.tally.whole();
        self.tally.bytes += u64::from(len) + 2;
        true
    }

    /// The same with a longer header: for a longer message, or a client's, which is masked
    /// (RFC 6455 §5.3).
    #[inline(never)]
    fn send_quick_long(&mut self, kind: MessageKind, payload: &[u8]) -> bool {
        let len = payload.len();
        if len > QUICK_MOST || !self.outbox.is_quick(FrameHeader::MAX_LEN + len) {
            return false;
        }
        let mask = self.keys.as_mut().map(|keys| MaskKey::new(keys.next_u32().to_ne_bytes()));
        let header = FrameHeader::new(true, data_opcode(kind), mask, length(payload)).encode();
        let (header_len, out) = self.outbox.push_quick_long(header.as_ref(), payload);
        if let Some(mask) = mask {
            mask.apply_all(out);
        }
        self.tally.whole();
        self.tally.bytes += header_len + length(payload);
        true
    }

    #[inline(never)]
    fn send_any_part(&mut self, part: Part<'_>) -> Result<(), SendError> {
        if self.begin_part(&part)? && !self.compress_part(&part) {
            let mask = self.push_part_header(&part);
            let out = self.outbox.push_copy(part.rest);
            if let Some(mask) = mask {
                mask.apply_all(out);
            }
            self.allow_quick();
        }
        Ok(())
    }

    /// The same, but offers what waits and the payload behind it to `write`, which says how many
    /// bytes it took, so that a large payload that the byte stream takes at once is not copied.
    ///
    /// `write` is not called by a client, which has to mask the payload and so to copy it.
    ///
    /// # Errors
    /// As [`send_part`](Self::send_part); then `write` was not called.
    pub fn send_part_through<'a>(
        &mut self,
        part: impl Into<Part<'a>>,
        write: impl FnOnce(&[IoSlice<'_>]) -> usize,
    ) -> Result<(), SendError> {
        let part = part.into();
        if self.keys.is_some() {
            return self.send_part(part);
        }
        if self.begin_part(&part)? && !self.compress_part(&part) {
            self.push_part_header(&part);
            self.outbox.push_through(part.rest, write);
        }
        Ok(())
    }

    /// Sends a part of a message, in one frame; `fin` ends the message.
    ///
    /// The first part decides the message's kind. A character of a text may be cut between parts.
    /// A part that is compressed is flushed, so that the peer can inflate all of it, and makes a
    /// frame for each 64 KiB.
    ///
    /// # Errors
    /// [`SendError::Closed`], [`SendError::KindChanged`], [`SendError::InvalidUtf8`] or
    /// [`SendError::FrameOpen`]
    pub fn send_fragment(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        fin: bool,
    ) -> Result<(), SendError> {
        let first = self.begin_fragment(kind)?;
        self.check_text(kind, payload, fin)?;
        self.finish_compressing();
        if self.compresses(first, payload.len(), fin) {
            self.push_compressed(first, kind, payload, fin);
        } else {
            let opcode = if first { data_opcode(kind) } else { Opcode::Continuation };
            self.push_frame(fin, false, opcode, payload);
            self.end_fragment(kind, false, fin);
        }
        Ok(())
    }

    /// Begins a part of a message as one frame of exactly `len` bytes, whose payload follows in
    /// calls of [`continue_frame`](Self::continue_frame). `fin` ends the message with it.
    ///
    /// Until the payload is complete nothing else can be sent, not even a pong or a closing
    /// frame (RFC 6455 §5.4): large messages do better in fragments, where the peer takes them. It
    /// is never compressed, or its length could not be told.
    ///
    /// # Errors
    /// [`SendError::Closed`], [`SendError::KindChanged`], [`SendError::FrameOpen`],
    /// [`SendError::FrameTooLong`] or [`SendError::MessageCompressed`]; of a text whose last frame
    /// is empty, [`SendError::InvalidUtf8`]
    pub fn start_frame(&mut self, kind: MessageKind, len: u64, fin: bool) -> Result<(), SendError> {
        if len == 0 {
            return self.send_fragment(kind, &[], fin);
        }
        let first = self.begin_fragment(kind)?;
        if len > MAX_FRAME_LEN {
            return Err(SendError::FrameTooLong);
        }
        if self.message.as_ref().is_some_and(|open| open.compressed) {
            return Err(SendError::MessageCompressed);
        }
        self.finish_compressing();
        let opcode = if first { data_opcode(kind) } else { Opcode::Continuation };
        let mask = self.push_header(fin, false, opcode, len);
        if self.message.is_none() {
            self.message =
                Some(OpenMessage { kind, compressed: false, utf8: Utf8Validator::default() });
        }
        self.frame = Some(OpenFrame { kind, fin, mask, remaining: len });
        self.behind_data = 0;
        Ok(())
    }

    /// The next bytes of the frame that [`start_frame`](Self::start_frame) began.
    ///
    /// # Errors
    /// [`SendError::Closed`], [`SendError::FrameOverrun`] or [`SendError::InvalidUtf8`]
    pub fn continue_frame(&mut self, payload: &[u8]) -> Result<(), SendError> {
        // A closing frame has to wait for this frame's end, so the rest may still go out.
        if self.state == State::Failed {
            return Err(SendError::Closed);
        }
        let len = length(payload);
        let frame = self.frame.as_ref().filter(|frame| len <= frame.remaining);
        let Some(&OpenFrame { kind, fin, remaining, .. }) = frame else {
            return Err(SendError::FrameOverrun);
        };
        self.check_text(kind, payload, fin && len == remaining)?;
        let Some(frame) = &mut self.frame else { return Err(SendError::FrameOverrun) };
        frame.remaining -= len;
        let out = self.outbox.push_copy(payload);
        if let Some(mask) = &mut frame.mask {
            mask.apply(out);
        }
        let ended = frame.remaining == 0;
        self.tally.bytes += len;
        self.behind_data = 0;
        if ended {
            self.frame = None;
            self.end_fragment(kind, false, fin);
        }
        Ok(())
    }

    /// Bytes that the open frame still lacks; 0 if none is open.
    pub fn frame_remaining(&self) -> u64 {
        self.frame.as_ref().map_or(0, |frame| frame.remaining)
    }

    /// Whether a message has been begun and not ended.
    pub const fn in_message(&self) -> bool {
        self.message.is_some()
    }

    /// Asks the peer for life.
    ///
    /// # Errors
    /// [`SendError::Closed`], [`SendError::ControlTooLong`] or [`SendError::FrameOpen`]
    pub fn ping(&mut self, payload: &[u8], now: Instant) -> Result<(), SendError> {
        self.send_control(Opcode::Ping, payload)?;
        self.timers.pinged(payload, now);
        Ok(())
    }

    /// Gives a sign of life unasked (RFC 6455 §5.5.3).
    ///
    /// # Errors
    /// [`SendError::Closed`], [`SendError::ControlTooLong`] or [`SendError::FrameOpen`]
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.send_control(Opcode::Pong, payload)
    }

    /// Answers a ping (RFC 6455 §5.5.2), at once or when there is room.
    pub fn handle_ping(&mut self, payload: &[u8]) {
        if self.state != State::Open {
            return;
        }
        self.waiting = None; // this one is newer than a pong that waits
        if self.outbox_has_room() && self.pong(payload).is_ok() {
            return;
        }
        let mut pong = ControlPayload::EMPTY;
        pong.push(payload);
        self.waiting = Some(Box::new(Waiting::Pong(pong)));
    }

    /// Notes a pong: the peer lives, and if it answers the last ping, how far away it is.
    pub fn handle_pong(&mut self, payload: &[u8], now: Instant) {
        self.timers.ponged(payload, now);
        if self.state == State::Open {
            self.timers.lives(now);
        }
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

    /// Lets small messages take the quick way, on which nothing is compressed and nothing is looked
    /// at. Whatever else goes into the outbox ends that: a fragment, an open frame, a control frame.
    fn allow_quick(&mut self) {
        let plain = self.compression.is_none() && self.message.is_none();
        if plain && self.check_open().is_ok() {
            self.outbox.allow_quick(self.config.max_outbox);
        }
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

    /// Puts a control frame into the outbox, whatever the state.
    pub(super) fn push_control(&mut self, opcode: Opcode, payload: &[u8]) {
        self.push_frame(true, false, opcode, payload);
    }

    fn push_waiting_pong(&mut self) {
        let pong = self.waiting.take_if(|waiting| matches!(**waiting, Waiting::Pong(_)));
        if let Some(Waiting::Pong(pong)) = pong.as_deref() {
            // Closed or too long: neither can be, and a pong is no promise.
            let _ = self.pong(pong.as_slice());
        }
    }

    fn send_control(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), SendError> {
        self.check_open()?;
        if payload.len() > MAX_CONTROL_LEN {
            return Err(SendError::ControlTooLong);
        }
        self.push_control(opcode, payload);
        Ok(())
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
            let out = self.outbox.push_copy(first.encode_utf8(&mut [0; 4]).as_bytes());
            if let Some(mask) = &mut mask {
                mask.apply(out);
            }
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

    /// Whether the fragment to come is its message's first.
    fn begin_fragment(&self, kind: MessageKind) -> Result<bool, SendError> {
        self.check_open()?;
        match &self.message {
            None => Ok(true),
            Some(open) if open.kind == kind => Ok(false),
            Some(_) => Err(SendError::KindChanged),
        }
    }

    /// What we send as text is text: judged over the whole message, before any of it goes out.
    fn check_text(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        end: bool,
    ) -> Result<(), SendError> {
        if kind == MessageKind::Binary {
            return Ok(());
        }
        let (mut utf8, compressed) = match &self.message {
            Some(open) => (open.utf8.clone(), open.compressed),
            None => (Utf8Validator::default(), false),
        };
        utf8.push(payload).map_err(|_| SendError::InvalidUtf8)?;
        if end {
            utf8.clone().finish().map_err(|_| SendError::InvalidUtf8)?;
        }
        self.message = Some(OpenMessage { kind, compressed, utf8 });
        Ok(())
    }

    pub(super) fn end_fragment(&mut self, kind: MessageKind, compressed: bool, fin: bool) {
        if fin {
            self.message = None;
            self.tally.message();
            return;
        }
        match &mut self.message {
            Some(open) => open.compressed = compressed,
            None => {
                self.message =
                    Some(OpenMessage { kind, compressed, utf8: Utf8Validator::default() });
            }
        }
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
        let mask = self.keys.as_mut().map(|keys| MaskKey::new(keys.next_u32().to_ne_bytes()));
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
        let mask = self.push_header(fin, compressed, opcode, length(payload));
        let out = self.outbox.push_copy(payload);
        if let Some(mut mask) = mask {
            mask.apply(out);
        }
        self.tally.bytes += length(payload);
        if opcode.is_control() {
            self.behind_data += self.tally.bytes - before;
        } else {
            self.behind_data = 0;
        }
    }
}

/// Longer messages are looked at from all sides, which costs little beside them: an owned one is
/// rather [queued](Outbox) than copied.
const QUICK_MOST: usize = 4 * 1024;

/// The longest frame in bytes: a length's top bit is never set (RFC 6455 §5.2).
const MAX_FRAME_LEN: u64 = i64::MAX.unsigned_abs();

pub(super) const fn data_opcode(kind: MessageKind) -> Opcode {
    match kind {
        MessageKind::Text => Opcode::Text,
        MessageKind::Binary => Opcode::Binary,
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
