//! A connection that was accepted and has said nothing yet.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use towline_proto::handshake::ServerHandshake;

use super::builder::Settings;
use super::doing::Doing;
use super::{HandshakePermit, Upgrade};
use crate::deadline::after;
#[cfg(feature = "tls")]
use crate::deadline::until;
use crate::error::{Error, ErrorKind, Result, Step};
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
    /// Dropped before the registration: whoever sees that this has gone finds room.
    handshake: HandshakePermit,
    registration: Arc<Registration>,
}

impl Incoming {
    pub(super) fn new(
        stream: TcpStream,
        peer: SocketAddr,
        settings: Arc<Settings>,
        registration: Arc<Registration>,
        handshake: HandshakePermit,
    ) -> Self {
        Self { stream, peer, settings, handshake, registration }
    }

    /// The client's end of the connection.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Takes the connection from the runtime that accepted it, to be [attached](Detached::attach) to
    /// another: a server with a runtime a core shares its connections out like this.
    ///
    /// ```
    /// # async fn accept(server: towline::Server, workers: Vec<tokio::sync::mpsc::UnboundedSender<towline::Detached>>) -> towline::Result<()> {
    /// for worker in workers.iter().cycle() {
    ///     worker.send(server.accept().await?.detach()?).ok();
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io) if the operating system refuses. The connection is closed.
    pub fn detach(self) -> Result<Detached> {
        let Self { stream, peer, settings, handshake, registration } = self;
        let stream = stream.into_std().map_err(|error| failed("detaching", peer, error))?;
        Ok(Detached { stream, peer, settings, handshake, registration })
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
        let doing = Doing { what: "shaking hands with", peer: Some(self.peer) };
        let registration = Arc::clone(&self.registration);
        // Boxed: the caller's task should not keep the room for it once it is over.
        let shaking = Box::pin(self.shake_hands(doing));
        tokio::select! {
            shaken = shaking => shaken.map_err(|error| error.at(Step::Handshake)),
            () = registration.aborted() => {
                Err(Error::timed_out(doing, "the server has shut down").at(Step::Handshake))
            }
        }
    }

    // No `async fn`, whose future has room for its arguments twice.
    fn shake_hands(self, doing: Doing) -> impl Future<Output = Result<Upgrade>> {
        let Self { stream, peer, settings, handshake: permit, registration } = self;
        // One deadline for all of it.
        let deadline = after(settings.handshake_timeout);
        let mut handshake = ServerHandshake::new(settings.limits).expire_at(deadline);
        let local_addr = settings.local_addr.or_else(|| stream.local_addr().ok());
        async move {
            let mut info = ConnectionInfo::new(local_addr, Some(peer));
            #[cfg(feature = "tls")]
            let mut io = match &settings.tls {
                None => Transport::tcp(stream),
                Some(tls) => {
                    // Boxed: where there is no TLS nobody needs room for it.
                    let shaking = Box::pin(crate::tls::accept(stream, tls, peer));
                    let shaken = until(deadline, shaking).await.ok_or_else(|| {
                        let why = "the client did not finish the TLS handshake in time";
                        Error::timed_out(doing, why).at(Step::Tls)
                    });
                    let (stream, agreed) = shaken??;
                    info.secured(agreed.version);
                    info.certified(agreed.peer, agreed.alpn);
                    Transport::new(stream)
                }
            };
            #[cfg(not(feature = "tls"))]
            let mut io = Transport::tcp(stream);

            let (request, rest) = read_request(&mut io, &mut handshake, doing).await?;
            drop(permit);
            info.asked(handshake.received());
            Ok(Upgrade::new(io, request, rest, info, settings, registration))
        }
    }
}

/// A connection that was accepted and belongs to no runtime; see [`Incoming::detach`].
///
/// Dropping it closes it.
#[derive(Debug)]
pub struct Detached {
    stream: std::net::TcpStream,
    peer: SocketAddr,
    settings: Arc<Settings>,
    handshake: HandshakePermit,
    registration: Arc<Registration>,
}

impl Detached {
    /// Gives the connection to the runtime that this is called in.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io) if the operating system refuses. The connection is closed.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub fn attach(self) -> Result<Incoming> {
        let Self { stream, peer, settings, handshake, registration } = self;
        let stream =
            TcpStream::from_std(stream).map_err(|error| failed("attaching", peer, error))?;
        Ok(Incoming::new(stream, peer, settings, registration, handshake))
    }
}

fn failed(doing: &str, peer: SocketAddr, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("{doing} the connection of {peer}")).cause(error)
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::MessageWebSocket;
    use crate::server::Server;

    /// Larger ones are slow to allocate, and a server makes both for every connection.
    #[tokio::test]
    async fn the_futures_of_a_handshake_are_small() {
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", server.local_addr());
        let client = tokio::spawn(async move { MessageWebSocket::connect(&url).await });
        let incoming = server.accept().await.unwrap();
        let shaking = incoming.shake_hands(Doing { what: "testing", peer: None });
        assert!(size_of_val(&shaking) <= 1024, "{}", size_of_val(&shaking));
        let accepting = Box::pin(shaking).await.unwrap().accept_now();
        assert!(size_of_val(&accepting) <= 512, "{}", size_of_val(&accepting));
        Box::pin(accepting).await.unwrap();
        client.await.unwrap().unwrap();
    }
}
