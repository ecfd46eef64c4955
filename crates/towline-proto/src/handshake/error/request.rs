//! [`RequestError`]: the mistakes of our own caller.

use std::fmt;

use http::HeaderName;

/// The caller asked for a head that must not be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// The name of a header is not a token (RFC 9110 §5.1).
    HeaderName(String),
    /// The value of this header is not visible ASCII with blanks and tabs (RFC 9110 §5.5). The
    /// value is not repeated here, since it may be a secret.
    HeaderValue(HeaderName),
    /// The handshake writes this header itself.
    Reserved {
        /// The header.
        name: HeaderName,
        /// What to do instead.
        advice: &'static str,
    },
    /// The name of a subprotocol is not a token (RFC 6455 §4.1).
    Subprotocol(String),
    /// A subprotocol is offered twice (RFC 6455 §4.1).
    DuplicateSubprotocol(String),
    /// A server chose a subprotocol that its client did not offer (RFC 6455 §4.2.2).
    SubprotocolNotOffered(String),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderName(name) => {
                write!(f, "{name:?} is not a header name: use letters, digits and '-'")
            }
            Self::HeaderValue(name) => write!(
                f,
                "the value of the header {name} has line breaks, control characters or letters \
                 outside ASCII: encode them first"
            ),
            Self::Reserved { name, advice } => {
                write!(f, "the header {name} is written by the handshake: {advice}")
            }
            Self::Subprotocol(name) => write!(
                f,
                "{name:?} is not a subprotocol: use letters, digits and '-._', and one call for \
                 each"
            ),
            Self::DuplicateSubprotocol(name) => {
                write!(f, "the subprotocol {name:?} is offered twice")
            }
            Self::SubprotocolNotOffered(name) => write!(
                f,
                "the client did not offer the subprotocol {name:?}: choose one of its list or none"
            ),
        }
    }
}

impl std::error::Error for RequestError {}
