//! What has arrived, lent piece by piece, beside the means to answer.

use std::future::poll_fn;

use tokio::io::{AsyncRead, AsyncWrite};
use towline_proto::{Data, Part, Piece};

use super::{Inbound, Parts, WebSocket, Whole};
use crate::error::Result;
use crate::transport::Transport;

/// The sending side of a connection, while what it received is being looked at.
#[derive(Debug)]
pub struct Replies<'a, T = Transport> {
    link: &'a mut Whole<T>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Replies<'_, T> {
    /// Sends a message, or passes on a piece of one, together with what else is fed.
    ///
    /// It goes out at the latest when the next batch is asked for and there is none. While more
    /// than [`Config::max_outbox`](crate::Config::max_outbox) waits, this waits for the peer to
    /// take some of it.
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed) once the connection is closing,
    /// [`Disconnected`](crate::ErrorKind::Disconnected), [`TimedOut`](crate::ErrorKind::TimedOut)
    /// if the peer takes no more, [`InvalidInput`](crate::ErrorKind::InvalidInput) in the middle
    /// of another message.
    ///
    /// # Cancel safety
    /// A message is never sent in part. If cancelled, it was not sent.
    #[inline]
    pub async fn feed<'m>(&mut self, message: impl Into<Part<'m>>) -> Result<()> {
        let part = message.into();
        poll_fn(|cx| self.link.poll_feed_part(cx, part)).await
    }
}

/// The pieces of messages that one read brought.
#[derive(Debug)]
pub(crate) struct Pieces<'a, T> {
    inbound: &'a mut Inbound,
    replies: Replies<'a, T>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> WebSocket<T> {
    /// Waits until there are pieces of messages; `None` once the connection has closed normally.
    pub(crate) async fn recv_pieces(&mut self) -> Result<Option<Pieces<'_, T>>> {
        let Parts { inbound, link, .. } = &mut *self.parts;
        inbound.release();
        let open = poll_fn(|cx| inbound.poll_piece(cx, link)).await?;
        Ok(open.then_some(Pieces { inbound, replies: Replies { link } }))
    }
}

impl<'a, T: AsyncRead + AsyncWrite + Unpin> Pieces<'a, T> {
    /// The next piece; see it with [`lend`](Self::lend).
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Data> {
        self.inbound.next_piece(self.replies.link)
    }

    /// The piece; if its text is bad the connection has failed, and the next event is its end.
    #[inline]
    pub(crate) fn lend(&mut self, data: &Data) -> Option<(Piece<'_>, &mut Replies<'a, T>)> {
        let Self { inbound, replies } = self;
        inbound.lend(data, replies.link).map(|piece| (piece, replies))
    }

    pub(crate) fn replies(&mut self) -> &mut Replies<'a, T> {
        &mut self.replies
    }
}
