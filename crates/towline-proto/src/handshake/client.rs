//! [`ClientHandshake`]: the request to send, and the response to check (RFC 6455 §4.1).

use std::fmt;
use std::time::Instant;

use base64::Engine as _;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use http::{HeaderMap, Response, StatusCode, Version};

use super::deadline::Deadline;
use super::headers::{elements, extensions, has_token, only, subprotocols};
use super::http1::HeadReader;
use super::{BASE64, ClientRequest, HandshakeError, HeadLimits, Negotiated, accept_key};

/// The client's half of one opening handshake (RFC 6455 §4.1).
///
/// ```
/// # use towline_proto::handshake::{ClientHandshake, ClientRequest, HeadLimits};
/// # use towline_proto::WsUri;
/// let request = ClientRequest::new(&WsUri::parse("ws://server.example.com/chat")?);
/// let key = *b"the sample nonce"; // 16 bytes from a random source, new for every connection
/// let mut handshake = ClientHandshake::new(request, key, HeadLimits::default());
/// assert!(handshake.request().starts_with(b"GET /chat HTTP/1.1\r\n"));
///
/// let answer = b"HTTP/1.1 101 Switching Protocols\r\n\
///     Upgrade: websocket\r\n\
///     Connection: Upgrade\r\n\
///     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nframes";
/// let (head, _response, _negotiated) = handshake.receive(answer)?.expect("the head is whole");
/// assert_eq!(&answer[head..], b"frames");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ClientHandshake {
    head: Vec<u8>,
    accept: String,
    offered: Vec<String>,
    /// Taken when the answer has come.
    #[cfg(feature = "deflate")]
    deflate: Option<crate::DeflateOffer>,
    reader: HeadReader,
    deadline: Deadline,
}

// The request may hold secrets: cookies, tokens.
impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake")
            .field("offered", &self.offered)
            .field("reader", &self.reader)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl ClientHandshake {
    /// Starts a handshake.
    ///
    /// The key is 16 bytes from a random source, new for every attempt (RFC 6455 §4.1): by it the
    /// client knows that the answer is not one out of some cache.
    pub fn new(request: ClientRequest, key: [u8; 16], limits: HeadLimits) -> Self {
        let key = BASE64.encode(key);
        #[cfg(feature = "deflate")]
        let deflate = request.offer();
        #[cfg(feature = "deflate")]
        let extensions = deflate.as_ref().map(ToString::to_string);
        #[cfg(not(feature = "deflate"))]
        let extensions: Option<String> = None;
        Self {
            head: request.head(&key, extensions.as_deref()),
            accept: accept_key(&key),
            offered: request.subprotocols().to_vec(),
            #[cfg(feature = "deflate")]
            deflate,
            reader: HeadReader::new(limits),
            deadline: Deadline::default(),
        }
    }

    /// Sets by when the peer's head has to be whole; `None`, as at first, for no limit.
    #[must_use]
    pub fn expire_at(mut self, deadline: impl Into<Option<Instant>>) -> Self {
        self.deadline = Deadline(deadline.into());
        self
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), unless the head is whole by then.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline.0
    }

    /// Gives up if the deadline has passed. Early calls do nothing.
    ///
    /// # Errors
    /// [`HandshakeError::TimedOut`]
    pub fn handle_timeout(&self, now: Instant) -> Result<(), HandshakeError> {
        self.deadline.check(now)
    }

    /// The bytes to send to the server.
    pub fn request(&self) -> &[u8] {
        &self.head
    }

    /// The bytes of the answer's head, as they came.
    pub fn received(&self) -> &[u8] {
        self.reader.bytes()
    }

    /// Takes what the server sent, until its answer's head is whole.
    ///
    /// When it is, and everything in it is right: how many bytes of this input belonged to it, the
    /// answer, and what was agreed. The bytes after those are the first frames.
    pub fn receive(
        &mut self,
        input: &[u8],
    ) -> Result<Option<(usize, Response<()>, Negotiated)>, HandshakeError> {
        let mut consumed = 0;
        loop {
            let (_, rest) = input.split_at(consumed);
            let Some(taken) = self.reader.push(rest)? else { return Ok(None) };
            consumed += taken;
            let response = self.reader.response()?;
            match response.status() {
                StatusCode::SWITCHING_PROTOCOLS => {
                    let negotiated = self.check(&response)?;
                    return Ok(Some((consumed, response, negotiated)));
                }
                // RFC 9110 §15.2: other 1xx come before the answer, and may be ignored.
                status if status.is_informational() => self.reader.restart(),
                _ => {
                    let response = Box::new(response);
                    return Err(HandshakeError::Status { response, consumed });
                }
            }
        }
    }

    fn check(&mut self, response: &Response<()>) -> Result<Negotiated, HandshakeError> {
        let headers = response.headers();
        // RFC 9110 §15.2: HTTP/1.0 has no 1xx.
        if response.version() != Version::HTTP_11 {
            return Err(HandshakeError::HttpVersion);
        }
        // RFC 6455 §4.1: in the answer `websocket` is not one of several, it is the choice.
        if !has_token(headers, UPGRADE, "websocket") || elements(headers, UPGRADE).count() > 1 {
            return Err(HandshakeError::Upgrade);
        }
        if !has_token(headers, CONNECTION, "upgrade") {
            return Err(HandshakeError::Connection);
        }
        if only(headers, SEC_WEBSOCKET_ACCEPT).is_none_or(|accept| *accept != self.accept) {
            return Err(HandshakeError::Accept);
        }
        let terms = self.check_extensions(headers)?;
        let chosen = subprotocols(headers).map_err(HandshakeError::Subprotocols)?;
        match <[String; 1]>::try_from(chosen) {
            Ok([name]) if self.offered.contains(&name) => {
                Ok(Negotiated { subprotocol: Some(name), ..terms })
            }
            Ok([name]) => Err(HandshakeError::SubprotocolNotOffered(name)),
            // RFC 6455 §4.1: a server may choose none.
            Err(none) if none.is_empty() => Ok(terms),
            Err(_) => Err(HandshakeError::SeveralSubprotocols),
        }
    }

    /// RFC 6455 §4.1: a server may choose among what was offered, and nothing else.
    #[cfg(feature = "deflate")]
    fn check_extensions(&mut self, headers: &HeaderMap) -> Result<Negotiated, HandshakeError> {
        let mut chosen = extensions(headers).map_err(HandshakeError::Extensions)?;
        let mut terms = Negotiated::default();
        if let Some(offer) = self.deflate.take() {
            terms.deflate = offer.agreed(&chosen).map_err(HandshakeError::Deflate)?;
            chosen.retain(|extension| extension.name != crate::DeflateOffer::NAME);
        }
        match chosen.pop() {
            Some(extension) => Err(HandshakeError::ExtensionNotOffered(extension.name)),
            None => Ok(terms),
        }
    }

    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "with the feature `deflate` there may be an offer")]
    fn check_extensions(&mut self, headers: &HeaderMap) -> Result<Negotiated, HandshakeError> {
        match extensions(headers).map_err(HandshakeError::Extensions)?.pop() {
            Some(extension) => Err(HandshakeError::ExtensionNotOffered(extension.name)),
            None => Ok(Negotiated::default()),
        }
    }
}
