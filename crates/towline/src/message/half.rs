//! Whole messages in two hands.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use towline_proto::{Assembly, CloseCode, CloseFrame, Fragment, Message, MessageKind};

use super::{Event, close_frame, poll_any, poll_fragment, poll_message};
use crate::error::Result;
use crate::info::{ConnectionInfo, Stats};
use crate::statistics::BandwidthStatistics;
use crate::websocket::{Reader, Writer};

/// The half of a [`MessageWebSocket`](crate::MessageWebSocket) that receives.
///
/// It answers pings, keeps the deadlines and carries out the closing handshake, also for the
/// senders: keep it in [`recv`](Self::recv).
#[derive(Debug)]
pub struct MessageReceiver {
    reader: Reader,
    assembly: Assembly,
}

impl MessageReceiver {
    pub(super) fn new(reader: Reader, assembly: Assembly) -> Self {
        Self { reader, assembly }
    }

    /// As [`MessageWebSocket::recv`](crate::MessageWebSocket::recv).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Safe: no part of a message is lost.
    pub async fn recv(&mut self) -> Result<Option<Message>> {
        poll_fn(|cx| poll_message(&mut self.reader, &mut self.assembly, cx)).await
    }

    /// As [`MessageWebSocket::recv_event`](crate::MessageWebSocket::recv_event).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Safe: no part of a message is lost.
    pub async fn recv_event(&mut self) -> Result<Option<Event>> {
        poll_fn(|cx| poll_any(&mut self.reader, &mut self.assembly, cx)).await
    }

    /// As [`MessageWebSocket::recv_fragment`](crate::MessageWebSocket::recv_fragment).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Safe: no part is lost.
    pub async fn recv_fragment(&mut self) -> Result<Option<Fragment>> {
        poll_fn(|cx| poll_fragment(&mut self.reader, &mut self.assembly, cx)).await
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

impl Stream for MessageReceiver {
    type Item = Result<Message>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        poll_message(&mut this.reader, &mut this.assembly, cx).map(Result::transpose)
    }
}

/// The half of a [`MessageWebSocket`](crate::MessageWebSocket) that sends. Clone it for each task
/// that does.
#[derive(Clone, Debug)]
pub struct MessageSender {
    writer: Writer,
}

impl MessageSender {
    pub(super) fn new(writer: Writer) -> Self {
        Self { writer }
    }

    /// As [`MessageWebSocket::send`](crate::MessageWebSocket::send).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there: a message is never sent in part.
    pub async fn send(&self, message: impl Into<Message>) -> Result<()> {
        self.writer.feed(message.into()).await?;
        self.writer.flush().await
    }

    /// Queues a message, to go out with the next [`flush`](Self::flush) or
    /// [`send`](Self::send) of any sender.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If cancelled, the message was not queued.
    pub async fn feed(&self, message: impl Into<Message>) -> Result<()> {
        self.writer.feed(message.into()).await
    }

    /// Hands all that is queued to the operating system.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// Safe: nothing is lost or sent twice.
    pub async fn flush(&self) -> Result<()> {
        self.writer.flush().await
    }

    /// As [`MessageWebSocket::send_prepared`](crate::MessageWebSocket::send_prepared).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    #[cfg(feature = "deflate")]
    pub async fn send_prepared(&self, message: &crate::Prepared) -> Result<()> {
        self.writer.send_prepared(message).await
    }

    /// As [`MessageWebSocket::set_compress`](crate::MessageWebSocket::set_compress), for what this
    /// sender sends, and senders cloned of it from now on.
    #[cfg(feature = "deflate")]
    pub fn set_compress(&mut self, on: bool) {
        self.writer.compress = on;
    }

    /// As [`MessageWebSocket::send_fragment`](crate::MessageWebSocket::send_fragment).
    ///
    /// There is one message at a time for all clones: until it has ended none can send another,
    /// and parts that several of them send are parts of that one.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send_fragment(
        &self,
        kind: MessageKind,
        payload: impl AsRef<[u8]>,
        fin: bool,
    ) -> Result<()> {
        self.writer.send_fragment(kind, payload.as_ref(), fin).await
    }

    /// As [`MessageWebSocket::ping`](crate::MessageWebSocket::ping).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn ping(&self, payload: impl AsRef<[u8]>) -> Result<()> {
        self.writer.ping(payload.as_ref()).await
    }

    /// As [`MessageWebSocket::pong`](crate::MessageWebSocket::pong).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn pong(&self, payload: impl AsRef<[u8]>) -> Result<()> {
        self.writer.pong(payload.as_ref()).await
    }

    /// Begins the closing handshake and writes the closing frame. The receiver sees the end.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a reason of more than 123 bytes, and as
    /// [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If cancelled the connection is closing all the same.
    pub async fn close(&self, code: CloseCode, reason: &str) -> Result<()> {
        let frame = close_frame(code, reason)?;
        self.writer.close(Some(frame)).await
    }

    /// What is known about the connection.
    pub fn info(&self) -> &ConnectionInfo {
        &self.writer.info
    }
}
