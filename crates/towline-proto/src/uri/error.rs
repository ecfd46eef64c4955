//! [`UriError`]: why a text is not the address of a WebSocket.

use std::fmt;

/// Why a text is not the address of a WebSocket.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum UriError {
    /// The scheme, given here in lower case, is neither `ws` nor `wss`; empty if there was none
    /// (RFC 6455 §3).
    Scheme(String),
    /// There is a `#`, even if nothing follows it (RFC 6455 §3).
    Fragment,
    /// There is a user name, and perhaps a password, before the host. They are not repeated here.
    UserInfo,
    /// There is no host.
    NoHost,
    /// The host is neither a name nor an IP address (RFC 3986 §3.2.2).
    Host(String),
    /// The host has letters outside ASCII, and this build cannot turn them into Punycode.
    NonAsciiHost(String),
    /// The port is not a number from 1 to 65535.
    Port(String),
    /// This character has to be percent-encoded (RFC 3986 §2.1).
    Character(char),
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme(scheme) => match scheme.as_str() {
                "" => write!(f, "the address has no scheme: begin it with ws:// or wss://"),
                "http" => write!(f, "the scheme http is not for WebSockets: use ws://"),
                "https" => write!(f, "the scheme https is not for WebSockets: use wss://"),
                other => write!(f, "the scheme {other} is not for WebSockets: use ws:// or wss://"),
            },
            Self::Fragment => {
                write!(f, "a WebSocket address has no fragment: leave out '#' or write it as %23")
            }
            Self::UserInfo => write!(
                f,
                "a WebSocket address has no user name or password: leave out everything up to '@' \
                 and send an Authorization header"
            ),
            Self::NoHost => write!(f, "the address has no host: write it as ws://host/path"),
            Self::Host(host) => write!(
                f,
                "{host:?} is not a host: use a name, an IPv4 address or an IPv6 address in brackets"
            ),
            Self::NonAsciiHost(host) => write!(
                f,
                "the host {host:?} is not ASCII: write it in Punycode (xn--…) or build with the \
                 feature idn"
            ),
            Self::Port(port) => write!(f, "{port:?} is not a port: use 1 to 65535"),
            Self::Character(c) => {
                write!(f, "{c:?} cannot stand in an address: write it as ")?;
                c.encode_utf8(&mut [0; 4]).bytes().try_for_each(|byte| write!(f, "%{byte:02X}"))
            }
        }
    }
}

impl std::error::Error for UriError {}
