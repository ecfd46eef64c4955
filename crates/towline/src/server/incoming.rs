//! A connection that was accepted and has said nothing yet.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use towline_proto::handshake::ServerHandshake;

use super::Upgrade;
use super::builder::Settings;
use crate::error::{Error, Result};
use crate::http1::read_request;
use crate::info::ConnectionInfo;
use crate::registry::Registration;
use crate::transport::Transport;

/// A TCP connection that a server accepted. Nothing was read from it.
///
/// Dropping it closes it.
#[derive(Debug)]
pub struct Incoming {
    stream: TcpStream,
    peer: SocketAddr,
    settings: Arc<Settings>,
    registration: Arc<Registration>,
    /// Counts among the handshakes in progress.
    handshake: OwnedSemaphorePermit,
}

impl Incoming {
    pub(super) fn new(
        stream: TcpStream,
        peer: SocketAddr,
        settings: Arc<Settings>,
        registration: Arc<Registration>,
        handshake: OwnedSemaphorePermit,
    ) -> Self {
        Self { stream, peer, settings, registration, handshake }
    }

    /// The client's end of the connection.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Does the TLS handshake, if the server speaks `wss`, and reads the opening request.
    ///
    /// Do it in a task of its own, since it takes as long as the client likes, within
    /// [`handshake_timeout`](super::ServerBuilder::handshake_timeout). What is not HTTP is answered
    /// and closed here.
    ///
    /// # Errors
    /// [`Tls`](crate::ErrorKind::Tls), [`TimedOut`](crate::ErrorKind::TimedOut),
    /// [`Disconnected`](crate::ErrorKind::Disconnected) or
    /// [`Handshake`](crate::ErrorKind::Handshake). The connection is closed.
    ///
    /// # Cancel safety
    /// If cancelled the connection is closed.
    pub async fn handshake(self) -> Result<Upgrade> {
        let doing = format!("shaking hands with {}", self.peer);
        let limit = self.settings.handshake_timeout;
        let registration = Arc::clone(&self.registration);
        // Boxed: the caller's task should not keep the room for it once it is over.
        let shaking = Box::pin(timeout(limit, self.shake_hands(&doing)));
        let why = tokio::select! {
            shaken = shaking => match shaken {
                Ok(shaken) => return shaken,
                Err(_) => "the client did not send its request in time",
            },
            () = registration.aborted() => "the server has shut down",
        };
        Err(Error::timed_out(doing, why))
    }

    async fn shake_hands(self, doing: &str) -> Result<Upgrade> {
        let mut info = ConnectionInfo {
            local_addr: self.stream.local_addr().ok(),
            peer_addr: Some(self.peer),
            ..ConnectionInfo::default()
        };
        #[cfg(feature = "tls")]
        let mut io = match &self.settings.tls {
            None => Transport::tcp(self.stream),
            Some(tls) => {
                let (stream, version) = crate::tls::accept(self.stream, tls, self.peer).await?;
                info.tls_version = version;
                Transport::new(stream)
            }
        };
        #[cfg(not(feature = "tls"))]
        let mut io = Transport::tcp(self.stream);

        let mut handshake = ServerHandshake::new(self.settings.limits);
        let (request, rest) = read_request(&mut io, &mut handshake, doing).await?;
        info.request = handshake.received().into();
        drop(self.handshake);
        Ok(Upgrade::new(io, request, rest, info, self.settings, self.registration))
    }
}
