//! The payload of a control frame (RFC 6455 §5.5).

use crate::frame::MAX_CONTROL_LEN;

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
