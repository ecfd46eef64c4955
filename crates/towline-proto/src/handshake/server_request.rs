//! [`ServerRequest`]: a client's request, to be checked and answered (RFC 6455 §4.2).

use std::fmt;

use base64::Engine as _;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, ORIGIN, TRANSFER_ENCODING, UPGRADE};
use http::header::{SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version};

use super::headers::{ListError, extensions, has_token, only, reserved, subprotocols};
use super::http1::write_header;
use super::{BASE64, HandshakeError, Negotiated, RequestError, VERSION, accept_key};
use crate::uri::Authority;

/// A request whose head has come whole. It has the form of HTTP/1; whether it opens a WebSocket,
/// [`check`](Self::check) says.
pub struct ServerRequest {
    request: Request<()>,
    subprotocols: Result<Vec<String>, ListError>,
    /// What of the client's offers is accepted.
    terms: Negotiated,
}

impl ServerRequest {
    pub(super) fn new(request: Request<()>) -> Self {
        let subprotocols = subprotocols(request.headers());
        Self { request, subprotocols, terms: Negotiated::default() }
    }

    /// The head as it came, repeated headers included.
    pub fn request(&self) -> &Request<()> {
        &self.request
    }

    /// Whether the client wants a WebSocket, even if it asks for it wrongly.
    ///
    /// If it does not, this is a request for a page or the like.
    pub fn is_upgrade(&self) -> bool {
        let headers = self.request.headers();
        has_token(headers, UPGRADE, "websocket")
            || headers.keys().any(|name| name.as_str().starts_with("sec-websocket-"))
    }

    /// The subprotocols the client offers, the one it likes best first; none if the list is
    /// malformed.
    pub fn subprotocols(&self) -> &[String] {
        self.subprotocols.as_deref().unwrap_or_default()
    }

    /// The web page's origin, which every browser names (RFC 6455 §10.2).
    ///
    /// `None` as well if there are several: have the request [checked](Self::check) before
    /// letting it pass for one without an origin.
    pub fn origin(&self) -> Option<&str> {
        only(self.request.headers(), ORIGIN)?.to_str().ok()
    }

    /// Host and port the client meant to reach; `None` if that is missing, doubled or malformed.
    pub fn host(&self) -> Option<&str> {
        let header = only(self.request.headers(), HOST)?.to_str().ok()?;
        // RFC 9112 §3.2.2: the host of an absolute target goes before the header, which has to be
        // there and right all the same.
        let target = self.request.uri().authority().map(|authority| authority.as_str());
        let valid = [Some(header), target].into_iter().flatten().all(Authority::is_valid);
        valid.then_some(target.unwrap_or(header))
    }

    /// Whether the request opens a WebSocket by all the rules of RFC 6455 §4.2.1.
    pub fn check(&self) -> Result<(), HandshakeError> {
        self.key().map(drop)
    }

    /// Compresses messages if the client offers it in a way that these settings can meet
    /// (RFC 7692 §5.1). Without this call every offer is declined.
    ///
    /// Memory for it is reserved from the settings' budget now.
    #[cfg(feature = "deflate")]
    pub fn deflate(&mut self, settings: &crate::Deflate) {
        self.terms.deflate = settings.accept(self.request.headers());
    }

    /// Checks the request, and prints the answer that opens the WebSocket (RFC 6455 §4.2.2).
    ///
    /// A subprotocol must be one of [those offered](Self::subprotocols); `headers` are sent as
    /// they are after the handshake's own, which they must not repeat.
    pub fn accept(
        &self,
        subprotocol: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<(Vec<u8>, Negotiated), HandshakeError> {
        let accept = accept_key(self.key()?);
        if let Some(name) = subprotocol.filter(|name| !self.offers(name)) {
            let error = RequestError::SubprotocolNotOffered(name.to_owned());
            return Err(HandshakeError::Answer(error));
        }
        let mut head = Vec::with_capacity(USUAL_HEAD);
        for part in [
            "HTTP/1.1 101 Switching Protocols\r\n\
             Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Accept: ",
            &accept,
            "\r\n",
        ] {
            head.extend_from_slice(part.as_bytes());
        }
        if let Some(name) = subprotocol {
            head.extend_from_slice(format!("Sec-WebSocket-Protocol: {name}\r\n").as_bytes());
        }
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &self.terms.deflate {
            head.extend_from_slice(format!("Sec-WebSocket-Extensions: {deflate}\r\n").as_bytes());
        }
        for (name, value) in headers {
            if let Some(advice) = reserved(name) {
                let error = RequestError::Reserved { name: name.clone(), advice };
                return Err(HandshakeError::Answer(error));
            }
            write_header(&mut head, name, value);
        }
        head.extend_from_slice(b"\r\n");
        let subprotocol = subprotocol.map(str::to_owned);
        Ok((head, Negotiated { subprotocol, ..self.terms.clone() }))
    }

    /// The client's key, once everything else has been checked in the order of RFC 6455 §4.2.1.
    fn key(&self) -> Result<&str, HandshakeError> {
        let headers = self.request.headers();
        if self.request.method() != Method::GET {
            return Err(HandshakeError::Method(self.request.method().clone()));
        }
        if self.request.version() != Version::HTTP_11 {
            return Err(HandshakeError::HttpVersion);
        }
        if !is_resource(self.request.uri()) {
            return Err(HandshakeError::Target);
        }
        if self.host().is_none() {
            return Err(HandshakeError::Host);
        }
        if !has_token(headers, UPGRADE, "websocket") {
            return Err(HandshakeError::Upgrade);
        }
        if !has_token(headers, CONNECTION, "upgrade") {
            return Err(HandshakeError::Connection);
        }
        if only(headers, SEC_WEBSOCKET_VERSION).ok_or(HandshakeError::NoVersion)? != VERSION {
            return Err(HandshakeError::Version);
        }
        let key = only(headers, SEC_WEBSOCKET_KEY).and_then(key).ok_or(HandshakeError::Key)?;
        if headers.contains_key(ORIGIN) && self.origin().is_none() {
            return Err(HandshakeError::Origin);
        }
        let body = headers.get_all(CONTENT_LENGTH).iter().any(|length| length != "0");
        if body || headers.contains_key(TRANSFER_ENCODING) {
            return Err(HandshakeError::Body);
        }
        if let Err(error) = self.subprotocols {
            return Err(HandshakeError::Subprotocols(error));
        }
        extensions(headers).map_err(HandshakeError::Extensions)?;
        Ok(key)
    }

    fn offers(&self, subprotocol: &str) -> bool {
        self.subprotocols().iter().any(|offered| offered == subprotocol)
    }
}

/// Method and path only: headers and query carry cookies and tokens.
impl fmt::Debug for ServerRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerRequest")
            .field("method", self.request.method())
            .field("path", &self.request.uri().path())
            .finish_non_exhaustive()
    }
}

/// RFC 6455 §4.2.1: the target is a path, or an `http:` or `https:` address with one.
fn is_resource(target: &Uri) -> bool {
    let scheme = matches!(target.scheme_str(), None | Some("http" | "https"));
    target.path().starts_with('/') && scheme
}

/// RFC 6455 §4.2.1: a key is 16 bytes in base64.
fn key(value: &HeaderValue) -> Option<&str> {
    let key = value.to_str().ok()?;
    // The room that the decoder asks for to decode the 24 characters that those are.
    let len = BASE64.decode_slice(key, &mut [0; 18]).ok()?;
    (len == 16).then_some(key)
}

/// An answer with neither subprotocol nor extension nor headers of the caller's has 129 bytes.
const USUAL_HEAD: usize = 192;
