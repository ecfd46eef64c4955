//! Changes of state, for whoever wants to know.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use super::state::LinkState;

/// Most changes that wait for a slow reader.
const MAX_CHANGES: usize = 16;

/// What a [`LinkStates`] gives.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LinkChange {
    /// It is in this state now, or was at that time.
    State(LinkState),
    /// So many changes were not read in time, and are forgotten. The next is the oldest that is not.
    Missed(u64),
}

/// The changes of state of a connection that comes back, as a [`Stream`].
///
/// It begins with the state in which it is, and ends with the connection. Nothing waits for whoever
/// reads it: of what is not read the newest 16 are kept, and [`LinkChange::Missed`] says so.
pub struct LinkStates {
    shared: Arc<Shared>,
    /// The number of the next change.
    next: u64,
    /// Which reader it is.
    id: u64,
}

impl fmt::Debug for LinkStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkStates").field("next", &self.next).finish_non_exhaustive()
    }
}

impl LinkStates {
    /// The next change; `None` once the connection is over, or dropped.
    ///
    /// # Cancel safety
    /// Safe: no change is lost.
    pub async fn next(&mut self) -> Option<LinkChange> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for LinkStates {
    type Item = LinkChange;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<LinkChange>> {
        let this = &mut *self;
        let mut board = this.shared.lock();
        if this.next < board.first {
            let missed = board.first - this.next;
            this.next = board.first;
            return Poll::Ready(Some(LinkChange::Missed(missed)));
        }
        let at = usize::try_from(this.next - board.first).unwrap_or(usize::MAX);
        if let Some(state) = board.changes.get(at) {
            this.next += 1;
            return Poll::Ready(Some(LinkChange::State(state.clone())));
        }
        if board.over {
            return Poll::Ready(None);
        }
        // In place of the one before: who waits may be another task each time.
        let before = board.forget(this.id);
        board.readers.push((this.id, cx.waker().clone()));
        drop(board);
        drop(before);
        Poll::Pending
    }
}

impl Drop for LinkStates {
    fn drop(&mut self) {
        let mut board = self.shared.lock();
        let waker = board.forget(self.id);
        drop(board);
        drop(waker);
    }
}

/// Where the changes are told.
#[derive(Debug)]
pub(super) struct Told(Arc<Shared>);

#[derive(Debug)]
struct Shared(Mutex<Board>);

#[derive(Debug)]
struct Board {
    /// The newest changes, the last of which is the state.
    changes: VecDeque<LinkState>,
    /// The number of the first of them.
    first: u64,
    over: bool,
    /// Those that wait, each with its number.
    readers: Vec<(u64, Waker)>,
    /// The number of the next reader.
    next_reader: u64,
}

impl Board {
    /// The waker of a reader that waits. With it a task may go, and what that holds: let it go when the
    /// lock is free.
    fn forget(&mut self, reader: u64) -> Option<Waker> {
        let at = self.readers.iter().position(|(id, _)| *id == reader)?;
        Some(self.readers.swap_remove(at).1)
    }
}

impl Told {
    pub(super) fn new(state: LinkState) -> Self {
        let changes = VecDeque::from([state]);
        let board = Board { changes, first: 0, over: false, readers: Vec::new(), next_reader: 0 };
        Self(Arc::new(Shared(Mutex::new(board))))
    }

    pub(super) fn tell(&self, state: LinkState) {
        self.0.wake(|board| {
            board.over = matches!(state, LinkState::Ended { .. });
            if board.changes.len() == MAX_CHANGES {
                board.changes.pop_front();
                board.first += 1;
            }
            board.changes.push_back(state);
        });
    }

    pub(super) fn state(&self) -> LinkState {
        self.0.lock().changes.back().cloned().expect("there is one from the beginning")
    }

    pub(super) fn reader(&self) -> LinkStates {
        let mut board = self.0.lock();
        let kept = u64::try_from(board.changes.len()).unwrap_or(u64::MAX);
        let id = board.next_reader;
        board.next_reader += 1;
        LinkStates { shared: Arc::clone(&self.0), next: board.first + kept - 1, id }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.0.wake(|board| board.over = true);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, change: impl FnOnce(&mut Board)) {
        let mut board = self.lock();
        change(&mut board);
        let readers = std::mem::take(&mut board.readers);
        drop(board);
        readers.into_iter().for_each(|(_, reader)| reader.wake());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconnect::state::Why;

    async fn next(states: &mut LinkStates) -> Option<String> {
        states.next().await.map(|change| match change {
            LinkChange::State(LinkState::Connecting { attempt }) => attempt.to_string(),
            LinkChange::State(state) => format!("{state:?}"),
            LinkChange::Missed(missed) => format!("missed {missed}"),
        })
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_what_it_missed_and_sees_the_newest() {
        let told = Told::new(LinkState::Connecting { attempt: 0 });
        let mut states = told.reader();
        for attempt in 1..=20 {
            told.tell(LinkState::Connecting { attempt });
        }
        assert_eq!(next(&mut states).await.unwrap(), "missed 5");
        assert_eq!(next(&mut states).await.unwrap(), "5");
        // A new one begins with what is.
        let mut late = told.reader();
        assert_eq!(next(&mut late).await.unwrap(), "20");
        told.tell(LinkState::Ended { why: Why::ClosedByUs });
        assert!(next(&mut late).await.unwrap().contains("ClosedByUs"));
        assert_eq!(next(&mut late).await, None);
        for attempt in 6..=20 {
            assert_eq!(next(&mut states).await, Some(attempt.to_string()));
        }
        assert!(next(&mut states).await.unwrap().contains("Ended"));
        assert_eq!(next(&mut states).await, None);
    }

    /// A future in a set of them has another waker each time that it is put there.
    #[tokio::test]
    async fn only_the_last_task_that_waited_is_kept() {
        let told = Told::new(LinkState::Connected);
        let mut states = told.reader();
        next(&mut states).await.unwrap();
        let tasks: Vec<_> = (0..9).map(|_| Arc::new(Task)).collect();
        for task in &tasks {
            let waker = Waker::from(Arc::clone(task));
            let polled = Pin::new(&mut states).poll_next(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
        }
        let kept = |task: &Arc<Task>| Arc::strong_count(task) > 1;
        assert_eq!(tasks.iter().filter(|task| kept(task)).count(), 1);
        assert!(kept(&tasks[8]));
        drop(states);
        assert!(!kept(&tasks[8]));
    }

    struct Task;

    impl std::task::Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_a_change_and_by_the_end() {
        let told = Told::new(LinkState::Connected);
        let (mut one, mut other) = (told.reader(), told.reader());
        next(&mut one).await.unwrap();
        next(&mut other).await.unwrap();
        let waiting = tokio::spawn(async move { (next(&mut one).await, next(&mut one).await) });
        let also = tokio::spawn(async move { next(&mut other).await });
        tokio::task::yield_now().await;
        told.tell(LinkState::Connecting { attempt: 3 });
        tokio::task::yield_now().await;
        drop(told);
        assert_eq!(waiting.await.unwrap(), (Some("3".to_owned()), None));
        assert_eq!(also.await.unwrap(), Some("3".to_owned()));
    }
}
