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

/// Copies the options that a program may have set; `plain` is a socket of the same kind, on which nobody
/// has set any.
pub(crate) fn copy_options(from: BorrowedFd<'_>, plain: BorrowedFd<'_>, to: BorrowedFd<'_>) {
    for &(level, name) in NUMBERS {
        copy(from, plain, to, level, name, 4, |value| value);
    }
    for &name in BUFFERS {
        copy(from, plain, to, libc::SOL_SOCKET, name, 4, |value| {
            let doubled = i32::from_ne_bytes([value[0], value[1], value[2], value[3]]);
            let mut halved = [0; 16];
            halved[..4].copy_from_slice(&(doubled / 2).to_ne_bytes());
            halved
        });
    }
    for &name in STRUCTURES {
        let size = if name == libc::SO_LINGER { 8 } else { size_of::<libc::timeval>() };
        copy(from, plain, to, libc::SOL_SOCKET, name, size, |value| value);
    }
}

fn copy(
    from: BorrowedFd<'_>,
    plain: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    level: i32,
    name: i32,
    size: usize,
    to_set: impl Fn([u8; 16]) -> [u8; 16],
) {
    let (mut value, mut default) = ([0; 16], [0; 16]);
    // What this kind of socket does not have cannot have been set.
    if option(from, level, name, &mut value[..size]).is_err()
        || option(plain, level, name, &mut default[..size]).is_err()
        || value == default
    {
        return;
    }
    let value = to_set(value);
    // What cannot be set here (a priority needs a capability) stays as it is.
    let length = libc::socklen_t::try_from(size).unwrap_or(0);
    // SAFETY: the kernel reads `length` bytes from the address, and `value` has as many.
    unsafe {
        libc::setsockopt(to.as_raw_fd(), level, name, value.as_ptr().cast(), length);
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
