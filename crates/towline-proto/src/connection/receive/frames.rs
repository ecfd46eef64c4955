//! Frames as they come: cut at any place, mixed with control frames, held to the limits.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::Receiver;
use crate::close::CloseFrame;
use crate::connection::control::ControlPayload;
use crate::connection::incoming::{Data, Incoming};
use crate::error::ProtocolError;
use crate::frame::{FrameHeader, Opcode};
use crate::mask::MaskKey;
use crate::message::MessageKind;

/// What is open between two inputs: a header, a frame, a message.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    /// The beginning of a header: `header[..header_len]`.
    header: [u8; FrameHeader::MAX_LEN],
    header_len: usize,
    frame: Option<OpenFrame>,
    pub(super) message: Option<OpenMessage>,
}

impl Unfinished {
    pub(super) const fn is_empty(&self) -> bool {
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
pub(super) struct OpenMessage {
    kind: MessageKind,
    compressed: bool,
    /// Bytes declared by its frames so far.
    len: u64,
    fragments: u64,
    empty_in_a_row: u64,
    /// Whether its first piece was handed out.
    handed_out: bool,
}

impl Receiver {
    pub(super) fn advance(
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

    pub(super) fn has_open_frame(&self) -> bool {
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
