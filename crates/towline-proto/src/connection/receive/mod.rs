//! Bytes to events (RFC 6455 §6.2).

mod frames;

use std::sync::Arc;
use std::time::Instant;

use frames::Unfinished;

use super::control::ControlPayload;
use super::counts::{Counts, Tally};
use super::incoming::{Data, Incoming, Life, Received, WholeMessage};
use crate::Role;
use crate::config::Config;
use crate::deflate::Inflater;
use crate::error::ProtocolError;
use crate::frame::WholeFrame;
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
