//! [`HandshakeError`]: why there was no agreement.

mod request;
mod response;

pub use request::RequestError;

use std::fmt;

use http::{Method, Response};

use super::headers::ListError;
use super::http1::HeadError;

/// The opening handshake failed.
///
/// A server answers it with [`HandshakeError::response`]; a client closes the connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HandshakeError {
    /// What arrived is not an HTTP/1.1 head, or is too large a one (RFC 9112 §2.1).
    Head(HeadError),
    /// The peer's head was not whole by the deadline.
    TimedOut,
    /// The version of HTTP is below 1.1 (RFC 6455 §4.2.1).
    HttpVersion,
    /// `Upgrade` does not say `websocket` (RFC 6455 §4.2.1, §4.1).
    Upgrade,
    /// `Connection` does not list `upgrade` (RFC 6455 §4.2.1, §4.1).
    Connection,

    /// The method is not GET (RFC 6455 §4.2.1).
    Method(Method),
    /// The request target is neither a path nor an `http:` or `https:` address
    /// (RFC 6455 §4.2.1).
    Target,
    /// There is not exactly one `Host`, or it is not a host (RFC 6455 §4.2.1, RFC 9112 §3.2).
    Host,
    /// There is more than one `Origin`, or it is not ASCII (RFC 6454 §7.3). A server that checks
    /// origins must not have to guess which one counts.
    Origin,
    /// There is not exactly one `Sec-WebSocket-Version` (RFC 6455 §4.2.1).
    NoVersion,
    /// `Sec-WebSocket-Version` is not 13 (RFC 6455 §4.4).
    Version,
    /// There is not exactly one `Sec-WebSocket-Key`, or it is not 16 bytes in base64
    /// (RFC 6455 §4.2.1).
    Key,
    /// The request announces a body, which two servers in a row might cut at different places
    /// (RFC 9112 §11.2).
    Body,
    /// `Sec-WebSocket-Protocol` is not a list of names (RFC 6455 §4.1).
    Subprotocols(ListError),
    /// `Sec-WebSocket-Extensions` is not a list of extensions (RFC 6455 §9.1).
    Extensions(ListError),
    /// The server's own program asked for an answer that must not be sent.
    Answer(RequestError),

    /// The server answered with something else than 101 (RFC 6455 §4.1).
    Status {
        /// The answer's head. Its body, if it has one, follows on the same stream.
        response: Box<Response<()>>,
        /// How many bytes of the last input belonged to the head. The rest is of the body.
        consumed: usize,
    },
    /// There is not exactly one `Sec-WebSocket-Accept`, or it does not match the key
    /// (RFC 6455 §4.1).
    Accept,
    /// The server chose an extension that was not offered (RFC 6455 §4.1).
    ExtensionNotOffered(String),
    /// The server's answer to the offer of compression does not fit it (RFC 7692 §7.1).
    #[cfg(feature = "deflate")]
    Deflate(crate::DeflateError),
    /// The server chose a subprotocol that was not offered (RFC 6455 §4.1).
    SubprotocolNotOffered(String),
    /// The server chose more than one subprotocol (RFC 6455 §4.1).
    SeveralSubprotocols,
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(error) => error.fmt(f),
            Self::TimedOut => f.write_str("the opening handshake took too long"),
            Self::HttpVersion => f.write_str("a WebSocket needs HTTP/1.1"),
            Self::Upgrade => f.write_str("the Upgrade header is missing or is not 'websocket'"),
            Self::Connection => f.write_str("the Connection header does not list 'upgrade'"),
            // A method can be as long as the head may be.
            Self::Method(method) => {
                write!(f, "the method of a WebSocket request is GET, not {:.16}", method.as_str())
            }
            Self::Target => f.write_str("the request target has to be a path, as in GET /chat"),
            Self::Host => f.write_str("there has to be one Host header, with a valid host in it"),
            Self::Origin => f.write_str("there can be only one Origin header, in ASCII"),
            Self::NoVersion => f.write_str("there has to be one Sec-WebSocket-Version header"),
            Self::Version => f.write_str("the Sec-WebSocket-Version is not 13"),
            Self::Key => {
                f.write_str("there has to be one Sec-WebSocket-Key header: 16 bytes in base64")
            }
            Self::Body => f.write_str("a WebSocket request has no body"),
            Self::Subprotocols(error) => write!(f, "in Sec-WebSocket-Protocol, {error}"),
            Self::Extensions(error) => write!(f, "in Sec-WebSocket-Extensions, {error}"),
            Self::Answer(error) => write!(f, "this server's own answer is wrong: {error}"),
            Self::Status { response, .. } => {
                write!(
                    f,
                    "the server answered {} instead of switching protocols",
                    response.status()
                )
            }
            Self::Accept => {
                f.write_str("the server's Sec-WebSocket-Accept does not match the key it was sent")
            }
            Self::ExtensionNotOffered(name) => {
                write!(f, "the server chose the extension {name:?}, which was not offered")
            }
            #[cfg(feature = "deflate")]
            Self::Deflate(error) => {
                write!(f, "the server's answer about permessage-deflate is wrong: {error}")
            }
            Self::SubprotocolNotOffered(name) => {
                write!(f, "the server chose the subprotocol {name:?}, which was not offered")
            }
            Self::SeveralSubprotocols => f.write_str("the server chose more than one subprotocol"),
        }
    }
}

// The message tells the inner error already: as `source()` it would be printed twice.
impl std::error::Error for HandshakeError {}

impl From<HeadError> for HandshakeError {
    fn from(error: HeadError) -> Self {
        Self::Head(error)
    }
}
