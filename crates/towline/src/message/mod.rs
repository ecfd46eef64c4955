//! Whole messages.

mod batch;
mod half;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use towline_proto::{Assembly, CloseCode, CloseFrame, Fragment, Message, MessageKind, Part};

pub use batch::Batch;
pub use half::{MessageReceiver, MessageSender};

use crate::error::{Error, Result};
use crate::info::{ConnectionInfo, Stats};
use crate::statistics::BandwidthStatistics;
use crate::transport::Transport;
#[cfg(doc)]
use crate::websocket::Replies;
use crate::websocket::{Arrival, Happening, Output, Source, WebSocket, split};

/// A WebSocket that sends and receives whole messages.
///
/// ```no_run
/// use towline::MessageWebSocket;
///
/// # #[tokio::main]
/// # async fn main() -> towline::Result<()> {
/// let mut socket = MessageWebSocket::connect("wss://example.com/chat").await?;
/// socket.send("hello").await?;
/// while let Some(message) = socket.recv().await? {
///     println!("{message:?}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// It is also a [`Stream`] of messages, which ends when the connection has closed normally, and a
/// [`Sink`] of them.
///
/// Pings are answered, silence is noticed and deadlines are kept while somebody waits in
/// [`recv`](Self::recv): a socket that nobody reads is not kept alive.
#[derive(Debug)]
pub struct MessageWebSocket<T = Transport> {
    socket: WebSocket<T>,
    assembly: Assembly,
}

/// What [`MessageWebSocket::recv_event`] gives.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A message.
    Message(Message),
    /// A ping. It has been answered.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
}

impl<T> From<WebSocket<T>> for MessageWebSocket<T> {
    fn from(mut socket: WebSocket<T>) -> Self {
        socket.parts.inbound.receiver.hold_messages(true);
        Self { socket, assembly: Assembly::default() }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> MessageWebSocket<T> {
    /// Receives the next message; `None` once the connection has closed normally.
    ///
    /// [`close_frame`](Self::close_frame) then tells with which code. What [`feed`](Self::feed)
    /// gathered is sent before this waits.
    ///
    /// Messages of less than 256 bytes that came together share blocks of 4 KiB, and one that is
    /// kept keeps its block: copy what is to be kept for long.
    ///
    /// # Errors
    /// [`Disconnected`](crate::ErrorKind::Disconnected),
    /// [`TimedOut`](crate::ErrorKind::TimedOut), [`Protocol`](crate::ErrorKind::Protocol) or
    /// [`TooBig`](crate::ErrorKind::TooBig): the connection is over, once; after that, `None`.
    ///
    /// # Cancel safety
    /// Safe: no part of a message is lost.
    pub async fn recv(&mut self) -> Result<Option<Message>> {
        if let Some(message) = self.socket.next_message() {
            return Ok(Some(message));
        }
        poll_fn(|cx| poll_other_message(&mut self.socket, &mut self.assembly, cx)).await
    }

    /// Receives the next message, ping or pong; `None` once the connection has closed normally.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Safe: no part of a message is lost.
    pub async fn recv_event(&mut self) -> Result<Option<Event>> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event>>> {
        poll_any(&mut self.socket, &mut self.assembly, cx)
    }

    /// Receives the next part of a message, as it arrives; `None` once the connection has closed
    /// normally.
    ///
    /// Where a part ends is the network's choice. Of text each part holds whole characters. The
    /// limit on messages holds for the sum of the parts.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Safe: no part is lost.
    pub async fn recv_fragment(&mut self) -> Result<Option<Fragment>> {
        poll_fn(|cx| poll_fragment(&mut self.socket, &mut self.assembly, cx)).await
    }

    /// Waits until messages have arrived, and lends them all; `None` once the connection has closed
    /// normally.
    ///
    /// This is the fast way to receive: [`recv`](Self::recv) copies each message into memory of its
    /// own and goes through the runtime for each, which is what most of its time is spent on where
    /// messages are small: 338 instructions rather than 189, if 64 of 16 bytes come together
    /// (`just instructions`).
    ///
    /// ```
    /// # use towline::{Config, MessageWebSocket, WebSocket};
    /// # async fn echo(mut socket: MessageWebSocket) -> towline::Result<()> {
    /// while let Some(mut batch) = socket.recv_batch().await? {
    ///     while let Some((message, replies)) = batch.next() {
    ///         replies.feed(message)?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What is [fed](Replies::feed) goes out together, before this waits for more. A batch may turn
    /// out to be empty, where only a part of a message has come. The memory that the messages lie
    /// in, 128 KiB or more, is given back when this has to wait: do not wait for others in between.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Safe: no part of a message is lost. What was not visited of a batch is in the next one.
    pub async fn recv_batch(&mut self) -> Result<Option<Batch<'_, T>>> {
        let Self { socket, assembly } = self;
        Ok(socket.recv_arrived().await?.map(|arrived| Batch::new(arrived, assembly)))
    }

    /// Sends a message.
    ///
    /// Returns when it was handed to the operating system. To send many in one go, use
    /// [`feed`](Self::feed).
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed) once the connection is closing,
    /// [`Disconnected`](crate::ErrorKind::Disconnected), [`TimedOut`](crate::ErrorKind::TimedOut)
    /// if the peer takes no more.
    ///
    /// # Cancel safety
    /// A message is never sent in part. If cancelled, it was either not sent, or will go out with
    /// the next thing that is sent.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<()> {
        self.feed(message).await?;
        self.flush().await
    }

    /// Queues a message, to go out with [`flush`](Self::flush) or when [`recv`](Self::recv) next
    /// waits; many small ones then leave in one system call. A client's large one is written at once as
    /// far as the byte stream takes it.
    ///
    /// Waits while more than [`Config::max_outbox`](crate::Config::max_outbox) is queued.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// A message is never sent in part. If cancelled, it was not queued.
    pub async fn feed(&mut self, message: impl Into<Message>) -> Result<()> {
        let message = message.into();
        if self.socket.parts.link.outbound.feed_quick(&Part::from(&message)) {
            return Ok(());
        }
        self.feed_any(message).await
    }

    async fn feed_any(&mut self, message: Message) -> Result<()> {
        let mut message = Some(message);
        let link = &mut self.socket.parts.link;
        poll_fn(|cx| link.with(|outbound| outbound.poll_feed(cx, &mut message))).await
    }

    /// Hands all that is queued to the operating system.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// Safe: nothing is lost or sent twice.
    pub async fn flush(&mut self) -> Result<()> {
        poll_fn(|cx| self.socket.parts.link.poll_flush(cx)).await
    }

    /// Sends a message that was compressed before, to many.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    #[cfg(feature = "deflate")]
    pub async fn send_prepared(&mut self, message: &crate::Prepared) -> Result<()> {
        poll_fn(|cx| Output::poll_room(&mut self.socket.parts.link, cx)).await?;
        self.socket.parts.link.sender(|sender| sender.send_prepared(message))?;
        self.flush().await
    }

    /// Whether the messages sent from now on are compressed, where that was agreed on. They are at
    /// first.
    ///
    /// Leave out what is compressed already, such as pictures, and secrets beside what others may
    /// choose: their lengths would tell of them (RFC 7692 §8).
    #[cfg(feature = "deflate")]
    pub fn set_compress(&mut self, on: bool) {
        self.socket.parts.link.sender(|sender| sender.compress(on));
    }

    /// Sends a part of a message, in a frame of its own; `fin` ends the message.
    ///
    /// The first part decides the kind. Until the message has ended, no other can be sent.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`InvalidInput`](crate::ErrorKind::InvalidInput) for text that
    /// is not UTF-8 or a kind that changes within a message.
    ///
    /// # Cancel safety
    /// A part is never sent in part. If cancelled, it was either not sent, or will go out with the
    /// next thing that is sent.
    pub async fn send_fragment(
        &mut self,
        kind: MessageKind,
        payload: impl AsRef<[u8]>,
        fin: bool,
    ) -> Result<()> {
        poll_fn(|cx| Output::poll_room(&mut self.socket.parts.link, cx)).await?;
        self.socket
            .parts
            .link
            .sender(|sender| sender.send_fragment(kind, payload.as_ref(), fin))?;
        self.flush().await
    }

    /// Asks the peer for life, with up to 125 bytes that its pong will repeat.
    ///
    /// [`stats`](Self::stats) has the round-trip time once the pong was received.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`InvalidInput`](crate::ErrorKind::InvalidInput) for a longer
    /// payload.
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn ping(&mut self, payload: impl AsRef<[u8]>) -> Result<()> {
        poll_fn(|cx| Output::poll_room(&mut self.socket.parts.link, cx)).await?;
        self.feed_ping(payload.as_ref())?;
        self.flush().await
    }

    /// Queues a ping, to go out when [`recv`](Self::recv) next waits.
    pub(crate) fn feed_ping(&mut self, payload: &[u8]) -> Result<()> {
        let now = Instant::now().into_std();
        Ok(self.socket.parts.link.sender(|sender| sender.ping(payload, now))?)
    }

    /// Sends a pong unasked: a heartbeat that needs no answer (RFC 6455 §5.5.3).
    ///
    /// # Errors
    /// As [`ping`](Self::ping).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn pong(&mut self, payload: impl AsRef<[u8]>) -> Result<()> {
        poll_fn(|cx| Output::poll_room(&mut self.socket.parts.link, cx)).await?;
        self.socket.parts.link.sender(|sender| sender.pong(payload.as_ref()))?;
        self.flush().await
    }

    /// Closes the connection: sends the closing frame and waits for the peer's.
    ///
    /// Messages that come meanwhile are discarded. On a connection that is already closing this
    /// waits for its end.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a reason of more than 123 bytes; the
    /// connection is then as it was. [`TimedOut`](crate::ErrorKind::TimedOut) or
    /// [`Disconnected`](crate::ErrorKind::Disconnected) if the peer did not answer; the connection
    /// is then over all the same.
    ///
    /// # Cancel safety
    /// If cancelled the connection is closing; [`recv`](Self::recv) goes on with it.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<()> {
        let frame = close_frame(code, reason)?;
        self.socket.close(Some(frame)).await
    }

    /// Queues a closing frame; [`recv`](Self::recv) sees the end that follows.
    pub(crate) fn begin_close(&mut self, frame: CloseFrame) {
        self.socket.parts.link.close(Some(frame));
    }

    /// Closes the connection with an empty closing frame, without code or reason.
    ///
    /// # Errors
    /// As [`close`](Self::close).
    ///
    /// # Cancel safety
    /// As [`close`](Self::close).
    pub async fn close_without_code(&mut self) -> Result<()> {
        self.socket.close(None).await
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

    /// A reader and a writer for two tasks. The writer can be cloned.
    ///
    /// Over TCP the two share no lock but the one around the sending half, which the reader takes
    /// only to answer a ping or to close.
    pub fn split(self) -> (MessageReceiver, MessageSender)
    where
        T: Send + 'static,
    {
        let (reader, writer) = split(self.socket);
        (MessageReceiver::new(reader, self.assembly), MessageSender::new(writer))
    }
}

impl<T: 'static> MessageWebSocket<T> {
    /// As [`WebSocket::bandwidth`].
    pub fn bandwidth(&mut self) -> BandwidthStatistics {
        self.socket.bandwidth()
    }

    /// As [`WebSocket::tcp_round_trip`].
    pub fn tcp_round_trip(&self) -> Option<Duration> {
        self.socket.tcp_round_trip()
    }
}

pub(crate) fn close_frame(code: CloseCode, reason: &str) -> Result<CloseFrame> {
    CloseFrame::new(code, reason)
        .map_err(|error| Error::invalid("closing the connection").cause(error))
}

/// The next message of a source.
fn poll_message(
    source: &mut impl Source,
    assembly: &mut Assembly,
    cx: &mut Context<'_>,
) -> Poll<Result<Option<Message>>> {
    if let Some(message) = source.next_message() {
        return Poll::Ready(Ok(Some(message)));
    }
    poll_other_message(source, assembly, cx)
}

/// The same, whatever comes.
#[inline(never)]
fn poll_other_message(
    source: &mut impl Source,
    assembly: &mut Assembly,
    cx: &mut Context<'_>,
) -> Poll<Result<Option<Message>>> {
    loop {
        match ready!(poll_any(source, assembly, cx))? {
            Some(Event::Message(message)) => return Poll::Ready(Ok(Some(message))),
            Some(Event::Ping(_) | Event::Pong(_)) => {}
            None => return Poll::Ready(Ok(None)),
        }
    }
}

fn poll_any(
    source: &mut impl Source,
    assembly: &mut Assembly,
    cx: &mut Context<'_>,
) -> Poll<Result<Option<Event>>> {
    loop {
        let event = match ready!(source.poll_arrival(cx))? {
            None => return Poll::Ready(Ok(None)),
            Some(Arrival::Whole) => match source.next_message() {
                Some(message) => Event::Message(message),
                None => continue,
            },
            Some(Arrival::Other(Happening::Ping)) => {
                Event::Ping(Bytes::copy_from_slice(source.control_payload()))
            }
            Some(Arrival::Other(Happening::Pong)) => {
                Event::Pong(Bytes::copy_from_slice(source.control_payload()))
            }
            Some(Arrival::Other(Happening::Data(data))) => {
                let message = source.lend(&data).and_then(|piece| assembly.push(&piece));
                source.release();
                match message {
                    Some(message) => Event::Message(message),
                    None => continue,
                }
            }
        };
        return Poll::Ready(Ok(Some(event)));
    }
}

fn poll_fragment(
    source: &mut impl Source,
    assembly: &mut Assembly,
    cx: &mut Context<'_>,
) -> Poll<Result<Option<Fragment>>> {
    loop {
        match ready!(source.poll_event(cx))? {
            None => return Poll::Ready(Ok(None)),
            Some(Happening::Ping | Happening::Pong) => {}
            Some(Happening::Data(data)) => {
                let fragment = source.lend(&data).map(|piece| piece.to_fragment());
                source.release();
                let Some(mut fragment) = fragment else { continue };
                // A `recv` that was cancelled has left the message's beginning here.
                if let Some(beginning) = assembly.take() {
                    fragment.payload = [beginning, fragment.payload].concat().into();
                    fragment.start = true;
                }
                if fragment.start || fragment.end || !fragment.payload.is_empty() {
                    return Poll::Ready(Ok(Some(fragment)));
                }
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for MessageWebSocket<T> {
    type Item = Result<Message>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        poll_message(&mut this.socket, &mut this.assembly, cx).map(Result::transpose)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Sink<Message> for MessageWebSocket<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Output::poll_room(&mut self.socket.parts.link, cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<()> {
        self.socket.parts.link.outbound.feed(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.socket.parts.link.poll_flush(cx)
    }

    /// Sends the closing frame with 1000; the [`Stream`] ends when the peer has answered.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.socket.parts.link.close(CloseFrame::new(CloseCode::NORMAL, "").ok());
        self.socket.parts.link.poll_flush(cx)
    }
}
