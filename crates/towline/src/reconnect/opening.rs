//! One attempt to connect, before it begins.

use std::fmt;

use tokio::io::{AsyncRead, AsyncWrite};

use super::state::Why;
use crate::client::Client;
use crate::error::Result;
use crate::websocket::WebSocket;

/// One attempt to connect, to be looked at and changed before it begins.
///
/// See [`ReconnectBuilder::prepare`](super::ReconnectBuilder::prepare) and
/// [`ReconnectBuilder::connect_with`](super::ReconnectBuilder::connect_with).
#[derive(Clone)]
pub struct Opening {
    pub(super) client: Client,
    pub(super) uri: String,
    pub(super) attempt: u32,
    pub(super) why: Option<Why>,
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the address: a password or a token may stand in it.
        f.debug_struct("Opening")
            .field("client", &self.client)
            .field("attempt", &self.attempt)
            .field("why", &self.why)
            .finish_non_exhaustive()
    }
}

impl Opening {
    /// Which attempt in a row it is, from 1 on.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Why the last connection, or the last attempt, came to nothing; `None` for the first one.
    pub fn why(&self) -> Option<&Why> {
        self.why.as_ref()
    }

    /// Sets a header of this attempt's request, such as a new token.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), as
    /// [`ClientBuilder::header`](crate::ClientBuilder::header).
    pub fn header(mut self, name: &str, value: &str) -> Result<Self> {
        self.client = self.client.with_header(name, value)?;
        Ok(self)
    }

    /// Connects to another address this time.
    #[must_use]
    pub fn address(mut self, uri: impl Into<String>) -> Self {
        self.uri = uri.into();
        self
    }

    /// Connects with another client this time: other credentials, proxies, certificates.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.client = client;
        self
    }

    /// Connects, once.
    ///
    /// # Errors
    /// As [`Client::connect`].
    ///
    /// # Cancel safety
    /// If cancelled there is no connection.
    pub async fn connect(self) -> Result<WebSocket> {
        self.client.connect(self.uri).await
    }

    /// Does the opening handshake over a byte stream of your own that leads to the server.
    ///
    /// # Errors
    /// As [`Client::connect_over`].
    ///
    /// # Cancel safety
    /// If cancelled there is no connection, and the byte stream is gone.
    pub async fn connect_over<T>(self, stream: T) -> Result<WebSocket>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.client.connect_over(stream, self.uri).await
    }
}
