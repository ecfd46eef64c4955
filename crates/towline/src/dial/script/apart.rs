//! Threads for what may never end: nobody waits for them, and there are only so many.
//!
//! Not tokio's for what blocks. A runtime that is dropped waits for those, and what a script looks up may
//! need one of them.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot};

use crate::deadline::{after, sooner, until};

/// Most threads at a time, in this process. A script can keep its own for ever: the engine asks whether to
/// stop only between steps, and a step may be as long as the script likes. Most scripts take a millisecond.
pub(super) const MAX_THREADS: usize = 16;

/// Stack of one: the engine may use a part of it, and what it calls of ours the rest.
const STACK_BYTES: usize = 2 << 20;

/// Those that may still begin.
static FREE: Semaphore = Semaphore::const_new(MAX_THREADS);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Stuck {
    /// No thread came free in time.
    Busy,
    /// It goes on, and nobody waits for it.
    Late,
    Failed(io::Error),
}

/// Does something in a thread of its own. That may begin within the limit, then it may take as long; all
/// of it is given up at the deadline.
pub(super) async fn apart<T: Send + 'static>(
    limit: Duration,
    deadline: Option<Instant>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Stuck> {
    let begun = until(sooner(after(limit), deadline), FREE.acquire()).await;
    let place = begun.ok_or(Stuck::Busy)?.expect("it is never closed");
    let (tell, told) = oneshot::channel();
    let thread = thread::Builder::new().name("towline-script".to_owned()).stack_size(STACK_BYTES);
    let spawned = thread.spawn(move || {
        // Until it ends, whoever waits by then.
        let _place = place;
        tell.send(work()).ok();
    });
    spawned.map_err(Stuck::Failed)?;
    let told = until(sooner(after(limit), deadline), told).await.ok_or(Stuck::Late)?;
    told.map_err(|_| Stuck::Failed(io::Error::other("its thread ended without an answer")))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn threads_are_bounded_and_come_free() {
        let limit = Duration::from_millis(100);
        let mut ends = Vec::new();
        for _ in 0..MAX_THREADS {
            let (end, ended) = mpsc::channel::<()>();
            let late = apart(limit, None, move || ended.recv().is_err()).await;
            assert!(matches!(late, Err(Stuck::Late)), "{late:?}");
            ends.push(end);
        }
        let busy = apart(limit, None, || ()).await;
        assert!(matches!(busy, Err(Stuck::Busy)), "{busy:?}");
        let busy = apart(Duration::MAX, after(limit), || ()).await;
        assert!(matches!(busy, Err(Stuck::Busy)), "{busy:?}");
        ends.pop();
        let done = apart(Duration::from_secs(10), None, || 7).await;
        assert!(matches!(done, Ok(7)), "{done:?}");
        // One that panics gives its place back, too.
        drop(ends);
        for _ in 0..=MAX_THREADS {
            let failed = apart(Duration::from_secs(10), None, || panic!("on purpose")).await;
            assert!(matches!(failed, Err::<(), _>(Stuck::Failed(_))), "{failed:?}");
        }
    }
}
