//! One TCP connection to one address.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};

use crate::guard::{Guard, Own};

/// A TCP connection, and the port that it comes from if it leads to this machine.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) stream: TcpStream,
    pub(super) own: Option<Own>,
}

/// What is set on a TCP socket before it connects.
#[derive(Clone, Debug)]
pub(crate) struct SocketOptions {
    pub(crate) nodelay: bool,
    pub(crate) send_buffer_size: Option<u32>,
    pub(crate) recv_buffer_size: Option<u32>,
    /// After so long a silence the operating system asks for a sign of life.
    pub(crate) keepalive: Option<Duration>,
    /// Where connections come from, for each family.
    pub(crate) from_v4: Option<IpAddr>,
    pub(crate) from_v6: Option<IpAddr>,
    pub(crate) interface: Option<String>,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            nodelay: true,
            send_buffer_size: None,
            recv_buffer_size: None,
            keepalive: None,
            from_v4: None,
            from_v6: None,
            interface: None,
        }
    }
}

impl SocketOptions {
    /// Connects to an address, if the guard permits it, with all of this set before.
    ///
    /// `name` is what was looked up.
    pub(super) async fn connect(
        &self,
        address: SocketAddr,
        name: Option<&str>,
        guard: &Guard,
    ) -> io::Result<Connected> {
        let here = guard.connect(address, name)?;
        let socket = self.socket(address)?;
        let mut own = None;
        if here {
            own = self.own(&socket, address, guard)?;
        }
        let stream = socket.connect(address).await?;
        if let Ok(peer) = stream.peer_addr() {
            guard.connect(peer, name)?;
        }
        Ok(Connected { stream, own })
    }

    /// Takes a port before the connection is there: the program's own server sees it come from that.
    fn own(
        &self,
        socket: &TcpSocket,
        address: SocketAddr,
        guard: &Guard,
    ) -> io::Result<Option<Own>> {
        if self.from(address)?.is_none() {
            let any = match address.ip() {
                // The system chooses one that leads there.
                IpAddr::V4(_) => IpAddr::from([0; 4]),
                IpAddr::V6(_) => IpAddr::from([0; 16]),
            };
            socket.bind(SocketAddr::new(any, 0))?;
        }
        Ok(guard.own(socket.local_addr()?))
    }

    /// A socket that is not connected yet.
    fn socket(&self, address: SocketAddr) -> io::Result<TcpSocket> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if self.nodelay {
            socket.set_nodelay(true)?;
        }
        if let Some(size) = self.send_buffer_size {
            socket.set_send_buffer_size(size)?;
        }
        if let Some(size) = self.recv_buffer_size {
            // Before it connects: then the window's scale fits (RFC 7323 §2.2).
            socket.set_recv_buffer_size(size)?;
        }
        if let Some(silence) = self.keepalive {
            let keepalive = TcpKeepalive::new().with_time(silence);
            SockRef::from(&socket).set_tcp_keepalive(&keepalive)?;
        }
        if let Some(interface) = &self.interface {
            bind_to_interface(&socket, interface)
                .map_err(|error| told(&error, &format!("over {interface}")))?;
        }
        if let Some(from) = self.from(address)? {
            socket
                .bind(SocketAddr::new(from, 0))
                .map_err(|error| told(&error, &format!("from {from}")))?;
        }
        Ok(socket)
    }

    /// Where a connection to this address is to come from.
    fn from(&self, to: SocketAddr) -> io::Result<Option<IpAddr>> {
        let (same, other) = match to {
            SocketAddr::V4(_) => (self.from_v4, self.from_v6),
            SocketAddr::V6(_) => (self.from_v6, self.from_v4),
        };
        match (same, other) {
            // Somebody chose where connections come from: no other place will do.
            (None, Some(other)) => {
                let why = format!("from {other}: that is an address of the other family");
                Err(io::Error::new(io::ErrorKind::AddrNotAvailable, why))
            }
            (same, _) => Ok(same),
        }
    }
}

/// The error, and what it is about.
fn told(error: &io::Error, about: &str) -> io::Error {
    io::Error::new(error.kind(), format!("{about}: {error}"))
}

#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
fn bind_to_interface(socket: &TcpSocket, interface: &str) -> io::Result<()> {
    socket.bind_device(Some(interface.as_bytes()))
}

#[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
fn bind_to_interface(_: &TcpSocket, _: &str) -> io::Result<()> {
    let why = "a connection cannot be bound to an interface here, only to an address";
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
}
