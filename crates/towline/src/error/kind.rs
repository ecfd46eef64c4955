//! [`ErrorKind`]: whose matter an error is.

/// Whose matter an error is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller's: a bad address, header, code or order of calls.
    InvalidInput,
    /// The network's: the host's name has no address.
    Resolve,
    /// The policy's: what the program declares does not permit it, see `Error::denied`.
    Denied,
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
    /// A proxy did not lead on to the server. See [`Error::proxy`](crate::Error::proxy) and
    /// [`Error::response`](crate::Error::response).
    Proxy,
    /// The peer did not agree to a WebSocket. See [`Error::response`](crate::Error::response).
    Handshake,
    /// The peer broke the WebSocket protocol. See [`Error::close_code`](crate::Error::close_code).
    Protocol,
    /// The peer sent more than a limit of ours allows. See
    /// [`Error::close_code`](crate::Error::close_code).
    TooBig,
    /// The connection is closing or closed, so nothing more can be sent.
    Closed,
}

impl ErrorKind {
    /// What to do, where nobody knows better.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::InvalidInput => "correct what was given; nothing was sent",
            Self::Resolve => "is the name spelt right, and the network there?",
            Self::Denied => "declare it in the app's manifest, or ask whoever runs this machine",
            Self::Connect => "is a server listening there, and does a firewall let you through?",
            Self::Disconnected => "connect again; what was sent last may not have arrived",
            Self::TimedOut => "try again, or allow more time",
            Self::Io => "look at what the operating system says, and try again",
            Self::Tls => "compare the TLS settings of both sides",
            Self::Certificate => "trust its issuer, or have the peer show another certificate",
            Self::Proxy => "ask whoever runs the proxy, or go by another way",
            Self::Handshake => "is there a WebSocket server at that address, and at that path?",
            Self::Protocol => "report it to whoever wrote the peer",
            Self::TooBig => "raise the limit, or have the peer send less",
            Self::Closed => "connect again to send more",
        }
    }
}
