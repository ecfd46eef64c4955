//! Memory that belongs to the thread: lent to the connection that reads or writes, while it does.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};
use towline_proto::{Message, MessageRef, Utf8Bytes};

/// Bytes read at once. Much at a time is what makes small messages cheap: one system call and one
/// look at the clock for all that lie in it.
const READ: usize = 128 * 1024;

/// Bytes read at once where the last read brought all that it could: a large transfer. Four times
/// as many still lie in a core's own cache when they are passed on.
const READ_MUCH: usize = 512 * 1024;

/// Memory in which small replies gather, to begin with.
const WRITE: usize = 16 * 1024;

/// What has grown larger is not kept.
const WRITE_MAX: usize = 128 * 1024;

/// Pieces of each kind that a thread keeps for the next one. More are in use only while that many
/// connections on this thread have messages that were read and not yet taken, or written and not
/// yet sent.
const KEPT: usize = 8;

/// Memory that short messages share which came together, and that any of them keeps: what an
/// allocation for each would cost is more than all the rest of receiving one.
const BLOCK: usize = 4 * 1024;

/// From this length on a message has memory of its own.
const OWN_FROM: usize = 256;

#[derive(Debug)]
struct Pool {
    read: Vec<Vec<u8>>,
    read_much: Vec<Vec<u8>>,
    write: Vec<Vec<u8>>,
}

thread_local! {
    static POOL: RefCell<Pool> =
        const { RefCell::new(Pool { read: Vec::new(), read_much: Vec::new(), write: Vec::new() }) };
    /// What is left of the last one.
    static SHARED: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// How much a connection reads at once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Amount {
    #[default]
    Usual,
    Much,
}

impl Amount {
    const fn bytes(self) -> usize {
        match self {
            Self::Usual => READ,
            Self::Much => READ_MUCH,
        }
    }

    fn of(memory: &Vec<u8>) -> Self {
        if memory.capacity() < READ_MUCH { Self::Usual } else { Self::Much }
    }

    const fn pool(self, pool: &mut Pool) -> &mut Vec<Vec<u8>> {
        match self {
            Self::Usual => &mut pool.read,
            Self::Much => &mut pool.read_much,
        }
    }
}

/// What was read and has not been used up. Lent by the thread; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct ReadBuffer {
    bytes: Vec<u8>,
    used: usize,
}

impl ReadBuffer {
    /// Without memory: none is lent.
    pub(crate) fn none() -> Self {
        Self { bytes: Vec::new(), used: 0 }
    }

    /// Gives the memory back to the thread.
    #[inline]
    pub(crate) fn give_back(&mut self) {
        if self.bytes.capacity() > 0 {
            self.used = 0;
            give_read_memory(std::mem::take(&mut self.bytes));
        }
    }

    /// A buffer that already holds bytes: what came right behind the opening handshake.
    pub(crate) fn with(bytes: &[u8]) -> Self {
        let mut buffer = Self::none();
        buffer.fill(Amount::Usual).extend_from_slice(bytes);
        buffer
    }

    /// The memory to read so much into, which is never zeroed. Only while nothing is unread.
    pub(crate) fn fill(&mut self, amount: Amount) -> &mut Vec<u8> {
        debug_assert!(self.unread_is_empty(), "unread bytes would be lost");
        if self.bytes.capacity() > 0 && Amount::of(&self.bytes) != amount {
            self.give_back();
        }
        if self.bytes.capacity() == 0 {
            self.bytes = take_read_memory(amount);
        }
        self.bytes.clear();
        self.used = 0;
        &mut self.bytes
    }

    /// How much to read next time, judged by what there was this time.
    pub(crate) fn next_amount(&self) -> Amount {
        if self.bytes.len() < READ / 2 { Amount::Usual } else { Amount::Much }
    }

    #[inline(always)]
    pub(crate) fn unread_is_empty(&self) -> bool {
        self.used == self.bytes.len()
    }

    /// Where the unread bytes begin.
    #[inline(always)]
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    #[inline(always)]
    pub(crate) fn unread(&mut self) -> &mut [u8] {
        &mut self.bytes[self.used..]
    }

    /// All that was read, for payloads that are still being looked at.
    #[inline(always)]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[inline(always)]
    pub(crate) fn consume(&mut self, count: usize) {
        self.used += count;
    }
}

impl Drop for ReadBuffer {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Memory for what is to be read.
fn take_read_memory(amount: Amount) -> Vec<u8> {
    let memory = POOL.with_borrow_mut(|pool| amount.pool(pool).pop());
    memory.unwrap_or_else(|| Vec::with_capacity(amount.bytes()))
}

/// Gives it back.
fn give_read_memory(memory: Vec<u8>) {
    // A thread that is ending keeps nothing.
    let _ = POOL.try_with(|pool| {
        keep(Amount::of(&memory).pool(&mut pool.borrow_mut()), memory);
    });
}

/// A copy of a message that others came with.
#[inline]
pub(crate) fn copy_of_many(message: MessageRef<'_>) -> Message {
    match message {
        MessageRef::Binary(payload) if payload.len() < OWN_FROM => copy_short(payload).into(),
        MessageRef::Text(text) if text.len() < OWN_FROM => {
            match Utf8Bytes::try_from(copy_short(text.as_bytes())) {
                Ok(text) => text.into(),
                Err(_) => Message::text(text),
            }
        }
        message => message.to_message(),
    }
}

#[inline]
fn copy_short(payload: &[u8]) -> Bytes {
    SHARED.with_borrow_mut(|block| {
        if block.capacity() < payload.len() {
            *block = BytesMut::with_capacity(BLOCK);
        }
        block.extend_from_slice(payload);
        block.split().freeze()
    })
}

/// Memory for what is to be written.
pub(crate) fn take_write_memory() -> Vec<u8> {
    let memory = POOL.with_borrow_mut(|pool| pool.write.pop());
    memory.unwrap_or_else(|| Vec::with_capacity(WRITE))
}

/// Gives it back.
pub(crate) fn give_write_memory(memory: Vec<u8>) {
    if (WRITE..=WRITE_MAX).contains(&memory.capacity()) {
        let _ = POOL.try_with(|pool| keep(&mut pool.borrow_mut().write, memory));
    }
}

fn keep<T>(pool: &mut Vec<T>, memory: T) {
    if pool.len() < KEPT {
        pool.push(memory);
    }
}
