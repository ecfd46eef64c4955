//! What is known about a connection.

use std::fmt;
use std::net::{SocketAddr, SocketAddrV4};
use std::time::Duration;

use http::HeaderMap;
use http::header::{
    AUTHORIZATION, CONNECTION, COOKIE, HOST, ORIGIN, PROXY_AUTHORIZATION, SEC_WEBSOCKET_KEY,
    SET_COOKIE, UPGRADE, USER_AGENT,
};
use towline_proto::handshake::http1::HeadReader;
use towline_proto::handshake::{HeadLimits, Negotiated, accept_key};

use crate::attempt::Attempt;
#[cfg(feature = "tls")]
use crate::certificate::PeerCertificates;
use crate::guard::Own;
use crate::proxy::Route;

/// What is known about a connection since it was opened.
///
/// The heads are kept as they travelled and parsed when asked for, so that ten thousand idle
/// connections do not keep ten thousand header maps.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ConnectionInfo {
    ends: Ends,
    /// What few connections have.
    rare: Option<Box<Rare>>,
    /// The request and the response, one behind the other.
    heads: Box<[u8]>,
    /// Whether the response stands there without what it begins with [usually](usual).
    shortened: bool,
    tls_version: Option<TlsVersion>,
}

/// What was agreed on, if anything was, what there is to tell of the way, if there is anything, and
/// what the peer showed of itself, if it did.
#[derive(Clone, Default)]
struct Rare {
    terms: Negotiated,
    way: Option<Box<Way>>,
    /// As long as this lives the program's own server lets it in.
    own: Option<Own>,
    #[cfg(feature = "tls")]
    peer_certificates: Option<PeerCertificates>,
    #[cfg(feature = "tls")]
    alpn: Option<Box<[u8]>>,
}

/// Which addresses were tried, if several were, and which proxies led there, if any did.
#[derive(Clone, Default)]
struct Way {
    attempts: Vec<Attempt>,
    route: Option<Route>,
}

/// Both addresses of a TCP connection. Boxed, what takes more room than most.
#[derive(Clone, Default)]
enum Ends {
    #[default]
    Unknown,
    V4 {
        local: SocketAddrV4,
        peer: SocketAddrV4,
    },
    Other(Box<(Option<SocketAddr>, Option<SocketAddr>)>),
}

/// What a server of ours begins its answers with, and many another: all of it can be told from the
/// request, so it need not be kept.
fn usual(request: &http::Request<()>) -> Vec<u8> {
    let key = request.headers().get(SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok());
    let accept = accept_key(key.unwrap_or_default());
    [USUAL, accept.as_bytes(), b"\r\n"].concat()
}

const USUAL: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: ";

/// Characters of a `Sec-WebSocket-Accept`: the 20 bytes of a SHA-1 in base64 (RFC 6455 §4.2.2).
const ACCEPT_LEN: usize = 28;

impl ConnectionInfo {
    pub(crate) fn new(local: Option<SocketAddr>, peer: Option<SocketAddr>) -> Self {
        let ends = match (local, peer) {
            (Some(SocketAddr::V4(local)), Some(SocketAddr::V4(peer))) => Ends::V4 { local, peer },
            other => Ends::Other(Box::new(other)),
        };
        Self { ends, ..Self::default() }
    }

    /// Our end of the TCP connection; `None` if the byte stream is none.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.ends {
            Ends::Unknown => None,
            Ends::V4 { local, .. } => Some((*local).into()),
            Ends::Other(ends) => ends.0,
        }
    }

    /// The peer's end of the TCP connection; where [proxies](Self::route) led there, the nearest one's.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        match &self.ends {
            Ends::Unknown => None,
            Ends::V4 { peer, .. } => Some((*peer).into()),
            Ends::Other(ends) => ends.1,
        }
    }

    /// The subprotocol that client and server agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.rare.as_ref()?.terms.subprotocol.as_deref()
    }

    /// How messages are compressed, if client and server agreed on it.
    #[cfg(feature = "deflate")]
    pub fn deflate(&self) -> Option<&towline_proto::DeflateTerms> {
        self.rare.as_ref()?.terms.deflate.as_ref()
    }

    /// Notes what the opening handshake came to.
    pub(crate) fn agreed(&mut self, terms: Negotiated) {
        if terms == Negotiated::default() {
            return;
        }
        let rare = self.rare.get_or_insert_default();
        rare.terms = terms;
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &mut rare.terms.deflate {
            *deflate = deflate.unreserved();
        }
    }

    /// The addresses that a client tried, in that order, if it took more than one: one won, and of
    /// the others it says what became of them. Empty where the first won at once: that one is
    /// [`peer_addr`](Self::peer_addr).
    pub fn attempts(&self) -> &[Attempt] {
        self.way().map_or(&[], |way| &way.attempts)
    }

    /// Notes which addresses were tried.
    pub(crate) fn attempted(&mut self, attempts: Vec<Attempt>) {
        if !attempts.is_empty() {
            self.way_mut().attempts = attempts;
        }
    }

    /// The proxies that led to the server, and why these; `None` if it was connected to directly.
    pub fn route(&self) -> Option<&Route> {
        self.way()?.route.as_ref()
    }

    /// Notes which proxies led there.
    pub(crate) fn went(&mut self, route: Route) {
        self.way_mut().route = Some(route);
    }

    /// Notes that it comes from a port of this machine, and leads there.
    pub(crate) fn owned(&mut self, own: Option<Own>) {
        if own.is_some() {
            self.rare.get_or_insert_default().own = own;
        }
    }

    fn way(&self) -> Option<&Way> {
        self.rare.as_ref()?.way.as_deref()
    }

    fn way_mut(&mut self) -> &mut Way {
        self.rare.get_or_insert_default().way.get_or_insert_default()
    }

    /// Notes the version of TLS.
    pub(crate) fn secured(&mut self, version: Option<TlsVersion>) {
        self.tls_version = version;
    }

    /// The certificates that the peer showed, and what is wrong with them, if anything was ignored.
    ///
    /// `None` for `ws`, and on a server for clients that showed none.
    #[cfg(feature = "tls")]
    pub fn peer_certificates(&self) -> Option<&PeerCertificates> {
        self.rare.as_ref()?.peer_certificates.as_ref()
    }

    /// The protocol that was agreed on in the TLS handshake (ALPN, RFC 7301), if one was offered.
    #[cfg(feature = "tls")]
    pub fn alpn(&self) -> Option<&[u8]> {
        self.rare.as_ref()?.alpn.as_deref()
    }

    /// Notes what the TLS handshake came to, beside its version.
    #[cfg(feature = "tls")]
    pub(crate) fn certified(&mut self, peer: Option<PeerCertificates>, alpn: Option<Box<[u8]>>) {
        if peer.is_some() || alpn.is_some() {
            let rare = self.rare.get_or_insert_default();
            (rare.peer_certificates, rare.alpn) = (peer, alpn);
        }
    }

    /// Notes the request's head.
    pub(crate) fn asked(&mut self, request: &[u8]) {
        self.heads = request.into();
    }

    /// Notes the response's head, after the request's.
    pub(crate) fn answered(&mut self, response: &[u8]) {
        // That the key was answered rightly has been seen to.
        let rest = response.strip_prefix(USUAL).and_then(|rest| rest.get(ACCEPT_LEN..));
        let rest = rest.and_then(|rest| rest.strip_prefix(b"\r\n"));
        self.shortened = rest.is_some();
        self.heads = [&*self.heads, rest.unwrap_or(response)].concat().into();
    }

    /// The opening handshake's request; `None` if somebody else's code did the handshake.
    ///
    /// Its `Debug` shows no header but the handshake's own, since any other may be a secret; it shows
    /// the whole address, also what stands behind a question mark.
    pub fn request(&self) -> Option<http::Request<()>> {
        request_of(&self.heads)
    }

    /// The opening handshake's response; `None` if somebody else's code did the handshake.
    pub fn response(&self) -> Option<http::Response<()>> {
        let (request, rest) = first_head(&self.heads)?;
        let mut response =
            if self.shortened { usual(&request.request().ok()?) } else { Vec::new() };
        response.extend_from_slice(rest);
        response_of(&response)
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
            .field("local_addr", &self.local_addr())
            .field("peer_addr", &self.peer_addr())
            .field("subprotocol", &self.subprotocol());
        #[cfg(feature = "deflate")]
        shown.field("deflate", &self.deflate().map(ToString::to_string));
        shown
            .field("tls_version", &self.tls_version)
            .field("route", &self.route().map(ToString::to_string))
            .finish_non_exhaustive()
    }
}

/// Marks what is a secret in an answer, so that no `Debug` shows it.
pub(crate) fn hide(headers: &mut HeaderMap) {
    for (name, value) in headers {
        value
            .set_sensitive([AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE].contains(name));
    }
}

/// The same in a request, where any header may be somebody's key but for those of the handshake.
fn hide_own(headers: &mut HeaderMap) {
    let handshake = [HOST, UPGRADE, CONNECTION, ORIGIN, USER_AGENT];
    for (name, value) in headers {
        let known = handshake.contains(name) || name.as_str().starts_with("sec-websocket-");
        value.set_sensitive(!known);
    }
}

/// The request at the start of these bytes, with its secrets marked.
pub(crate) fn request_of(bytes: &[u8]) -> Option<http::Request<()>> {
    let mut request = first_head(bytes)?.0.request().ok()?;
    hide_own(request.headers_mut());
    Some(request)
}

/// The response at the start of these bytes, with its secrets marked.
pub(crate) fn response_of(bytes: &[u8]) -> Option<http::Response<()>> {
    let mut response = first_head(bytes)?.0.response().ok()?;
    hide(response.headers_mut());
    Some(response)
}

/// A head that was read or written before, so its size needs no limit; and what stands behind it.
fn first_head(bytes: &[u8]) -> Option<(HeadReader, &[u8])> {
    let mut reader = HeadReader::new(HeadLimits { bytes: bytes.len(), headers: bytes.len() });
    let len = reader.push(bytes).ok().flatten()?;
    Some((reader, &bytes[len..]))
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
    /// Time from the last answered ping to its pong; `None` as long as none was answered.
    pub round_trip: Option<Duration>,
    /// The same of all that were answered: each counts for an eighth beside those before it.
    pub smoothed_round_trip: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6455 §1.2, with headers that are not of the handshake.
    const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nCookie: id=7\r\nX-Key: hunter2\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";

    #[test]
    fn heads_are_given_as_they_came() {
        let usual = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        let other = usual.replace("websocket", "WebSocket");
        for start in [usual, &other] {
            for end in ["\r\n", "Set-Cookie: id=7\r\n\r\n"] {
                let mut info = ConnectionInfo::default();
                assert!(info.request().is_none() && info.response().is_none());
                info.asked(REQUEST.as_bytes());
                assert!(info.response().is_none());
                let response = format!("{start}{end}");
                info.answered(response.as_bytes());
                assert_eq!(info.request().unwrap().headers()["cookie"], "id=7");
                let shown = format!("{:?}", info.request());
                assert!(!shown.contains("id=7") && !shown.contains("hunter2"), "{shown}");
                assert!(shown.contains("dGhlIHNhbXBsZSBub25jZQ=="), "{shown}");
                let given = info.response().unwrap();
                let (reader, _) = first_head(response.as_bytes()).unwrap();
                let expected = reader.response().unwrap();
                assert_eq!(given.status(), expected.status());
                assert_eq!(given.headers(), expected.headers());
            }
        }
        let mut info = ConnectionInfo::default();
        info.asked(REQUEST.as_bytes());
        info.answered(format!("{usual}\r\n").as_bytes());
        assert_eq!(info.heads.len(), REQUEST.len() + 2);
    }
}
