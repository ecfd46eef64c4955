//! The receiving half on a byte stream: reads, answers, keeps the deadlines, and ends well.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep, sleep_until};
use towline_proto::{
    CloseCode, CloseFrame, Data, Expired, Incoming, Message, MessageRef, Piece, ProtocolError,
    Receiver, Role, State, WholeMessage,
};

use super::buffer::{Amount, ReadBuffer, copy_of_many};
use super::link::Link;
use crate::error::{Error, ErrorKind, Result};
use crate::registry::Phase;

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
}

/// How a connection ends: the closing frames are exchanged, or never will be.
#[derive(Debug)]
struct End {
    /// The peer's closing frame, if it came: it may be empty.
    frame: Option<Option<CloseFrame>>,
    error: Option<Error>,
    step: Step,
}

/// What is left to do, in order.
#[derive(Debug)]
enum Step {
    /// Write what waits, the closing frame last.
    Flush,
    /// End our direction of the byte stream.
    ShutDown,
    /// Wait for the peer to end its own.
    Linger(Pin<Box<Sleep>>),
    /// Nothing: the byte stream is of no more use.
    Nothing,
    /// Nothing, and everybody has been told.
    Over,
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
    /// A message that lies whole in what was just read; see [`Inbound::next_whole`].
    Whole,
}

/// Reads in a row before other tasks get a turn: a byte stream may always have more.
const MAX_READS: u32 = 64;

/// After the last byte is written, wait so long for the peer to see it before the socket goes.
///
/// A socket that is closed with bytes unread is reset, and the reset may overtake our closing
/// frame. A second is more than a round trip and short enough to waste on the hostile.
const LINGER: Duration = Duration::from_secs(1);

impl End {
    fn without_frame(error: Error, step: Step) -> Box<Self> {
        Box::new(Self { frame: None, error: Some(error), step })
    }
}

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
        }
    }

    /// Bytes that came right behind the opening handshake.
    pub(crate) fn unread(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.buffer = ReadBuffer::with(bytes);
        }
    }

    /// The frame with which the peer closed, if it closed with a code.
    pub(crate) fn close_frame(&self) -> Option<&CloseFrame> {
        self.end.as_ref()?.frame.as_ref()?.as_ref()
    }

    /// Whether the peer sent a closing frame, with a code or without.
    pub(crate) fn peer_closed(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.frame.is_some())
    }

    /// The next thing that the peer sent, but never [`Happening::Whole`]; `None` once the connection
    /// has closed normally.
    ///
    /// A connection that ends any other way gives one error, and `None` from then on.
    pub(crate) fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut impl Link,
    ) -> Poll<Result<Option<Happening>>> {
        self.poll_happening(cx, link, false)
    }

    /// The same; `leave_whole` leaves a message that has just come whole for
    /// [`next_whole`](Self::next_whole).
    #[inline(always)]
    fn poll_happening(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut impl Link,
        leave_whole: bool,
    ) -> Poll<Result<Option<Happening>>> {
        let mut reads = 0;
        let mut read_at = None;
        loop {
            if self.end.is_some() {
                return self.poll_end(cx, link);
            }
            if let Some(now) = read_at.filter(|_| leave_whole && !link.is_closing())
                && self.receiver.sees_whole(self.buffer.unread(), now)
            {
                self.plain = true;
                return Poll::Ready(Ok(Some(Happening::Whole)));
            }
            if let Some(happening) = self.next_buffered(read_at, link) {
                return Poll::Ready(Ok(Some(happening)));
            }
            if self.end.is_some() {
                continue;
            }
            if reads == MAX_READS {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            reads += 1;
            read_at = ready!(self.poll_more(cx, link)).or(read_at);
        }
    }

    /// All that was read is used up: waits for more, and gives the time when that came; or for
    /// anything else that has to be looked at.
    #[inline]
    fn poll_more(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut impl Link,
    ) -> Poll<Option<std::time::Instant>> {
        // Before waiting, let out what gathered. If that fails, what the peer has sent is still
        // there to be read.
        if link.has_output() {
            let _ = link.poll_flush(cx);
        }
        match link.poll_read(cx, self.buffer.fill(self.amount)) {
            Poll::Ready(Ok(0)) => self.lose(Error::disconnected("receiving", None)),
            Poll::Ready(Ok(_)) => {
                self.amount = self.buffer.next_amount();
                // Data that never ends must not put off the end.
                if link.is_closing() && self.closing_expired(link) {
                    self.give_up(Self::too_slow());
                }
                return Poll::Ready(Some(Instant::now().into_std()));
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
        Poll::Ready(None)
    }

    /// The next thing that the peer sent, which may be [`Happening::Whole`].
    pub(crate) fn poll_arrival(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut impl Link,
    ) -> Poll<Result<Option<Happening>>> {
        self.poll_happening(cx, link, true)
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
            match ready!(self.poll_happening(cx, link, true))? {
                None => return Poll::Ready(Ok(false)),
                Some(Happening::Ping | Happening::Pong) => {}
                Some(Happening::Whole) => return Poll::Ready(Ok(true)),
                Some(Happening::Data(data)) => {
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
                self.plain = false;
                self.deadline = None;
                Self::fail(&mut self.end, &error, link);
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
                Happening::Ping | Happening::Pong | Happening::Whole => {}
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
                self.plain = false;
                self.deadline = None;
                Self::fail(&mut self.end, &error, link);
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
                    self.deadline = None;
                    Self::fail(&mut self.end, &error, link);
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
                    self.end = Some(Box::new(End { frame: Some(frame), error, step: Step::Flush }));
                    return None;
                }
                Some(_) => {}
            }
        }
        None
    }

    #[cold]
    fn fail(end: &mut Option<Box<End>>, error: &ProtocolError, link: &mut impl Link) {
        link.sender(|sender| sender.fail(error, Instant::now().into_std()));
        *end = Some(End::without_frame(Error::protocol(*error), Step::Flush));
    }

    /// The peer is given up, but for what is still to be written to it.
    fn give_up(&mut self, error: Error) {
        self.plain = false;
        self.deadline = None;
        self.end = Some(End::without_frame(error, Step::Flush));
    }

    /// The byte stream is gone: there is nothing to write to or to wait for.
    fn lose(&mut self, error: Error) {
        self.plain = false;
        self.end = Some(End::without_frame(error, Step::Nothing));
    }

    fn too_slow() -> Error {
        Error::timed_out("closing", "the peer did not answer the closing frame")
    }

    /// Whether the closing handshake has taken too long.
    fn closing_expired(&mut self, link: &mut impl Link) -> bool {
        let life = self.receiver.life();
        let now = Instant::now().into_std();
        link.look(|sender| sender.poll_timeout(life)).is_some_and(|at| at <= now)
            && link.sender(|sender| sender.handle_timeout(life, now)).is_some()
    }

    /// Whether it has, or a promise to wake `cx` when it may have.
    fn poll_closing_expired(&mut self, cx: &mut Context<'_>, link: &mut impl Link) -> bool {
        while self.poll_timer(cx, link) {
            if self.closing_expired(link) {
                return true;
            }
        }
        false
    }

    /// Whether a deadline has come, or a promise to wake `cx` when it does.
    fn poll_timer(&mut self, cx: &mut Context<'_>, link: &impl Link) -> bool {
        let deadline = match &mut self.deadline {
            Some(deadline) => deadline,
            None => {
                let life = self.receiver.life();
                let (at, again) =
                    link.look(|sender| (sender.poll_timeout(life), sender.look_again_after()));
                let Some(at) = at.map(Instant::from_std) else { return false };
                let at = again.map_or(at, |again| at.min(Instant::now() + again));
                self.deadline.insert(Box::pin(sleep_until(at)))
            }
        };
        if deadline.as_mut().poll(cx).is_pending() {
            return false;
        }
        self.deadline = None;
        true
    }

    /// Looks at the deadlines; whether something happened that has to be acted on.
    fn poll_deadlines(&mut self, cx: &mut Context<'_>, link: &mut impl Link) -> bool {
        // Whoever knows whom to wake was told together with the link.
        let known = link.know_reader(cx);
        if self.obey_server(cx, link, known) {
            return true;
        }
        if link.take_news() {
            self.deadline = None;
            if let Some(error) = link.broken() {
                self.lose(error);
                return true;
            }
            if link.has_output() {
                return true;
            }
        }
        // A timer that knows whom to wake and has not done so needs no polling.
        if known && self.deadline.as_ref().is_some_and(|timer| !timer.is_elapsed()) {
            return false;
        }
        while self.poll_timer(cx, link) {
            let life = self.receiver.life();
            let now = Instant::now().into_std();
            match link.sender(|sender| sender.handle_timeout(life, now)) {
                None => {
                    if link.has_output() {
                        return true;
                    }
                }
                Some(expired) => {
                    self.give_up(match expired {
                        Expired::PeerSilent => {
                            Error::timed_out("receiving", "the peer answered no ping")
                        }
                        _ => Self::too_slow(),
                    });
                    return true;
                }
            }
        }
        false
    }

    /// Does what the server wants of its connections; whether that changed anything.
    ///
    /// `known` says whether the server knows whom to wake.
    fn obey_server(&mut self, cx: &Context<'_>, link: &mut impl Link, known: bool) -> bool {
        let Some(registration) = link.registration() else { return false };
        // Without the lock: a phase that changes from here on wakes us.
        if known && registration.phase() == Phase::Running {
            return false;
        }
        match registration.poll_phase(cx) {
            Phase::Running => false,
            Phase::Closing => {
                let open = link.look(|sender| sender.state()) == State::Open;
                if open {
                    link.close(CloseFrame::new(CloseCode::GOING_AWAY, "").ok());
                }
                open
            }
            Phase::Aborting => {
                let error = Error::timed_out("shutting down", "the deadline passed");
                link.break_with(&error);
                self.lose(error);
                true
            }
        }
    }

    /// Writes what is left, ends our direction, and waits for the peer to end its own.
    fn poll_end(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut impl Link,
    ) -> Poll<Result<Option<Happening>>> {
        loop {
            let end = self.end.as_deref_mut().filter(|end| !matches!(end.step, Step::Over));
            let Some(End { error, step, .. }) = end else { return Poll::Ready(Ok(None)) };
            let cut = link
                .registration()
                .is_some_and(|registration| registration.poll_phase(cx) == Phase::Aborting);
            if cut || link.broken().is_some() {
                return Poll::Ready(self.ended(link));
            }
            match step {
                Step::Flush => {
                    let flushed = link.poll_flush(cx);
                    // The closing frame may have to wait for the end of a writer's open frame.
                    let waits = link.look(|sender| sender.has_waiting_close());
                    match flushed {
                        Poll::Ready(Ok(())) if !waits => *step = Step::ShutDown,
                        // A write error is no error any more: the peer has said all it had to say.
                        Poll::Ready(Err(_)) => *step = Step::Nothing,
                        Poll::Ready(Ok(())) | Poll::Pending => {
                            link.know_reader(cx);
                            if link.take_news() {
                                continue;
                            }
                            self.buffer.give_back();
                            if !self.poll_closing_expired(cx, link) {
                                return Poll::Pending;
                            }
                            return Poll::Ready(self.ended(link));
                        }
                    }
                }
                // RFC 6455 §7.1.1: the server ends TCP first; whoever fails does not wait either.
                Step::ShutDown if self.role == Role::Client && error.is_none() => {
                    *step = Step::Linger(Box::pin(sleep(LINGER)));
                }
                Step::ShutDown => {
                    if link.poll_shutdown(cx).is_pending() {
                        let life = self.receiver.life();
                        // Where the connection was aborted there is nothing left to wait for.
                        let waits = link.look(|sender| sender.poll_timeout(life)).is_some();
                        if waits && !self.poll_closing_expired(cx, link) {
                            return Poll::Pending;
                        }
                        return Poll::Ready(self.ended(link));
                    }
                    *step = match error {
                        Some(_) => Step::Linger(Box::pin(sleep(LINGER))),
                        None => Step::Nothing,
                    };
                }
                Step::Linger(linger) => {
                    if linger.as_mut().poll(cx).is_ready() {
                        *step = Step::Nothing;
                    } else {
                        ready!(Self::poll_read_out(&mut self.buffer, cx, link));
                        *step = Step::Nothing;
                    }
                }
                Step::Nothing | Step::Over => return Poll::Ready(self.ended(link)),
            }
        }
    }

    /// Reads and drops what still comes, to the end of the byte stream.
    fn poll_read_out(
        buffer: &mut ReadBuffer,
        cx: &mut Context<'_>,
        link: &mut impl Link,
    ) -> Poll<()> {
        for _ in 0..MAX_READS {
            buffer.consume(buffer.bytes().len() - buffer.used());
            match link.poll_read(cx, buffer.fill(Amount::Usual)) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Pending => {
                    buffer.give_back();
                    return Poll::Pending;
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Tells how it ended, once, to the reader and to all who write.
    fn ended(&mut self, link: &mut impl Link) -> Result<Option<Happening>> {
        let unsent = link.look(|sender| sender.has_unsent());
        let error = self.end.as_mut().and_then(|end| {
            end.step = Step::Over;
            end.error.take()
        });
        self.buffer.give_back();
        self.deadline = None;
        link.break_with(&match &error {
            Some(error) => error.again(),
            None if unsent => {
                Error::timed_out("sending", "the connection closed before all was taken")
            }
            None => Error::new(ErrorKind::Closed, "sending").cause("the connection is closed"),
        });
        error.map_or(Ok(None), Err)
    }
}
