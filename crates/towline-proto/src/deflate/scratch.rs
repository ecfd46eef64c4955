//! [`Scratch`]: memory to compress or inflate into.

/// Bytes gathered at the front of memory that is zeroed once and used again and again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    memory: Vec<u8>,
    len: usize,
}

impl Scratch {
    /// The bytes gathered.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.memory[..self.len]
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Memory behind the bytes, at least so much.
    pub(super) fn room(&mut self, at_least: usize) -> &mut [u8] {
        let wanted = self.len + at_least;
        if self.memory.len() < wanted {
            self.memory.resize(wanted, 0);
        }
        &mut self.memory[self.len..]
    }

    /// Memory behind the bytes, up to so many bytes in all.
    pub(super) fn room_up_to(&mut self, most: usize) -> &mut [u8] {
        if self.memory.len() < most {
            self.memory.resize(most, 0);
        }
        &mut self.memory[self.len..most]
    }

    /// So many bytes were written into the room.
    pub(super) fn advance(&mut self, count: usize) {
        self.len += count;
        debug_assert!(self.len <= self.memory.len(), "no more is written than there was room");
    }

    pub(super) fn push(&mut self, byte: u8) {
        self.room(1)[0] = byte;
        self.advance(1);
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Memory in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.memory.len()
    }
}
