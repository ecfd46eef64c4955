//! A client: settings, and connecting.

mod builder;
mod way;

use std::borrow::Cow;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};
use towline_proto::handshake::{ClientHandshake, ClientRequest, HeadLimits};
use towline_proto::{Config, Role, WsUri};

pub use builder::ClientBuilder;

use crate::deadline::{after, sooner};
use crate::dial::{Way, dial, dial_over};
use crate::error::{Error, Result};
use crate::http1;
use crate::info::ConnectionInfo;
use crate::message::MessageWebSocket;
use crate::stream::StreamWebSocket;
use crate::transport::Transport;
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
            way: Way::default(),
            limits: HeadLimits::default(),
            config: Config::default(),
        }
    }

    /// A client with settings of your own.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
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
        let uri = parse(uri.as_ref())?;
        let deadline = self.way.total_timeout.and_then(after);
        let (io, info) = dial(&uri, &self.way, deadline).await?;
        self.shake_hands(&uri, io, info, deadline).await
    }

    /// Does the opening handshake over a byte stream of your own that leads to the server.
    ///
    /// A tunnel, a pipe, a TCP connection that something else has opened. With `wss` TLS comes
    /// first; settings of TCP do not matter. [`WebSocket::new`] is for streams without HTTP.
    ///
    /// ```
    /// # use towline::{Client, MessageWebSocket, Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::builder().allow_host("example.com").bind("127.0.0.1:0").await?;
    /// # let address = server.local_addr();
    /// # tokio::spawn(async move {
    /// #     let mut socket = server.accept().await?.handshake().await?.accept_message().await?;
    /// #     while socket.recv().await?.is_some() {}
    /// #     towline::Result::Ok(())
    /// # });
    /// let stream = tokio::net::TcpStream::connect(address).await?;
    /// let socket = Client::new().connect_over(stream, "ws://example.com/chat").await?;
    /// let mut socket = MessageWebSocket::from(socket);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`connect`](Self::connect), but for those of looking up and of TCP.
    ///
    /// # Cancel safety
    /// If cancelled there is no connection, and the byte stream is gone.
    pub async fn connect_over<T>(&self, stream: T, uri: impl AsRef<str>) -> Result<WebSocket>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let uri = parse(uri.as_ref())?;
        let deadline = self.way.total_timeout.and_then(after);
        let (io, info) = dial_over(stream, &uri, &self.way, deadline).await?;
        self.shake_hands(&uri, io, info, deadline).await
    }

    async fn shake_hands(
        &self,
        uri: &WsUri,
        mut io: Transport,
        mut info: ConnectionInfo,
        deadline: Option<Instant>,
    ) -> Result<WebSocket> {
        // RFC 6455 §4.1: a fresh random key for every attempt.
        let request = self.request.clone().with_uri(uri);
        let deadline = sooner(after(self.way.handshake_timeout), deadline);
        let mut handshake =
            ClientHandshake::new(request, rand::random(), self.limits).expire_at(deadline);
        let (terms, rest) = http1::request(&mut io, &mut handshake, ShakingHands(uri)).await?;
        info.asked(handshake.request());
        info.answered(handshake.received());
        Ok(WebSocket::with_info(io, Role::Client, terms, self.config.clone(), &rest, info))
    }
}

fn parse(text: &str) -> Result<WsUri> {
    WsUri::parse(text).map_err(|error| {
        // What stands before an '@' may be a password.
        let shown = without_query(text);
        let to = if text.contains('@') { String::new() } else { format!(" to {shown:?}") };
        Error::invalid(format!("connecting{to}")).cause(error)
    })
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
