//! The sending half on a byte stream.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use tokio::io::AsyncWrite;
use tokio::time::Instant;
use towline_proto::{CloseCode, CloseFrame, Message, Part, SendError, Sender, State};

use super::buffer::{give_write_memory, take_write_memory};
use super::waiters::Waiters;
use crate::error::{Error, ErrorKind, Result};
use crate::registry::{Phase, Registration};

/// The sending half of the protocol and the byte stream it writes to.
#[derive(Debug)]
pub(crate) struct Outbound<W> {
    pub(crate) io: W,
    pub(crate) sender: Sender,
    waiters: Waiters,
    /// Whether the byte stream may hold back what was written to it.
    unflushed: bool,
    /// Why nothing more can be written.
    broken: Option<Error>,
    /// Whether the reader has to look at the deadlines again.
    pub(crate) news_for_reader: bool,
    /// The connection's place among its server's, kept as long as anybody can write.
    pub(crate) registration: Option<Arc<Registration>>,
}

/// Entries of a vectored write. One batch of replies is one entry, a large message one more.
const MAX_SLICES: usize = 16;

/// From this length on a payload that is only borrowed is offered to the byte stream at once: a
/// copy of it would cost more than the system call that it saves.
const THROUGH_FROM: usize = 64 * 1024;

impl<W> Outbound<W> {
    pub(crate) fn new(io: W, sender: Sender) -> Self {
        Self {
            io,
            sender,
            waiters: Waiters::default(),
            unflushed: false,
            broken: None,
            news_for_reader: false,
            registration: None,
        }
    }

    /// Takes the byte stream out, to be put back as another that leads to the same place.
    pub(crate) fn take_io(self) -> (W, Outbound<()>) {
        let mut rest = Outbound::new((), self.sender);
        rest.unflushed = self.unflushed;
        rest.broken = self.broken;
        rest.registration = self.registration;
        // Who waited on the old byte stream waits no more; who reads looks at everything again.
        rest.news_for_reader = true;
        (self.io, rest)
    }
}

impl Outbound<()> {
    pub(crate) fn put_io<W>(self, io: W) -> Outbound<W> {
        let mut outbound = Outbound::new(io, self.sender);
        outbound.unflushed = self.unflushed;
        outbound.broken = self.broken;
        outbound.news_for_reader = self.news_for_reader;
        outbound.registration = self.registration;
        outbound
    }
}

impl<W: AsyncWrite + Unpin> Outbound<W> {
    /// Waits until less than `max_outbox` waits to be written.
    #[inline(always)]
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.broken.is_none() && self.sender.has_room() {
            return Poll::Ready(Ok(()));
        }
        self.poll_more_room(cx)
    }

    #[inline(never)]
    fn poll_more_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.check()?;
        if self.registration.as_ref().is_some_and(|place| place.phase() == Phase::Aborting) {
            self.obey_server(cx)?;
        }
        while !self.sender.has_room() {
            ready!(self.poll_write_some(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Queues the message once there is room. The option is emptied at that moment.
    pub(crate) fn poll_feed(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<()>> {
        if message.is_some() {
            ready!(self.poll_room(cx))?;
        }
        match message.take() {
            Some(message) => Poll::Ready(self.feed(message)),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Queues a message; what of a large one has to be copied is written at once as far as the byte
    /// stream takes it. Whoever calls this sees to it that there is [room](Self::has_room).
    pub(crate) fn feed(&mut self, message: Message) -> Result<()> {
        self.lend_memory();
        if message.len() < THROUGH_FROM || !self.sender.masks() {
            return Ok(self.sender.send(message)?);
        }
        self.check()?;
        self.through(|sender, write| sender.send_through(message, write))
    }

    /// Queues a short message, if it can be done without looking far.
    #[inline(always)]
    pub(crate) fn feed_quick(&mut self, part: &Part<'_>) -> bool {
        self.broken.is_none() && self.sender.send_quick(part)
    }

    /// Queues a message or a part of one; a large one is written at once as far as the byte stream
    /// takes it. Whoever calls this sees to it that there is [room](Self::has_room).
    pub(crate) fn feed_part(&mut self, part: Part<'_>) -> Result<()> {
        self.check()?;
        // What is masked needs memory, and is one piece.
        let masks = self.sender.masks();
        let large = part.len() >= THROUGH_FROM;
        if !large || masks {
            self.lend_memory();
        }
        if !large || !(masks || self.io.is_write_vectored()) {
            self.sender.send_part(part)?;
            return Ok(());
        }
        self.through(|sender, write| sender.send_part_through(part, write))
    }

    /// Has something sent that writes to the byte stream at once what it takes.
    fn through(
        &mut self,
        send: impl FnOnce(
            &mut Sender,
            &mut dyn FnMut(&[IoSlice<'_>]) -> usize,
        ) -> std::result::Result<(), SendError>,
    ) -> Result<()> {
        let Self { io, sender, waiters, .. } = self;
        let (mut written, mut failed) = (false, None);
        send(sender, &mut |slices| {
            match waiters.try_poll(|cx| poll_write(&mut *io, cx, slices)) {
                Poll::Ready(Ok(count)) => {
                    written |= count > 0;
                    count
                }
                Poll::Ready(Err(error)) => {
                    failed = Some(error);
                    0
                }
                // What waits now is written when room is needed, or nothing is left to read.
                Poll::Pending => 0,
            }
        })?;
        if written {
            self.unflushed = true;
            self.waiters.stop_timer();
        }
        match failed {
            Some(error) => Err(self.break_off(error)),
            None => Ok(()),
        }
    }

    /// Whether less waits to be written than may.
    pub(crate) fn has_room(&self) -> bool {
        self.sender.has_room()
    }

    /// Sees to it that small messages have where to gather.
    #[inline(always)]
    fn lend_memory(&mut self) {
        if !self.sender.has_memory() {
            self.sender.lend_memory(take_write_memory());
        }
    }

    /// Writes all that waits, and has the byte stream pass it on.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match &self.broken {
            None => {}
            // A connection closes normally only after its last byte: nothing is left to flush.
            Some(end) if end.kind() == ErrorKind::Closed => return Poll::Ready(Ok(())),
            Some(error) => return Poll::Ready(Err(error.again())),
        }
        if self.registration.as_ref().is_some_and(|place| place.phase() != Phase::Running) {
            self.obey_server(cx)?;
        }
        while !self.sender.outbox().is_empty() {
            ready!(self.poll_write_some(cx))?;
        }
        if let Some(memory) = self.sender.take_back_memory() {
            give_write_memory(memory);
        }
        if self.unflushed {
            let io = &mut self.io;
            let flushed = self.waiters.poll(cx, |cx| Pin::new(&mut *io).poll_flush(cx));
            match flushed {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.break_off(error))),
                Poll::Pending => return self.poll_stalled(cx),
            }
        }
        self.waiters.stop_timer();
        Poll::Ready(Ok(()))
    }

    /// Ends the writing direction of the byte stream.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let io = &mut self.io;
        self.waiters.poll(cx, |cx| Pin::new(&mut *io).poll_shutdown(cx))
    }

    /// Begins the closing handshake.
    pub(crate) fn close(&mut self, frame: Option<CloseFrame>) {
        if self.sender.state() == State::Open {
            self.sender.close(frame, Instant::now().into_std());
            self.news_for_reader = true;
        }
    }

    /// Whether something waits to be written or passed on.
    pub(crate) fn has_output(&mut self) -> bool {
        self.broken.is_none() && (self.unflushed || !self.sender.outbox().is_empty())
    }

    /// The byte stream is of no more use: whoever waits or comes is told so.
    pub(crate) fn break_with(&mut self, error: &Error) {
        self.sender.abort();
        if self.broken.is_none() {
            self.broken = Some(error.again());
            self.news_for_reader = true;
        }
        self.waiters.wake();
    }

    /// Why nothing can be written, if that is so.
    pub(crate) fn broken(&self) -> Option<Error> {
        self.broken.as_ref().map(Error::again)
    }

    #[inline]
    fn check(&self) -> Result<()> {
        match &self.broken {
            None => Ok(()),
            Some(error) => Err(error.again()),
        }
    }

    fn poll_write_some(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let Self { io, sender, waiters, .. } = self;
        let outbox = sender.outbox();
        let written = waiters.poll(cx, |cx| {
            // Most often one piece is all there is: no list of pieces is made for it.
            if outbox.chunk().len() == outbox.len() {
                return Pin::new(&mut *io).poll_write(cx, outbox.chunk());
            }
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let count = outbox.chunks_vectored(&mut slices);
            poll_write(&mut *io, cx, &slices[..count])
        });
        match written {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(self.break_off(io::ErrorKind::WriteZero.into()))),
            Poll::Ready(Ok(count)) => {
                outbox.advance(count);
                self.unflushed = true;
                self.waiters.stop_timer();
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.break_off(error))),
            Poll::Pending => self.poll_stalled(cx),
        }
    }

    /// A peer that takes nothing for `write_timeout` is lost.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.obey_server(cx)?;
        let limit = self.sender.config().get_write_timeout();
        ready!(self.waiters.poll_timer(cx, limit));
        let error = Error::timed_out("sending", "the peer takes no more data")
            .advise("it may have stopped reading; Config::write_timeout is the limit");
        self.break_with(&error);
        Poll::Ready(Err(error))
    }

    /// Does what the server wants of its connections, also while nobody reads.
    fn obey_server(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let Some(registration) = &self.registration else { return Ok(()) };
        // Everyone who waits shares one waker, so the server need not know them all.
        let phase = self.waiters.poll(cx, |cx| match registration.poll_phase_writing(cx) {
            Phase::Running => Poll::Pending,
            phase => Poll::Ready(phase),
        });
        match phase {
            Poll::Pending | Poll::Ready(Phase::Running) => Ok(()),
            Poll::Ready(Phase::Closing) => {
                // Behind the message that is being sent: it was begun in good faith.
                if !self.sender.in_message() {
                    self.close(CloseFrame::new(CloseCode::GOING_AWAY, "").ok());
                }
                Ok(())
            }
            Poll::Ready(Phase::Aborting) => {
                let error = Error::timed_out("shutting down", "the deadline passed");
                self.break_with(&error);
                Err(error)
            }
        }
    }

    fn break_off(&mut self, cause: io::Error) -> Error {
        let error = Error::disconnected("sending", Some(cause));
        self.break_with(&error);
        error
    }
}

/// Writes some of these. TLS takes all of one piece, and of several no more than one record.
fn poll_write(
    io: &mut (impl AsyncWrite + Unpin),
    cx: &mut Context<'_>,
    slices: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    match slices {
        [first, rest @ ..] if rest.is_empty() || !io.is_write_vectored() => {
            Pin::new(io).poll_write(cx, first)
        }
        slices => Pin::new(io).poll_write_vectored(cx, slices),
    }
}
