//! [`Deflater`]: a connection's messages on their way out, compressed (RFC 7692 §7.2.1).

use std::sync::Arc;

use super::MIN_COMPRESS_BITS;
use super::budget::Reservation;
use super::compressor::{Compressor, Shape};
use super::prepared::Prepared;
use super::scratch::Scratch;
use super::settings::Deflate;
use super::terms::DeflateTerms;
use crate::Role;

/// What a sender needs to compress.
///
/// A message is compressed in the same call that queues it, so whoever gives up waiting can leave
/// nothing half done that later messages would refer to.
#[derive(Debug)]
pub(crate) struct Deflater {
    settings: Deflate,
    takeover: bool,
    /// The peer's window. With 8 bits we cannot compress, and RFC 7692 §6 lets us leave it.
    window_bits: u8,
    /// Whether the messages to come are to be compressed.
    on: bool,
    compressor: Option<Compressor>,
    _reserved: Option<Arc<Reservation>>,
}

/// Most bytes of a message that are compressed at once, and so into one frame.
pub(crate) const PART: usize = 64 * 1024;

impl Deflater {
    pub(crate) fn new(role: Role, terms: &DeflateTerms) -> Self {
        let (takeover, window_bits) = terms.sending(role);
        Self {
            settings: terms.settings.clone(),
            takeover,
            window_bits,
            on: true,
            compressor: None,
            _reserved: terms.reserved.clone(),
        }
    }

    pub(crate) fn set(&mut self, on: bool) {
        self.on = on;
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Whether to compress a message that begins with so many bytes, or is so long as a `whole`.
    pub(crate) fn wants(&self, len: usize, whole: bool) -> bool {
        let worth_it = !whole || len >= self.settings.get_threshold();
        self.on && worth_it && self.window_bits >= MIN_COMPRESS_BITS
    }

    /// Compresses the next part of a message into memory that `recycle` wants back.
    pub(crate) fn deflate(&mut self, part: &[u8], last: bool) -> Scratch {
        let Self { settings, window_bits, compressor, .. } = self;
        let mut scratch = settings.pool.take_scratch();
        compressor
            .get_or_insert_with(|| {
                settings.pool.take_compressor(Shape {
                    window_bits: *window_bits,
                    level: settings.get_level(),
                    memory_level: settings.get_memory_level(),
                })
            })
            .compress(part, last, &mut scratch);
        if last && !self.takeover {
            self.forget();
        }
        scratch
    }

    pub(crate) fn recycle(&mut self, scratch: Scratch) {
        self.settings.pool.give_scratch(scratch);
    }

    /// Whether a whole message may go uncompressed after it was compressed: where nothing refers to
    /// it, it need not be there.
    pub(crate) fn may_go_plain(&self) -> bool {
        !self.takeover
    }

    /// The compressed form of a prepared message, if it can be sent here.
    ///
    /// From then on our compressor begins anew: the peer's window holds a message that ours has not
    /// seen, so that whatever lies before it is farther away there than we would say.
    pub(crate) fn prepared<'a>(&mut self, message: &'a Prepared) -> Option<&'a bytes::Bytes> {
        let compressed = message.compressed_for(self.window_bits)?;
        if !self.on {
            return None;
        }
        self.forget();
        Some(compressed)
    }

    /// Gives the compressor back: what was compressed is not referred to any more.
    fn forget(&mut self) {
        match self.compressor.take() {
            Some(mut compressor) if self.takeover => {
                compressor.begin_anew();
                self.compressor = Some(compressor);
            }
            Some(compressor) => self.settings.pool.give_compressor(compressor),
            None => {}
        }
    }
}
