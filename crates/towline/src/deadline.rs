//! Waiting no longer than a deadline, if there is one.

use std::time::{Duration, Instant};

use tokio::time::timeout_at;

/// So long from now; `None` if that is beyond all time, as `Duration::MAX` is.
pub(crate) fn after(limit: Duration) -> Option<Instant> {
    tokio::time::Instant::now().into_std().checked_add(limit)
}

/// The earlier of two deadlines, of which either may be none.
pub(crate) fn sooner(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

/// Waits for something; `None` if the deadline comes first.
pub(crate) async fn until<T>(
    deadline: Option<Instant>,
    done: impl Future<Output = T>,
) -> Option<T> {
    match deadline {
        None => Some(done.await),
        Some(deadline) => timeout_at(deadline.into(), done).await.ok(),
    }
}
