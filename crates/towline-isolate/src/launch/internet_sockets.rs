//! Which TCP socket of this process's network has an address (`sock_diag(7)`).

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink as families, recv, send,
    socket_with,
};

use super::netlink::{self, HEADER_BYTES, SOCK_DIAG_BY_FAMILY};

/// What the kernel tells of this network.
#[derive(Debug)]
pub(crate) struct InternetSockets(OwnedFd);

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;
/// Where a cookie stands in an `inet_diag_msg`: behind states, two ports, two addresses and an interface.
const COOKIE: usize = HEADER_BYTES + 4 + 2 + 2 + 16 + 16 + 4;

impl InternetSockets {
    pub(crate) fn new() -> Result<Self, Errno> {
        let protocol = Some(families::SOCK_DIAG);
        let flags = SocketFlags::CLOEXEC;
        Ok(Self(socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?))
    }

    /// The cookie of whoever listens there: it would get a connection to that address.
    pub(crate) fn listener(&self, at: SocketAddr) -> Result<Option<u64>, Errno> {
        self.cookie(at, None)
    }

    /// The cookie of the end at one address of the connection to another.
    pub(crate) fn connection(
        &self,
        from: SocketAddr,
        to: SocketAddr,
    ) -> Result<Option<u64>, Errno> {
        self.cookie(from, Some(to))
    }

    fn cookie(&self, local: SocketAddr, remote: Option<SocketAddr>) -> Result<Option<u64>, Errno> {
        send(&self.0, &request(local, remote), SendFlags::NOSIGNAL)?;
        let mut answer = [0; 1024];
        let (length, _) = recv(&self.0, &mut answer[..], RecvFlags::empty())?;
        // Anything else says that there is none.
        let found = answer[4..6] == SOCK_DIAG_BY_FAMILY.to_ne_bytes() && length >= COOKIE + 8;
        Ok(found.then(|| {
            let mut cookie = [0; 8];
            cookie.copy_from_slice(&answer[COOKIE..COOKIE + 8]);
            u64::from_ne_bytes(cookie)
        }))
    }
}

/// An `inet_diag_req_v2` for one socket.
fn request(local: SocketAddr, remote: Option<SocketAddr>) -> Vec<u8> {
    let family = if local.ip().to_canonical().is_ipv4() { AF_INET } else { AF_INET6 };
    let mut bytes = vec![family, IPPROTO_TCP, 0, 0];
    bytes.extend(u32::MAX.to_ne_bytes()); // in any state
    bytes.extend(local.port().to_be_bytes());
    bytes.extend(remote.map_or(0, |remote| remote.port()).to_be_bytes());
    for address in [Some(local), remote] {
        let mut words = [0; 16];
        match address.map(|address| address.ip().to_canonical()) {
            Some(IpAddr::V4(ip)) => words[..4].copy_from_slice(&ip.octets()),
            Some(IpAddr::V6(ip)) => words = ip.octets(),
            None => {}
        }
        bytes.extend(words);
    }
    bytes.extend([0; 4]); // by any interface
    bytes.extend([0xff; 8]); // whatever its cookie is
    netlink::request(SOCK_DIAG_BY_FAMILY, 0, &bytes)
}
