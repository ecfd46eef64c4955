//! Pieces of messages that have arrived, lent out of the buffer where they landed.

use tokio::io::{AsyncRead, AsyncWrite};
use towline_proto::Piece;

use super::reading::Reading;
use crate::transport::Transport;
use crate::websocket::{Arrived, Replies};

/// Pieces of messages that have arrived, to be visited without waiting and without a copy.
///
/// See [`StreamWebSocket::recv_pieces`](super::StreamWebSocket::recv_pieces).
#[derive(Debug)]
pub struct PieceBatch<'a, T = Transport> {
    arrived: Arrived<'a, T>,
    reading: &'a mut Reading,
}

impl<'a, T: AsyncRead + AsyncWrite + Unpin> PieceBatch<'a, T> {
    pub(super) fn new(arrived: Arrived<'a, T>, reading: &'a mut Reading) -> Self {
        Self { arrived, reading }
    }

    /// The next piece, lent, and the means to answer; `None` once all that had arrived was seen, or
    /// too many answers wait to be written.
    ///
    /// If the peer broke the protocol, the next call of
    /// [`recv_pieces`](super::StreamWebSocket::recv_pieces) gives the error.
    #[expect(clippy::should_implement_trait, reason = "an Iterator cannot lend from itself")]
    #[inline(always)]
    pub fn next(&mut self) -> Option<(Piece<'_>, &mut Replies<'a, T>)> {
        match self.arrived.next_whole() {
            Some(whole) => {
                self.reading.skip_no_more();
                let (message, replies) = self.arrived.lend_whole(&whole)?;
                Some((Piece::from(message), replies))
            }
            None => self.next_other(),
        }
    }

    /// The same, whatever comes.
    #[inline(never)]
    fn next_other(&mut self) -> Option<(Piece<'_>, &mut Replies<'a, T>)> {
        let mut data = self.arrived.next_piece()?;
        while self.reading.skips(&data) {
            self.arrived.lend(&data)?; // what is skipped is checked all the same
            data = self.arrived.next_piece()?;
        }
        self.arrived.lend(&data)
    }
}
