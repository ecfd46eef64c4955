//! Messages that are sent in parts: fragments, and frames whose payload follows.

use super::{Sender, data_opcode, length};
use crate::connection::closing::State;
use crate::error::SendError;
use crate::frame::Opcode;
use crate::mask::MaskKey;
use crate::message::MessageKind;
use crate::utf8::Utf8Validator;

/// A message that is being sent in fragments.
#[derive(Debug)]
pub(in crate::connection) struct OpenMessage {
    pub(super) kind: MessageKind,
    pub(in crate::connection) compressed: bool,
    pub(super) utf8: Utf8Validator,
}

/// A frame whose header is out and whose payload is not complete.
#[derive(Debug)]
pub(super) struct OpenFrame {
    kind: MessageKind,
    fin: bool,
    mask: Option<MaskKey>,
    remaining: u64,
}

/// The longest frame in bytes: a length's top bit is never set (RFC 6455 §5.2).
const MAX_FRAME_LEN: u64 = i64::MAX.unsigned_abs();

impl Sender {
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
        self.outbox.push_payload(frame.mask.as_mut(), payload);
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

    pub(in crate::connection) fn end_fragment(
        &mut self,
        kind: MessageKind,
        compressed: bool,
        fin: bool,
    ) {
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
}
