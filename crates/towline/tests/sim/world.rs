//! One thread, one clock that nobody waits for, and tasks that run in an order drawn from the seed.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::rng::Rng;
use crate::trace::{count, note};

/// Virtual time after which nobody may wait any more: far above the sum of all deadlines.
const BOUND: Duration = Duration::from_secs(24 * 3600);

/// Polls without the clock moving: more is a busy loop. A run of the widest kind needs a tenth.
const MAX_POLLS_AT_ONCE: u64 = 300_000;

/// Tasks, and the order they run in.
pub(crate) struct World {
    tasks: Vec<Task>,
    rng: Rng,
    outer: Arc<Outer>,
    /// Whether a task's every poll has a waker of its own, and the older ones are dead. That is all
    /// that the contract of `Future` promises, and less than most runtimes give.
    strict: bool,
    /// So often, of a hundred polls, a task runs that was not woken.
    spurious: usize,
    watchdog: Pin<Box<Sleep>>,
    polls_at: (Instant, u64),
}

struct Task {
    name: &'static str,
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    slot: Arc<Slot>,
}

#[derive(Debug)]
struct Slot {
    ready: AtomicBool,
    /// The number of the poll whose waker counts.
    poll: AtomicU64,
}

#[derive(Debug, Default)]
struct Outer(Mutex<Option<Waker>>);

#[derive(Debug)]
struct TaskWaker {
    slot: Arc<Slot>,
    outer: Arc<Outer>,
    /// `None`: wakes always.
    poll: Option<u64>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.poll.is_some_and(|poll| poll != self.slot.poll.load(Ordering::Relaxed)) {
            return;
        }
        self.slot.ready.store(true, Ordering::Relaxed);
        if let Some(outer) = &*self.outer.0.lock().unwrap_or_else(PoisonError::into_inner) {
            outer.wake_by_ref();
        }
    }
}

impl World {
    /// Inside a runtime whose clock is paused.
    pub(crate) fn new(mut rng: Rng) -> Self {
        Self {
            tasks: Vec::new(),
            outer: Arc::default(),
            strict: rng.percent(50),
            spurious: rng.pick(&[0, 0, 5, 30]),
            watchdog: Box::pin(sleep(BOUND)),
            polls_at: (Instant::now(), 0),
            rng,
        }
    }

    pub(crate) fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + 'static) {
        let slot = Arc::new(Slot { ready: AtomicBool::new(true), poll: AtomicU64::new(0) });
        self.tasks.push(Task { name, future: Some(Box::pin(task)), slot });
    }

    /// Runs until every task has ended.
    ///
    /// # Panics
    /// If they do not end, or do not rest.
    pub(crate) async fn run(mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    /// One task's turn.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        *self.outer.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        let alive: Vec<_> =
            (0..self.tasks.len()).filter(|at| self.tasks[*at].future.is_some()).collect();
        if alive.is_empty() {
            return Poll::Ready(());
        }
        if self.watchdog.as_mut().poll(cx).is_ready() {
            let names: Vec<_> = alive.iter().map(|at| self.tasks[*at].name).collect();
            panic!("silence: after {} h these still wait: {names:?}", BOUND.as_secs() / 3600);
        }
        let is_ready = |at: &usize| self.tasks[*at].slot.ready.load(Ordering::Relaxed);
        let ready: Vec<_> = alive.iter().copied().filter(is_ready).collect();
        if ready.is_empty() {
            return Poll::Pending;
        }
        let spurious = self.rng.percent(self.spurious);
        let at = self.rng.pick(if spurious { &alive } else { &ready });
        self.run_task(at);
        // The next one in the next poll, so that each has the runtime's whole budget.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn run_task(&mut self, at: usize) {
        let now = Instant::now();
        if self.polls_at.0 != now {
            self.polls_at = (now, 0);
        }
        self.polls_at.1 += 1;
        let task = &mut self.tasks[at];
        assert!(
            self.polls_at.1 < MAX_POLLS_AT_ONCE,
            "{} and others do not come to rest",
            task.name
        );
        if !task.slot.ready.swap(false, Ordering::Relaxed) {
            count("polls of a task that was not woken");
        }
        let poll = task.slot.poll.fetch_add(1, Ordering::Relaxed) + 1;
        let waker = Waker::from(Arc::new(TaskWaker {
            slot: Arc::clone(&task.slot),
            outer: Arc::clone(&self.outer),
            poll: self.strict.then_some(poll),
        }));
        let Some(future) = &mut task.future else { return };
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            note(task.name, || "task ends".into());
            task.future = None;
        }
    }
}

/// When a future is dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// Never: it runs to its end.
    None,
    /// At once if it is not ready at its n-th poll; or if that does not come within a second.
    Polls(usize),
    /// After so long.
    Time(Duration),
}

/// Runs a future as far as the limit lets it; `None` if it was dropped.
pub(crate) async fn limited<F: Future>(limit: Limit, future: F) -> Option<F::Output> {
    let output = match limit {
        Limit::None => Some(future.await),
        Limit::Time(time) => timeout(time, future).await.ok(),
        Limit::Polls(mut polls) => {
            let mut future = pin!(future);
            let polled = poll_fn(|cx| {
                polls -= 1;
                match future.as_mut().poll(cx) {
                    Poll::Ready(output) => Poll::Ready(Some(output)),
                    Poll::Pending if polls == 0 => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                }
            });
            timeout(Duration::from_secs(1), polled).await.ok().flatten()
        }
    };
    if output.is_none() {
        count("futures dropped before their end");
    }
    output
}
