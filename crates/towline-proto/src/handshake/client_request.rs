//! [`ClientRequest`]: what a client asks for, before there is a connection.

use http::header::{HOST, HeaderName, HeaderValue, ORIGIN};

use super::headers::{is_token, reserved};
use super::http1::write_header;
use super::{RequestError, VERSION};
use crate::uri::WsUri;

/// The opening request of a client, except for its key (RFC 6455 §4.1).
///
/// It can be kept and used again: every attempt gets its own key from
/// [`ClientHandshake::new`](super::ClientHandshake::new).
///
/// ```
/// # use towline_proto::{WsUri, handshake::ClientRequest};
/// let uri = WsUri::parse("wss://example.com/chat")?;
/// let request = ClientRequest::new(&uri).subprotocol("chat.v2")?.header("Cookie", "id=7")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientRequest {
    authority: String,
    resource: String,
    subprotocols: Vec<String>,
    /// In the order of their first mention, each name once.
    headers: Vec<(HeaderName, HeaderValue)>,
    #[cfg(feature = "deflate")]
    deflate: Option<crate::Deflate>,
}

impl ClientRequest {
    /// A request for this address. It names no origin and offers no compression.
    pub fn new(uri: &WsUri) -> Self {
        Self {
            authority: uri.authority(),
            resource: uri.resource().to_owned(),
            subprotocols: Vec::new(),
            headers: Vec::new(),
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// The same request for another address. Its headers go along, secrets among them.
    pub fn with_uri(self, uri: &WsUri) -> Self {
        Self { authority: uri.authority(), resource: uri.resource().to_owned(), ..self }
    }

    /// Offers a subprotocol; the first one offered is the one liked best (RFC 6455 §4.1).
    pub fn subprotocol(mut self, name: &str) -> Result<Self, RequestError> {
        if !is_token(name) {
            return Err(RequestError::Subprotocol(name.to_owned()));
        }
        if self.subprotocols.iter().any(|offered| offered == name) {
            return Err(RequestError::DuplicateSubprotocol(name.to_owned()));
        }
        self.subprotocols.push(name.to_owned());
        Ok(self)
    }

    /// Offers to compress messages (RFC 7692). At first nothing is offered.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, settings: impl Into<Option<crate::Deflate>>) -> Self {
        self.deflate = settings.into();
        self
    }

    /// Names the origin on whose behalf the client acts, as browsers do (RFC 6455 §10.2).
    pub fn origin(self, origin: &str) -> Result<Self, RequestError> {
        self.header(ORIGIN.as_str(), origin)
    }

    /// Sets a header of the application's own; a value set before is replaced.
    ///
    /// `Host` can be set too, in place of the address's own. The headers that make the handshake
    /// cannot.
    pub fn header(self, name: &str, value: &str) -> Result<Self, RequestError> {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| RequestError::HeaderName(name.to_owned()))?;
        // What may not be set is told before what it may not be set to.
        if let Some(advice) = reserved(&name) {
            return Err(RequestError::Reserved { name, advice });
        }
        // RFC 9110 §5.5: letters outside ASCII are read differently by everybody.
        let Some(value) = HeaderValue::from_str(value).ok().filter(|_| value.is_ascii()) else {
            return Err(RequestError::HeaderValue(name));
        };
        self.set_header(name, value)
    }

    /// Sets a header as [`header`](Self::header) does, to a value that may have any letters.
    ///
    /// For one that repeats what a server said, whatever its letters meant.
    pub fn set_header(
        mut self,
        name: HeaderName,
        mut value: HeaderValue,
    ) -> Result<Self, RequestError> {
        if let Some(advice) = reserved(&name) {
            return Err(RequestError::Reserved { name, advice });
        }
        // Any of them may be a secret: `Debug` shows none.
        value.set_sensitive(true);
        match self.headers.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.headers.push((name, value)),
        }
        Ok(self)
    }

    /// Keeps those of the application's own headers of which this is true.
    #[must_use]
    pub fn retain_headers(mut self, mut keep: impl FnMut(&HeaderName) -> bool) -> Self {
        self.headers.retain(|(name, _)| keep(name));
        self
    }

    /// The value of one of the application's own headers.
    pub fn own_header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The subprotocols offered, in order.
    pub fn subprotocols(&self) -> &[String] {
        &self.subprotocols
    }

    /// The offer for one connection, which reserves memory for it.
    #[cfg(feature = "deflate")]
    pub(super) fn offer(&self) -> Option<crate::DeflateOffer> {
        self.deflate.as_ref().map(crate::Deflate::offer)
    }

    /// Prints the head.
    pub(super) fn head(&self, key: &str, extensions: Option<&str>) -> Vec<u8> {
        let mut head = format!("GET {} HTTP/1.1\r\n", self.resource).into_bytes();
        match self.own_header(&HOST) {
            Some(host) => write_header(&mut head, &HOST, host),
            None => head.extend_from_slice(format!("Host: {}\r\n", self.authority).as_bytes()),
        }
        let fixed = format!(
            "Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\n\
             Sec-WebSocket-Version: {VERSION}\r\n"
        );
        head.extend_from_slice(fixed.as_bytes());
        if !self.subprotocols.is_empty() {
            let list = self.subprotocols.join(", ");
            head.extend_from_slice(format!("Sec-WebSocket-Protocol: {list}\r\n").as_bytes());
        }
        if let Some(offer) = extensions {
            head.extend_from_slice(format!("Sec-WebSocket-Extensions: {offer}\r\n").as_bytes());
        }
        if let Some(origin) = self.own_header(&ORIGIN) {
            write_header(&mut head, &ORIGIN, origin);
        }
        for (name, value) in &self.headers {
            if name != HOST && name != ORIGIN {
                write_header(&mut head, name, value);
            }
        }
        head.extend_from_slice(b"\r\n");
        head
    }
}
