//! A client's settings: what it asks for, whom it trusts.

use std::error::Error as StdError;

use towline_proto::Config;
use towline_proto::handshake::{ClientRequest, RequestError};

use super::Client;
use crate::error::{Error, Result};

/// A client's settings. A bad one is reported by [`build`](Self::build).
///
/// All are set before there is a connection, and hold for each one that the client makes. There is no
/// way to change one of them too late:
///
/// ```compile_fail,E0599
/// # async fn too_late(client: towline::Client) -> towline::Result<()> {
/// let socket = client.connect("ws://127.0.0.1:8080/").await?;
/// socket.nodelay(false);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing happens before `build`"]
pub struct ClientBuilder {
    pub(super) client: Client,
    /// The first setting that was bad.
    error: Option<Error>,
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self { client: Client::new(), error: None }
    }

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

    /// Limits and deadlines of the connection.
    pub fn config(mut self, config: Config) -> Self {
        self.client.config = config;
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for the first setting that was bad, and
    /// [`Tls`](crate::ErrorKind::Tls) where the operating system has no certificates, if anything of
    /// TLS was set.
    pub fn build(self) -> Result<Client> {
        if let Some(error) = self.error {
            return Err(error);
        }
        #[cfg(feature = "tls")]
        for tls in [&self.client.way.tls, &self.client.way.proxy_tls] {
            if tls.is_set() {
                tls.connector()?;
            }
        }
        Ok(self.client)
    }

    fn request(
        self,
        doing: String,
        set: impl FnOnce(ClientRequest) -> std::result::Result<ClientRequest, RequestError>,
    ) -> Self {
        self.set(doing, |client| {
            client.request = set(client.request.clone())?;
            Ok(())
        })
    }

    /// Sets something, or notes that it was bad.
    pub(super) fn set(
        mut self,
        doing: String,
        set: impl FnOnce(&mut Client) -> std::result::Result<(), Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        if let Err(error) = set(&mut self.client) {
            self.error.get_or_insert_with(|| Error::invalid(doing).cause(error));
        }
        self
    }
}
