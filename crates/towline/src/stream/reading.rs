//! Reading messages as streams of bytes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};
use towline_proto::{Data, MessageKind};

use crate::error::Result;
use crate::websocket::{Happening, Source};

/// Where a reader stands among the peer's messages.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The piece that is being read: what is left of it.
    piece: Option<Data>,
    /// Whether a message has begun and its end was not read yet.
    in_message: bool,
    /// Whether what still comes of a message is of no interest.
    skipping: bool,
}

impl Reading {
    /// Leaves the message that was begun: what still comes of it is [skipped](Self::skips).
    pub(super) fn skip_message(&mut self) {
        self.skipping |= self.in_message && self.piece.as_ref().is_none_or(|piece| !piece.end);
        self.forget();
    }

    /// Whether a piece belongs to a message that was left.
    pub(super) fn skips(&mut self, data: &Data) -> bool {
        self.skipping &= !data.start;
        self.skipping
    }

    /// Waits until there is a piece; false once the connection has closed normally.
    fn poll_piece(&mut self, cx: &mut Context<'_>, source: &mut dyn Source) -> Poll<Result<bool>> {
        loop {
            if self.piece.is_some() {
                return Poll::Ready(Ok(true));
            }
            match ready!(source.poll_event(cx))? {
                None => return Poll::Ready(Ok(false)),
                Some(Happening::Ping | Happening::Pong) => {}
                Some(Happening::Data(data)) => {
                    // Text is checked; if it is bad, the next event is the error.
                    if source.lend(&data).is_some() {
                        self.in_message = true;
                        self.piece = Some(data);
                    }
                }
            }
        }
    }

    /// Notes that so many bytes of the piece were read, and leaves it if that was all.
    fn consume(&mut self, count: usize) {
        if let Some(piece) = &mut self.piece {
            piece.payload.start += count;
            // What is left is no message's beginning.
            piece.start = piece.start && count == 0;
            if piece.payload.is_empty() {
                self.in_message = !piece.end;
                self.piece = None;
            }
        }
    }

    /// A new message has begun.
    #[inline(always)]
    pub(super) fn skip_no_more(&mut self) {
        self.skipping = false;
    }

    /// Leaves the piece that is being read: the connection is closing.
    pub(super) fn forget(&mut self) {
        self.piece = None;
        self.in_message = false;
    }

    /// Waits for bytes of whatever message; an empty slice once the connection has closed.
    pub(super) fn poll_fill<'a>(
        &mut self,
        cx: &mut Context<'_>,
        source: &'a mut dyn Source,
    ) -> Poll<Result<&'a [u8]>> {
        while ready!(self.poll_piece(cx, source))? {
            // An empty piece is no end of file: only the connection's end is (winrt.md K7).
            if self.piece.as_ref().is_some_and(|piece| piece.payload.is_empty()) {
                self.consume(0);
            } else {
                break;
            }
        }
        let payload = self.piece.as_ref().map_or(&[][..], |piece| source.payload(piece));
        Poll::Ready(Ok(payload))
    }

    /// Waits for bytes of the open message; an empty slice at its end.
    fn poll_fill_message<'a>(
        &mut self,
        cx: &mut Context<'_>,
        source: &'a mut dyn Source,
    ) -> Poll<Result<&'a [u8]>> {
        while self.in_message && ready!(self.poll_piece(cx, source))? {
            if self.piece.as_ref().is_some_and(|piece| piece.payload.is_empty()) {
                self.consume(0);
            } else {
                break;
            }
        }
        let piece = self.piece.as_ref().filter(|_| self.in_message);
        Poll::Ready(Ok(piece.map_or(&[][..], |piece| source.payload(piece))))
    }

    /// Skips what is left of the open message, and waits for the next.
    pub(super) fn poll_next_message(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut dyn Source,
    ) -> Poll<Result<Option<MessageKind>>> {
        while ready!(self.poll_piece(cx, source))? {
            match &self.piece {
                Some(piece) if piece.start => {
                    let kind = piece.kind;
                    // Claimed: from here on it counts as begun, and asking again skips it.
                    if let Some(piece) = &mut self.piece {
                        piece.start = false;
                    }
                    return Poll::Ready(Ok(Some(kind)));
                }
                Some(piece) => {
                    let rest = piece.payload.len();
                    self.consume(rest);
                }
                None => {}
            }
        }
        Poll::Ready(Ok(None))
    }

    /// Bytes of whatever message, into a caller's buffer.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut dyn Source,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if into.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let bytes = ready!(self.poll_fill(cx, source))?;
        let count = bytes.len().min(into.remaining());
        into.put_slice(&bytes[..count]);
        self.consume_some(count);
        Poll::Ready(Ok(()))
    }

    /// As [`consume`](Self::consume), but nothing read leaves the piece where it is.
    pub(super) fn consume_some(&mut self, count: usize) {
        if count > 0 {
            self.consume(count);
        }
    }
}

/// Reads one message to its end, as its bytes arrive. Holds none of it.
///
/// It is an [`AsyncRead`] whose end of file is the message's end, and an [`AsyncBufRead`] that
/// lends the bytes where they landed, without a copy. Whoever does not read makes the peer wait.
///
/// Dropped before the end, the rest of the message is skipped by the next
/// [`next_message`](crate::StreamWebSocket::next_message).
///
/// # Errors
/// As [`io::Error`]s that hold a [`towline::Error`](crate::Error). An error within a message, the
/// peer's closing frame included, is never an end of file.
pub struct MessageReader<'a> {
    source: &'a mut (dyn Source + Send),
    reading: &'a mut Reading,
    kind: MessageKind,
}

impl<'a> MessageReader<'a> {
    pub(super) fn new(
        source: &'a mut (dyn Source + Send),
        reading: &'a mut Reading,
        kind: MessageKind,
    ) -> Self {
        Self { source, reading, kind }
    }

    /// Text or binary. Text has been checked as it came; a read may cut a character.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// The next bytes of the message, lent where they landed; `None` at its end.
    ///
    /// # Errors
    /// As [`MessageWebSocket::recv`](crate::MessageWebSocket::recv).
    ///
    /// # Cancel safety
    /// Safe: bytes that were not given are given next time.
    pub async fn chunk(&mut self) -> Result<Option<Chunk<'_>>> {
        poll_fn(|cx| self.poll_fill(cx).map_ok(|_| ())).await?;
        let Some(piece) = self.reading.piece.clone().filter(|_| self.reading.in_message) else {
            return Ok(None);
        };
        self.reading.consume(piece.payload.len());
        Ok(Some(Chunk { bytes: self.source.payload(&piece), end: piece.end }))
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<&[u8]>> {
        // Evaluated twice to please the borrow checker: the first waits, the second only lends.
        ready!(self.reading.poll_fill_message(cx, self.source))?;
        let piece = self.reading.piece.as_ref().filter(|_| self.reading.in_message);
        if piece.is_none() && self.reading.in_message {
            // The connection has closed in the middle of the message.
            return Poll::Ready(Err(crate::Error::disconnected("receiving a message", None)));
        }
        Poll::Ready(Ok(piece.map_or(&[][..], |piece| self.source.payload(piece))))
    }
}

/// Bytes of a message, lent where they landed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Chunk<'a> {
    /// The bytes, at least one.
    pub bytes: &'a [u8],
    /// Whether the message is known to end with them. It may also end after a chunk that does not
    /// know it, where the last fragment turns out to be empty.
    pub end: bool,
}

impl std::fmt::Debug for MessageReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MessageReader").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl AsyncRead for MessageReader<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if into.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let bytes = ready!(this.poll_fill(cx))?;
        let count = bytes.len().min(into.remaining());
        into.put_slice(&bytes[..count]);
        this.reading.consume_some(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncBufRead for MessageReader<'_> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_mut().poll_fill(cx).map_err(Into::into)
    }

    fn consume(self: Pin<&mut Self>, count: usize) {
        self.get_mut().reading.consume_some(count);
    }
}
