//! By when a handshake has to be over.

use std::time::Instant;

use super::HandshakeError;

/// The deadline of a handshake, if it has one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Deadline(pub(super) Option<Instant>);

impl Deadline {
    /// An error if it has passed.
    pub(super) fn check(self, now: Instant) -> Result<(), HandshakeError> {
        match self.0 {
            Some(deadline) if now >= deadline => Err(HandshakeError::TimedOut),
            Some(_) | None => Ok(()),
        }
    }
}
