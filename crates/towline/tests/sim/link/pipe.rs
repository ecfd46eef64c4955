//! One direction of the link.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::rng::Rng;
use crate::trace::{count, note};
use crate::weather::{Fault, Way};

/// One direction of the link.
#[derive(Clone, Debug)]
pub(crate) struct Pipe(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    name: &'static str,
    way: Way,
    rng: Rng,
    /// Written and not flushed.
    held: Vec<u8>,
    /// On their way, and when they arrive.
    coming: VecDeque<(Instant, Vec<u8>)>,
    coming_len: usize,
    /// Bytes taken from the writer so far, and given to the reader.
    taken: u64,
    given: u64,
    /// What is written is lost: nobody will see it.
    lost: bool,
    /// Nothing comes any more after what is on its way.
    ended: bool,
    /// The reader has gone.
    abandoned: bool,
    read_error: Option<ErrorKind>,
    write_error: Option<ErrorKind>,
    /// Takes nothing, for ever.
    blocked: bool,
    stalled_until: Option<Instant>,
    reader: Option<Waker>,
    writer: Option<Waker>,
    read_timer: Pin<Box<Sleep>>,
    write_timer: Pin<Box<Sleep>>,
}

impl Pipe {
    pub(super) fn new(name: &'static str, way: &Way, rng: &mut Rng) -> Self {
        Self(Arc::new(Mutex::new(State::new(name, way, rng))))
    }

    pub(super) fn is_vectored(&self) -> bool {
        self.lock().way.vectored
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.lock().poll_read(cx, into)
    }

    /// Writes, and gives the fault that is due behind what was written.
    pub(super) fn poll_write(
        &self,
        cx: &Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> (Poll<io::Result<usize>>, Option<Fault>) {
        let mut state = self.lock();
        (state.poll_write(cx, slices), state.take_fault())
    }

    pub(super) fn poll_flush(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        if let Some(kind) = state.write_error {
            return Poll::Ready(Err(kind.into()));
        }
        if state.unready(cx) {
            return Poll::Pending;
        }
        state.pass_on();
        Poll::Ready(Ok(()))
    }

    /// Ends this direction, behind all that was written.
    pub(super) fn poll_end(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        let mut state = self.lock();
        state.ended = true;
        state.wake();
        Poll::Ready(Ok(()))
    }

    /// The reader goes; whether it leaves bytes unread.
    pub(super) fn abandon(&self) -> bool {
        let mut state = self.lock();
        state.abandoned = true;
        let unread = state.coming_len > 0 && !state.lost;
        state.drop_coming();
        state.wake();
        unread
    }

    /// The writer goes. What was never flushed goes with it, as it does with a TLS session.
    pub(super) fn close(&self, unread: bool) {
        let mut state = self.lock();
        if state.lost {
            return;
        }
        state.held.clear();
        state.ended = true;
        // A socket that is closed with bytes unread is reset, and the reset may overtake.
        if unread && state.rng.percent(50) {
            count("resets by unread bytes");
            state.drop_coming();
            state.read_error = Some(ErrorKind::ConnectionReset);
        }
        state.wake();
    }

    /// Bytes that the writer has got rid of.
    pub(crate) fn taken(&self) -> u64 {
        self.lock().taken
    }

    /// Bytes that the reader has got.
    pub(crate) fn given(&self) -> u64 {
        self.lock().given
    }

    /// Lets a fault happen in this direction; `back` is the other.
    pub(crate) fn strike(&self, fault: Fault, back: &Self) {
        let name = self.lock().name;
        note(name, || format!("{fault:?}"));
        match fault {
            Fault::Reset { overtakes } => {
                count("resets");
                for pipe in [self, back] {
                    let mut state = pipe.lock();
                    if overtakes {
                        state.drop_coming();
                    }
                    state.held.clear();
                    state.read_error = Some(ErrorKind::ConnectionReset);
                    state.write_error = Some(ErrorKind::ConnectionReset);
                    state.wake();
                }
            }
            Fault::HalfClose => {
                count("half-closes");
                let mut state = self.lock();
                state.ended = true;
                state.lost = true;
                state.wake();
            }
            Fault::BlackHole { both } => {
                count("black holes");
                for pipe in [Some(self), both.then_some(back)].into_iter().flatten() {
                    let mut state = pipe.lock();
                    state.lost = true;
                    state.blocked = state.rng.percent(50);
                    state.drop_coming();
                }
            }
            Fault::WriteError => {
                count("write errors");
                let mut state = self.lock();
                state.write_error = Some(ErrorKind::Other);
                state.wake();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(name: &'static str, way: &Way, rng: &mut Rng) -> Self {
        let now = Instant::now();
        Self {
            name,
            way: way.clone(),
            rng: Rng::new(rng.next(), 0),
            held: Vec::new(),
            coming: VecDeque::new(),
            coming_len: 0,
            taken: 0,
            given: 0,
            lost: false,
            ended: false,
            abandoned: false,
            read_error: None,
            write_error: None,
            blocked: false,
            stalled_until: None,
            reader: None,
            writer: None,
            read_timer: Box::pin(sleep_until(now)),
            write_timer: Box::pin(sleep_until(now)),
        }
    }

    fn wake(&mut self) {
        self.reader.take().into_iter().chain(self.writer.take()).for_each(Waker::wake);
    }

    fn drop_coming(&mut self) {
        self.coming.clear();
        self.coming_len = 0;
    }

    /// Whether an operation is not ready although it could be.
    fn unready(&mut self, cx: &Context<'_>) -> bool {
        let unready = self.rng.percent(self.way.unready);
        if unready {
            cx.waker().wake_by_ref();
        }
        unready
    }

    fn take_fault(&mut self) -> Option<Fault> {
        let taken = self.taken;
        self.way.fault.take_if(|(at, _)| *at <= taken).map(|(_, fault)| fault)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.unready(cx) {
            return Poll::Pending;
        }
        let Some((at, first)) = self.coming.front_mut() else {
            if let Some(kind) = self.read_error {
                return Poll::Ready(Err(kind.into()));
            }
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        if *at > Instant::now() {
            let at = *at;
            self.read_timer.as_mut().reset(at);
            self.reader = Some(cx.waker().clone());
            let _ = self.read_timer.as_mut().poll(cx);
            return Poll::Pending;
        }
        let most = into.remaining().min(first.len()).min(self.way.read_max);
        let len = if self.rng.percent(30) { self.rng.between(1, most) } else { most };
        into.put_slice(&first[..len]);
        first.drain(..len);
        if first.is_empty() {
            self.coming.pop_front();
        }
        self.coming_len -= len;
        self.given += u64::try_from(len).unwrap();
        self.writer.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }

    fn poll_write(&mut self, cx: &Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if let Some(kind) = self.write_error {
            return Poll::Ready(Err(kind.into()));
        }
        if self.abandoned && !self.lost {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        if self.unready(cx) {
            return Poll::Pending;
        }
        if self.stalled_until.is_none() && self.rng.percent(self.way.stalls.0) {
            let time = u64::try_from(self.rng.between(0, self.way.stalls.1)).unwrap();
            self.stalled_until = Some(Instant::now() + Duration::from_millis(time));
        }
        let room = self.way.capacity.saturating_sub(self.coming_len + self.held.len());
        let until = self.stalled_until.filter(|until| *until > Instant::now());
        if self.blocked || room == 0 || until.is_some() {
            self.writer = Some(cx.waker().clone());
            if let Some(until) = until {
                self.write_timer.as_mut().reset(until);
                let _ = self.write_timer.as_mut().poll(&mut Context::from_waker(cx.waker()));
            }
            // What is held fills the room for ever unless it is passed on.
            self.pass_on();
            return Poll::Pending;
        }
        self.stalled_until = None;
        let mut most = room.min(self.way.write_max);
        if let Some((at, _)) = self.way.fault {
            most = most.min(usize::try_from(at - self.taken).unwrap_or(most)).max(1);
        }
        if self.rng.percent(20) {
            most = self.rng.between(1, most);
        }
        let mut len = 0;
        for slice in slices {
            let some = slice.len().min(most - len);
            self.held.extend_from_slice(&slice[..some]);
            len += some;
        }
        self.taken += u64::try_from(len).unwrap();
        if !self.way.holds {
            self.pass_on();
        }
        Poll::Ready(Ok(len))
    }

    /// Sends what was written on its way.
    fn pass_on(&mut self) {
        let bytes = std::mem::take(&mut self.held);
        if self.lost || self.abandoned || bytes.is_empty() {
            return;
        }
        let (least, most) = self.way.latency;
        let latency = u64::try_from(self.rng.between(least, most)).unwrap();
        let at = Instant::now() + Duration::from_millis(latency);
        // Bytes do not overtake each other.
        let at = self.coming.back().map_or(at, |(last, _)| at.max(*last));
        self.coming_len += bytes.len();
        self.coming.push_back((at, bytes));
        self.reader.take().into_iter().for_each(Waker::wake);
    }
}
