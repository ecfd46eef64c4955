//! What went wrong, for programs (`kind`) and for people (`Display`).

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use towline_proto::{CloseCode, ProtocolError, SendError};

use crate::attempt::Attempt;

/// The result of an operation of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
///
/// Its text is one phrase: what was being done and to what, why it failed, what to do.
#[non_exhaustive]
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    doing: Cow<'static, str>,
    /// Shared with those who are told the same.
    cause: Option<Arc<dyn StdError + Send + Sync>>,
    advice: Option<&'static str>,
    response: Option<http::Response<Bytes>>,
    close_code: Option<CloseCode>,
    attempts: Vec<Attempt>,
}

/// Whose matter an error is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller's: a bad address, header, code or order of calls.
    InvalidInput,
    /// The network's: the host's name has no address.
    Resolve,
    /// The network's: no connection to any of the host's addresses.
    Connect,
    /// The connection ended without a closing handshake (what browsers call 1006).
    Disconnected,
    /// A deadline passed.
    TimedOut,
    /// The operating system's: anything else about a socket or a file.
    Io,
    /// TLS could not be agreed on, or our own TLS settings are wrong.
    Tls,
    /// The peer's certificate is not to be trusted.
    Certificate,
    /// The peer did not agree to a WebSocket. See [`Error::response`].
    Handshake,
    /// The peer broke the WebSocket protocol. See [`Error::close_code`].
    Protocol,
    /// The peer sent more than a limit of ours allows. See [`Error::close_code`].
    TooBig,
    /// The connection is closing or closed, so nothing more can be sent.
    Closed,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, doing: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            doing: doing.into(),
            cause: None,
            advice: None,
            response: None,
            close_code: None,
            attempts: Vec::new(),
        }))
    }

    pub(crate) fn invalid(doing: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::InvalidInput, doing)
    }

    pub(crate) fn cause(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into().into());
        self
    }

    pub(crate) fn advise(mut self, advice: &'static str) -> Self {
        self.0.advice = Some(advice);
        self
    }

    pub(crate) fn with_response(mut self, response: http::Response<Bytes>) -> Self {
        self.0.response = Some(response);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: Vec<Attempt>) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Something the peer did while we were `doing`.
    pub(crate) fn protocol(error: ProtocolError) -> Self {
        let kind = match error {
            ProtocolError::MessageTooBig { .. }
            | ProtocolError::RatioTooHigh { .. }
            | ProtocolError::FrameTooBig { .. } => ErrorKind::TooBig,
            _ => ErrorKind::Protocol,
        };
        let mut result = Self::new(kind, "receiving").cause(error);
        result.0.close_code = Some(error.close_code());
        match error {
            ProtocolError::MessageTooBig { .. } => result.advise(
                "raise Config::max_message_size, or read it as a stream with StreamWebSocket",
            ),
            ProtocolError::RatioTooHigh { .. } => result
                .advise("raise Deflate::max_ratio, if the peer is known to send such messages"),
            ProtocolError::FrameTooBig { .. } => {
                result.advise("raise Config::max_frame_size, or have the peer send smaller frames")
            }
            _ => result.advise("the peer was told why and the connection is over"),
        }
    }

    /// The byte stream ended, or failed, before the closing handshake.
    pub(crate) fn disconnected(
        doing: impl Into<Cow<'static, str>>,
        cause: Option<io::Error>,
    ) -> Self {
        let error = Self::new(ErrorKind::Disconnected, doing);
        let error = match cause {
            Some(cause) => error.cause(cause),
            None => error.cause("the peer ended the connection without a closing frame"),
        };
        error.advise("connect again; what was sent last may not have arrived")
    }

    pub(crate) fn timed_out(doing: impl Into<Cow<'static, str>>, cause: &'static str) -> Self {
        Self::new(ErrorKind::TimedOut, doing).cause(cause)
    }

    /// Whose matter it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The HTTP answer with which the server refused, with the start of its body.
    pub fn response(&self) -> Option<&http::Response<Bytes>> {
        self.0.response.as_ref()
    }

    /// The close code that the peer was sent for what it did.
    pub fn close_code(&self) -> Option<CloseCode> {
        self.0.close_code
    }

    /// Each address that was tried and why it failed, where there was no connection to any.
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// What to do about it, in a sentence.
    pub fn advice(&self) -> Option<&str> {
        self.0.advice
    }

    /// The error underneath: an [`io::Error`], a [`ProtocolError`], a [`SendError`], …
    ///
    /// The text of this error includes it, so [`source`](StdError::source) goes on below it.
    pub fn get_ref(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.cause.as_deref()
    }

    /// Another of the same kind, text and close code, for a second one who has to be told.
    pub(crate) fn again(&self) -> Self {
        let mut error = Self::new(self.0.kind, self.0.doing.clone());
        error.0.advice = self.0.advice;
        error.0.close_code = self.0.close_code;
        error.0.cause.clone_from(&self.0.cause);
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.doing)?;
        if let Some(cause) = &self.0.cause {
            write!(f, ": {cause}")?;
        }
        if let Some(advice) = self.0.advice {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

// `fn main() -> towline::Result<()>` prints this: let it be the same readable phrase.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [{:?}]", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().and_then(StdError::source)
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        let kind = match error {
            SendError::Closed => ErrorKind::Closed,
            _ => ErrorKind::InvalidInput,
        };
        Self::new(kind, "sending").cause(error)
    }
}

/// Where a face is an `AsyncRead` or `AsyncWrite`, its errors travel as `io::Error`.
///
/// `io::Error::get_ref` and a downcast give this error back.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::InvalidInput => io::ErrorKind::InvalidInput,
            ErrorKind::Resolve | ErrorKind::Connect => io::ErrorKind::NotConnected,
            ErrorKind::Disconnected => io::ErrorKind::ConnectionAborted,
            ErrorKind::TimedOut => io::ErrorKind::TimedOut,
            ErrorKind::Closed => io::ErrorKind::BrokenPipe,
            ErrorKind::Protocol | ErrorKind::TooBig | ErrorKind::Handshake => {
                io::ErrorKind::InvalidData
            }
            ErrorKind::Io | ErrorKind::Tls | ErrorKind::Certificate => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_told_the_same() {
        let first = Error::protocol(ProtocolError::FrameTooBig { limit: 1, declared: 2 });
        let second = first.again();
        assert_eq!(second.to_string(), first.to_string());
        assert_eq!(second.kind(), ErrorKind::TooBig);
        assert_eq!(second.close_code(), Some(CloseCode::MESSAGE_TOO_BIG));
        assert_eq!(second.advice(), first.advice());
    }

    #[test]
    fn the_advice_names_the_limit_that_was_hit() {
        let frame = Error::protocol(ProtocolError::FrameTooBig { limit: 1, declared: 2 });
        assert!(frame.advice().unwrap().contains("max_frame_size"), "{frame}");
        assert!(!frame.advice().unwrap().contains("max_message_size"), "{frame}");
        let message = Error::protocol(ProtocolError::MessageTooBig { limit: 1 });
        assert!(message.advice().unwrap().contains("max_message_size"), "{message}");
    }
}
