//! What has arrived, lent piece by piece, beside the means to answer.

use std::future::poll_fn;

use tokio::io::{AsyncRead, AsyncWrite};
use towline_proto::{Data, MessageRef, Part, Piece, WholeMessage};

use super::{Inbound, Output, Parts, WebSocket, Whole};
use crate::error::Result;
use crate::transport::Transport;

/// The sending side of a connection, while what it received is being looked at.
#[derive(Debug)]
pub struct Replies<'a, T = Transport> {
    link: &'a mut Whole<T>,
    /// Whether a message that lies there whole may be taken without looking at anything else.
    plain: bool,
    /// Whether more waits to be written than may.
    full: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Replies<'_, T> {
    /// Sends a message, or passes on a piece of one, together with what else is fed.
    ///
    /// It goes out at the latest when the next batch is asked for and there is none. This never
    /// waits: once more than [`Config::max_outbox`](crate::Config::max_outbox) waits to be written,
    /// the batch ends instead, and the next one is given when the peer has taken some of it. So
    /// what is fed while one message is looked at is all that comes on top of that bound.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed) once the connection is closing,
    /// [`Disconnected`](crate::ErrorKind::Disconnected) if it is lost,
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) in the middle of another message.
    #[inline(always)]
    pub fn feed<'m>(&mut self, message: impl Into<Part<'m>>) -> Result<()> {
        let part = message.into();
        if self.link.outbound.feed_quick(&part) { Ok(()) } else { self.feed_any(part) }
    }

    #[inline(never)]
    fn feed_any(&mut self, part: Part<'_>) -> Result<()> {
        self.link.outbound.feed_part(part)?;
        self.full = !self.link.outbound.has_room();
        self.plain &= !self.full;
        Ok(())
    }
}

/// What one read brought.
#[derive(Debug)]
pub(crate) struct Arrived<'a, T> {
    pub(crate) inbound: &'a mut Inbound,
    pub(crate) replies: Replies<'a, T>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> WebSocket<T> {
    /// Waits until there are pieces of messages, and room for answers; `None` once the connection
    /// has closed normally.
    pub(crate) async fn recv_arrived(&mut self) -> Result<Option<Arrived<'_, T>>> {
        let Parts { inbound, link, .. } = &mut *self.parts;
        if !link.outbound.has_room() {
            inbound.release();
            // If nothing can be written any more, what the peer has sent is still there to be read.
            let _ = poll_fn(|cx| link.poll_room(cx)).await;
        }
        let open = poll_fn(|cx| inbound.poll_piece(cx, link)).await?;
        let replies = Replies { plain: inbound.is_plain(), full: false, link };
        Ok(open.then_some(Arrived { inbound, replies }))
    }
}

impl<'a, T: AsyncRead + AsyncWrite + Unpin> Arrived<'a, T> {
    /// The next message that lies there whole, and as long as there is room for answers; otherwise
    /// look for the next [piece](Self::next_piece).
    #[inline(always)]
    pub(crate) fn next_whole(&mut self) -> Option<WholeMessage> {
        if self.replies.plain { self.inbound.next_whole() } else { None }
    }

    /// The next piece, whole or not, likewise.
    pub(crate) fn next_piece(&mut self) -> Option<Data> {
        if self.replies.full {
            return None;
        }
        let piece = self.inbound.next_piece(self.replies.link);
        self.replies.plain = self.inbound.is_plain();
        piece
    }

    /// Lends a message. If its text is bad the connection has failed, and the next event is its
    /// end.
    #[inline(always)]
    pub(crate) fn lend_whole(
        &mut self,
        whole: &WholeMessage,
    ) -> Option<(MessageRef<'_>, &mut Replies<'a, T>)> {
        let Self { inbound, replies } = self;
        match inbound.lend_whole(whole, replies.link) {
            Some(message) => Some((message, replies)),
            None => {
                replies.plain = false;
                None
            }
        }
    }

    /// Lends a piece, likewise.
    pub(crate) fn lend(&mut self, data: &Data) -> Option<(Piece<'_>, &mut Replies<'a, T>)> {
        let Self { inbound, replies } = self;
        let piece = inbound.lend(data, replies.link);
        replies.plain &= piece.is_some();
        piece.map(|piece| (piece, replies))
    }
}
