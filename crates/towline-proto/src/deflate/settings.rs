//! [`Deflate`]: how to compress, and what to agree on.

use std::sync::Arc;

use super::budget::MemoryBudget;
use super::pool::Pool;
use super::{MAX_WINDOW_BITS, MIN_COMPRESS_BITS};

/// How to compress messages, and what to agree on with the peer (RFC 7692).
///
/// The settings are the same for both roles, and bear the standard's names: `server_…` is about
/// what the server sends, `client_…` about what the client sends, whichever of them we are.
///
/// ```
/// use towline_proto::Deflate;
///
/// // A server for very many connections: nothing is kept between messages.
/// let settings =
///     Deflate::default().server_no_context_takeover(true).client_no_context_takeover(true);
/// assert!(settings.get_server_no_context_takeover());
/// ```
///
/// # What it costs
///
/// A compressor takes [`compressor_memory`](Self::compressor_memory) bytes, 273 KiB by default, and
/// a decompressor 47 KiB, whatever its window. With context takeover a connection keeps one of each
/// from the first compressed message on; without, it borrows one for the time of a message, from a
/// pool that all connections with clones of the same settings share.
///
/// # Windows of 256 bytes
///
/// RFC 7692 has windows from 2^8 bytes on, zlib from 2^9. A peer's 8 is agreed to all the same:
/// what it compresses so, we can read; where we would have to keep to it, we send our messages
/// uncompressed, as RFC 7692 §6 allows for every message.
#[derive(Clone, Debug)]
pub struct Deflate {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: u8,
    client_max_window_bits: u8,
    level: u8,
    memory_level: u8,
    threshold: usize,
    max_ratio: Option<u32>,
    memory_budget: Option<MemoryBudget>,
    pub(super) pool: Arc<Pool>,
}

impl Default for Deflate {
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: MAX_WINDOW_BITS,
            client_max_window_bits: MAX_WINDOW_BITS,
            level: 1,
            memory_level: 5,
            threshold: 64,
            max_ratio: Some(200),
            memory_budget: None,
            pool: Arc::default(),
        }
    }
}

impl Deflate {
    /// Whether the server begins each message with an empty window. Default false.
    ///
    /// A server then keeps no compressor between messages, and a client no decompressor; small
    /// messages that resemble each other come out larger.
    #[must_use]
    pub fn server_no_context_takeover(mut self, no_takeover: bool) -> Self {
        self.server_no_context_takeover = no_takeover;
        self
    }

    /// What [`server_no_context_takeover`](Self::server_no_context_takeover) set.
    pub fn get_server_no_context_takeover(&self) -> bool {
        self.server_no_context_takeover
    }

    /// Whether the client begins each message with an empty window. Default false.
    #[must_use]
    pub fn client_no_context_takeover(mut self, no_takeover: bool) -> Self {
        self.client_no_context_takeover = no_takeover;
        self
    }

    /// What [`client_no_context_takeover`](Self::client_no_context_takeover) set.
    pub fn get_client_no_context_takeover(&self) -> bool {
        self.client_no_context_takeover
    }

    /// The window of the server's compressor is at most 2^bits bytes: 9 to 15, default 15.
    ///
    /// Others are taken for the nearest of these. Each step down halves 128 KiB of the compressor's
    /// memory, and the distance at which a repetition is seen. In a client this is a demand, which
    /// a server may answer by not compressing.
    #[must_use]
    pub fn server_max_window_bits(mut self, bits: u8) -> Self {
        self.server_max_window_bits = bits.clamp(MIN_COMPRESS_BITS, MAX_WINDOW_BITS);
        self
    }

    /// What [`server_max_window_bits`](Self::server_max_window_bits) set.
    pub fn get_server_max_window_bits(&self) -> u8 {
        self.server_max_window_bits
    }

    /// The window of the client's compressor is at most 2^bits bytes: 9 to 15, default 15.
    ///
    /// Others are taken for the nearest of these. In a server this asks only clients that can be
    /// asked (RFC 7692 §7.1.2.2).
    #[must_use]
    pub fn client_max_window_bits(mut self, bits: u8) -> Self {
        self.client_max_window_bits = bits.clamp(MIN_COMPRESS_BITS, MAX_WINDOW_BITS);
        self
    }

    /// What [`client_max_window_bits`](Self::client_max_window_bits) set.
    pub fn get_client_max_window_bits(&self) -> u8 {
        self.client_max_window_bits
    }

    /// How hard to look for repetitions, from 0 (not at all) to 9. Default 1.
    ///
    /// More is taken for 9. For messages of a kilobyte, level 1 takes a fraction of the time of level
    /// 6, and its output is about a third larger; the example `deflate` measures both.
    #[must_use]
    pub fn level(mut self, level: u8) -> Self {
        self.level = level.min(9);
        self
    }

    /// What [`level`](Self::level) set.
    pub fn get_level(&self) -> u8 {
        self.level
    }

    /// How much memory to compress in, besides the window, from 1 to 9. Default 5.
    ///
    /// Others are taken for the nearest of these. Each step doubles the compressor's buffers: 14 KiB
    /// at 5, 112 KiB at 8. Only messages of tens of kilobytes gain, and only above level 1.
    #[must_use]
    pub fn memory_level(mut self, level: u8) -> Self {
        self.memory_level = level.clamp(1, 9);
        self
    }

    /// What [`memory_level`](Self::memory_level) set.
    pub fn get_memory_level(&self) -> u8 {
        self.memory_level
    }

    /// Messages of fewer bytes are sent as they are. Default 64, where there is little to gain.
    ///
    /// A message that is sent in parts is compressed whatever the size of its first.
    #[must_use]
    pub fn threshold(mut self, bytes: usize) -> Self {
        self.threshold = bytes;
        self
    }

    /// What [`threshold`](Self::threshold) set.
    pub fn get_threshold(&self) -> usize {
        self.threshold
    }

    /// Most bytes that a byte received may inflate to; the peer is told 1009. `None`: no limit.
    ///
    /// Default 200. It is held while a message inflates, also where messages are streamed, and the
    /// first 256 KiB of each are free. DEFLATE can reach 1032, with nothing but repetition; text
    /// that people write stays below 20. [`Config::max_message_size`](crate::Config) bounds what a
    /// message inflates to, besides.
    #[must_use]
    pub fn max_ratio(mut self, ratio: Option<u32>) -> Self {
        self.max_ratio = ratio;
        self
    }

    /// What [`max_ratio`](Self::max_ratio) set.
    pub fn get_max_ratio(&self) -> Option<u32> {
        self.max_ratio
    }

    /// Shares this budget: once it is used up, new connections agree on no takeover.
    #[must_use]
    pub fn memory_budget(mut self, budget: MemoryBudget) -> Self {
        self.memory_budget = Some(budget);
        self
    }

    /// What [`memory_budget`](Self::memory_budget) set; `None`, as at first, is no limit.
    pub fn get_memory_budget(&self) -> Option<&MemoryBudget> {
        self.memory_budget.as_ref()
    }

    /// Bytes that a compressor with a window of 2^bits takes, at this memory level.
    ///
    /// ```
    /// let settings = towline_proto::Deflate::default();
    /// assert_eq!(settings.compressor_memory(15) / 1024, 273);
    /// assert_eq!(settings.compressor_memory(12) / 1024, 161);
    /// ```
    pub fn compressor_memory(&self, window_bits: u8) -> usize {
        let window = 1_usize << window_bits.clamp(MIN_COMPRESS_BITS, MAX_WINDOW_BITS);
        let symbols = 1_usize << (6 + self.memory_level);
        // zlib-rs 0.6: the window twice over, a chain of 16 bits for each of its bytes, 65,536 heads
        // of 16 bits, seven bytes for each symbol of a block, and the state itself.
        2 * window + 2 * window + 2 * 65_536 + 7 * symbols + 3200
    }

    /// Bytes that a decompressor takes, whatever the window (zlib-rs 0.6).
    pub const DECOMPRESSOR_MEMORY: usize = 47_552;
}
