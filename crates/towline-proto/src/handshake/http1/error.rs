//! [`HeadError`]: why bytes are not an HTTP/1.1 head.

use std::fmt;

/// The bytes are not one HTTP/1.1 head within the limits (RFC 9112 §2.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum HeadError {
    /// There are more bytes than [`HeadLimits::bytes`](crate::handshake::HeadLimits::bytes).
    TooLarge,
    /// There are more header lines than [`HeadLimits::headers`](crate::handshake::HeadLimits::headers).
    TooManyHeaders,
    /// The first byte cannot begin a head (RFC 9112 §2.1); that of a TLS record cannot.
    NotHttp,
    /// A line ends in LF alone, or a CR stands by itself (RFC 9112 §2.2). Programs disagree on
    /// where such a line ends, which is how one head is smuggled inside another.
    LineEnd,
    /// A header goes on in a second line (RFC 9112 §5.2).
    Folded,
    /// The version is neither HTTP/1.0 nor HTTP/1.1 (RFC 9112 §2.3).
    Version,
    /// The request line or status line is malformed (RFC 9112 §3, §4).
    StartLine,
    /// The name or the value of a header is malformed (RFC 9112 §5).
    HeaderLine,
    /// The head was asked for before it had ended.
    Unfinished,
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the HTTP head is larger than the limit",
            Self::TooManyHeaders => "the HTTP head has more headers than the limit",
            Self::NotHttp => "this is not HTTP; perhaps one side speaks TLS and the other does not",
            Self::LineEnd => "a line of the HTTP head does not end in CR LF",
            Self::Folded => "a header of the HTTP head is folded over two lines",
            Self::Version => "the HTTP version is not 1.1",
            Self::StartLine => "the first line of the HTTP head is malformed",
            Self::HeaderLine => "a header of the HTTP head is malformed",
            Self::Unfinished => "the HTTP head has not ended yet",
        })
    }
}

impl std::error::Error for HeadError {}
