//! [`ListError`]: why a header is not a list.

use std::fmt;

/// A comma-separated header is not the list it should be (RFC 9110 §5.6.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ListError {
    /// The header is there and lists nothing.
    Empty,
    /// An element, the name of a parameter or its value is not a token (RFC 9110 §5.6.2).
    NotAToken,
    /// A quoted string has no end (RFC 9110 §5.6.4).
    UnclosedQuote,
    /// An element that must be unique is listed twice (RFC 6455 §4.1).
    Duplicate,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "nothing is listed",
            Self::NotAToken => "something is not a token",
            Self::UnclosedQuote => "a quoted string has no end",
            Self::Duplicate => "a name is listed twice",
        })
    }
}

impl std::error::Error for ListError {}
