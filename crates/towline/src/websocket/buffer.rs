//! Read buffers that belong to the thread and are lent to the connection that reads.

use std::cell::RefCell;
use std::time::Instant;

use bytes::BytesMut;

/// Bytes read at once. Much at a time is what makes small messages cheap: one system call and one
/// look at the clock for all that lie in it.
const CAPACITY: usize = 64 * 1024;

/// Buffers that a thread keeps for the next reader. More are in use only while that many
/// connections on this thread have messages that were read and not yet taken.
const KEPT: usize = 8;

thread_local! {
    static POOL: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// What was read and has not been used up. Lent by the thread; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct ReadBuffer {
    bytes: BytesMut,
    used: usize,
    /// When it was filled.
    pub(crate) read_at: Instant,
}

impl ReadBuffer {
    pub(crate) fn take(now: Instant) -> Self {
        let bytes = POOL.with_borrow_mut(Vec::pop);
        Self {
            bytes: bytes.unwrap_or_else(|| BytesMut::with_capacity(CAPACITY)),
            used: 0,
            read_at: now,
        }
    }

    /// A buffer that already holds bytes: what came right behind the opening handshake.
    pub(crate) fn with(bytes: &[u8], now: Instant) -> Self {
        let mut buffer = Self::take(now);
        buffer.bytes.extend_from_slice(bytes);
        buffer
    }

    /// The memory to read into, which is never zeroed. Only while nothing is unread.
    pub(crate) fn fill(&mut self) -> &mut BytesMut {
        debug_assert!(self.unread_is_empty(), "unread bytes would be lost");
        self.bytes.clear();
        self.used = 0;
        &mut self.bytes
    }

    pub(crate) fn unread_is_empty(&self) -> bool {
        self.used == self.bytes.len()
    }

    /// Where the unread bytes begin.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    pub(crate) fn unread(&mut self) -> &mut [u8] {
        &mut self.bytes[self.used..]
    }

    /// All that was read, for payloads that are still being looked at.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.used += count;
    }
}

impl Drop for ReadBuffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        // A thread that is ending keeps nothing.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < KEPT && bytes.capacity() >= CAPACITY {
                bytes.clear();
                pool.push(bytes);
            }
        });
    }
}
