//! Bytes to events (RFC 6455 §6.2).

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::counts::{Counts, Tally};
use crate::Role;
use crate::close::CloseFrame;
use crate::config::Config;
use crate::deflate::Inflater;
use crate::error::ProtocolError;
use crate::frame::{FrameHeader, MAX_CONTROL_LEN, Opcode, WholeFrame};
use crate::mask::MaskKey;
use crate::message::{MessageKind, MessageRef, Piece};
use crate::utf8::{InvalidUtf8, Utf8Validator};

/// The receiving half of a [`Connection`](super::Connection): parses the peer's bytes where they
/// lie.
///
/// It keeps what a cut of the bytes may leave unfinished (a header, a control frame, a character),
/// so a caller's buffer is always used up in full and an idle connection needs none.
#[derive(Debug)]
pub struct Receiver {
    role: Role,
    pub(super) config: Arc<Config>,
    /// False where messages are streamed: their size is then no matter.
    pub(super) hold_messages: bool,
    /// What an input has cut; a connection at rest has none.
    unfinished: Option<Box<Unfinished>>,
    utf8: Utf8Validator,
    /// There if compression was agreed on.
    pub(super) inflater: Option<Box<Inflater>>,
    /// Held from a control frame to what follows it, or to [`release`](Self::release).
    control: Option<Box<ControlPayload>>,
    /// Since when control frames are counted, and how many came since.
    control_since: Instant,
    control_count: u32,
    /// After a closing frame, or a failure, nothing more is read (RFC 6455 §5.5.1, §7.1.7).
    done: bool,
    /// Our role where nothing is unfinished, kept or over: see
    /// [`receive_whole`](Self::receive_whole).
    pub(super) at_rest: Option<Role>,
    /// The longest message that is taken whole: what no limit forbids.
    pub(super) whole_limit: usize,
    last_received: Instant,
    last_data: Instant,
    tally: Tally,
}

/// When the peer last gave a sign of life, for [`Sender::handle_timeout`](super::Sender).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Life {
    /// When the last byte came.
    pub received: Instant,
    /// When the last byte of a message came.
    pub data: Instant,
}

/// What is open between two inputs: a header, a frame, a message.
#[derive(Debug, Default)]
struct Unfinished {
    /// The beginning of a header: `header[..header_len]`.
    header: [u8; FrameHeader::MAX_LEN],
    header_len: usize,
    frame: Option<OpenFrame>,
    message: Option<OpenMessage>,
}

impl Unfinished {
    const fn is_empty(&self) -> bool {
        self.header_len == 0 && self.frame.is_none() && self.message.is_none()
    }
}

#[derive(Clone, Copy, Debug)]
struct OpenFrame {
    opcode: Opcode,
    fin: bool,
    mask: Option<MaskKey>,
    remaining: u64,
    /// Bytes of its payload that are unmasked and not used up yet.
    unmasked: usize,
}

#[derive(Debug)]
struct OpenMessage {
    kind: MessageKind,
    compressed: bool,
    /// Bytes declared by its frames so far.
    len: u64,
    fragments: u64,
    empty_in_a_row: u64,
    /// Whether its first piece was handed out.
    handed_out: bool,
}

/// The payload of the last ping, pong or closing frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ControlPayload {
    bytes: [u8; MAX_CONTROL_LEN],
    len: usize,
}

impl ControlPayload {
    pub(crate) const EMPTY: Self = Self { bytes: [0; MAX_CONTROL_LEN], len: 0 };

    /// Appends; the caller has checked that it fits.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// What one call of [`Receiver::receive`] found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Received {
    /// So many bytes of the input are used up.
    pub consumed: usize,
    /// What they amounted to; `None` if the input was used up without an event.
    pub event: Option<Incoming>,
}

/// An event of the receiving half.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Incoming {
    /// A part of a message; see it with [`Receiver::lend`].
    Data(Data),
    /// A ping, to be answered; its payload is [`Receiver::control_payload`].
    Ping,
    /// A pong; its payload is [`Receiver::control_payload`].
    Pong,
    /// The closing frame. Nothing follows.
    Close(Option<CloseFrame>),
}

/// A part of a message, as a place in the input that was passed to [`Receiver::receive`].
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Data {
    /// The kind of the whole message.
    pub kind: MessageKind,
    /// Whether this is the message's first piece.
    pub start: bool,
    /// Whether this is the message's last piece.
    pub end: bool,
    /// Where the payload lies: unmasked, in the input.
    pub payload: Range<usize>,
    /// Whether it was inflated, so that its place is not in the input but in the receiver.
    pub inflated: bool,
}

/// A message that lies whole in the input that was passed to [`Receiver::receive_whole`].
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct WholeMessage {
    /// Text or binary.
    pub kind: MessageKind,
    /// Where the payload lies, unmasked. Its end is what was used up of the input.
    pub payload: Range<usize>,
}

impl Receiver {
    /// The receiving half of a connection that was just opened.
    pub fn new(role: Role, config: Arc<Config>, now: Instant) -> Self {
        let mut receiver = Self {
            role,
            config,
            hold_messages: true,
            unfinished: None,
            utf8: Utf8Validator::default(),
            inflater: None,
            control: None,
            control_since: now,
            control_count: 0,
            done: false,
            at_rest: Some(role),
            whole_limit: 0,
            last_received: now,
            last_data: now,
            tally: Tally::default(),
        };
        receiver.hold_messages(true);
        receiver
    }

    #[cfg(feature = "deflate")]
    pub(super) const fn role(&self) -> Role {
        self.role
    }

    /// Whether messages are held until they are whole, so that
    /// [`Config::max_message_size`] and [`Config::max_fragments`] apply. They do at first.
    pub fn hold_messages(&mut self, hold: bool) {
        self.hold_messages = hold;
        let most = if hold { self.config.max_message_size } else { u64::MAX };
        let limit = most.min(self.config.max_frame_size);
        self.whole_limit = usize::try_from(limit).unwrap_or(usize::MAX);
    }

    /// Parses `input` from its front, unmasking in place, until there is an event or no more input.
    ///
    /// Pass what is left of the input, `&mut input[consumed..]`, again. An input that was used up
    /// is not needed any more.
    ///
    /// # Errors
    /// The rule that the peer broke. Everything it sends from then on is discarded.
    pub fn receive(&mut self, input: &mut [u8], now: Instant) -> Result<Received, ProtocolError> {
        if let Some(whole) = self.receive_whole(input) {
            self.tally.only_a_frame(); // `lend` counts the message
            self.last_received = now;
            self.last_data = now;
            let WholeMessage { kind, payload } = whole;
            let consumed = payload.end;
            let data = Data { kind, start: true, end: true, payload, inflated: false };
            return Ok(Received { consumed, event: Some(Incoming::Data(data)) });
        }
        if let Some(fragments) = self.find_fragments(input) {
            self.last_received = now;
            self.last_data = now;
            let (kind, consumed) = (fragments.kind, fragments.consumed());
            self.tally.frames(u64::try_from(fragments.count).unwrap_or(u64::MAX));
            self.tally.bytes += u64::try_from(consumed).unwrap_or(u64::MAX);
            let payload = fragments.join(input);
            let data = Data { kind, start: true, end: true, payload, inflated: false };
            return Ok(Received { consumed, event: Some(Incoming::Data(data)) });
        }
        let received = self.receive_any(input, now);
        self.unfinished.take_if(|unfinished| unfinished.is_empty());
        let rests = self.unfinished.is_none() && self.control.is_none() && !self.done;
        self.at_rest = rests.then_some(self.role);
        received
    }

    /// The message at the front of `input`, if it lies there whole in one frame, as most do; see it
    /// with [`lend_whole`](Self::lend_whole).
    ///
    /// It decides nothing: what it does not take, and all that is wrong, is for
    /// [`receive`](Self::receive), which takes these as well. It is there to be inlined into a loop,
    /// for what follows a message that `receive` has found: it notes no sign of life.
    #[inline(always)]
    pub fn receive_whole(&mut self, input: &mut [u8]) -> Option<WholeMessage> {
        let WholeFrame { kind, mask, start, payload } = WholeFrame::find(input, self.at_rest?)?;
        if payload.len() > self.whole_limit {
            return None;
        }
        let end = start + payload.len();
        if let Some(mask) = mask {
            mask.apply_all(payload);
        }
        self.tally.whole();
        self.tally.bytes += u64::try_from(end).unwrap_or(u64::MAX);
        Some(WholeMessage { kind, payload: start..end })
    }

    /// Whether a message lies whole at the front of `input`, so that
    /// [`receive_whole`](Self::receive_whole) gives it. If so, that is a sign of life at `now`.
    #[inline]
    pub fn sees_whole(&mut self, input: &mut [u8], now: Instant) -> bool {
        let frame = self.at_rest.and_then(|role| WholeFrame::find(input, role));
        let whole = frame.is_some_and(|frame| frame.payload.len() <= self.whole_limit);
        if whole {
            self.last_received = now;
            self.last_data = now;
        }
        whole
    }

    /// The message that [`receive_whole`](Self::receive_whole) found, from the same input. Checks
    /// text.
    ///
    /// # Errors
    /// [`ProtocolError::InvalidUtf8`]
    #[inline(always)]
    pub fn lend_whole<'a>(
        &mut self,
        whole: &WholeMessage,
        input: &'a [u8],
    ) -> Result<MessageRef<'a>, ProtocolError> {
        let payload = &input[whole.payload.clone()];
        match whole.kind {
            MessageKind::Binary => Ok(MessageRef::Binary(payload)),
            MessageKind::Text => {
                let text = check_text(&mut self.utf8, payload, true);
                if text.is_err() {
                    if !self.done {
                        self.tally.only_a_frame();
                    }
                    self.done = true;
                    self.at_rest = None;
                }
                text.map(|text| MessageRef::Text(text.rest))
            }
        }
    }

    /// Parses whatever stands at the front of `input`.
    fn receive_any(&mut self, input: &mut [u8], now: Instant) -> Result<Received, ProtocolError> {
        if self.done {
            return Ok(Received { consumed: input.len(), event: None });
        }
        if !input.is_empty() {
            self.last_received = now;
        }
        let mut consumed = 0;
        let result = self.advance(input, &mut consumed, now);
        self.tally.bytes += u64::try_from(consumed).unwrap_or(u64::MAX);
        if matches!(result, Err(_) | Ok(Some(Incoming::Close(_)))) {
            self.done = true;
        }
        Ok(Received { consumed, event: result? })
    }

    /// The piece that [`receive`](Self::receive) found, from the same input. Checks text.
    ///
    /// Call it once for each [`Incoming::Data`], in order, before `receive` is called again.
    ///
    /// # Errors
    /// [`ProtocolError::InvalidUtf8`]
    pub fn lend<'a>(
        &'a mut self,
        data: &Data,
        input: &'a [u8],
    ) -> Result<Piece<'a>, ProtocolError> {
        let payload = place(self.inflater.as_deref(), data, input);
        let text = match data.kind {
            MessageKind::Binary => Piece::NO_TEXT,
            MessageKind::Text => {
                let text = check_text(&mut self.utf8, payload, data.end);
                if text.is_err() {
                    self.done = true;
                    self.at_rest = None;
                }
                text?
            }
        };
        if data.end {
            self.tally.message();
        }
        Ok(Piece { kind: data.kind, payload, start: data.start, end: data.end, text })
    }

    /// The bytes of a piece that was lent before, if `receive` was not called since.
    pub fn payload<'a>(&'a self, data: &Data, input: &'a [u8]) -> &'a [u8] {
        place(self.inflater.as_deref(), data, input)
    }

    /// Gives back the memory that a message was inflated into, and a control frame's: nothing lent
    /// is looked at any more.
    ///
    /// Whoever never calls it keeps up to 32 KiB from the first compressed message on.
    #[inline]
    pub fn release(&mut self) {
        if let Some(inflater) = &mut self.inflater {
            inflater.release();
        }
        if self.at_rest.is_none() {
            self.release_control();
        }
    }

    #[cold]
    fn release_control(&mut self) {
        if !self.has_open_frame() {
            self.control = None;
            let rests = self.unfinished.is_none() && !self.done;
            self.at_rest = rests.then_some(self.role);
        }
    }

    /// The payload of the ping or pong that was received last, until something else is received or
    /// all is [released](Self::release).
    pub fn control_payload(&self) -> &[u8] {
        self.control.as_ref().map_or(&[], |control| control.as_slice())
    }

    /// When the peer last gave a sign of life.
    pub const fn life(&self) -> Life {
        Life { received: self.last_received, data: self.last_data }
    }

    /// Whether a message has begun and not ended.
    pub const fn in_message(&self) -> bool {
        match &self.unfinished {
            Some(unfinished) => unfinished.message.is_some(),
            None => false,
        }
    }

    /// What was received so far.
    pub const fn counts(&self) -> Counts {
        self.tally.counts()
    }

    fn advance(
        &mut self,
        input: &mut [u8],
        consumed: &mut usize,
        now: Instant,
    ) -> Result<Option<Incoming>, ProtocolError> {
        loop {
            let open = self.unfinished.as_mut().and_then(|unfinished| unfinished.frame.take());
            let frame = match open {
                Some(frame) => frame,
                None => {
                    let Some(header) = self.read_header(&input[*consumed..], consumed)? else {
                        return Ok(None);
                    };
                    self.begin_frame(header, now)?
                }
            };
            let event = if frame.opcode.is_control() {
                self.read_control(frame, input, consumed)?
            } else if self.message().is_some_and(|message| message.compressed) {
                self.read_compressed(frame, input, consumed, now)?
            } else {
                self.read_data(frame, input, consumed, now)
            };
            // A frame that is still open has used up the input.
            if event.is_some() || self.has_open_frame() {
                return Ok(event);
            }
        }
    }

    fn message(&self) -> Option<&OpenMessage> {
        self.unfinished.as_ref()?.message.as_ref()
    }

    fn has_open_frame(&self) -> bool {
        self.unfinished.as_ref().is_some_and(|unfinished| unfinished.frame.is_some())
    }

    /// Leaves a frame open, if not all of its payload was used up.
    fn leave(&mut self, frame: OpenFrame) {
        if frame.remaining > 0 {
            self.unfinished.get_or_insert_default().frame = Some(frame);
        }
    }

    /// Parses a header where it lies, or, if an input ended within it, from its own copy.
    fn read_header(
        &mut self,
        input: &[u8],
        consumed: &mut usize,
    ) -> Result<Option<FrameHeader>, ProtocolError> {
        let deflate = self.inflater.is_some();
        let had = self.unfinished.as_ref().map_or(0, |unfinished| unfinished.header_len);
        if had == 0
            && let Some((header, len)) = FrameHeader::parse_with(input, self.role, deflate)?
        {
            *consumed += len;
            return Ok(Some(header));
        }
        if input.is_empty() {
            return Ok(None);
        }
        let Unfinished { header: bytes, header_len, .. } =
            &mut **self.unfinished.get_or_insert_default();
        let take = input.len().min(FrameHeader::MAX_LEN - had);
        bytes[had..had + take].copy_from_slice(&input[..take]);
        match FrameHeader::parse_with(&bytes[..had + take], self.role, deflate)? {
            Some((header, len)) => {
                *header_len = 0;
                *consumed += len - had;
                Ok(Some(header))
            }
            None => {
                *header_len = had + take;
                *consumed += take;
                Ok(None)
            }
        }
    }

    /// Checks what a header means where it stands, before any of its payload.
    fn begin_frame(
        &mut self,
        header: FrameHeader,
        now: Instant,
    ) -> Result<OpenFrame, ProtocolError> {
        self.tally.frames(1);
        match header.opcode {
            Opcode::Close | Opcode::Ping | Opcode::Pong => {
                self.control = Some(Box::new(ControlPayload::EMPTY));
                self.count_control(now)?;
            }
            Opcode::Text => self.begin_message(MessageKind::Text, header.compressed)?,
            Opcode::Binary => self.begin_message(MessageKind::Binary, header.compressed)?,
            Opcode::Continuation => {}
        }
        if !header.opcode.is_control() {
            self.control = None;
            self.count_data(header.len, header.fin)?;
        }
        Ok(OpenFrame {
            opcode: header.opcode,
            fin: header.fin,
            mask: header.mask,
            remaining: header.len,
            unmasked: 0,
        })
    }

    fn begin_message(&mut self, kind: MessageKind, compressed: bool) -> Result<(), ProtocolError> {
        // RFC 6455 §5.4: the fragments of two messages are never mixed.
        let message = &mut self.unfinished.get_or_insert_default().message;
        if message.is_some() {
            return Err(ProtocolError::ExpectedContinuation);
        }
        if compressed && let Some(inflater) = &mut self.inflater {
            inflater.begin_message();
        }
        *message = Some(OpenMessage {
            kind,
            compressed,
            len: 0,
            fragments: 0,
            empty_in_a_row: 0,
            handed_out: false,
        });
        Ok(())
    }

    /// Holds the open message to its limits, by what its frames declare.
    fn count_data(&mut self, declared: u64, fin: bool) -> Result<(), ProtocolError> {
        let config = &*self.config;
        let message = self.unfinished.as_mut().and_then(|unfinished| unfinished.message.as_mut());
        let message = message.ok_or(ProtocolError::UnexpectedContinuation)?;
        if declared > config.max_frame_size {
            return Err(ProtocolError::FrameTooBig { limit: config.max_frame_size, declared });
        }
        message.fragments += 1;
        message.len = message.len.saturating_add(declared);
        if self.hold_messages {
            // What a compressed message inflates to is counted as it does.
            if !message.compressed && message.len > config.max_message_size {
                return Err(ProtocolError::MessageTooBig { limit: config.max_message_size });
            }
            if message.fragments > config.max_fragments {
                return Err(ProtocolError::TooManyFragments { limit: config.max_fragments });
            }
        }
        if declared > 0 || fin {
            message.empty_in_a_row = 0;
        } else {
            message.empty_in_a_row += 1;
            let limit = config.max_empty_fragments;
            if message.empty_in_a_row > limit {
                return Err(ProtocolError::TooManyEmptyFragments { limit });
            }
        }
        Ok(())
    }

    fn count_control(&mut self, now: Instant) -> Result<(), ProtocolError> {
        let limit = self.config.max_control_frames_per_second;
        if now.duration_since(self.control_since) >= Duration::from_secs(1) {
            self.control_since = now;
            self.control_count = 0;
        }
        self.control_count = self.control_count.saturating_add(1);
        if self.control_count > limit {
            return Err(ProtocolError::TooManyControlFrames { limit });
        }
        Ok(())
    }

    /// Takes what there is of a frame's payload, unmasked, and gives its place.
    fn take_payload(frame: &mut OpenFrame, input: &mut [u8], consumed: &mut usize) -> Range<usize> {
        let start = *consumed;
        let available = input.len() - start;
        let len = usize::try_from(frame.remaining).map_or(available, |left| left.min(available));
        let end = start + len;
        if let Some(mask) = &mut frame.mask {
            mask.apply(&mut input[start..end]);
        }
        frame.remaining -= u64::try_from(len).unwrap_or(frame.remaining);
        *consumed = end;
        start..end
    }

    fn read_control(
        &mut self,
        mut frame: OpenFrame,
        input: &mut [u8],
        consumed: &mut usize,
    ) -> Result<Option<Incoming>, ProtocolError> {
        let payload = Self::take_payload(&mut frame, input, consumed);
        let control = self.control.get_or_insert_with(|| Box::new(ControlPayload::EMPTY));
        control.push(&input[payload]);
        if frame.remaining > 0 {
            self.leave(frame);
            return Ok(None);
        }
        Ok(match frame.opcode {
            Opcode::Ping => Some(Incoming::Ping),
            Opcode::Pong => Some(Incoming::Pong),
            Opcode::Close => Some(Incoming::Close(CloseFrame::parse(control.as_slice())?)),
            Opcode::Text | Opcode::Binary | Opcode::Continuation => None,
        })
    }

    fn read_data(
        &mut self,
        mut frame: OpenFrame,
        input: &mut [u8],
        consumed: &mut usize,
        now: Instant,
    ) -> Option<Incoming> {
        let payload = Self::take_payload(&mut frame, input, consumed);
        let end = frame.fin && frame.remaining == 0;
        self.leave(frame);
        if payload.is_empty() && !end {
            return None; // an empty fragment, or a header whose payload has not come yet
        }
        self.last_data = now;
        self.hand_out(payload, end, false)
    }

    /// Inflates what has come of a frame, until there is a full piece or all of it is used up.
    fn read_compressed(
        &mut self,
        mut frame: OpenFrame,
        input: &mut [u8],
        consumed: &mut usize,
        now: Instant,
    ) -> Result<Option<Incoming>, ProtocolError> {
        let start = *consumed;
        let available = input.len() - start;
        let len = usize::try_from(frame.remaining).map_or(available, |left| left.min(available));
        let payload = &mut input[start..start + len];
        if let Some(mask) = &mut frame.mask
            && let Some(masked) = payload.get_mut(frame.unmasked..)
        {
            mask.apply(masked);
        }
        frame.unmasked = frame.unmasked.max(len);

        let ends = frame.fin && u64::try_from(len) == Ok(frame.remaining);
        let mut used = 0;
        let mut inflated = 0;
        if let Some(inflater) = self.inflater.as_mut().filter(|_| len > 0 || ends) {
            used = inflater.inflate(payload, ends)?;
            inflated = inflater.chunk().len();
            let limit = self.config.max_message_size;
            if self.hold_messages && inflater.inflated() > limit {
                return Err(ProtocolError::MessageTooBig { limit });
            }
        }
        *consumed += used;
        frame.unmasked -= used;
        frame.remaining -= u64::try_from(used).unwrap_or(frame.remaining);
        let end = ends && used == len;
        self.leave(frame);
        if len > 0 || end {
            self.last_data = now;
        }
        if end && let Some(inflater) = &mut self.inflater {
            inflater.end_message();
        }
        if inflated == 0 && !end {
            return Ok(None); // nothing comes of it yet
        }
        Ok(self.hand_out(0..inflated, end, true))
    }

    fn hand_out(&mut self, payload: Range<usize>, end: bool, inflated: bool) -> Option<Incoming> {
        let open = &mut self.unfinished.as_mut()?.message;
        let message = open.as_mut()?;
        let kind = message.kind;
        let start = !std::mem::replace(&mut message.handed_out, true);
        if end {
            *open = None;
        }
        Some(Incoming::Data(Data { kind, start, end, payload, inflated }))
    }
}

/// Where the bytes of a piece lie.
#[inline]
fn place<'a>(inflater: Option<&'a Inflater>, data: &Data, input: &'a [u8]) -> &'a [u8] {
    let place = data.payload.clone();
    if data.inflated {
        inflater.and_then(|inflater| inflater.chunk().get(place)).unwrap_or_default()
    } else {
        &input[place]
    }
}

#[inline(never)]
fn check_text<'a>(
    utf8: &mut Utf8Validator,
    payload: &'a [u8],
    end: bool,
) -> Result<crate::utf8::Checked<'a>, ProtocolError> {
    let text = utf8.push(payload);
    let ended = if end { utf8.finish() } else { Ok(()) };
    match (text, ended) {
        (Ok(text), Ok(())) => Ok(text),
        (Err(InvalidUtf8), _) | (_, Err(InvalidUtf8)) => Err(ProtocolError::InvalidUtf8),
    }
}
