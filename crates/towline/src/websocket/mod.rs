//! A WebSocket on a byte stream: what the two faces, messages and streams, have in common.

mod batch;
mod buffer;
mod half;
mod inbound;
mod link;
mod mask_keys;
mod outbound;
mod waiters;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use towline_proto::handshake::Negotiated;
use towline_proto::{
    CloseFrame, Config, Connection, Data, Message, MessageKind, Piece, Role, SendError, State,
};

pub(crate) use batch::Arrived;
pub use batch::Replies;
pub(crate) use half::{Reader, Writer, split};
pub(crate) use inbound::{Arrival, Happening, Inbound};
pub(crate) use link::{Output, Whole};
pub(crate) use outbound::Outbound;

use crate::error::{Error, ErrorKind, Result};
use crate::info::{ConnectionInfo, Stats};
use crate::registry::Registration;
use crate::statistics::{BandwidthStatistics, OfTcp, of_tcp};
use crate::transport::{Transport, tcp_under};

/// A WebSocket on a byte stream, after the opening handshake.
///
/// Choose how to look at it: [`MessageWebSocket::from`](crate::MessageWebSocket) for whole
/// messages, [`StreamWebSocket::from`](crate::StreamWebSocket) for messages of any size as streams
/// of bytes.
///
/// [`Client::connect`](crate::Client::connect) and [`Upgrade::accept`](crate::Upgrade::accept) give
/// one; [`new`](Self::new) makes one of any byte stream on which somebody else has done the
/// opening handshake:
///
/// ```
/// use towline::{Config, MessageWebSocket, WebSocket};
/// use towline::proto::{Role, handshake::Negotiated};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> towline::Result<()> {
/// let (one_end, other_end) = tokio::io::duplex(1024);
/// let terms = Negotiated::default();
/// let client = WebSocket::new(one_end, Role::Client, terms.clone(), Config::default());
/// let server = WebSocket::new(other_end, Role::Server, terms, Config::default());
/// let (mut client, mut server) = (MessageWebSocket::from(client), MessageWebSocket::from(server));
///
/// client.send("over any byte stream").await?;
/// let message = server.recv().await?.expect("the client is still there");
/// assert_eq!(message.as_text(), Some("over any byte stream"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct WebSocket<T = Transport> {
    /// Boxed: a future that holds a socket, perhaps in several places, would be large otherwise.
    pub(crate) parts: Box<Parts<T>>,
}

#[derive(Debug)]
pub(crate) struct Parts<T> {
    pub(crate) inbound: Inbound,
    pub(crate) link: Whole<T>,
    /// Boxed: looked at seldom, and small enough for a gap that the allocator leaves.
    pub(crate) info: Box<ConnectionInfo>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> WebSocket<T> {
    /// A WebSocket on a byte stream whose opening handshake is done.
    ///
    /// The byte stream must stand exactly behind the handshake: bytes that were already read from
    /// it, go to [`with_unread`](Self::with_unread).
    pub fn new(io: T, role: Role, terms: Negotiated, config: Config) -> Self {
        Self::with_unread(io, role, terms, config, &[])
    }

    /// The same, with bytes of the peer's first frames that were read along with its handshake.
    pub fn with_unread(
        io: T,
        role: Role,
        terms: Negotiated,
        config: Config,
        unread: &[u8],
    ) -> Self {
        Self::with_info(io, role, terms, config, unread, ConnectionInfo::default())
    }

    pub(crate) fn with_info(
        io: T,
        role: Role,
        terms: Negotiated,
        config: impl Into<Arc<Config>>,
        unread: &[u8],
        info: ConnectionInfo,
    ) -> Self {
        let now = Instant::now().into_std();
        let connection = Connection::new(role, config, mask_keys::mask_keys(), now);
        #[cfg(feature = "deflate")]
        let connection = match &terms.deflate {
            Some(terms) => connection.deflate(terms),
            None => connection,
        };
        let mut info = Box::new(info);
        info.agreed(terms);
        let (receiver, sender) = connection.into_parts();
        let mut inbound = Inbound::new(role, receiver);
        inbound.unread(unread);
        let link = Whole::new(Outbound::new(io, sender));
        Self { parts: Box::new(Parts { inbound, link, info }) }
    }

    pub(crate) fn register(&mut self, registration: Arc<Registration>) {
        self.parts.link.outbound.registration = Some(registration);
    }

    /// What is known about the connection.
    pub fn info(&self) -> &ConnectionInfo {
        &self.parts.info
    }

    /// What the connection has carried so far.
    pub fn stats(&self) -> Stats {
        stats(&self.parts.inbound, &self.parts.link.outbound.sender)
    }

    /// The frame with which the peer closed the connection, if it closed it with a code.
    pub fn close_frame(&self) -> Option<&CloseFrame> {
        self.parts.inbound.close_frame()
    }

    /// Whether the peer has sent a closing frame, with a code or without.
    pub fn peer_closed(&self) -> bool {
        self.parts.inbound.peer_closed()
    }

    /// Does the closing handshake: sends `frame`, and waits for the peer's.
    ///
    /// # Cancel safety
    /// Once polled the closing handshake has begun; reading goes on with it.
    pub(crate) async fn close(&mut self, frame: Option<CloseFrame>) -> Result<()> {
        Output::close(&mut self.parts.link, frame);
        poll_fn(|cx| self.poll_closed(cx)).await
    }

    /// Reads until the connection is over; what still comes is discarded.
    pub(crate) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            match Source::poll_event(self, cx) {
                Poll::Ready(Ok(Some(_))) => {}
                Poll::Ready(Ok(None)) => return Poll::Ready(Ok(())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<T: 'static> WebSocket<T> {
    /// Estimates of how much the way to the peer carries; zeros where nothing is known.
    ///
    /// On Linux they are TCP's own, over TLS too. Elsewhere they are measured from one call to the next.
    pub fn bandwidth(&mut self) -> BandwidthStatistics {
        match self.of_tcp() {
            Some(known) => known.bandwidth,
            None => self.parts.inbound.measure(&self.parts.link.outbound.sender),
        }
    }

    /// The time there and back to the other end of the TCP connection, smoothed, on Linux.
    ///
    /// That end may be a proxy's. How far away the peer itself is, tell pings: see
    /// [`Stats::round_trip`].
    pub fn tcp_round_trip(&self) -> Option<Duration> {
        self.of_tcp()?.round_trip
    }

    fn of_tcp(&self) -> Option<OfTcp> {
        of_tcp(tcp_under(self.get_ref())?)
    }
}

impl<T> WebSocket<T> {
    /// The byte stream, for looking at its settings. Reading or writing it breaks the connection.
    pub fn get_ref(&self) -> &T {
        &self.parts.link.outbound.io
    }
}

pub(crate) fn stats(inbound: &Inbound, sender: &towline_proto::Sender) -> Stats {
    let received = inbound.receiver.counts();
    let sent = sender.counts();
    Stats {
        bytes_in: received.bytes,
        bytes_out: sent.bytes,
        frames_in: received.frames,
        frames_out: sent.frames,
        messages_in: received.messages,
        messages_out: sent.messages,
        round_trip: sender.round_trip(),
        smoothed_round_trip: sender.smoothed_round_trip(),
    }
}

/// Where pieces of messages come from: a socket in one hand, or the reader's half of it.
pub(crate) trait Source {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Happening>>>;
    /// The same, but a message that has just come whole is left for
    /// [`next_message`](Self::next_message).
    fn poll_arrival(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Arrival>>>;
    /// The next message, if it was read and lies there whole.
    fn next_message(&mut self) -> Option<Message>;
    fn lend(&mut self, data: &Data) -> Option<Piece<'_>>;
    fn payload(&self, data: &Data) -> &[u8];
    fn control_payload(&self) -> &[u8];
    /// Nothing that was lent is looked at any more.
    fn release(&mut self);
}

/// Where parts of a message go: a socket in one hand, or a writer's half of it.
pub(crate) trait Target {
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>>;
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>>;
    fn fragment(&mut self, kind: MessageKind, payload: &[u8], fin: bool) -> Result<()>;
    fn start_frame(&mut self, kind: MessageKind, len: u64) -> Result<()>;
    fn continue_frame(&mut self, payload: &[u8]) -> Result<()>;
    fn close(&mut self, frame: Option<CloseFrame>);
    /// A message was left unfinished, so the connection is of no more use.
    fn abandon(&mut self, error: &Error);
}

impl<T: AsyncRead + AsyncWrite + Unpin> Source for WebSocket<T> {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Happening>>> {
        let Parts { inbound, link, .. } = &mut *self.parts;
        inbound.poll_event(cx, link)
    }
    fn poll_arrival(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Arrival>>> {
        let Parts { inbound, link, .. } = &mut *self.parts;
        inbound.poll_arrival(cx, link)
    }
    #[inline(always)]
    fn next_message(&mut self) -> Option<Message> {
        let Parts { inbound, link, .. } = &mut *self.parts;
        inbound.next_message(link)
    }
    fn lend(&mut self, data: &Data) -> Option<Piece<'_>> {
        let Parts { inbound, link, .. } = &mut *self.parts;
        inbound.lend(data, link)
    }
    fn payload(&self, data: &Data) -> &[u8] {
        self.parts.inbound.payload(data)
    }
    fn control_payload(&self) -> &[u8] {
        self.parts.inbound.receiver.control_payload()
    }
    fn release(&mut self) {
        self.parts.inbound.release();
    }
}

impl<O: Output> Target for O {
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Output::poll_room(self, cx)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Output::poll_flush(self, cx)
    }
    fn fragment(&mut self, kind: MessageKind, payload: &[u8], fin: bool) -> Result<()> {
        Ok(self.sender(|sender| sender.send_fragment(kind, payload, fin))?)
    }
    fn start_frame(&mut self, kind: MessageKind, len: u64) -> Result<()> {
        Ok(self.sender(|sender| sender.start_frame(kind, len, true))?)
    }
    fn continue_frame(&mut self, payload: &[u8]) -> Result<()> {
        let ended = self.sender(|sender| {
            sender.continue_frame(payload)?;
            Ok::<_, SendError>(sender.frame_remaining() == 0)
        })?;
        // While a frame is open nothing else can be sent, and so no deadline was set for it.
        if ended {
            self.tell_reader();
        }
        Ok(())
    }
    fn close(&mut self, frame: Option<CloseFrame>) {
        Output::close(self, frame);
    }
    fn abandon(&mut self, error: &Error) {
        // Who stops because the connection has failed has done nothing wrong.
        if self.sender(|sender| sender.state()) == State::Failed {
            let why = "the connection failed in the middle of a message";
            self.break_with(&Error::new(ErrorKind::Disconnected, "sending").cause(why));
        } else {
            self.break_with(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Much of what `scripts/idle` measures.
    #[test]
    fn a_connection_stays_small() {
        // In a debug build mio's sockets take 8 bytes more.
        let parts = size_of::<Parts<Transport>>();
        assert!(parts <= 496, "{parts} bytes");
        let info = size_of::<ConnectionInfo>();
        assert!(info <= 48, "{info} bytes");
    }
}
