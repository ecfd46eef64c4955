//! [`Compressor`]: a raw DEFLATE stream, flushed at the end of every part (RFC 7692 §7.2.1).

use std::fmt;

use zlib_rs::{Deflate as Zlib, DeflateConfig, DeflateFlush};

use super::TAIL;
use super::scratch::Scratch;

/// What a compressor was made for. Two of one shape can stand in for each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Shape {
    pub(super) window_bits: u8,
    pub(super) level: u8,
    pub(super) memory_level: u8,
}

pub(super) struct Compressor {
    zlib: Zlib,
    pub(super) shape: Shape,
    /// Whether the window has to be emptied before it is used again: that costs a microsecond or
    /// several, so it waits until it is needed.
    stale: bool,
}

/// More than a flush's marker takes: the marker must never be cut, or it would be written twice.
const MARKER_ROOM: usize = 16;

impl Compressor {
    pub(super) fn new(shape: Shape) -> Self {
        debug_assert!((9..=15).contains(&shape.window_bits), "zlib-rs panics at 8");
        let config = DeflateConfig {
            level: shape.level.into(),
            window_bits: -i32::from(shape.window_bits),
            mem_level: shape.memory_level.into(),
            ..DeflateConfig::default()
        };
        Self { zlib: Zlib::new_with_config(config), shape, stale: false }
    }

    /// From now on nothing refers to what was compressed before.
    pub(super) fn begin_anew(&mut self) {
        self.stale = true;
    }

    /// Compresses the next part of a message, in full: the peer can inflate all of it.
    ///
    /// With `last`, what the peer adds itself is taken off the end.
    pub(super) fn compress(&mut self, part: &[u8], last: bool, into: &mut Scratch) {
        if std::mem::take(&mut self.stale) {
            self.zlib.reset();
        }
        let start = into.len();
        self.flush(part, into);
        if !last {
            return;
        }
        if into.len() == start {
            // There was nothing to flush, so neither is there anything to take off. RFC 7692
            // §7.2.3.6: the header of an empty block, to which the tail adds the rest.
            into.push(0x00);
        } else {
            debug_assert!(into.as_slice().ends_with(&TAIL), "a flush ends with an empty block");
            into.truncate(into.len() - TAIL.len());
        }
    }

    fn flush(&mut self, mut input: &[u8], into: &mut Scratch) {
        loop {
            let room = into.room(input.len() + input.len() / 8 + MARKER_ROOM);
            let offered = room.len();
            let (taken, given) = (self.zlib.total_in(), self.zlib.total_out());
            self.zlib
                .compress(input, room, DeflateFlush::SyncFlush)
                .expect("a compressor that was made is in order");
            let taken = length(self.zlib.total_in() - taken);
            let given = length(self.zlib.total_out() - given);
            into.advance(given);
            input = &input[taken..];
            if given < offered {
                debug_assert!(input.is_empty(), "with room left, all input is compressed");
                return;
            }
        }
    }
}

/// A difference of counts that is the length of a slice.
fn length(count: u64) -> usize {
    usize::try_from(count).expect("no more is counted than a slice holds")
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor").field("shape", &self.shape).finish_non_exhaustive()
    }
}
