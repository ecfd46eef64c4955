//! Messages that have arrived, lent out of the buffer where they landed.

use tokio::io::{AsyncRead, AsyncWrite};
use towline_proto::{Assembly, Message, MessageRef};

use crate::transport::Transport;
use crate::websocket::{Arrived, Replies};

/// Messages that have arrived, to be visited without waiting and without a copy.
///
/// See [`MessageWebSocket::recv_batch`](super::MessageWebSocket::recv_batch).
#[derive(Debug)]
pub struct Batch<'a, T = Transport> {
    arrived: Arrived<'a, T>,
    assembly: &'a mut Assembly,
    /// A message that came in pieces, while it is looked at.
    joined: Option<Message>,
}

impl<'a, T: AsyncRead + AsyncWrite + Unpin> Batch<'a, T> {
    pub(super) fn new(arrived: Arrived<'a, T>, assembly: &'a mut Assembly) -> Self {
        Self { arrived, assembly, joined: None }
    }

    /// The next message, lent, and the means to answer it; `None` once all that had arrived was
    /// seen, or too many answers wait to be written.
    ///
    /// If the peer broke the protocol, the next call of
    /// [`recv_batch`](super::MessageWebSocket::recv_batch) gives the error.
    #[expect(clippy::should_implement_trait, reason = "an Iterator cannot lend from itself")]
    #[inline(always)]
    pub fn next(&mut self) -> Option<(MessageRef<'_>, &mut Replies<'a, T>)> {
        match self.arrived.next_whole() {
            Some(whole) => self.arrived.lend_whole(&whole),
            None => self.next_other(),
        }
    }

    /// The same, whatever comes: pieces are joined until there is a message.
    #[inline(never)]
    fn next_other(&mut self) -> Option<(MessageRef<'_>, &mut Replies<'a, T>)> {
        let message = loop {
            let data = self.arrived.next_piece()?;
            if data.start && data.end {
                let (piece, replies) = self.arrived.lend(&data)?;
                return piece.as_message().map(|message| (message, replies));
            }
            let (piece, _) = self.arrived.lend(&data)?;
            if let Some(message) = self.assembly.push(&piece) {
                break self.joined.insert(message);
            }
        };
        Some((MessageRef::from(&*message), &mut self.arrived.replies))
    }
}
