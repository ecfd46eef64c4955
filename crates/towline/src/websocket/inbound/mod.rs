//! The receiving half on a byte stream: reads, answers, keeps the deadlines, and ends well.

mod deadlines;
mod ending;

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ending::End;
use tokio::time::{Instant, Sleep};
use towline_proto::{
    Data, Incoming, Message, MessageRef, Piece, Receiver, Role, Sender, WholeMessage,
};

use super::buffer::{Amount, ReadBuffer, copy_of_many};
use super::link::Link;
use crate::error::{Error, ErrorKind, Result};
use crate::statistics::{BandwidthStatistics, Carried, Meter};

/// The receiving half of the protocol and what it needs between two reads.
#[derive(Debug)]
pub(crate) struct Inbound {
    role: Role,
    pub(crate) receiver: Receiver,
    /// Lent while there are bytes that were read and not used up; an idle connection has none.
    buffer: ReadBuffer,
    /// How much to read next time.
    amount: Amount,
    /// A piece that was found and not looked at yet.
    found: Option<Data>,
    /// Whether what follows in the buffer may be taken without looking at anything else.
    plain: bool,
    deadline: Option<Pin<Box<Sleep>>>,
    /// None while the connection is open.
    end: Option<Box<End>>,
    /// There once somebody has asked how much the connection carries.
    meter: Option<Box<Meter>>,
}

/// What the peer sent.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A part of a message; see it with [`Inbound::lend`].
    Data(Data),
    /// A ping, which has been answered; see [`Receiver::control_payload`].
    Ping,
    /// A pong; see [`Receiver::control_payload`].
    Pong,
}

/// What has arrived, where a message that came whole is left where it lies.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// A whole message; see [`Inbound::next_whole`].
    Whole,
    /// Anything else.
    Other(Happening),
}

/// How far one call has come with reading.
#[derive(Debug, Default)]
struct Turn {
    reads: u32,
    /// When the last one brought something.
    read_at: Option<std::time::Instant>,
}

/// Reads in a row before other tasks get a turn: a byte stream may always have more.
const MAX_READS: u32 = 64;

impl Inbound {
    pub(crate) fn new(role: Role, receiver: Receiver) -> Self {
        Self {
            role,
            receiver,
            buffer: ReadBuffer::none(),
            amount: Amount::default(),
            found: None,
            plain: false,
            deadline: None,
            end: None,
            meter: None,
        }
    }

    /// How much was carried since the last time, where only our own counts tell.
    pub(crate) fn measure(&mut self, sender: &Sender) -> BandwidthStatistics {
        let inbound = self.receiver.counts().bytes;
        let outbound = sender.counts().bytes;
        let carried = Carried { inbound, outbound };
        Meter::look(&mut self.meter, carried, Instant::now().into_std())
    }

    /// Bytes that came right behind the opening handshake.
    pub(crate) fn unread(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.buffer = ReadBuffer::with(bytes);
        }
    }

    /// The next thing that the peer sent; `None` once the connection has closed normally.
    ///
    /// A connection that ends any other way gives one error, and `None` from then on.
    pub(crate) fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut impl Link,
    ) -> Poll<Result<Option<Happening>>> {
        let mut turn = Turn::default();
        loop {
            if self.end.is_some() {
                return self.poll_end(cx, link).map_ok(|()| None);
            }
            if let Some(happening) = self.next_buffered(turn.read_at, link) {
                return Poll::Ready(Ok(Some(happening)));
            }
            ready!(self.poll_more(cx, link, &mut turn));
        }
    }

    /// The same; a message that has just come whole is left for [`next_whole`](Self::next_whole).
    #[inline(always)]
    pub(crate) fn poll_arrival(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut impl Link,
    ) -> Poll<Result<Option<Arrival>>> {
        let mut turn = Turn::default();
        loop {
            if self.end.is_some() {
                return self.poll_end(cx, link).map_ok(|()| None);
            }
            if let Some(now) = turn.read_at.filter(|_| !link.is_closing())
                && self.receiver.sees_whole(self.buffer.unread(), now)
            {
                self.plain = true;
                return Poll::Ready(Ok(Some(Arrival::Whole)));
            }
            if let Some(happening) = self.next_buffered(turn.read_at, link) {
                return Poll::Ready(Ok(Some(Arrival::Other(happening))));
            }
            ready!(self.poll_more(cx, link, &mut turn));
        }
    }

    /// All that was read is used up: waits for more, or for anything else that has to be looked at.
    #[inline]
    fn poll_more(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut impl Link,
        turn: &mut Turn,
    ) -> Poll<()> {
        if self.end.is_some() {
            return Poll::Ready(());
        }
        if turn.reads == MAX_READS {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        turn.reads += 1;
        // Before waiting, let out what gathered. If that fails, what the peer has sent is still
        // there to be read.
        if link.has_output() {
            let _ = link.poll_flush(cx);
        }
        match link.poll_read(cx, self.buffer.fill(self.amount)) {
            Poll::Ready(Ok(0)) => self.lose(Error::disconnected("receiving", None)),
            Poll::Ready(Ok(_)) => {
                turn.read_at = Some(Instant::now().into_std());
                self.amount = self.buffer.next_amount();
                // Data that never ends must not put off the end.
                if link.is_closing() && self.closing_expired(link) {
                    self.give_up(Self::too_slow());
                }
            }
            Poll::Ready(Err(error)) => self.lose(Error::disconnected("receiving", Some(error))),
            Poll::Pending => {
                self.buffer.give_back();
                self.receiver.release();
                if !self.poll_deadlines(cx, link) {
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(())
    }

    /// Waits for a piece of a message, which [`next_whole`](Self::next_whole) then gives if that
    /// [may be](Self::is_plain), or else [`next_piece`](Self::next_piece); false once the connection
    /// has closed normally.
    pub(crate) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut impl Link,
    ) -> Poll<Result<bool>> {
        loop {
            match ready!(self.poll_arrival(cx, link))? {
                None => return Poll::Ready(Ok(false)),
                Some(Arrival::Whole) => return Poll::Ready(Ok(true)),
                Some(Arrival::Other(Happening::Ping | Happening::Pong)) => {}
                Some(Arrival::Other(Happening::Data(data))) => {
                    self.found = Some(data);
                    self.plain = false;
                    return Poll::Ready(Ok(true));
                }
            }
        }
    }

    /// The next message that was read, if it lies there whole; see it with
    /// [`lend_whole`](Self::lend_whole). What it does not take, [`next_piece`](Self::next_piece)
    /// does. Only while [plain](Self::is_plain).
    #[inline(always)]
    pub(crate) fn next_whole(&mut self) -> Option<WholeMessage> {
        let base = self.buffer.used();
        let mut whole = self.receiver.receive_whole(self.buffer.unread())?;
        self.buffer.consume(whole.payload.end);
        whole.payload = whole.payload.start + base..whole.payload.end + base;
        Some(whole)
    }

    /// The message that [`next_whole`](Self::next_whole) found.
    ///
    /// If its text is bad the connection has failed, and the next event is its end.
    #[inline(always)]
    pub(crate) fn lend_whole(
        &mut self,
        whole: &WholeMessage,
        link: &mut impl Link,
    ) -> Option<MessageRef<'_>> {
        match self.receiver.lend_whole(whole, self.buffer.bytes()) {
            Ok(message) => Some(message),
            Err(error) => {
                let Self { plain, deadline, end, .. } = self;
                Self::fail(plain, deadline, end, &error, link);
                None
            }
        }
    }

    /// A copy of the next message that was read, if it lies there whole.
    #[inline(always)]
    pub(crate) fn next_message(&mut self, link: &mut impl Link) -> Option<Message> {
        if link.is_closing() || !self.plain {
            return None;
        }
        let whole = self.next_whole()?;
        let alone = self.buffer.unread_is_empty();
        let lent = self.lend_whole(&whole, link)?;
        if !alone {
            return Some(copy_of_many(lent));
        }
        let message = lent.to_message();
        self.release_buffer(); // there was nothing but a whole message, which is copied
        Some(message)
    }

    /// The next piece of a message that was read; see it with [`lend`](Self::lend).
    pub(crate) fn next_piece(&mut self, link: &mut impl Link) -> Option<Data> {
        while self.end.is_none() {
            match self.next_buffered(None, link)? {
                Happening::Data(data) => return Some(data),
                Happening::Ping | Happening::Pong => {}
            }
        }
        None
    }

    /// Whether [`next_whole`](Self::next_whole) may give something.
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Gives the buffer back if nothing in it is unread, nor looked at any more.
    pub(crate) fn release(&mut self) {
        if self.found.is_some() {
            return; // nobody has looked at it yet
        }
        self.receiver.release();
        self.release_buffer();
    }

    #[inline(always)]
    fn release_buffer(&mut self) {
        if self.buffer.unread_is_empty() {
            self.buffer.give_back();
        }
    }

    /// The piece that the last [`Happening::Data`] named.
    ///
    /// If its text is bad the connection has failed, and the next event is its end.
    pub(crate) fn lend(&mut self, data: &Data, link: &mut impl Link) -> Option<Piece<'_>> {
        match self.receiver.lend(data, self.buffer.bytes()) {
            Ok(piece) => Some(piece),
            Err(error) => {
                let Self { plain, deadline, end, .. } = self;
                Self::fail(plain, deadline, end, &error, link);
                None
            }
        }
    }

    /// The payload that a [`Happening::Data`] named, once its text was checked by `lend`.
    pub(crate) fn payload(&self, data: &Data) -> &[u8] {
        self.receiver.payload(data, self.buffer.bytes())
    }

    /// Uses up what was read, until there is something to hand out.
    ///
    /// `read_at` is given just after a read; what is left of one came when the peer was last heard.
    #[inline(always)]
    fn next_buffered(
        &mut self,
        read_at: Option<std::time::Instant>,
        link: &mut impl Link,
    ) -> Option<Happening> {
        if self.buffer.unread_is_empty() && self.found.is_none() {
            self.plain = self.end.is_none();
            return None;
        }
        self.next_unread(read_at, link)
    }

    #[inline(never)]
    fn next_unread(
        &mut self,
        read_at: Option<std::time::Instant>,
        link: &mut impl Link,
    ) -> Option<Happening> {
        let happening = match self.found.take() {
            Some(data) => Some(Happening::Data(data)),
            None => {
                let now = read_at.unwrap_or_else(|| self.receiver.life().received);
                self.parse(now, link)
            }
        };
        self.plain = self.end.is_none();
        happening
    }

    fn parse(&mut self, now: std::time::Instant, link: &mut impl Link) -> Option<Happening> {
        while !self.buffer.unread_is_empty() {
            let base = self.buffer.used();
            let received = match self.receiver.receive(self.buffer.unread(), now) {
                Ok(received) => received,
                Err(error) => {
                    let Self { plain, deadline, end, .. } = self;
                    Self::fail(plain, deadline, end, &error, link);
                    return None;
                }
            };
            self.buffer.consume(received.consumed);
            match received.event {
                None => {}
                // Who closes has lost interest in what still comes, as on Windows.
                Some(Incoming::Data(mut data)) if !link.is_closing() => {
                    if !data.inflated {
                        data.payload.start += base;
                        data.payload.end += base;
                    }
                    return Some(Happening::Data(data));
                }
                Some(Incoming::Ping) => {
                    link.sender(|sender| sender.handle_ping(self.receiver.control_payload()));
                    return Some(Happening::Ping);
                }
                Some(Incoming::Pong) => {
                    link.sender(|sender| {
                        sender.handle_pong(self.receiver.control_payload(), now);
                    });
                    return Some(Happening::Pong);
                }
                Some(Incoming::Close(frame)) => {
                    // A message that the peer leaves unfinished must not vanish in silence, unless
                    // it was we who cut it short.
                    let cut = !link.is_closing() && self.receiver.in_message();
                    link.sender(|sender| sender.handle_close(frame.as_ref(), now));
                    let error = cut.then(|| {
                        Error::new(ErrorKind::Disconnected, "receiving a message")
                            .cause("the peer closed the connection in the middle of it")
                    });
                    self.deadline = None;
                    self.end = Some(End::with_frame(frame, error));
                    return None;
                }
                Some(_) => {}
            }
        }
        None
    }
}
