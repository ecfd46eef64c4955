//! The opening handshake: two HTTP heads that turn a byte stream into a WebSocket (RFC 6455 §4).
//!
//! ```text
//!            client                                         server
//! ClientRequest → ClientHandshake ──── GET … ───→ ServerHandshake → ServerRequest
//!    Negotiated ← receive()       ←─── 101 … ────                   accept() → Negotiated
//! ```
//!
//! Nothing here reads or writes: bytes are handed in and out, and so is the client's random key.

mod client;
mod client_request;
mod deadline;
mod error;
pub mod headers;
pub mod http1;
mod server;
mod server_request;

pub use client::ClientHandshake;
pub use client_request::ClientRequest;
pub use error::{HandshakeError, RequestError};
pub use server::{ServerHandshake, response_head};
pub use server_request::ServerRequest;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest as _, Sha1};

/// What both sides agreed on. A connection is built from it and checks none of it again.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Negotiated {
    /// The subprotocol the server chose from the client's list, if it chose one (RFC 6455 §1.9).
    pub subprotocol: Option<String>,
    /// How messages are compressed, if both sides want it: the one extension that there is here
    /// (RFC 7692). Any other is not offered, not accepted, and refused if a server names it.
    #[cfg(feature = "deflate")]
    pub deflate: Option<crate::DeflateTerms>,
}

/// How large a head may become before it is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HeadLimits {
    /// Most bytes, from the first of the start line to the last of the blank line.
    pub bytes: usize,
    /// Most header lines.
    pub headers: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { bytes: MAX_HEAD_BYTES, headers: MAX_HEADERS }
    }
}

/// The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key` (RFC 6455 §4.2.2).
///
/// It shows that the server read this very request and knows what a WebSocket is. It proves
/// nothing about who the server is.
pub fn accept_key(key: &str) -> String {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    BASE64.encode(digest)
}

/// The one version there is (RFC 6455 §4.1).
const VERSION: &str = "13";

/// Appended to every key before it is hashed (RFC 6455 §1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Most bytes of a head by default: room for large cookies and a bearer token, and what widely
/// used servers allow.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Most header lines of a head by default. A browser behind a few proxies sends about thirty.
pub const MAX_HEADERS: usize = 100;
