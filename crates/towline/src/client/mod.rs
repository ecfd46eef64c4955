//! A client: settings, and connecting.

mod address;
mod builder;
mod cookies;
mod credentials;
mod journey;
mod proxy;
mod redirect;
mod refused;
mod session;
#[cfg(feature = "tls")]
mod tls;
mod way;

use std::borrow::Cow;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};
use towline_proto::handshake::{ClientHandshake, ClientRequest, HeadLimits};
use towline_proto::{Config, Role, WsUri};

use address::{parse, without_query};
pub use builder::ClientBuilder;
pub(crate) use cookies::http_date;
pub use cookies::{CookieJar, Cookies};
use session::Session;

use crate::deadline::{after, sooner};
use crate::dial::{Way, dial, dial_over};
use crate::error::{Error, Result, Step};
use crate::http1::{self, Answer};
use crate::info::{ConnectionInfo, request_of, response_of};
use crate::message::MessageWebSocket;
use crate::progress::{Progress, Watch};
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
    session: Session,
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
            session: Session::default(),
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
    /// Make a [`MessageWebSocket`] or a [`StreamWebSocket`] of what it gives. A refusal is an error
    /// with the server's answer in [`Error::response`](crate::Error::response), and so is a
    /// redirect, unless [some are to be followed](ClientBuilder::redirects).
    ///
    /// The address may say who the user is, percent-encoded, as in `ws://ada:hunter2@example.com/`.
    /// The server learns it when it asks, as with [`ClientBuilder::credentials`].
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an address that is none,
    /// [`Resolve`](crate::ErrorKind::Resolve), [`Connect`](crate::ErrorKind::Connect),
    /// [`TimedOut`](crate::ErrorKind::TimedOut), [`Proxy`](crate::ErrorKind::Proxy),
    /// [`Tls`](crate::ErrorKind::Tls), [`Certificate`](crate::ErrorKind::Certificate),
    /// [`Handshake`](crate::ErrorKind::Handshake) or
    /// [`Disconnected`](crate::ErrorKind::Disconnected)
    ///
    /// # Cancel safety
    /// If cancelled there is no connection.
    pub async fn connect(&self, uri: impl AsRef<str>) -> Result<WebSocket> {
        let (uri, given) = parse(uri.as_ref())?;
        let deadline = self.way.total_timeout.and_then(after);
        if given.is_some() || !self.session.is_plain() {
            // Boxed: most connections need no room for it.
            return Box::pin(self.travel(uri, given, None, deadline)).await;
        }
        drop(given);
        let (io, info) = dial(&uri, &self.way, deadline).await?;
        self.shake_hands(&uri, io, info, deadline).await
    }

    /// Does the opening handshake over a byte stream of your own that leads to the server.
    ///
    /// A tunnel, a pipe, a TCP connection that something else has opened. With `wss` TLS comes
    /// first; settings of TCP do not matter, and no redirect is followed. [`WebSocket::new`] is for
    /// streams without HTTP.
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
        let (uri, given) = parse(uri.as_ref())?;
        let deadline = self.way.total_timeout.and_then(after);
        let (io, info) = dial_over(stream, &uri, &self.way, deadline).await?;
        if given.is_some() || !self.session.is_plain() {
            return Box::pin(self.travel(uri, given, Some((io, info)), deadline)).await;
        }
        drop(given);
        self.shake_hands(&uri, io, info, deadline).await
    }

    /// The same client, with another header in its opening request.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Result<Self> {
        self.request = self.request.header(name, value).map_err(|error| {
            // The value may be a secret.
            Error::invalid(format!("setting the header {name:?}")).cause(error)
        })?;
        Ok(self)
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
        let answer = ask(&mut io, &mut handshake, uri, &self.way.watch).await;
        let (terms, rest) = match answer.map_err(|error| proxy::named(error, &info))? {
            Answer::Open(terms, rest) => (terms, rest),
            Answer::Refused(refusal) => {
                let error = http1::refused(ShakingHands(uri), refusal.response);
                return Err(proxy::named(error, &info));
            }
        };
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

/// Sends the request and reads the answer.
async fn ask(
    io: &mut Transport,
    handshake: &mut ClientHandshake,
    uri: &WsUri,
    watch: &Watch,
) -> Result<Answer> {
    if let Some(request) = watch.is_on().then(|| request_of(handshake.request())).flatten() {
        watch.tell(|| Progress::Asked(request));
    }
    let answer = http1::request(io, handshake, ShakingHands(uri)).await;
    let answered = match &answer {
        Ok(Answer::Open(..)) if watch.is_on() => response_of(handshake.received()),
        Ok(Answer::Refused(refusal)) if watch.is_on() => Some(refusal.head()),
        Ok(_) | Err(_) => None,
    };
    if let Some(response) = answered {
        watch.tell(|| Progress::Answered(response));
    }
    // With TLS 1.3 a server refuses a client's certificate when the client is already done.
    #[cfg(feature = "tls")]
    let answer = answer.map_err(|error| {
        crate::tls::late(error, || format!("agreeing on TLS with {}", uri.host()))
    });
    answer.map_err(|error| error.at(Step::Handshake))
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
