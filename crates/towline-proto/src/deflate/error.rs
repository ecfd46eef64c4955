//! [`DeflateError`]: why an offer or an answer of compression does not stand.

use std::fmt;

/// What is wrong with a peer's `permessage-deflate` (RFC 7692 §7.1).
///
/// A server declines such an offer; a client fails the connection over such an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DeflateError {
    /// A parameter that the extension does not have.
    UnknownParameter(String),
    /// A parameter that is there twice.
    Repeated(&'static str),
    /// A parameter whose value is missing, not allowed, or no number from 8 to 15.
    BadValue(&'static str),
    /// The answer has a parameter that may only answer one that was offered (RFC 7692 §7.1.2.2).
    NotOffered(&'static str),
    /// The answer lacks a parameter that the offer asked for (RFC 7692 §7.1.1.1, §7.1.2.1).
    Missing(&'static str),
    /// The answer allows a larger window than was offered (RFC 7692 §7.1.2).
    WindowTooLarge(&'static str),
    /// The answer accepts the extension more than once (RFC 7692 §5.1).
    AcceptedTwice,
}

impl fmt::Display for DeflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A parameter can be as long as the head may be.
            Self::UnknownParameter(name) => write!(f, "there is no parameter {name:.32?}"),
            Self::Repeated(name) => write!(f, "{name} is there twice"),
            Self::BadValue(name) => write!(f, "the value of {name} is not one that it can have"),
            Self::NotOffered(name) => write!(f, "{name} was not offered"),
            Self::Missing(name) => write!(f, "{name} was asked for and is missing"),
            Self::WindowTooLarge(name) => write!(f, "{name} is larger than was offered"),
            Self::AcceptedTwice => f.write_str("it is accepted twice"),
        }
    }
}

impl std::error::Error for DeflateError {}
