//! Messages that have arrived, lent out of the buffer where they landed.

use tokio::io::{AsyncRead, AsyncWrite};
use towline_proto::{Assembly, Message, MessageRef};

use crate::transport::Transport;
use crate::websocket::{Pieces, Replies};

/// Messages that have arrived, to be visited without waiting and without a copy.
///
/// See [`MessageWebSocket::recv_batch`](super::MessageWebSocket::recv_batch).
#[derive(Debug)]
pub struct Batch<'a, T = Transport> {
    pieces: Pieces<'a, T>,
    assembly: &'a mut Assembly,
    /// A message that came in pieces, while it is looked at.
    joined: Option<Message>,
}

impl<'a, T: AsyncRead + AsyncWrite + Unpin> Batch<'a, T> {
    pub(super) fn new(pieces: Pieces<'a, T>, assembly: &'a mut Assembly) -> Self {
        Self { pieces, assembly, joined: None }
    }

    /// The next message, lent, and the means to answer it; `None` once all that had arrived was
    /// seen.
    ///
    /// If the peer broke the protocol, the next call of
    /// [`recv_batch`](super::MessageWebSocket::recv_batch) gives the error.
    #[expect(clippy::should_implement_trait, reason = "an Iterator cannot lend from itself")]
    #[inline]
    pub fn next(&mut self) -> Option<(MessageRef<'_>, &mut Replies<'a, T>)> {
        loop {
            let data = self.pieces.next()?;
            if data.start && data.end {
                let (piece, replies) = self.pieces.lend(&data)?;
                return piece.as_message().map(|message| (message, replies));
            }
            let (piece, _) = self.pieces.lend(&data)?;
            if let Some(message) = self.assembly.push(&piece) {
                let message = self.joined.insert(message);
                return Some((MessageRef::from(&*message), self.pieces.replies()));
            }
        }
    }
}
