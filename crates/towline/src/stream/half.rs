//! Streams of bytes in two hands.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use towline_proto::{CloseCode, CloseFrame, MessageKind};

use super::reading::Reading;
use super::{MessageReader, MessageWriter, close_frame, poll_shutdown, poll_write};
use crate::error::Result;
use crate::info::{ConnectionInfo, Stats};
use crate::statistics::BandwidthStatistics;
use crate::websocket::{Output, Reader, Writer};

/// The half of a [`StreamWebSocket`](crate::StreamWebSocket) that receives.
///
/// It answers pings, keeps the deadlines and carries out the closing handshake, also for the
/// sender: keep it reading.
#[derive(Debug)]
pub struct StreamReceiver {
    reader: Reader,
    reading: Reading,
}

impl StreamReceiver {
    pub(super) fn new(reader: Reader, reading: Reading) -> Self {
        Self { reader, reading }
    }

    /// As [`StreamWebSocket::next_message`](crate::StreamWebSocket::next_message).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Safe: a message that has begun to come is given next time.
    pub async fn next_message(&mut self) -> Result<Option<MessageReader<'_>>> {
        let Self { reader, reading } = self;
        let kind = poll_fn(|cx| reading.poll_next_message(cx, reader)).await?;
        Ok(kind.map(|kind| MessageReader::new(reader, reading, kind)))
    }

    /// What is known about the connection.
    pub fn info(&self) -> &ConnectionInfo {
        &self.reader.info
    }

    /// What the connection has carried so far.
    pub fn stats(&self) -> Stats {
        self.reader.stats()
    }

    /// As [`WebSocket::bandwidth`](crate::WebSocket::bandwidth).
    pub fn bandwidth(&mut self) -> BandwidthStatistics {
        self.reader.bandwidth()
    }

    /// As [`WebSocket::tcp_round_trip`](crate::WebSocket::tcp_round_trip).
    pub fn tcp_round_trip(&self) -> Option<Duration> {
        self.reader.tcp_round_trip()
    }

    /// The frame with which the peer closed the connection, if it closed it with a code.
    pub fn close_frame(&self) -> Option<&CloseFrame> {
        self.reader.inbound.close_frame()
    }

    /// Whether the peer has sent a closing frame, with a code or without.
    pub fn peer_closed(&self) -> bool {
        self.reader.inbound.peer_closed()
    }
}

impl AsyncRead for StreamReceiver {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.reading.poll_read(cx, &mut this.reader, into)
    }
}

impl AsyncBufRead for StreamReceiver {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        this.reading.poll_fill(cx, &mut this.reader).map_err(Into::into)
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        self.reading.consume_some(count);
    }
}

/// The half of a [`StreamWebSocket`](crate::StreamWebSocket) that sends.
#[derive(Debug)]
pub struct StreamSender {
    writer: Writer,
}

impl StreamSender {
    pub(super) fn new(writer: Writer) -> Self {
        Self { writer }
    }

    /// As [`StreamWebSocket::message_writer`](crate::StreamWebSocket::message_writer).
    pub fn message_writer(&mut self, kind: MessageKind) -> MessageWriter<'_> {
        MessageWriter::new(&mut self.writer.shared, kind)
    }

    /// As [`StreamWebSocket::message_writer_sized`](crate::StreamWebSocket::message_writer_sized).
    pub fn message_writer_sized(&mut self, kind: MessageKind, len: u64) -> MessageWriter<'_> {
        MessageWriter::sized(&mut self.writer.shared, kind, len)
    }

    /// As [`StreamWebSocket::set_compress`](crate::StreamWebSocket::set_compress).
    #[cfg(feature = "deflate")]
    pub fn set_compress(&mut self, on: bool) {
        self.writer.shared.sender(|sender| sender.compress(on));
    }

    /// Begins the closing handshake and writes the closing frame. The receiver sees the end.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a reason of more than 123 bytes, and as
    /// [`MessageWebSocket::send`](crate::MessageWebSocket::send).
    ///
    /// # Cancel safety
    /// If cancelled the connection is closing all the same.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<()> {
        let frame = close_frame(code, reason)?;
        self.writer.close(Some(frame)).await
    }

    /// What is known about the connection.
    pub fn info(&self) -> &ConnectionInfo {
        &self.writer.info
    }
}

impl AsyncWrite for StreamSender {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        poll_write(&mut self.writer.shared, cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Output::poll_flush(&mut self.writer.shared, cx).map_err(Into::into)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_shutdown(&mut self.writer.shared, cx)
    }
}
