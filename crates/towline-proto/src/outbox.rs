//! Bytes waiting to be written.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

use crate::frame::FrameHeader;
use crate::mask::MaskKey;

/// Bytes that wait to be written, in order; write from it with [`Buf`].
///
/// Small payloads are gathered in one piece of memory, large ones are queued as they are. Once
/// all is written it holds no memory, but for what was [lent](Self::lend) to it.
#[derive(Debug, Default)]
pub struct Outbox {
    /// What comes first, if there is anything before the tail.
    queued: Option<Box<Queue>>,
    /// What comes last, and where it is gathered. Everything before `written` is gone.
    tail: Vec<u8>,
    written: usize,
    /// Whether the memory of `tail` stays when all is written, to be taken back.
    lent: bool,
    /// So much may be added to `tail` without looking at anything else.
    quick: usize,
}

/// Pieces that are not copied. Boxed: most connections never queue one.
#[derive(Debug, Default)]
struct Queue {
    /// Whole pieces, none empty.
    pieces: VecDeque<Bytes>,
    /// Bytes in them.
    len: usize,
}

/// Pieces that are offered together with bytes which were not copied.
const THROUGH_SLICES: usize = 16;

/// So much is copied before it is masked: it still lies in the nearest cache then.
const MASKED_AT_ONCE: usize = 4 * 1024;

/// So much is masked before it is written. In smaller pieces a peer answers before all is sent, and each of
/// its own small pieces wakes us: with 128 KiB a message of 1 MiB and its echo cost a quarter more CPU time.
const WRITTEN_AT_ONCE: usize = 1024 * 1024;

impl Outbox {
    /// From this length on a payload that we own is queued rather than copied: about where a second
    /// entry of a vectored write costs less than the copy.
    const QUEUE_FROM: usize = 4 * 1024;

    /// Bytes that wait.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.queued.as_ref().map_or(0, |queue| queue.len) + self.tail.len() - self.written
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lends memory to gather in, of which the contents are dropped. Ignored where there is some.
    ///
    /// For drivers that share memory among connections, of which few write at a time.
    pub fn lend(&mut self, mut memory: Vec<u8>) {
        if self.tail.capacity() == 0 {
            memory.clear();
            self.tail = memory;
            self.lent = true;
        }
    }

    /// Whether there is memory to gather in.
    pub fn has_memory(&self) -> bool {
        self.tail.capacity() > 0
    }

    /// Takes the memory back that was [lent](Self::lend), once nothing waits.
    pub fn take_back(&mut self) -> Option<Vec<u8>> {
        if !self.lent || !self.is_empty() {
            return None;
        }
        self.lent = false;
        self.quick = 0;
        Some(std::mem::take(&mut self.tail))
    }

    /// Adds a short frame, if there is known to be room for it.
    #[inline(always)]
    pub(crate) fn push_quick<const N: usize>(&mut self, header: [u8; N], payload: &[u8]) -> bool {
        let len = header.len() + payload.len();
        if len > self.quick {
            return false;
        }
        self.quick -= len;
        self.tail.extend_from_slice(&header);
        self.tail.extend_from_slice(payload);
        true
    }

    /// So many bytes that were added last, for masking in place.
    #[inline(always)]
    pub(crate) fn last(&mut self, len: usize) -> &mut [u8] {
        let start = self.tail.len().saturating_sub(len);
        &mut self.tail[start..]
    }

    /// Has everything looked at from all sides again.
    #[cfg(feature = "deflate")]
    pub(crate) fn forbid_quick(&mut self) {
        self.quick = 0;
    }

    /// Whether so much may be added without looking at anything else.
    #[inline]
    pub(crate) fn is_quick(&self, len: usize) -> bool {
        len <= self.quick
    }

    /// Adds any frame that there [is known](Self::is_quick) to be room for; gives the length of the
    /// header, and the payload for masking in place.
    #[inline]
    pub(crate) fn push_quick_long(&mut self, header: &[u8], payload: &[u8]) -> (u64, &mut [u8]) {
        self.quick = self.quick.saturating_sub(header.len() + payload.len());
        self.tail.extend_from_slice(header);
        let start = self.tail.len();
        self.tail.extend_from_slice(payload);
        (u64::try_from(header.len()).unwrap_or(u64::MAX), &mut self.tail[start..])
    }

    /// Lets [`push_quick`](Self::push_quick) go on until `most` bytes wait, or memory has to grow.
    pub(crate) fn allow_quick(&mut self, most: usize) {
        let plain = self.written == 0 && self.queued.is_none();
        let spare = self.tail.capacity() - self.tail.len();
        self.quick = if plain { most.saturating_sub(self.tail.len()).min(spare) } else { 0 };
    }

    /// Adds a frame's header, and gives its length in bytes.
    #[inline(always)]
    pub(crate) fn push_header(&mut self, header: &FrameHeader) -> u64 {
        self.quick = 0;
        let before = self.tail.len();
        header.encode_into(&mut self.tail);
        u64::try_from(self.tail.len() - before).unwrap_or(u64::MAX)
    }

    /// Copies bytes to the end, and gives them for masking in place.
    #[inline(always)]
    pub(crate) fn push_copy(&mut self, bytes: &[u8]) -> &mut [u8] {
        self.quick = 0;
        if self.written > self.tail.len() / 2 {
            self.drop_written();
        }
        let start = self.tail.len();
        self.tail.extend_from_slice(bytes);
        &mut self.tail[start..]
    }

    /// Copies bytes to the end, masked if there is a key (RFC 6455 §5.3).
    #[inline(always)]
    pub(crate) fn push_payload(&mut self, mask: Option<&mut MaskKey>, bytes: &[u8]) {
        match mask {
            Some(mask) => self.push_masked(mask, bytes),
            None => _ = self.push_copy(bytes),
        }
    }

    fn push_masked(&mut self, mask: &mut MaskKey, bytes: &[u8]) {
        self.tail.reserve(bytes.len());
        for part in bytes.chunks(MASKED_AT_ONCE) {
            mask.apply(self.push_copy(part));
        }
    }

    /// A peer that reads slowly may never let the tail run empty: what was written goes when it is
    /// the larger part, so that each byte is moved once at most.
    #[cold]
    fn drop_written(&mut self) {
        self.tail.drain(..std::mem::take(&mut self.written));
    }

    /// Offers all that waits, and `bytes` behind it, to `write`, which says how much it took; what
    /// it did not take of `bytes` is copied to the end.
    pub(crate) fn push_through(
        &mut self,
        bytes: &[u8],
        write: impl FnOnce(&[IoSlice<'_>]) -> usize,
    ) {
        let mut slices = [IoSlice::new(&[]); THROUGH_SLICES];
        let count = self.chunks_vectored(&mut slices[..THROUGH_SLICES - 1]);
        let waiting = slices[..count].iter().map(|slice| slice.len()).sum::<usize>();
        if waiting < self.len() {
            self.push_copy(bytes); // it would not stand directly behind
            return;
        }
        slices[count] = IoSlice::new(bytes);
        let taken = write(&slices[..=count]).min(waiting + bytes.len());
        self.advance(taken.min(waiting));
        let rest = &bytes[taken.saturating_sub(waiting)..];
        if !rest.is_empty() {
            self.push_copy(rest);
        }
    }

    /// Copies `bytes` to the end, masked, and offers each part of them to `write` with all that waits
    /// before it; once that takes less than it is offered, the rest is for later.
    pub(crate) fn push_masked_through(
        &mut self,
        mut mask: MaskKey,
        bytes: &[u8],
        mut write: impl FnMut(&[IoSlice<'_>]) -> usize,
    ) {
        let mut bytes = bytes;
        while let Some((part, rest)) = bytes.split_at_checked(WRITTEN_AT_ONCE) {
            self.push_masked(&mut mask, part);
            bytes = rest;
            let mut slices = [IoSlice::new(&[]); THROUGH_SLICES];
            let count = self.chunks_vectored(&mut slices);
            let offered = slices[..count].iter().map(|slice| slice.len()).sum();
            let taken = write(&slices[..count]).min(offered);
            self.advance(taken);
            if !self.is_empty() {
                break;
            }
        }
        self.push_masked(&mut mask, bytes);
    }

    /// Adds bytes to the end, without a copy if they are many.
    pub(crate) fn push_shared(&mut self, bytes: Bytes) {
        if bytes.len() < Self::QUEUE_FROM {
            self.push_copy(&bytes);
            return;
        }
        if self.written < self.tail.len() {
            let waiting = self.written..self.tail.len();
            let gathered = if waiting.len() < Self::QUEUE_FROM {
                // The memory stays, for what little is in it.
                let gathered = Bytes::copy_from_slice(&self.tail[waiting]);
                self.tail.clear();
                gathered
            } else {
                self.lent = false;
                Bytes::from(std::mem::take(&mut self.tail)).slice(waiting)
            };
            self.written = 0;
            self.queue(gathered);
        }
        self.queue(bytes);
    }

    fn queue(&mut self, bytes: Bytes) {
        self.quick = 0;
        let queue = self.queued.get_or_insert_default();
        queue.len += bytes.len();
        queue.pieces.push_back(bytes);
    }
}

impl Buf for Outbox {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        match self.queued.as_ref().and_then(|queue| queue.pieces.front()) {
            Some(first) => first,
            None => &self.tail[self.written..],
        }
    }

    fn chunks_vectored<'a>(&'a self, dst: &mut [IoSlice<'a>]) -> usize {
        let tail = &self.tail[self.written..];
        let queued = self.queued.iter().flat_map(|queue| &queue.pieces);
        let pieces = queued.map(|bytes| &**bytes).chain([tail]);
        let mut count = 0;
        for (slot, piece) in dst.iter_mut().zip(pieces.filter(|piece| !piece.is_empty())) {
            *slot = IoSlice::new(piece);
            count += 1;
        }
        count
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.len(), "no more can be written than waits");
        self.quick = 0;
        if let Some(queue) = &mut self.queued {
            while let Some(first) = queue.pieces.front_mut() {
                let step = count.min(first.len());
                first.advance(step);
                count -= step;
                queue.len -= step;
                if !first.is_empty() {
                    return;
                }
                queue.pieces.pop_front();
            }
            self.queued = None;
        }
        self.written += count;
        if self.written == self.tail.len() {
            // All is written: give the memory back, an idle connection needs none.
            if self.lent {
                self.tail.clear();
            } else {
                self.tail = Vec::new();
            }
            self.written = 0;
        }
    }
}
