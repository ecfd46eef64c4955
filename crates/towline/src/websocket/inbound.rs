//! The receiving half on a byte stream: reads, answers, keeps the deadlines, and ends well.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};
use towline_proto::{
    CloseCode, CloseFrame, Data, Expired, Incoming, Piece, ProtocolError, Receiver, Role,
};

use super::buffer::ReadBuffer;
use super::link::Link;
use crate::error::{Error, Result};
use crate::registry::{Phase, Registration};

/// The receiving half of the protocol and what it needs between two reads.
#[derive(Debug)]
pub(crate) struct Inbound {
    role: Role,
    pub(crate) receiver: Receiver,
    /// Held while there are bytes that were read and not used up; an idle connection holds none.
    buffer: Option<ReadBuffer>,
    deadline: Option<Pin<Box<Sleep>>>,
    stage: Stage,
    /// The peer's closing frame.
    close_frame: Option<CloseFrame>,
    peer_closed: bool,
    registration: Option<Arc<Registration>>,
}

/// How far the end has come.
#[derive(Debug)]
enum Stage {
    Open,
    /// The closing frames are exchanged, or never will be; the last bytes are on their way.
    Ending {
        error: Option<Error>,
        shut_down: bool,
        linger: Option<Pin<Box<Sleep>>>,
    },
    Ended,
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

/// After the last byte is written, wait so long for the peer to see it before the socket goes.
///
/// A socket that is closed with bytes unread is reset, and the reset may overtake our closing
/// frame. A second is more than a round trip and short enough to waste on the hostile.
const LINGER: Duration = Duration::from_secs(1);

impl Inbound {
    pub(crate) fn new(role: Role, receiver: Receiver) -> Self {
        Self {
            role,
            receiver,
            buffer: None,
            deadline: None,
            stage: Stage::Open,
            close_frame: None,
            peer_closed: false,
            registration: None,
        }
    }

    /// Bytes that came right behind the opening handshake.
    pub(crate) fn unread(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.buffer = Some(ReadBuffer::with(bytes, Instant::now().into_std()));
        }
    }

    pub(crate) fn register(&mut self, registration: Arc<Registration>) {
        self.registration = Some(registration);
    }

    /// The frame with which the peer closed, if it closed with a code.
    pub(crate) fn close_frame(&self) -> Option<&CloseFrame> {
        self.close_frame.as_ref()
    }

    /// Whether the peer sent a closing frame, with a code or without.
    pub(crate) fn peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// The next thing that the peer sent; `None` once the connection has closed normally.
    ///
    /// A connection that ends any other way gives one error, and `None` from then on.
    pub(crate) fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut impl Link,
    ) -> Poll<Result<Option<Happening>>> {
        loop {
            match self.stage {
                Stage::Open => {}
                Stage::Ending { .. } => return self.poll_end(cx, link),
                Stage::Ended => return Poll::Ready(Ok(None)),
            }
            if let Some(happening) = self.parse(link) {
                return Poll::Ready(Ok(Some(happening)));
            }
            if !matches!(self.stage, Stage::Open) {
                continue;
            }
            // All that was read is used up. Before waiting for more, let out what gathered.
            if link.has_output()
                && let Poll::Ready(Err(error)) = link.poll_flush(cx)
            {
                self.end(Some(error));
                continue;
            }
            let now = || Instant::now().into_std();
            let buffer = self.buffer.get_or_insert_with(|| ReadBuffer::take(now()));
            match link.poll_read(cx, buffer.fill()) {
                Poll::Ready(Ok(0)) => self.end(Some(Error::disconnected("receiving", None))),
                Poll::Ready(Ok(_)) => buffer.read_at = now(),
                Poll::Ready(Err(error)) => {
                    self.end(Some(Error::disconnected("receiving", Some(error))));
                }
                Poll::Pending => {
                    self.buffer = None;
                    if !self.poll_deadlines(cx, link) {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    /// The piece that the last [`Happening::Data`] named.
    ///
    /// If its text is bad the connection has failed, and the next event is its end.
    pub(crate) fn lend(&mut self, data: &Data, link: &mut impl Link) -> Option<Piece<'_>> {
        let bytes = self.buffer.as_ref().map_or(&[][..], ReadBuffer::bytes);
        match self.receiver.lend(data, bytes) {
            Ok(piece) => Some(piece),
            Err(error) => {
                Self::fail(&mut self.stage, &error, link);
                None
            }
        }
    }

    /// The payload that a [`Happening::Data`] named, once its text was checked by `lend`.
    pub(crate) fn payload(&self, data: &Data) -> &[u8] {
        self.buffer.as_ref().map_or(&[], |buffer| &buffer.bytes()[data.payload.clone()])
    }

    /// Uses up what was read, until there is something to hand out.
    fn parse(&mut self, link: &mut impl Link) -> Option<Happening> {
        while let Some(buffer) = self.buffer.as_mut().filter(|buffer| !buffer.unread_is_empty()) {
            let base = buffer.used();
            let now = buffer.read_at;
            let received = match self.receiver.receive(buffer.unread(), now) {
                Ok(received) => received,
                Err(error) => {
                    Self::fail(&mut self.stage, &error, link);
                    return None;
                }
            };
            buffer.consume(received.consumed);
            match received.event {
                None => {}
                // Who closes has lost interest in what still comes, as on Windows.
                Some(Incoming::Data(mut data)) if link.is_open() => {
                    data.payload.start += base;
                    data.payload.end += base;
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
                    link.sender(|sender| sender.handle_close(frame.as_ref(), now));
                    self.close_frame = frame;
                    self.peer_closed = true;
                    self.end(None);
                    return None;
                }
                Some(_) => {}
            }
        }
        None
    }

    fn fail(stage: &mut Stage, error: &ProtocolError, link: &mut impl Link) {
        link.sender(|sender| sender.fail(error, Instant::now().into_std()));
        *stage =
            Stage::Ending { error: Some(Error::protocol(*error)), shut_down: false, linger: None };
    }

    fn end(&mut self, error: Option<Error>) {
        self.stage = Stage::Ending { error, shut_down: false, linger: None };
    }

    /// Looks at the deadlines; whether something happened that has to be acted on.
    fn poll_deadlines(&mut self, cx: &mut Context<'_>, link: &mut impl Link) -> bool {
        if self.obey_server(cx, link) {
            return true;
        }
        if link.take_news(cx) {
            self.deadline = None;
            if let Some(error) = link.broken() {
                self.end(Some(error));
                return true;
            }
            if link.has_output() {
                return true;
            }
        }
        loop {
            let life = self.receiver.life();
            let deadline = match &mut self.deadline {
                Some(deadline) => deadline,
                None => {
                    let Some(at) = link.look(|sender| sender.poll_timeout(life)) else {
                        return false;
                    };
                    self.deadline.insert(Box::pin(sleep_until(Instant::from_std(at))))
                }
            };
            if deadline.as_mut().poll(cx).is_pending() {
                return false;
            }
            self.deadline = None;
            let now = Instant::now().into_std();
            match link.sender(|sender| sender.handle_timeout(life, now)) {
                None => {
                    if link.has_output() {
                        return true;
                    }
                }
                Some(expired) => {
                    let (doing, why) = match expired {
                        Expired::PeerSilent => ("receiving", "the peer answered no ping"),
                        _ => ("closing", "the peer did not answer the closing frame"),
                    };
                    self.end(Some(Error::timed_out(doing, why)));
                    return true;
                }
            }
        }
    }

    /// Does what the server wants of its connections; whether that changed anything.
    fn obey_server(&mut self, cx: &Context<'_>, link: &mut impl Link) -> bool {
        let Some(registration) = &self.registration else { return false };
        match registration.poll_phase(cx) {
            Phase::Running => false,
            Phase::Closing => {
                let open = link.is_open();
                if open {
                    link.close(CloseFrame::new(CloseCode::GOING_AWAY, "").ok());
                }
                open
            }
            Phase::Aborting => {
                let error = Error::timed_out("shutting down", "the deadline passed");
                link.break_with(&error);
                self.stage = Stage::Ending { error: Some(error), shut_down: true, linger: None };
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
        let Stage::Ending { error, shut_down, linger } = &mut self.stage else {
            return Poll::Ready(Ok(None));
        };
        if link.broken().is_none() {
            let linger =
                linger.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + LINGER)));
            let expired = linger.as_mut().poll(cx).is_ready();
            let lost =
                error.as_ref().is_some_and(|error| error.kind() == crate::ErrorKind::Disconnected);
            if !lost && !expired {
                // A write error is no error any more: the peer has said all it had to say.
                ready!(link.poll_flush(cx)).ok();
                // RFC 6455 §7.1.1: the server ends TCP first; whoever fails does not wait either.
                if !*shut_down && (self.role == Role::Server || error.is_some()) {
                    ready!(link.poll_shutdown(cx)).ok();
                    *shut_down = true;
                }
                let answered = self.role == Role::Server && error.is_none();
                if !answered {
                    let buffer = self
                        .buffer
                        .get_or_insert_with(|| ReadBuffer::take(Instant::now().into_std()));
                    loop {
                        buffer.consume(buffer.bytes().len() - buffer.used());
                        match ready!(link.poll_read(cx, buffer.fill())) {
                            Ok(1..) => {}
                            Ok(0) | Err(_) => break,
                        }
                    }
                }
            }
        }
        let result = match error.take() {
            Some(error) => Err(error),
            None => Ok(None),
        };
        let gone = match &result {
            Err(error) => error.again(),
            Ok(_) => {
                Error::new(crate::ErrorKind::Closed, "sending").cause("the connection is closed")
            }
        };
        self.stage = Stage::Ended;
        self.buffer = None;
        self.deadline = None;
        link.break_with(&gone);
        Poll::Ready(result)
    }
}
