//! What a reader needs of a connection besides the bytes: the byte stream and the sending half,
//! owned or shared with writers.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::poll_read_buf;
use towline_proto::{Sender, State};

use super::outbound::Outbound;
use crate::error::{Error, Result};
use crate::registry::Registration;
use crate::statistics::{OfTcp, of_tcp};
use crate::transport::{BoxRead, BoxWrite};

/// The writing side of a connection.
pub(crate) trait Output {
    /// Does something with the sending half, now.
    fn sender<R>(&mut self, act: impl FnOnce(&mut Sender) -> R) -> R;

    /// Waits until less than `max_outbox` waits to be written.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>>;

    /// Writes all that waits.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>>;

    /// Begins the closing handshake.
    fn close(&mut self, frame: Option<towline_proto::CloseFrame>);

    /// The byte stream is of no more use.
    fn break_with(&mut self, error: &Error);

    /// Has the reader look at the deadlines again.
    fn tell_reader(&mut self);
}

/// Both sides of a connection, for the one who reads.
pub(crate) trait Link: Output {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>>;

    /// Ends the writing direction of the byte stream.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Looks at the sending half.
    fn look<R>(&self, at: impl FnOnce(&Sender) -> R) -> R;

    /// Whether one side has closed, so that what still comes is of no interest.
    fn is_closing(&self) -> bool;

    /// Whether the reader has something of its own to write, or everything is its own.
    fn has_output(&mut self) -> bool;

    /// Has `cx` woken when there is [news](Self::take_news); whether it would have been already.
    fn know_reader(&mut self, cx: &Context<'_>) -> bool;

    /// Whether a writer closed or broke the connection since the last call: the deadlines have
    /// changed.
    fn take_news(&mut self) -> bool;

    /// Why nothing can be written any more.
    fn broken(&mut self) -> Option<Error>;

    /// The connection's place among its server's.
    fn registration(&self) -> Option<&Registration>;
}

impl<W: AsyncWrite + Unpin> Output for Outbound<W> {
    fn sender<R>(&mut self, act: impl FnOnce(&mut Sender) -> R) -> R {
        act(&mut self.sender)
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Self::poll_room(self, cx)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Self::poll_flush(self, cx)
    }

    fn close(&mut self, frame: Option<towline_proto::CloseFrame>) {
        Self::close(self, frame);
    }

    fn break_with(&mut self, error: &Error) {
        Self::break_with(self, error);
    }

    fn tell_reader(&mut self) {
        self.news_for_reader = true;
    }
}

/// Notes whom to wake; whether it was known.
fn know(reader: &mut Option<Waker>, cx: &Context<'_>) -> bool {
    let known = reader.as_ref().is_some_and(|reader| reader.will_wake(cx.waker()));
    if !known {
        *reader = Some(cx.waker().clone());
    }
    known
}

#[inline(always)]
fn is_closing(sender: &Sender) -> bool {
    matches!(sender.state(), State::CloseSent | State::Closed)
}

/// A connection in one hand.
#[derive(Debug)]
pub(crate) struct Whole<T> {
    pub(crate) outbound: Outbound<T>,
    /// Who reads, while it waits: a second task may close (as `futures::StreamExt::split` allows).
    reader: Option<Waker>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Whole<T> {
    pub(crate) fn new(outbound: Outbound<T>) -> Self {
        Self { outbound, reader: None }
    }

    fn wake_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    /// Does something with the writing side, and wakes the reader if it has to look.
    pub(crate) fn with<R>(&mut self, act: impl FnOnce(&mut Outbound<T>) -> R) -> R {
        let result = act(&mut self.outbound);
        if self.outbound.news_for_reader {
            self.wake_reader();
        }
        result
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Output for Whole<T> {
    fn sender<R>(&mut self, act: impl FnOnce(&mut Sender) -> R) -> R {
        act(&mut self.outbound.sender)
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.with(|outbound| outbound.poll_room(cx))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.with(|outbound| outbound.poll_flush(cx))
    }

    fn close(&mut self, frame: Option<towline_proto::CloseFrame>) {
        self.with(|outbound| outbound.close(frame));
    }

    fn break_with(&mut self, error: &Error) {
        self.with(|outbound| outbound.break_with(error));
    }

    fn tell_reader(&mut self) {
        self.with(Output::tell_reader);
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Link for Whole<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        poll_read_buf(Pin::new(&mut self.outbound.io), cx, into)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbound.poll_shutdown(cx)
    }

    fn look<R>(&self, at: impl FnOnce(&Sender) -> R) -> R {
        at(&self.outbound.sender)
    }

    fn is_closing(&self) -> bool {
        is_closing(&self.outbound.sender)
    }

    fn has_output(&mut self) -> bool {
        self.outbound.has_output()
    }

    fn know_reader(&mut self, cx: &Context<'_>) -> bool {
        know(&mut self.reader, cx)
    }

    fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.outbound.news_for_reader)
    }

    fn broken(&mut self) -> Option<Error> {
        self.outbound.broken()
    }

    fn registration(&self) -> Option<&Registration> {
        self.outbound.registration.as_deref()
    }
}

/// What a reader and its writers share: the writing side. The reading side has no lock.
pub(crate) struct Shared {
    outbound: Mutex<Outbound<BoxWrite>>,
    /// Whether one side has closed, for a reader that should not take the lock to see it.
    closing: AtomicBool,
    news: AtomicBool,
    reader: Mutex<Option<Waker>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(outbound: Outbound<BoxWrite>) -> Arc<Self> {
        Arc::new(Self {
            closing: AtomicBool::new(is_closing(&outbound.sender)),
            outbound: Mutex::new(outbound),
            news: AtomicBool::new(true),
            reader: Mutex::default(),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Outbound<BoxWrite>> {
        self.outbound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the writing side, and lets the reader know if it has to look.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Outbound<BoxWrite>) -> R) -> R {
        let mut outbound = self.lock();
        let result = act(&mut outbound);
        let news = std::mem::take(&mut outbound.news_for_reader);
        if is_closing(&outbound.sender) {
            self.closing.store(true, Ordering::Release);
        }
        drop(outbound);
        if news {
            self.news.store(true, Ordering::Release);
            let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(reader) = reader {
                reader.wake();
            }
        }
        result
    }
}

impl Output for Arc<Shared> {
    fn sender<R>(&mut self, act: impl FnOnce(&mut Sender) -> R) -> R {
        self.with(|outbound| act(&mut outbound.sender))
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.with(|outbound| outbound.poll_room(cx))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.with(|outbound| outbound.poll_flush(cx))
    }

    fn close(&mut self, frame: Option<towline_proto::CloseFrame>) {
        self.with(|outbound| outbound.close(frame));
    }

    fn break_with(&mut self, error: &Error) {
        self.with(|outbound| outbound.break_with(error));
    }

    fn tell_reader(&mut self) {
        self.with(Output::tell_reader);
    }
}

/// The reader's half of a connection.
pub(crate) struct ReadHalf {
    io: BoxRead,
    pub(crate) shared: Arc<Shared>,
    registration: Option<Arc<Registration>>,
    /// Whether the reader has put something of its own into the outbox.
    has_output: bool,
}

impl std::fmt::Debug for ReadHalf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadHalf").finish_non_exhaustive()
    }
}

impl ReadHalf {
    pub(crate) fn new(io: BoxRead, shared: Arc<Shared>) -> Self {
        let registration = shared.lock().registration.clone();
        Self { io, shared, registration, has_output: true }
    }

    /// What the operating system knows of the TCP connection underneath, if there is one.
    pub(crate) fn of_tcp(&self) -> Option<OfTcp> {
        let mut known = None;
        self.io.with_tcp(&mut |stream| known = of_tcp(stream));
        known
    }
}

impl Output for ReadHalf {
    fn sender<R>(&mut self, act: impl FnOnce(&mut Sender) -> R) -> R {
        self.has_output = true;
        self.shared.sender(act)
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.shared.poll_room(cx)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = self.shared.poll_flush(cx);
        if flushed.is_ready() {
            self.has_output = false;
        }
        flushed
    }

    fn close(&mut self, frame: Option<towline_proto::CloseFrame>) {
        self.has_output = true;
        self.shared.close(frame);
    }

    fn break_with(&mut self, error: &Error) {
        self.shared.break_with(error);
    }

    fn tell_reader(&mut self) {
        self.shared.tell_reader();
    }
}

impl Link for ReadHalf {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        poll_read_buf(Pin::new(&mut self.io), cx, into)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.lock().poll_shutdown(cx)
    }

    fn look<R>(&self, at: impl FnOnce(&Sender) -> R) -> R {
        at(&self.shared.lock().sender)
    }

    fn is_closing(&self) -> bool {
        self.shared.closing.load(Ordering::Acquire)
    }

    fn has_output(&mut self) -> bool {
        self.has_output
    }

    fn know_reader(&mut self, cx: &Context<'_>) -> bool {
        know(&mut self.shared.reader.lock().unwrap_or_else(PoisonError::into_inner), cx)
    }

    fn take_news(&mut self) -> bool {
        let news = self.shared.news.swap(false, Ordering::AcqRel);
        // A writer that was dropped in the middle of a message has left its closing frame here.
        self.has_output |= news;
        news
    }

    fn broken(&mut self) -> Option<Error> {
        self.shared.lock().broken()
    }

    fn registration(&self) -> Option<&Registration> {
        self.registration.as_deref()
    }
}
