//! Bytes waiting to be written.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// Bytes that wait to be written, in order; write from it with [`Buf`].
///
/// Small payloads are gathered in one piece of memory, large ones are queued as they are. Once
/// all is written it holds no memory.
#[derive(Debug, Default)]
pub struct Outbox {
    /// What comes first: whole pieces, none empty.
    queued: VecDeque<Bytes>,
    /// What comes last, and where it is gathered. Everything before `written` is gone.
    tail: Vec<u8>,
    written: usize,
    /// Bytes in `queued`.
    queued_len: usize,
}

/// From this length on a payload that we own is queued rather than copied: about where a second
/// entry of a vectored write costs less than the copy.
const QUEUE_FROM: usize = 4 * 1024;

impl Outbox {
    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.queued_len + self.tail.len() - self.written
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies bytes to the end, and gives them for masking in place.
    pub(crate) fn push_copy(&mut self, bytes: &[u8]) -> &mut [u8] {
        // A peer that reads slowly may never let the tail run empty: what was written goes when
        // it is the larger part, so that each byte is moved once at most.
        if self.written > self.tail.len() / 2 {
            self.tail.drain(..std::mem::take(&mut self.written));
        }
        let start = self.tail.len();
        self.tail.extend_from_slice(bytes);
        &mut self.tail[start..]
    }

    /// Adds bytes to the end, without a copy if they are many.
    pub(crate) fn push_shared(&mut self, bytes: Bytes) {
        if bytes.len() < QUEUE_FROM {
            self.push_copy(&bytes);
            return;
        }
        if self.written < self.tail.len() {
            let mut gathered = Bytes::from(std::mem::take(&mut self.tail));
            gathered.advance(std::mem::take(&mut self.written));
            self.queue(gathered);
        }
        self.queue(bytes);
    }

    fn queue(&mut self, bytes: Bytes) {
        self.queued_len += bytes.len();
        self.queued.push_back(bytes);
    }
}

impl Buf for Outbox {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        match self.queued.front() {
            Some(first) => first,
            None => &self.tail[self.written..],
        }
    }

    fn chunks_vectored<'a>(&'a self, dst: &mut [IoSlice<'a>]) -> usize {
        let tail = &self.tail[self.written..];
        let pieces = self.queued.iter().map(|bytes| &**bytes).chain([tail]);
        let mut count = 0;
        for (slot, piece) in dst.iter_mut().zip(pieces.filter(|piece| !piece.is_empty())) {
            *slot = IoSlice::new(piece);
            count += 1;
        }
        count
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.len(), "no more can be written than waits");
        while let Some(first) = self.queued.front_mut() {
            let step = count.min(first.len());
            first.advance(step);
            count -= step;
            self.queued_len -= step;
            if !first.is_empty() {
                return;
            }
            self.queued.pop_front();
        }
        self.written += count;
        if self.written == self.tail.len() {
            // All is written: give the memory back, an idle connection needs none.
            self.tail = Vec::new();
            self.written = 0;
            self.queued = VecDeque::new();
        }
    }
}
