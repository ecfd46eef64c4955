//! How the command ends: one phrase on standard error, and a code that scripts can act on.

use std::fmt;
use std::io;
use std::process::ExitCode;

use towline::{CloseCode, CloseFrame, ErrorKind};

/// Result of a subcommand.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a subcommand failed.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    text: String,
}

/// An exit code: curl's number where one fits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Code {
    /// No failure: whoever read the output has had enough.
    Enough,
    /// Anything that has no number of its own.
    Other,
    /// A bad address, flag, header or order.
    Usage,
    /// The proxy's name was not found.
    ResolveProxy,
    Resolve,
    Refused,
    /// The manifest, or a policy, does not permit it.
    Denied,
    /// What answered does not speak WebSocket.
    WeirdReply,
    /// Fewer messages than `--expect` asked for.
    Partial,
    /// The server answered the handshake with another status.
    Status,
    /// A local file could not be written.
    Write,
    /// A local file could not be read.
    Read,
    Timeout,
    Tls,
    /// The server closed before any message.
    Empty,
    /// The connection ended without a closing handshake (1006).
    Lost,
    Certificate,
    /// A proxy did not lead to the server.
    Proxy,
    /// Closed with a code other than 1000 and 1001.
    Closed,
    Interrupted,
}

impl Code {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Enough => 0,
            Self::Other => 1,
            Self::Usage => 2,
            Self::ResolveProxy => 5,
            Self::Resolve => 6,
            Self::Refused => 7,
            Self::WeirdReply => 8,
            Self::Denied => 9,
            Self::Partial => 18,
            Self::Status => 22,
            Self::Write => 23,
            Self::Read => 26,
            Self::Timeout => 28,
            Self::Tls => 35,
            Self::Empty => 52,
            Self::Lost => 56,
            Self::Certificate => 60,
            Self::Proxy => 97,
            Self::Closed => 100,
            Self::Interrupted => 130,
        }
    }

    pub(crate) fn of(error: &towline::Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidInput => Self::Usage,
            ErrorKind::Resolve if error.proxy().is_some() => Self::ResolveProxy,
            ErrorKind::Resolve => Self::Resolve,
            ErrorKind::Connect => Self::Refused,
            ErrorKind::Denied => Self::Denied,
            ErrorKind::Disconnected => Self::Lost,
            ErrorKind::TimedOut => Self::Timeout,
            ErrorKind::Tls => Self::Tls,
            ErrorKind::Certificate => Self::Certificate,
            ErrorKind::Proxy => Self::Proxy,
            ErrorKind::Handshake if error.response().is_some() => Self::Status,
            ErrorKind::Handshake => Self::WeirdReply,
            // We closed with 1002, 1007, 1008 or 1009.
            ErrorKind::Protocol | ErrorKind::TooBig => Self::Closed,
            _ => Self::Other,
        }
    }
}

impl Failure {
    pub(crate) fn new(code: Code, text: impl fmt::Display) -> Self {
        Self { code, text: text.to_string() }
    }

    /// Ctrl-C: nothing needs to be said about it.
    pub(crate) fn interrupted() -> Self {
        Self::new(Code::Interrupted, "")
    }

    /// A local file could not be written: a full disk, no permission.
    pub(crate) fn writing(what: impl fmt::Display, error: &io::Error) -> Self {
        Self::new(Code::Write, format!("writing {what}: {error}"))
    }

    /// A local file could not be read.
    pub(crate) fn reading(what: impl fmt::Display, error: &io::Error) -> Self {
        Self::new(Code::Read, format!("reading {what}: {error}"))
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Says it on standard error.
    pub(crate) fn report(&self) -> ExitCode {
        if !self.text.is_empty() {
            eprintln!("towline: {}", self.text);
        }
        ExitCode::from(self.code.number())
    }
}

/// What it means that the server closed with this frame. 1000, 1001 and no code are a normal end.
pub(crate) fn closed(frame: Option<&CloseFrame>) -> Outcome {
    match frame {
        Some(frame) if frame.code != CloseCode::NORMAL && frame.code != CloseCode::GOING_AWAY => {
            let (code, reason) = (frame.code, crate::print::escape(&frame.reason));
            let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
            let text = format!("the server closed the connection with {code}{reason}");
            Err(Failure::new(Code::Closed, text))
        }
        _ => Ok(()),
    }
}

impl From<towline::Error> for Failure {
    fn from(error: towline::Error) -> Self {
        Self::new(Code::of(&error), error)
    }
}

/// An error of a socket that is used as a byte stream.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.downcast::<towline::Error>() {
            Ok(error) => error.into(),
            Err(error) => Self::new(Code::Other, error),
        }
    }
}
