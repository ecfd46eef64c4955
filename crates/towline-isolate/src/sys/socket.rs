//! What of a socket has to be the same when another one takes its place.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::check;

/// The number of the network namespace that a socket belongs to (Linux 5.14).
pub(crate) fn network_cookie(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut cookie = [0; 8];
    option(socket, libc::SOL_SOCKET, libc::SO_NETNS_COOKIE, &mut cookie)?;
    Ok(u64::from_ne_bytes(cookie))
}

/// The number that the kernel gives each socket once.
pub(crate) fn socket_cookie(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut cookie = [0; 8];
    option(socket, libc::SOL_SOCKET, libc::SO_COOKIE, &mut cookie)?;
    Ok(u64::from_ne_bytes(cookie))
}

/// The options that programs set before they connect, as (level, name).
const NUMBERS: &[(i32, i32)] = &[
    (libc::SOL_SOCKET, libc::SO_KEEPALIVE),
    (libc::SOL_SOCKET, libc::SO_REUSEADDR),
    (libc::SOL_SOCKET, libc::SO_REUSEPORT),
    (libc::SOL_SOCKET, libc::SO_OOBINLINE),
    (libc::SOL_SOCKET, libc::SO_PRIORITY),
    (libc::SOL_SOCKET, libc::SO_RCVLOWAT),
    (libc::IPPROTO_TCP, libc::TCP_NODELAY),
    (libc::IPPROTO_TCP, libc::TCP_CORK),
    (libc::IPPROTO_TCP, libc::TCP_MAXSEG),
    (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE),
    (libc::IPPROTO_TCP, libc::TCP_KEEPINTVL),
    (libc::IPPROTO_TCP, libc::TCP_KEEPCNT),
    (libc::IPPROTO_TCP, libc::TCP_SYNCNT),
    (libc::IPPROTO_TCP, libc::TCP_QUICKACK),
    (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT),
    (libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT),
    (libc::IPPROTO_IP, libc::IP_TOS),
    (libc::IPPROTO_IP, libc::IP_TTL),
    (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER),
    (libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT),
    (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY),
    (libc::IPPROTO_IPV6, libc::IPV6_TCLASS),
    (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS),
];

/// Likewise, of which the kernel tells twice what was set (`socket(7)`).
const BUFFERS: &[i32] = &[libc::SO_SNDBUF, libc::SO_RCVBUF];

/// Likewise, whose values are structures.
const STRUCTURES: &[i32] = &[libc::SO_RCVTIMEO, libc::SO_SNDTIMEO, libc::SO_LINGER];

/// The values of a socket's options, in the order of the lists above; `None` where its kind has no such.
#[derive(Debug)]
pub(crate) struct Options(Vec<Option<[u8; MAX_OPTION_BYTES]>>);

/// The size of a `timeval`.
const MAX_OPTION_BYTES: usize = 16;

/// An option.
#[derive(Clone, Copy)]
struct Name {
    level: i32,
    name: i32,
    bytes: usize,
    /// Whether the kernel doubles what it is told.
    doubled: bool,
}

fn names() -> impl Iterator<Item = Name> {
    let numbers =
        NUMBERS.iter().map(|&(level, name)| Name { level, name, bytes: 4, doubled: false });
    let level = libc::SOL_SOCKET;
    let buffers = BUFFERS.iter().map(move |&name| Name { level, name, bytes: 4, doubled: true });
    let structures = STRUCTURES.iter().map(move |&name| {
        let bytes = if name == libc::SO_LINGER { 8 } else { size_of::<libc::timeval>() };
        Name { level, name, bytes, doubled: false }
    });
    numbers.chain(buffers).chain(structures)
}

impl Options {
    /// Those of a socket.
    pub(crate) fn of(socket: BorrowedFd<'_>) -> Self {
        let read = |name: Name| {
            let mut value = [0; MAX_OPTION_BYTES];
            option(socket, name.level, name.name, &mut value[..name.bytes]).ok()?;
            Some(value)
        };
        Self(names().map(read).collect())
    }

    /// Sets those that differ from what a socket has on which nobody has set any.
    pub(crate) fn set(&self, unless: &Self, on: BorrowedFd<'_>) {
        for ((name, value), default) in names().zip(&self.0).zip(&unless.0) {
            let Some(mut value) = value.filter(|_| value != default) else { continue };
            if name.doubled {
                let doubled = i32::from_ne_bytes([value[0], value[1], value[2], value[3]]);
                value[..4].copy_from_slice(&(doubled / 2).to_ne_bytes());
            }
            // What cannot be set here (a priority needs a capability) stays as it is.
            let length = libc::socklen_t::try_from(name.bytes).unwrap_or(0);
            // SAFETY: the kernel reads `length` bytes from the address, and `value` has as many.
            unsafe {
                let value = value.as_ptr().cast();
                libc::setsockopt(on.as_raw_fd(), name.level, name.name, value, length);
            }
        }
    }
}

fn option(socket: BorrowedFd<'_>, level: i32, name: i32, into: &mut [u8]) -> io::Result<()> {
    let mut length = libc::socklen_t::try_from(into.len()).unwrap_or(0);
    // SAFETY: the kernel writes at most `length` bytes to the address, and `into` has as many.
    let done = unsafe {
        libc::getsockopt(socket.as_raw_fd(), level, name, into.as_mut_ptr().cast(), &mut length)
    };
    check(done).map(drop)
}
