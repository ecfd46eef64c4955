//! A server: listens, and gives one `Incoming` for each connection.

mod accept_error;
mod builder;
mod doing;
mod incoming;
mod origin;
#[cfg(feature = "tls")]
mod tls;
mod turned_away;
mod upgrade;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

pub use builder::ServerBuilder;
pub use incoming::{Detached, Incoming};
pub use upgrade::Upgrade;

use accept_error::{is_of_one_connection, is_out_of_descriptors};
use builder::Settings;
use turned_away::TurnedAway;

use crate::error::{Error, ErrorKind, Result, Step};
use crate::guard::Own;
use crate::registry::{AddressGuard, Addresses, Phase, Registry};

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
    handshake_addresses: Arc<Addresses>,
    turned_away: TurnedAway,
    stopping: tokio::sync::watch::Sender<bool>,
    /// The program's own clients may connect to its port.
    _own: Option<Own>,
}

/// A place among the handshakes in progress.
#[derive(Debug)]
struct HandshakePermit {
    _total: OwnedSemaphorePermit,
    _address: AddressGuard,
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

    fn new(listener: TcpListener, local_addr: SocketAddr, mut settings: Settings) -> Self {
        // On `::ffff:0.0.0.0` it listens on all of IPv4.
        let one = !local_addr.ip().to_canonical().is_unspecified();
        settings.local_addr = one.then_some(local_addr);
        Self {
            listener,
            local_addr,
            _own: settings.guard.own(local_addr),
            registry: Registry::new(settings.max_connections, settings.max_per_address),
            handshakes: Arc::new(Semaphore::new(settings.max_handshakes)),
            handshake_addresses: Addresses::new(settings.max_handshakes_per_address),
            turned_away: TurnedAway::default(),
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
                        .cause("the server is shutting down")
                        .at(Step::Listen));
                }
                accepted = self.listener.accept() => accepted,
            };
            self.turned_away.drop_old();
            match accepted {
                Ok((stream, peer)) => {
                    if let Some(incoming) = self.admit(stream, peer) {
                        return Ok(incoming);
                    }
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) if is_out_of_descriptors(&error) => {
                    self.turned_away.drop_all();
                    sleep(OUT_OF_DESCRIPTORS).await;
                }
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
        // The address at which this one came is the peer's to choose, where the server listens on all.
        if self.settings.guard.accept(peer, self.local_addr).is_err() {
            // It is reset: whoever is not let in learns nothing.
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).ok();
            return None;
        }
        let admitted = self.registry.enter(peer.ip()).ok().and_then(|registration| {
            let total = Arc::clone(&self.handshakes).try_acquire_owned().ok()?;
            let address = self.handshake_addresses.enter(peer.ip())?;
            let handshake = HandshakePermit { _total: total, _address: address };
            Some((Arc::new(registration), handshake))
        });
        let Some((registration, handshake)) = admitted else {
            // Before TLS there is nothing to say it in.
            if !self.is_secure() {
                self.turned_away.add(stream);
            }
            return None;
        };
        stream.set_nodelay(self.settings.nodelay).ok();
        if let Some(bytes) = self.settings.send_buffer_size {
            socket2::SockRef::from(&stream).set_send_buffer_size(bytes).ok();
        }
        Some(Incoming::new(stream, peer, Arc::clone(&self.settings), registration, handshake))
    }
}
