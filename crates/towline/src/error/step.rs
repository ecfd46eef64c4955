//! [`Step`]: how far it had come.

use std::fmt;

use super::ErrorKind;

/// How far it had come when it failed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Step {
    /// Nothing was begun: an address, a setting, an argument.
    Settings,
    /// A server, before it had a connection: listening and accepting.
    Listen,
    /// The look-up of a host's name.
    Resolve,
    /// TCP, or another way to a byte stream.
    Connect,
    /// A proxy on the way, from its name to the byte stream that it led to.
    Proxy,
    /// TLS with the server.
    Tls,
    /// The opening handshake over HTTP.
    Handshake,
    /// The open connection, until its end.
    Open,
}

impl Step {
    /// Where what is told by this kind usually happens.
    pub(super) fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidInput => Self::Settings,
            ErrorKind::Io => Self::Listen,
            ErrorKind::Resolve => Self::Resolve,
            ErrorKind::Connect | ErrorKind::Denied => Self::Connect,
            ErrorKind::Proxy => Self::Proxy,
            ErrorKind::Tls | ErrorKind::Certificate => Self::Tls,
            ErrorKind::Handshake => Self::Handshake,
            ErrorKind::Disconnected
            | ErrorKind::TimedOut
            | ErrorKind::Protocol
            | ErrorKind::TooBig
            | ErrorKind::Closed => Self::Open,
        }
    }
}

/// Its name, in a word.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Settings => "settings",
            Self::Listen => "listen",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Handshake => "handshake",
            Self::Open => "open",
        })
    }
}
