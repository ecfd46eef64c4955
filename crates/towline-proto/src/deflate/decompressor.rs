//! [`Decompressor`]: a raw DEFLATE stream, inflated piece by piece (RFC 7692 §7.2.2).

use std::fmt;

use zlib_rs::{Inflate as Zlib, InflateFlush, Status};

use super::MAX_WINDOW_BITS;
use super::scratch::Scratch;
use crate::error::ProtocolError;

pub(super) struct Decompressor {
    zlib: Zlib,
    /// Whether nothing was inflated since the stream began.
    fresh: bool,
}

impl Default for Decompressor {
    fn default() -> Self {
        // A smaller window would save nothing, and a window that is larger than the peer's reads
        // what the smaller one made: that of 8 bits among them, which zlib has no name for.
        Self { zlib: Zlib::new(false, MAX_WINDOW_BITS), fresh: true }
    }
}

impl Decompressor {
    /// Forgets all that was inflated.
    pub(super) fn begin_anew(&mut self) {
        self.zlib.reset(false);
        self.fresh = true;
    }

    /// Whether the stream stands at its very beginning, perhaps behind the end of another.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Inflates until the input is used up or there are `most` bytes; gives what of it was used.
    ///
    /// When all the input is used and there is no room left, more may come out without more input.
    pub(super) fn inflate(
        &mut self,
        input: &[u8],
        into: &mut Scratch,
        most: usize,
    ) -> Result<usize, ProtocolError> {
        let mut used = 0;
        loop {
            let room = into.room_up_to(most);
            let offered = room.len();
            if offered == 0 {
                return Ok(used);
            }
            let (taken, given) = (self.zlib.total_in(), self.zlib.total_out());
            let status = self
                .zlib
                .decompress(&input[used..], room, InflateFlush::SyncFlush)
                .map_err(|_| ProtocolError::InvalidDeflate)?;
            let taken = length(self.zlib.total_in() - taken);
            let given = length(self.zlib.total_out() - given);
            used += taken;
            into.advance(given);
            self.fresh &= taken == 0;
            if status == Status::StreamEnd {
                // RFC 7692 §7.2.3.4: a block may be marked as the last, and more blocks follow. As
                // with every stream of DEFLATE, they refer to nothing before them.
                self.begin_anew();
            }
            if used == input.len() && given < offered {
                return Ok(used);
            }
            if taken == 0 && given == 0 && status != Status::StreamEnd {
                return Ok(used); // not reached: there is input and there is room
            }
        }
    }
}

/// A difference of counts that is the length of a slice.
fn length(count: u64) -> usize {
    usize::try_from(count).expect("no more is counted than a slice holds")
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor").field("fresh", &self.fresh).finish_non_exhaustive()
    }
}
