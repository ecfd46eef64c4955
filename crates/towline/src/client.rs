//! A client's settings, and connecting.

use std::borrow::Cow;
use std::time::Duration;

use towline_proto::handshake::{ClientHandshake, ClientRequest, HeadLimits, RequestError};
use towline_proto::{Config, Role, WsUri};

use crate::deadline::after;
use crate::dial::{Way, dial};
use crate::error::{Error, Result};
use crate::http1;
use crate::message::MessageWebSocket;
use crate::stream::StreamWebSocket;
use crate::websocket::WebSocket;

/// Connects to servers, with the same settings each time.
///
/// ```no_run
/// use std::time::Duration;
/// use towline::{Client, MessageWebSocket};
///
/// # #[tokio::main]
/// # async fn main() -> towline::Result<()> {
/// let client = Client::builder()
///     .subprotocol("chat")
///     .header("Authorization", "Bearer …")
///     .connect_timeout(Duration::from_secs(5))
///     .build()?;
/// let mut socket = MessageWebSocket::from(client.connect("wss://example.com/chat").await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    request: ClientRequest,
    way: Way,
    limits: HeadLimits,
    config: Config,
}

impl Client {
    /// A client with nothing but defaults.
    pub fn new() -> Self {
        Self {
            // The address comes with each `connect`.
            request: ClientRequest::new(&WsUri::parse("ws://localhost").expect("it is one")),
            way: Way {
                connect_timeout: Duration::from_secs(60),
                handshake_timeout: Duration::from_secs(30),
                nodelay: true,
                send_buffer_size: None,
                #[cfg(feature = "tls")]
                tls: Default::default(),
            },
            limits: HeadLimits::default(),
            config: Config::default(),
        }
    }

    /// A client with settings of your own.
    pub fn builder() -> ClientBuilder {
        ClientBuilder { client: Self::new(), error: None }
    }

    /// Connects to a server and does the opening handshake.
    ///
    /// Make a [`MessageWebSocket`] or a [`StreamWebSocket`] of what it gives. Redirects are not
    /// followed; a refusal is an error with the server's answer in
    /// [`Error::response`].
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an address that is none,
    /// [`Resolve`](crate::ErrorKind::Resolve), [`Connect`](crate::ErrorKind::Connect),
    /// [`TimedOut`](crate::ErrorKind::TimedOut), [`Tls`](crate::ErrorKind::Tls),
    /// [`Certificate`](crate::ErrorKind::Certificate),
    /// [`Handshake`](crate::ErrorKind::Handshake) or
    /// [`Disconnected`](crate::ErrorKind::Disconnected)
    ///
    /// # Cancel safety
    /// If cancelled there is no connection.
    pub async fn connect(&self, uri: impl AsRef<str>) -> Result<WebSocket> {
        let text = uri.as_ref();
        let uri = WsUri::parse(text).map_err(|error| {
            // What stands before an '@' may be a password.
            let shown = without_query(text);
            let to = if text.contains('@') { String::new() } else { format!(" to {shown:?}") };
            Error::invalid(format!("connecting{to}")).cause(error)
        })?;
        let (mut io, mut info) = dial(&uri, &self.way).await?;

        // RFC 6455 §4.1: a fresh random key for every attempt.
        let request = self.request.clone().with_uri(&uri);
        let deadline = after(self.way.handshake_timeout);
        let mut handshake =
            ClientHandshake::new(request, rand::random(), self.limits).expire_at(deadline);
        let (terms, rest) = http1::request(&mut io, &mut handshake, ShakingHands(&uri)).await?;
        info.asked(handshake.request());
        info.answered(handshake.received());
        Ok(WebSocket::with_info(io, Role::Client, terms, self.config.clone(), &rest, info))
    }
}

/// What a client does with a server, put into words when there is an error to tell.
#[derive(Clone, Copy)]
struct ShakingHands<'a>(&'a WsUri);

impl From<ShakingHands<'_>> for Cow<'static, str> {
    fn from(ShakingHands(uri): ShakingHands<'_>) -> Self {
        format!("shaking hands with {}", without_query(&uri.to_string())).into()
    }
}

/// An address as errors show it: what follows the question mark is often a token.
fn without_query(address: &str) -> &str {
    address.split_once('?').map_or(address, |(before, _)| before)
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

/// A client's settings. A bad one is reported by [`build`](Self::build).
#[derive(Debug)]
#[must_use = "nothing happens before `build`"]
pub struct ClientBuilder {
    client: Client,
    /// The first setting that was bad.
    error: Option<Error>,
}

impl ClientBuilder {
    /// Offers a subprotocol; the first one offered is the one liked best.
    pub fn subprotocol(self, name: &str) -> Self {
        self.request(format!("offering the subprotocol {name:?}"), |request| {
            request.subprotocol(name)
        })
    }

    /// Sends a header with the opening request; a value set before for the same name is replaced.
    ///
    /// Anything but what makes the handshake: `Host`, `Cookie`, `Authorization`, `User-Agent`, …
    pub fn header(self, name: &str, value: &str) -> Self {
        // The value may be a secret: it is named by no error.
        self.request(format!("setting the header {name:?}"), |request| request.header(name, value))
    }

    /// Names the origin on whose behalf the client acts, as browsers do. Off by default.
    pub fn origin(self, origin: &str) -> Self {
        self.request(format!("setting the origin {origin:?}"), |request| request.origin(origin))
    }

    /// Offers to compress messages, with these settings. Off by default.
    ///
    /// What was agreed on is in [`ConnectionInfo::deflate`](crate::ConnectionInfo::deflate). See
    /// [`guide::compression`](crate::guide::compression).
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, settings: crate::Deflate) -> Self {
        let settings = crate::deflate::within_budget(settings);
        self.client.request = self.client.request.deflate(settings);
        self
    }

    /// Decides whom to trust. By default, whom the operating system trusts.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, config: crate::TlsConfig) -> Self {
        self.client.way.tls = std::sync::Arc::new(config.into());
        self
    }

    /// So long may looking up the name take, and so long connecting to each address. Default 60 s.
    ///
    /// A name may have several addresses; up to five are tried, one after another.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.client.way.connect_timeout = limit;
        self
    }

    /// So long may TLS take, and so long the opening handshake. Default 30 s.
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.client.way.handshake_timeout = limit;
        self
    }

    /// Sends small messages at once rather than waiting for more. Default true.
    pub fn nodelay(mut self, nodelay: bool) -> Self {
        self.client.way.nodelay = nodelay;
        self
    }

    /// The operating system's buffer for what was sent, in bytes. Best left to it.
    pub fn send_buffer_size(mut self, bytes: u32) -> Self {
        self.client.way.send_buffer_size = Some(bytes);
        self
    }

    /// Limits and deadlines of the connection.
    pub fn config(mut self, config: Config) -> Self {
        self.client.config = config;
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for the first setting that was bad.
    pub fn build(self) -> Result<Client> {
        match self.error {
            None => Ok(self.client),
            Some(error) => Err(error),
        }
    }

    fn request(
        mut self,
        doing: String,
        set: impl FnOnce(ClientRequest) -> std::result::Result<ClientRequest, RequestError>,
    ) -> Self {
        match set(self.client.request.clone()) {
            Ok(request) => self.client.request = request,
            Err(error) => {
                self.error.get_or_insert_with(|| Error::invalid(doing).cause(error));
            }
        }
        self
    }
}

impl MessageWebSocket {
    /// Connects with the default settings. For others, see [`Client`].
    ///
    /// # Errors
    /// As [`Client::connect`].
    ///
    /// # Cancel safety
    /// If cancelled there is no connection.
    pub async fn connect(uri: impl AsRef<str>) -> Result<Self> {
        Ok(Client::new().connect(uri).await?.into())
    }
}

impl StreamWebSocket {
    /// Connects with the default settings. For others, see [`Client`].
    ///
    /// # Errors
    /// As [`Client::connect`].
    ///
    /// # Cancel safety
    /// If cancelled there is no connection.
    pub async fn connect(uri: impl AsRef<str>) -> Result<Self> {
        Ok(Client::new().connect(uri).await?.into())
    }
}
