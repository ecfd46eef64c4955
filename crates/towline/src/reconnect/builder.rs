//! The settings of a connection that comes back.

use std::error::Error as StdError;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use towline_proto::CloseFrame;

use super::backoff::Backoff;
use super::messages::Reconnecting;
use super::opening::Opening;
use super::queue::Queue;
use super::reconnector::Reconnector;
use super::rules::Rules;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::message::MessageWebSocket;
use crate::websocket::WebSocket;

/// The settings of a connection that comes back: of a [`Reconnecting`] or a [`Reconnector`].
#[derive(Debug)]
#[must_use = "nothing happens before `connect`, `start` or `reconnector`"]
pub struct ReconnectBuilder {
    rules: Rules,
    queue: Queue,
    confirm_interval: Option<Duration>,
}

impl ReconnectBuilder {
    pub(super) fn new(client: Client, uri: String) -> Self {
        let rules = Rules {
            client,
            uri,
            backoff: Backoff::default(),
            hook_timeout: Duration::from_secs(30),
            prepare: None,
            connect: None,
            on_connect: None,
            permanent: None,
            again: None,
        };
        Self { rules, queue: Queue::new(0, 0), confirm_interval: Some(Duration::from_secs(1)) }
    }

    /// How long to wait between attempts, and when to give up.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.rules.backoff = backoff;
        self
    }

    /// Is asked before each attempt, and may change it: a new token, another address.
    ///
    /// ```
    /// # use towline::{Client, Reconnecting};
    /// # async fn new_token() -> std::io::Result<String> { Ok(String::new()) }
    /// let builder = Reconnecting::builder(Client::new(), "wss://example.com/feed")
    ///     .prepare(|opening| async move {
    ///         let token = new_token().await?;
    ///         Ok(opening.header("Authorization", &format!("Bearer {token}"))?)
    ///     });
    /// ```
    ///
    /// If it fails the attempt has failed; what it gives is the cause of the [`Error`], or that itself.
    pub fn prepare<F, W>(mut self, prepare: F) -> Self
    where
        F: Fn(Opening) -> W + Send + Sync + 'static,
        W: Future<Output = std::result::Result<Opening, Box<dyn StdError + Send + Sync>>>
            + Send
            + 'static,
    {
        self.rules.prepare = Some(Arc::new(move |opening| Box::pin(prepare(opening))));
        self
    }

    /// Connects in another way: over a byte stream of your own, or to one of several servers.
    ///
    /// ```
    /// # use towline::{Client, Reconnecting};
    /// # async fn tunnel() -> std::io::Result<tokio::net::TcpStream> {
    /// #     tokio::net::TcpStream::connect("127.0.0.1:1").await
    /// # }
    /// let builder = Reconnecting::builder(Client::new(), "wss://example.com/feed")
    ///     .connect_with(|opening| async move { Ok(opening.connect_over(tunnel().await?).await?) });
    /// ```
    ///
    /// How long that may take is your matter. If it fails the attempt has failed.
    pub fn connect_with<F, W>(mut self, connect: F) -> Self
    where
        F: Fn(Opening) -> W + Send + Sync + 'static,
        W: Future<Output = std::result::Result<WebSocket, Box<dyn StdError + Send + Sync>>>
            + Send
            + 'static,
    {
        self.rules.connect = Some(Arc::new(move |opening| Box::pin(connect(opening))));
        self
    }

    /// Is given each fresh connection before anybody else, and gives it back: to log in, to subscribe.
    ///
    /// It may send and receive. Nothing of the queue is sent and nothing received elsewhere until it is
    /// done.
    ///
    /// ```
    /// # use towline::{Client, Reconnecting};
    /// let builder = Reconnecting::builder(Client::new(), "wss://example.com/feed")
    ///     .on_connect(|mut socket| async move {
    ///         socket.send("subscribe weather").await?;
    ///         match socket.recv().await? {
    ///             Some(answer) if answer.as_text() == Some("ok") => Ok(socket),
    ///             _ => Err("the server did not take the subscription".into()),
    ///         }
    ///     });
    /// ```
    ///
    /// If it fails the attempt has failed. A [`Reconnector`] does not ask it: there the connection is
    /// the application's at once.
    pub fn on_connect<F, W>(mut self, hook: F) -> Self
    where
        F: Fn(MessageWebSocket) -> W + Send + Sync + 'static,
        W: Future<Output = std::result::Result<MessageWebSocket, Box<dyn StdError + Send + Sync>>>
            + Send
            + 'static,
    {
        self.rules.on_connect = Some(Arc::new(move |socket| Box::pin(hook(socket))));
        self
    }

    /// So long may [`prepare`](Self::prepare) take, and so long [`on_connect`](Self::on_connect). Default
    /// 30 s.
    pub fn hook_timeout(mut self, limit: Duration) -> Self {
        self.rules.hook_timeout = limit;
        self
    }

    /// Judges errors: `Some(true)`, it is of no use to try again; `Some(false)`, it is; `None`, as it is
    /// judged otherwise. See [`Reconnecting`] for how that is.
    pub fn permanent(
        mut self,
        judge: impl Fn(&Error) -> Option<bool> + Send + Sync + 'static,
    ) -> Self {
        self.rules.permanent = Some(Arc::new(judge));
        self
    }

    /// Judges closing frames of the peer: `Some(true)`, connect again; `Some(false)`, that was the end;
    /// `None`, as it is judged otherwise. See [`Reconnecting`] for how that is.
    pub fn again_after_close(
        mut self,
        judge: impl Fn(Option<&CloseFrame>) -> Option<bool> + Send + Sync + 'static,
    ) -> Self {
        self.rules.again = Some(Arc::new(judge));
        self
    }

    /// So many messages, and so many bytes of them, may wait while there is no connection. Default 0:
    /// then sending is an error.
    pub fn queue(mut self, messages: usize, bytes: usize) -> Self {
        self.queue = Queue::new(messages, bytes);
        self
    }

    /// Asks so often whether what was sent has arrived, by a ping behind it; `None`: never. Default 1 s.
    ///
    /// Only while there is something that is not confirmed; then again and again. See [`Delivery`](super::Delivery).
    pub fn confirm_interval(mut self, interval: Option<Duration>) -> Self {
        self.confirm_interval = interval;
        self
    }

    /// Connects, and waits until that is done.
    ///
    /// # Errors
    /// As [`Client::connect`], if it is of no use to try again, or was tried often enough.
    ///
    /// # Cancel safety
    /// If cancelled there is no connection.
    pub async fn connect(self) -> Result<Reconnecting> {
        let mut socket = self.start();
        socket.ready().await?;
        Ok(socket)
    }

    /// Begins without waiting: it connects while something waits in
    /// [`recv`](Reconnecting::recv) or [`ready`](Reconnecting::ready).
    pub fn start(self) -> Reconnecting {
        Reconnecting::new(Reconnector::new(self.rules), self.queue, self.confirm_interval)
    }

    /// One connection after another, to be used as you like: as streams, or in two hands.
    pub fn reconnector(self) -> Reconnector {
        Reconnector::new(self.rules)
    }
}
