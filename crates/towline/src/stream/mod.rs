//! Messages of any size, as streams of bytes.

mod batch;
mod half;
mod reading;
mod writing;

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use towline_proto::{CloseCode, CloseFrame, MessageKind};

pub use batch::PieceBatch;
pub use half::{StreamReceiver, StreamSender};
pub use reading::{Chunk, MessageReader};
pub use writing::MessageWriter;

use reading::Reading;

use crate::error::{Error, Result};
use crate::info::{ConnectionInfo, Stats};
use crate::message::close_frame;
use crate::statistics::BandwidthStatistics;
use crate::transport::Transport;
use crate::websocket::{Output, Target, WebSocket, split};

/// A WebSocket that sends and receives streams of bytes, with constant memory whatever their size.
///
/// It has two views. As a whole it is an [`AsyncRead`] and an [`AsyncWrite`] to which the bounds
/// of messages are invisible: each write is one binary message, and reads join what comes, binary
/// or text. Beside it, [`next_message`](Self::next_message) and
/// [`message_writer`](Self::message_writer) read and write one message at a time, so that a film
/// is one message:
///
/// ```no_run
/// use towline::{MessageKind, StreamWebSocket};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut socket = StreamWebSocket::connect("wss://example.com/films").await?;
/// let mut film = tokio::fs::File::open("film.mkv").await?;
/// let mut message = socket.message_writer(MessageKind::Binary);
/// tokio::io::copy(&mut film, &mut message).await?;
/// message.finish().await?;
/// # Ok(())
/// # }
/// ```
///
/// Pings are answered, silence is noticed and deadlines are kept while somebody reads.
#[derive(Debug)]
pub struct StreamWebSocket<T = Transport> {
    socket: WebSocket<T>,
    reading: Reading,
}

/// Largest message that one write makes: a write must not hold more than its caller knows of.
const MAX_WRITE: usize = 1024 * 1024;

impl<T> From<WebSocket<T>> for StreamWebSocket<T> {
    fn from(mut socket: WebSocket<T>) -> Self {
        socket.parts.inbound.receiver.hold_messages(false);
        Self { socket, reading: Reading::default() }
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> StreamWebSocket<T> {
    /// Waits for the next message; `None` once the connection has closed normally.
    ///
    /// What was not read of the message before it is skipped.
    ///
    /// # Errors
    /// As [`MessageWebSocket::recv`](crate::MessageWebSocket::recv), less the limit on messages.
    ///
    /// # Cancel safety
    /// Safe: a message that has begun to come is given next time.
    pub async fn next_message(&mut self) -> Result<Option<MessageReader<'_>>> {
        let Self { socket, reading } = self;
        let kind = poll_fn(|cx| reading.poll_next_message(cx, socket)).await?;
        Ok(kind.map(|kind| MessageReader::new(socket, reading, kind)))
    }

    /// Waits until pieces of messages have arrived, and lends them all; `None` once the connection
    /// has closed normally.
    ///
    /// This is the fast way to pass messages on, whatever their size: a piece is lent where it
    /// landed, and what is large is written from there. Where messages are small it saves what
    /// [`recv_batch`](crate::MessageWebSocket::recv_batch) does, and its memory is held likewise.
    ///
    /// ```
    /// # use towline::StreamWebSocket;
    /// # async fn echo(mut socket: StreamWebSocket) -> towline::Result<()> {
    /// while let Some(mut batch) = socket.recv_pieces().await? {
    ///     while let Some((piece, replies)) = batch.next() {
    ///         replies.feed(piece)?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What was not read of a message by other means is skipped.
    ///
    /// # Errors
    /// As [`next_message`](Self::next_message).
    ///
    /// # Cancel safety
    /// Safe: no piece is lost. What was not visited of a batch is in the next one.
    pub async fn recv_pieces(&mut self) -> Result<Option<PieceBatch<'_, T>>> {
        let Self { socket, reading } = self;
        reading.skip_message();
        Ok(socket.recv_arrived().await?.map(|arrived| PieceBatch::new(arrived, reading)))
    }

    /// Begins a message whose length need not be known; it travels in fragments.
    pub fn message_writer(&mut self, kind: MessageKind) -> MessageWriter<'_> {
        MessageWriter::new(&mut self.socket.parts.link, kind)
    }

    /// Begins a message of exactly `len` bytes, which travels as one single frame.
    ///
    /// Until it is complete no pong and no closing frame can leave (RFC 6455 §5.4), so fragments
    /// are better wherever the peer takes them. It is not compressed.
    pub fn message_writer_sized(&mut self, kind: MessageKind, len: u64) -> MessageWriter<'_> {
        MessageWriter::sized(&mut self.socket.parts.link, kind, len)
    }

    /// Whether the messages begun from now on are compressed, where that was agreed on. They are at
    /// first.
    ///
    /// Those of [`message_writer_sized`](Self::message_writer_sized) never are.
    #[cfg(feature = "deflate")]
    pub fn set_compress(&mut self, on: bool) {
        self.socket.parts.link.sender(|sender| sender.compress(on));
    }

    /// Closes the connection: sends the closing frame and waits for the peer's.
    ///
    /// What comes meanwhile is discarded.
    ///
    /// # Errors
    /// As [`MessageWebSocket::close`](crate::MessageWebSocket::close).
    ///
    /// # Cancel safety
    /// If cancelled the connection is closing; reading goes on with it. What was not read of a
    /// message is discarded all the same.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<()> {
        let frame = close_frame(code, reason)?;
        // What was not read of a message is of no more interest, and its place will be reused.
        self.reading.forget();
        self.socket.close(Some(frame)).await
    }

    /// What is known about the connection.
    pub fn info(&self) -> &ConnectionInfo {
        self.socket.info()
    }

    /// What the connection has carried so far.
    pub fn stats(&self) -> Stats {
        self.socket.stats()
    }

    /// The frame with which the peer closed the connection, if it closed it with a code.
    pub fn close_frame(&self) -> Option<&CloseFrame> {
        self.socket.close_frame()
    }

    /// Whether the peer has sent a closing frame, with a code or without.
    pub fn peer_closed(&self) -> bool {
        self.socket.peer_closed()
    }

    /// A reader and a writer for two tasks.
    pub fn split(self) -> (StreamReceiver, StreamSender)
    where
        T: 'static,
    {
        let (reader, writer) = split(self.socket);
        (StreamReceiver::new(reader, self.reading), StreamSender::new(writer))
    }
}

/// One write: one binary message, on its way at once if the peer takes it.
fn poll_write(
    target: &mut dyn Target,
    cx: &mut Context<'_>,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    if bytes.is_empty() {
        return Poll::Ready(Ok(0));
    }
    ready!(target.poll_room(cx))?;
    let count = bytes.len().min(MAX_WRITE);
    target.fragment(MessageKind::Binary, &bytes[..count], true)?;
    match target.poll_flush(cx) {
        Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
        // What the peer does not take now goes with the next write or flush.
        Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(count)),
    }
}

/// The closing frame; the reader sees the end.
fn poll_shutdown(target: &mut dyn Target, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    target.close(CloseFrame::new(CloseCode::NORMAL, "").ok());
    target.poll_flush(cx).map_err(Error::into)
}

impl<T: 'static> StreamWebSocket<T> {
    /// As [`WebSocket::bandwidth`].
    pub fn bandwidth(&mut self) -> BandwidthStatistics {
        self.socket.bandwidth()
    }

    /// As [`WebSocket::tcp_round_trip`].
    pub fn tcp_round_trip(&self) -> Option<Duration> {
        self.socket.tcp_round_trip()
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> AsyncRead for StreamWebSocket<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.reading.poll_read(cx, &mut this.socket, into)
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> AsyncBufRead for StreamWebSocket<T> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        this.reading.poll_fill(cx, &mut this.socket).map_err(Into::into)
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        self.reading.consume_some(count);
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> AsyncWrite for StreamWebSocket<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        poll_write(&mut self.socket.parts.link, cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Output::poll_flush(&mut self.socket.parts.link, cx).map_err(Into::into)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_shutdown(&mut self.socket.parts.link, cx)
    }
}
