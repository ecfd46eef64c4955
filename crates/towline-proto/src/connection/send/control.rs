//! Pings and pongs, and what waits for its turn (RFC 6455 §5.5).

use std::time::Instant;

use super::Sender;
use crate::close::CloseFrame;
use crate::connection::closing::State;
use crate::connection::control::ControlPayload;
use crate::error::SendError;
use crate::frame::{MAX_CONTROL_LEN, Opcode};

/// A control frame that waits for room, or for an open frame's end.
#[derive(Debug)]
pub(in crate::connection) enum Waiting {
    /// Only the newest ping needs an answer (RFC 6455 §5.5.3), and none once we close.
    Pong(ControlPayload),
    Close(Option<CloseFrame>),
}

impl Sender {
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

    /// Puts a control frame into the outbox, whatever the state.
    pub(in crate::connection) fn push_control(&mut self, opcode: Opcode, payload: &[u8]) {
        self.push_frame(true, false, opcode, payload);
    }

    pub(super) fn push_waiting_pong(&mut self) {
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
}
