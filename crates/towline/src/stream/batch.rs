//! Pieces of messages that have arrived, lent out of the buffer where they landed.

use tokio::io::{AsyncRead, AsyncWrite};
use towline_proto::Piece;

use super::reading::Reading;
use crate::transport::Transport;
use crate::websocket::{Pieces, Replies};

/// Pieces of messages that have arrived, to be visited without waiting and without a copy.
///
/// See [`StreamWebSocket::recv_pieces`](super::StreamWebSocket::recv_pieces).
#[derive(Debug)]
pub struct PieceBatch<'a, T = Transport> {
    pieces: Pieces<'a, T>,
    reading: &'a mut Reading,
}

impl<'a, T: AsyncRead + AsyncWrite + Unpin> PieceBatch<'a, T> {
    pub(super) fn new(pieces: Pieces<'a, T>, reading: &'a mut Reading) -> Self {
        Self { pieces, reading }
    }

    /// The next piece, lent, and the means to answer; `None` once all that had arrived was seen.
    ///
    /// If the peer broke the protocol, the next call of
    /// [`recv_pieces`](super::StreamWebSocket::recv_pieces) gives the error.
    #[expect(clippy::should_implement_trait, reason = "an Iterator cannot lend from itself")]
    #[inline]
    pub fn next(&mut self) -> Option<(Piece<'_>, &mut Replies<'a, T>)> {
        let mut data = self.pieces.next()?;
        while self.reading.skips(&data) {
            self.pieces.lend(&data)?; // what is skipped is checked all the same
            data = self.pieces.next()?;
        }
        self.pieces.lend(&data)
    }
}
