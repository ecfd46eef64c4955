//! The closing handshake, and failing the connection (RFC 6455 §7.1).

use std::time::Instant;

use super::send::{Sender, Waiting};
use crate::close::{CloseFrame, MAX_REASON_LEN};
use crate::error::ProtocolError;
use crate::frame::Opcode;

/// Where a connection stands.
///
/// ```text
///            we close                    closing frame received
///   Open ----------------> CloseSent --------------------------> Closed
///    |  \                                                          ^
///    |   \   closing frame received: its echo is queued            |
///    |    +--------------------------------------------------------+
///    |
///    |   the peer broke the protocol, or a deadline passed:
///    +-> a closing frame with the reason is queued ----------> Failed
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the drawing above is the whole of it")]
pub enum State {
    /// Messages travel.
    Open,
    /// Our closing frame is on its way; the peer's has not come.
    CloseSent,
    /// Both closing frames have been exchanged, or the peer's is being answered.
    Closed,
    /// The closing handshake will not take place (RFC 6455 §7.1.7).
    Failed,
}

impl Sender {
    /// Where the connection stands.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether the closing frame waits for the end of a frame that is open.
    pub const fn has_waiting_close(&self) -> bool {
        matches!(&self.waiting, Some(waiting) if matches!(**waiting, Waiting::Close(_)))
    }

    /// Whether bytes wait to be written.
    pub fn has_unsent(&self) -> bool {
        !self.outbox.is_empty() || self.has_waiting_close() || self.is_compressing()
    }

    /// Begins the closing handshake: what was sent before goes out before, nothing after it.
    ///
    /// `None` sends an empty closing frame. Only the first call acts.
    pub fn close(&mut self, frame: Option<CloseFrame>, now: Instant) {
        if self.state == State::Open {
            self.state = State::CloseSent;
            self.closing(now);
            self.push_close(frame);
        }
    }

    /// The peer's closing frame: answers it, if it is not itself the answer (RFC 6455 §5.5.1).
    pub fn handle_close(&mut self, frame: Option<&CloseFrame>, now: Instant) {
        match self.state {
            State::Open => {
                // RFC 6455 §5.5.1: the answer usually echoes what came.
                self.closing(now);
                self.push_close(frame.cloned());
                self.state = State::Closed;
            }
            State::CloseSent => self.state = State::Closed,
            State::Closed | State::Failed => {}
        }
    }

    /// Fails the connection: tells the peer why, if it was not told anything yet (RFC 6455 §7.1.7).
    pub fn fail(&mut self, error: &ProtocolError, now: Instant) {
        self.fail_with(CloseFrame::new(error.close_code(), "").ok(), now);
    }

    /// Fails the connection with this closing frame.
    pub fn fail_with(&mut self, frame: Option<CloseFrame>, now: Instant) {
        if matches!(self.state, State::Open | State::CloseSent) {
            self.stop_compressing();
            self.closing(now);
            if self.state == State::Open {
                self.push_close(frame);
            }
            self.state = State::Failed;
        }
    }

    /// The byte stream is gone: nothing more can be sent.
    pub fn abort(&mut self) {
        self.state = State::Failed;
        self.waiting = None;
        self.timers.stop();
        self.stop_compressing();
        self.outbox = crate::outbox::Outbox::default();
    }

    /// Queues a closing frame, now or at the end of a frame that is open.
    fn push_close(&mut self, frame: Option<CloseFrame>) {
        self.waiting = Some(Box::new(Waiting::Close(frame)));
        if !self.must_finish_first() {
            self.push_waiting_close();
        }
    }

    pub(super) fn push_waiting_close(&mut self) {
        let close = self.waiting.take_if(|waiting| matches!(**waiting, Waiting::Close(_)));
        let Some(Waiting::Close(frame)) = close.map(|waiting| *waiting) else { return };
        self.timers.close_starts_at(self.counts().bytes);
        let mut payload = super::control::ControlPayload::EMPTY;
        if let Some(frame) = &frame {
            let (code, reason) = frame.parts();
            payload.push(&code);
            // `CloseFrame::new` has refused a longer one; its fields can be set all the same.
            payload.push(&reason[..reason.len().min(MAX_REASON_LEN)]);
        }
        self.push_control(Opcode::Close, payload.as_slice());
    }
}
