//! A client: settings, and connecting.

mod builder;
mod way;

use std::borrow::Cow;

use towline_proto::handshake::{ClientHandshake, ClientRequest, HeadLimits};
use towline_proto::{Config, Role, WsUri};

pub use builder::ClientBuilder;

use crate::deadline::{after, sooner};
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
        let text = uri.as_ref();
        let uri = WsUri::parse(text).map_err(|error| {
            // What stands before an '@' may be a password.
            let shown = without_query(text);
            let to = if text.contains('@') { String::new() } else { format!(" to {shown:?}") };
            Error::invalid(format!("connecting{to}")).cause(error)
        })?;
        let total = self.way.total_timeout.and_then(after);
        let (mut io, mut info) = dial(&uri, &self.way, total).await?;

        // RFC 6455 §4.1: a fresh random key for every attempt.
        let request = self.request.clone().with_uri(&uri);
        let deadline = sooner(after(self.way.handshake_timeout), total);
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
