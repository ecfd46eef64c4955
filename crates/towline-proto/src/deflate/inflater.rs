//! [`Inflater`]: a connection's received messages, inflated in bounded pieces (RFC 7692 §7.2.2).

use std::sync::Arc;

use super::TAIL;
use super::budget::Reservation;
use super::decompressor::Decompressor;
use super::scratch::Scratch;
use super::settings::Deflate;
use super::terms::DeflateTerms;
use crate::Role;
use crate::error::ProtocolError;

/// What a receiver needs to inflate, while messages come compressed.
///
/// ```text
///  a frame's payload --> decompressor --> chunk, at most PIECE bytes --> lent as a piece
/// ```
///
/// When the chunk is full, what was used of the payload so far is all that counts as received. If
/// that is the whole payload, its last byte is held back: the caller then comes again with it, and
/// gets what else there is.
#[derive(Debug)]
pub(crate) struct Inflater {
    settings: Deflate,
    takeover: bool,
    decompressor: Option<Decompressor>,
    chunk: Scratch,
    /// Whether the first byte of the payload to come was inflated already.
    held_back: bool,
    /// Bytes of the tail that were inflated at the end of the message.
    tail: usize,
    /// Bytes of the message before and after inflating.
    received: u64,
    inflated: u64,
    _reserved: Option<Arc<Reservation>>,
}

/// Most bytes inflated at once: few enough to stay in a processor's cache, and as large as the
/// window, so that it is copied no more than once for each.
const PIECE: usize = 32 * 1024;

/// So many bytes a message may inflate to, however few came: a ratio means little for small ones.
const FREE_BYTES: u64 = 256 * 1024;

impl Inflater {
    pub(crate) fn new(role: Role, terms: &DeflateTerms) -> Self {
        Self {
            settings: terms.settings.clone(),
            takeover: terms.receiving(role),
            decompressor: None,
            chunk: Scratch::default(),
            held_back: false,
            tail: 0,
            received: 0,
            inflated: 0,
            _reserved: terms.reserved.clone(),
        }
    }

    /// A compressed message begins.
    pub(crate) fn begin_message(&mut self) {
        self.received = 0;
        self.inflated = 0;
        self.tail = 0;
    }

    /// Inflates a frame's payload, unmasked, into the chunk; `end` if the message ends with it.
    ///
    /// Gives how many bytes of it are used up. It is all of it only if nothing more comes out.
    pub(crate) fn inflate(&mut self, payload: &[u8], end: bool) -> Result<usize, ProtocolError> {
        self.chunk.clear();
        if self.chunk.capacity() == 0 {
            self.chunk = self.settings.pool.take_scratch();
        }
        let pool = &self.settings.pool;
        let decompressor = self.decompressor.get_or_insert_with(|| pool.take_decompressor());

        let skip = usize::from(self.held_back).min(payload.len());
        let used = skip + decompressor.inflate(&payload[skip..], &mut self.chunk, PIECE)?;
        self.received += count(used - skip);
        // An empty payload has no block that the tail could complete, and neither has one whose
        // last block was marked as such.
        if end && used == payload.len() && self.received > 0 && !decompressor.is_fresh() {
            self.tail += decompressor.inflate(&TAIL[self.tail..], &mut self.chunk, PIECE)?;
        }
        self.inflated += count(self.chunk.len());
        self.check_ratio()?;

        let full = self.chunk.len() == PIECE;
        self.held_back = full && used == payload.len() && used > 0;
        Ok(if self.held_back { used - 1 } else { used })
    }

    /// The message has ended; what was inflated last stays until the next.
    pub(crate) fn end_message(&mut self) {
        if !self.takeover
            && let Some(decompressor) = self.decompressor.take()
        {
            self.settings.pool.give_decompressor(decompressor);
        }
    }

    /// What the last call inflated.
    pub(crate) fn chunk(&self) -> &[u8] {
        self.chunk.as_slice()
    }

    /// Bytes that the message has inflated to.
    pub(crate) fn inflated(&self) -> u64 {
        self.inflated
    }

    /// Nobody looks at what was inflated any more.
    pub(crate) fn release(&mut self) {
        if self.chunk.capacity() > 0 {
            self.settings.pool.give_scratch(std::mem::take(&mut self.chunk));
        }
    }

    fn check_ratio(&self) -> Result<(), ProtocolError> {
        let Some(limit) = self.settings.get_max_ratio() else { return Ok(()) };
        let most = self.received.saturating_mul(limit.into()).saturating_add(FREE_BYTES);
        if self.inflated > most {
            return Err(ProtocolError::RatioTooHigh { limit });
        }
        Ok(())
    }
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
