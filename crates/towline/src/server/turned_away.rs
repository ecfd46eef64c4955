//! Connections for which there was no room, while they read that.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

/// Keeps connections that were answered 503 for a moment.
///
/// What the client asked is unread, and a socket that is closed with bytes unread is reset, which
/// may overtake the answer. So our direction is ended, and the socket goes when the client has had
/// time to read.
#[derive(Debug, Default)]
pub(super) struct TurnedAway(Mutex<VecDeque<(Instant, TcpStream)>>);

/// Most that are kept; beyond, the oldest goes.
const MAX_KEPT: usize = 64;

/// So long each is kept, and then until somebody else comes.
const KEPT_FOR: Duration = Duration::from_secs(1);

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";

impl TurnedAway {
    /// Tells a client, without waiting for it, that there is no room.
    pub(super) fn add(&self, stream: TcpStream) {
        // The socket's buffer is empty, so this fits.
        stream.try_write(FULL).ok();
        socket2::SockRef::from(&stream).shutdown(std::net::Shutdown::Write).ok();
        let mut kept = self.lock();
        if kept.len() >= MAX_KEPT {
            kept.pop_front();
        }
        kept.push_back((Instant::now(), stream));
    }

    /// Lets go of those that have had their time.
    pub(super) fn drop_old(&self) {
        let mut kept = self.lock();
        while kept.front().is_some_and(|(since, _)| since.elapsed() >= KEPT_FOR) {
            kept.pop_front();
        }
    }

    /// Lets go of all, as when descriptors are scarce.
    pub(super) fn drop_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Instant, TcpStream)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
