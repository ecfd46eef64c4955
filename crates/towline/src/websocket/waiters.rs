//! Everyone who waits for the byte stream to take more.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// Tasks that wait to write.
///
/// A byte stream remembers one waker, but a reader with a pong to write and any number of writers
/// may wait on it at once. So it is polled with a waker that wakes them all: a spurious wake is
/// cheap, a lost one is for ever.
///
/// Boxed, and there only once somebody had to wait.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Option<Box<Waiting>>);

#[derive(Debug)]
struct Waiting {
    all: Arc<WakeAll>,
    waker: Waker,
    timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, Default)]
struct WakeAll(Mutex<Vec<Waker>>);

impl Wake for WakeAll {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let wakers = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Waiters {
    /// Polls on behalf of `cx` without displacing others who wait.
    pub(crate) fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        if let Some(Waiting { waker, .. }) = self.0.as_deref() {
            if let Poll::Ready(ready) = poll(&mut Context::from_waker(waker)) {
                return Poll::Ready(ready);
            }
        } else if let Poll::Ready(ready) = poll(cx) {
            return Poll::Ready(ready);
        }
        let Waiting { all, waker, .. } = &**self.0.get_or_insert_with(|| {
            let all = Arc::new(WakeAll::default());
            Box::new(Waiting { waker: Waker::from(Arc::clone(&all)), all, timer: None })
        });
        {
            let mut wakers = all.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                wakers.push(cx.waker().clone());
            }
        }
        // Again, now that we are on the list: a wake before that would have missed us.
        poll(&mut Context::from_waker(waker))
    }

    /// Polls on behalf of nobody, without displacing those who wait: whoever needs the outcome
    /// polls later.
    pub(crate) fn try_poll<R>(
        &mut self,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let waker = self.0.as_deref().map_or(Waker::noop(), |waiting| &waiting.waker);
        poll(&mut Context::from_waker(waker))
    }

    /// Wakes all who wait: something changed that they must see.
    pub(crate) fn wake(&self) {
        if let Some(waiting) = self.0.as_deref() {
            waiting.all.wake_by_ref();
        }
    }

    /// Waits until they have waited for so long without a [stop](Self::stop_timer).
    pub(crate) fn poll_timer(&mut self, cx: &mut Context<'_>, limit: Duration) -> Poll<()> {
        let running = self.0.as_mut().and_then(|waiting| waiting.timer.take());
        let mut timer = running.unwrap_or_else(|| Box::pin(sleep(limit)));
        let polled = self.poll(cx, |cx| timer.as_mut().poll(cx));
        if let (Poll::Pending, Some(waiting)) = (polled, &mut self.0) {
            waiting.timer = Some(timer);
        }
        polled
    }

    /// They wait no longer, or begin anew.
    pub(crate) fn stop_timer(&mut self) {
        if let Some(waiting) = &mut self.0 {
            waiting.timer = None;
        }
    }
}
