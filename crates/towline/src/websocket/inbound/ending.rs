//! How a connection ends: what is left is written, and the peer's end awaited.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};
use towline_proto::{CloseFrame, ProtocolError, Role};

use super::{Inbound, MAX_READS};
use crate::error::{Error, ErrorKind, Result};
use crate::registry::Phase;
use crate::websocket::buffer::{Amount, ReadBuffer};
use crate::websocket::link::Link;

/// How a connection ends: the closing frames are exchanged, or never will be.
#[derive(Debug)]
pub(super) struct End {
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

/// After the last byte is written, wait so long for the peer to see it before the socket goes.
///
/// A socket that is closed with bytes unread is reset, and the reset may overtake our closing
/// frame. A second is more than a round trip and short enough to waste on the hostile.
const LINGER: Duration = Duration::from_secs(1);

impl End {
    pub(super) fn with_frame(frame: Option<CloseFrame>, error: Option<Error>) -> Box<Self> {
        Box::new(Self { frame: Some(frame), error, step: Step::Flush })
    }

    fn without_frame(error: Error, step: Step) -> Box<Self> {
        Box::new(Self { frame: None, error: Some(error), step })
    }
}

impl Inbound {
    /// The frame with which the peer closed, if it closed with a code.
    pub(crate) fn close_frame(&self) -> Option<&CloseFrame> {
        self.end.as_ref()?.frame.as_ref()?.as_ref()
    }

    /// Whether the peer sent a closing frame, with a code or without.
    pub(crate) fn peer_closed(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.frame.is_some())
    }

    /// The peer broke a rule. Takes what it changes, since what was lent may still be held.
    #[cold]
    pub(super) fn fail(
        plain: &mut bool,
        deadline: &mut Option<Pin<Box<Sleep>>>,
        end: &mut Option<Box<End>>,
        error: &ProtocolError,
        link: &mut impl Link,
    ) {
        *plain = false;
        *deadline = None;
        link.sender(|sender| sender.fail(error, Instant::now().into_std()));
        *end = Some(End::without_frame(Error::protocol(*error), Step::Flush));
    }

    /// The peer is given up, but for what is still to be written to it.
    pub(super) fn give_up(&mut self, error: Error) {
        self.plain = false;
        self.deadline = None;
        self.end = Some(End::without_frame(error, Step::Flush));
    }

    /// The byte stream is gone: there is nothing to write to or to wait for.
    pub(super) fn lose(&mut self, error: Error) {
        self.plain = false;
        self.end = Some(End::without_frame(error, Step::Nothing));
    }

    /// Writes what is left, ends our direction, and waits for the peer to end its own.
    pub(super) fn poll_end(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut impl Link,
    ) -> Poll<Result<()>> {
        loop {
            let end = self.end.as_deref_mut().filter(|end| !matches!(end.step, Step::Over));
            let Some(End { error, step, .. }) = end else { return Poll::Ready(Ok(())) };
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
    fn ended(&mut self, link: &mut impl Link) -> Result<()> {
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
        error.map_or(Ok(()), Err)
    }
}
