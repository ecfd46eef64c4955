//! A server: listens, and gives one `Incoming` for each connection.

mod builder;
mod incoming;
mod origin;
mod upgrade;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

pub use builder::ServerBuilder;
pub use incoming::Incoming;
pub use upgrade::Upgrade;

use builder::Settings;

use crate::error::{Error, ErrorKind, Result};
use crate::registry::{Phase, Registry};

/// Listens for connections.
///
/// ```no_run
/// use towline::Server;
///
/// # #[tokio::main]
/// # async fn main() -> towline::Result<()> {
/// let server = Server::bind("127.0.0.1:8080").await?;
/// loop {
///     let incoming = server.accept().await?;
///     tokio::spawn(async move {
///         let mut socket = incoming.handshake().await?.accept_message().await?;
///         while let Some(message) = socket.recv().await? {
///             socket.send(message).await?;
///         }
///         towline::Result::Ok(())
///     });
/// }
/// # }
/// ```
///
/// [`accept`](Self::accept) does no more than TCP, so a slow or hostile peer delays nobody: TLS
/// and HTTP belong to [`Incoming::handshake`], in a task of its own and within a deadline.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    settings: Arc<Settings>,
    registry: Arc<Registry>,
    handshakes: Arc<Semaphore>,
    stopping: tokio::sync::watch::Sender<bool>,
}

/// When the process has no descriptor left, look again after so long.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(50);

impl Server {
    /// Listens on an address, with the default settings. For others, see
    /// [`builder`](Self::builder).
    ///
    /// Port 0 takes a free one; [`local_addr`](Self::local_addr) tells which.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for an address that is none,
    /// [`Io`](ErrorKind::Io) if it cannot be listened on.
    ///
    /// # Cancel safety
    /// If cancelled nothing listens.
    pub async fn bind(address: impl AsRef<str>) -> Result<Self> {
        Self::builder().bind(address).await
    }

    /// A server with settings of your own.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    fn new(listener: TcpListener, local_addr: SocketAddr, settings: Settings) -> Self {
        Self {
            listener,
            local_addr,
            registry: Registry::new(settings.max_connections, settings.max_per_address),
            handshakes: Arc::new(Semaphore::new(settings.max_handshakes)),
            settings: Arc::new(settings),
            stopping: tokio::sync::watch::Sender::new(false),
        }
    }

    /// Waits for the next connection.
    ///
    /// Connections beyond the limits are turned away here.
    ///
    /// # Errors
    /// [`Closed`](ErrorKind::Closed) after [`shutdown`](Self::shutdown), [`Io`](ErrorKind::Io) if
    /// the listener itself is broken. What is wrong with one connection is no error here.
    ///
    /// # Cancel safety
    /// Safe: no connection is lost.
    pub async fn accept(&self) -> Result<Incoming> {
        let mut stopping = self.stopping.subscribe();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => {
                    return Err(Error::new(ErrorKind::Closed, "accepting connections")
                        .cause("the server is shutting down"));
                }
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    if let Some(incoming) = self.admit(stream, peer) {
                        return Ok(incoming);
                    }
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) if is_out_of_descriptors(&error) => sleep(OUT_OF_DESCRIPTORS).await,
                Err(error) => {
                    return Err(Error::new(ErrorKind::Io, "accepting connections").cause(error));
                }
            }
        }
    }

    /// The address that the server listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Whether the server speaks `wss`.
    pub fn is_secure(&self) -> bool {
        self.settings.is_secure()
    }

    /// How many connections there are, those shaking hands included.
    pub fn connections(&self) -> usize {
        self.registry.len()
    }

    /// Stops accepting, closes every connection with 1001, and waits until they are gone.
    ///
    /// Those that are left after `limit` are cut off. Gives how many those were; 0 means that all
    /// had an orderly end. A connection acts when its own task waits for it, so one whose task is
    /// busy elsewhere counts as left.
    ///
    /// # Cancel safety
    /// If cancelled the connections go on closing, and none is cut off.
    pub async fn shutdown(&self, limit: Duration) -> usize {
        self.stopping.send_replace(true);
        self.registry.tell(Phase::Closing);
        if timeout(limit, self.registry.empty()).await.is_ok() {
            return 0;
        }
        let left = self.registry.len();
        self.registry.tell(Phase::Aborting);
        left
    }

    /// Gives a connection its place, or turns it away.
    fn admit(&self, stream: TcpStream, peer: SocketAddr) -> Option<Incoming> {
        let admitted = self.registry.enter(peer.ip()).ok().and_then(|registration| {
            let handshake = Arc::clone(&self.handshakes).try_acquire_owned().ok()?;
            Some((Arc::new(registration), handshake))
        });
        let Some((registration, handshake)) = admitted else {
            turn_away(&stream, self.is_secure());
            return None;
        };
        stream.set_nodelay(self.settings.nodelay).ok();
        if let Some(bytes) = self.settings.send_buffer_size {
            socket2::SockRef::from(&stream).set_send_buffer_size(bytes).ok();
        }
        Some(Incoming::new(stream, peer, Arc::clone(&self.settings), registration, handshake))
    }
}

/// Tells a client, without waiting for it, that there is no room.
fn turn_away(stream: &TcpStream, secure: bool) {
    const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n\
        Content-Length: 0\r\nConnection: close\r\n\r\n";
    // Before TLS there is nothing to say it in. The socket's buffer is empty, so this fits.
    if !secure {
        stream.try_write(FULL).ok();
    }
}

/// Errors of a connection that died while it waited to be accepted (accept(2)).
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::TimedOut
            | io::ErrorKind::Interrupted
            | io::ErrorKind::PermissionDenied
    )
}

/// EMFILE, ENFILE, ENOBUFS or ENOMEM: it gets better when others have closed theirs.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::OutOfMemory
        || matches!(error.raw_os_error(), Some(23 | 24 | 105 | 10024 | 10055))
}
