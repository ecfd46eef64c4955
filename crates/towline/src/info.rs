//! What is known about a connection.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use towline_proto::handshake::http1::HeadReader;
use towline_proto::handshake::{HeadLimits, Negotiated};

/// What is known about a connection since it was opened.
///
/// The heads are kept as they travelled and parsed when asked for, so that ten thousand idle
/// connections do not keep ten thousand header maps.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ConnectionInfo {
    pub(crate) local_addr: Option<SocketAddr>,
    pub(crate) peer_addr: Option<SocketAddr>,
    pub(crate) subprotocol: Option<Box<str>>,
    #[cfg(feature = "deflate")]
    pub(crate) deflate: Option<Box<towline_proto::DeflateTerms>>,
    pub(crate) request: Box<[u8]>,
    pub(crate) response: Box<[u8]>,
    pub(crate) tls_version: Option<TlsVersion>,
}

impl ConnectionInfo {
    /// Our end of the TCP connection; `None` if the byte stream is none.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local_addr
    }

    /// The peer's end of the TCP connection.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer_addr
    }

    /// The subprotocol that client and server agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// How messages are compressed, if client and server agreed on it.
    #[cfg(feature = "deflate")]
    pub fn deflate(&self) -> Option<&towline_proto::DeflateTerms> {
        self.deflate.as_deref()
    }

    /// Notes what the opening handshake came to.
    pub(crate) fn agreed(&mut self, terms: Negotiated) {
        self.subprotocol = terms.subprotocol.map(String::into_boxed_str);
        #[cfg(feature = "deflate")]
        {
            self.deflate = terms.deflate.map(|terms| Box::new(terms.unreserved()));
        }
    }

    /// The opening handshake's request; `None` if somebody else's code did the handshake.
    pub fn request(&self) -> Option<http::Request<()>> {
        parsed(&self.request)?.request().ok()
    }

    /// The opening handshake's response; `None` if somebody else's code did the handshake.
    pub fn response(&self) -> Option<http::Response<()>> {
        parsed(&self.response)?.response().ok()
    }

    /// The version of TLS; `None` for `ws`.
    pub fn tls_version(&self) -> Option<TlsVersion> {
        self.tls_version
    }
}

/// Without the heads: cookies and credentials travel in them.
impl fmt::Debug for ConnectionInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ConnectionInfo");
        shown
            .field("local_addr", &self.local_addr)
            .field("peer_addr", &self.peer_addr)
            .field("subprotocol", &self.subprotocol);
        #[cfg(feature = "deflate")]
        shown.field("deflate", &self.deflate.as_ref().map(ToString::to_string));
        shown.field("tls_version", &self.tls_version).finish_non_exhaustive()
    }
}

/// A head that was read or written before, so its size needs no limit.
fn parsed(head: &[u8]) -> Option<HeadReader> {
    let mut reader = HeadReader::new(HeadLimits { bytes: head.len(), headers: head.len() });
    reader.push(head).ok().flatten().map(|_| reader)
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}

/// What a connection has carried so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes received after the opening handshake, frame headers included.
    pub bytes_in: u64,
    /// Bytes sent after the opening handshake, frame headers included.
    pub bytes_out: u64,
    /// Frames received, of every kind.
    pub frames_in: u64,
    /// Frames sent, of every kind.
    pub frames_out: u64,
    /// Messages received to their end.
    pub messages_in: u64,
    /// Messages sent to their end.
    pub messages_out: u64,
    /// Time from the last answered ping to its pong.
    pub round_trip: Option<Duration>,
}
