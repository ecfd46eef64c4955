//! Why a connection ended: a code that may travel, and a short reason.

use std::fmt;

use crate::error::ProtocolError;
use crate::message::Utf8Bytes;

/// A close code that may travel in a closing frame (RFC 6455 §7.4).
///
/// 1005 ("no code was there") and 1006 ("no closing frame came") never travel, so they are no
/// values of this type: the first is `None`, the second an error.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: a server shuts down, or a page is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a kind of data that this endpoint does not take.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1007: text that is not UTF-8, or data of the wrong form.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: against a policy, where no other code fits.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message that is too big.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: the server did not agree on an extension that the client needs.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: something unexpected kept the endpoint from going on.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the server restarts.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: the server is overloaded.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway had a bad answer from upstream.
    pub const BAD_GATEWAY: Self = Self(1014);

    /// A code that may travel: 1000 to 1003, 1007 to 1014, 3000 to 4999.
    ///
    /// # Errors
    /// [`CloseError::InvalidCode`] for every other number.
    pub const fn new(code: u16) -> Result<Self, CloseError> {
        match code {
            // RFC 6455 §7.4.2: 3000 to 3999 are registered, 4000 to 4999 private.
            1000..=1003 | 1007..=1014 | 3000..=4999 => Ok(Self(code)),
            _ => Err(CloseError::InvalidCode(code)),
        }
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl TryFrom<u16> for CloseCode {
    type Error = CloseError;
    fn try_from(code: u16) -> Result<Self, CloseError> {
        Self::new(code)
    }
}

/// The content of a closing frame: a code and a reason (RFC 6455 §5.5.1).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CloseFrame {
    /// Why, for programs.
    pub code: CloseCode,
    /// Why, for people: at most [`MAX_REASON_LEN`] bytes. Often empty.
    pub reason: Utf8Bytes,
}

/// Longest close reason in bytes: a control frame's 125 less the code's 2 (RFC 6455 §5.5).
pub const MAX_REASON_LEN: usize = 123;

impl CloseFrame {
    /// A closing frame.
    ///
    /// # Errors
    /// [`CloseError::ReasonTooLong`] if the reason exceeds [`MAX_REASON_LEN`] bytes.
    pub fn new(code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<Self, CloseError> {
        let reason = reason.into();
        if reason.len() > MAX_REASON_LEN {
            return Err(CloseError::ReasonTooLong(reason.len()));
        }
        Ok(Self { code, reason })
    }

    /// Reads a closing frame's payload; an empty one carries neither code nor reason.
    pub(crate) fn parse(payload: &[u8]) -> Result<Option<Self>, ProtocolError> {
        let (code, reason) = match payload {
            [] => return Ok(None),
            [_] => return Err(ProtocolError::ClosePayloadTooShort),
            [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        };
        let code = CloseCode::new(code).map_err(|_| ProtocolError::InvalidCloseCode(code))?;
        let reason = str::from_utf8(reason).map_err(|_| ProtocolError::InvalidCloseReason)?;
        Ok(Some(Self { code, reason: reason.into() }))
    }

    /// The payload's two parts as they travel.
    pub(crate) fn parts(&self) -> ([u8; 2], &[u8]) {
        (self.code.0.to_be_bytes(), self.reason.as_bytes())
    }
}

impl fmt::Display for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reason.is_empty() {
            write!(f, "{}", self.code)
        } else {
            write!(f, "{} ({})", self.code, self.reason)
        }
    }
}

/// A closing frame that may not be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CloseError {
    /// A code outside 1000 to 1003, 1007 to 1014 and 3000 to 4999.
    InvalidCode(u16),
    /// A reason of so many bytes.
    ReasonTooLong(usize),
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidCode(code) => write!(
                f,
                "close code {code} may not be sent; use 1000 to 1003, 1007 to 1014, or 3000 to 4999"
            ),
            Self::ReasonTooLong(len) => {
                write!(f, "a close reason of {len} bytes is longer than {MAX_REASON_LEN}")
            }
        }
    }
}

impl std::error::Error for CloseError {}
