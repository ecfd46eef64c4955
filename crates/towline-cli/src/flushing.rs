//! Sending what was written at the moment there is nothing more to read.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Poll, ready};

use tokio::io::AsyncWrite;

/// Waits for `next`, and flushes `writer` if it has to wait. An error is the flush's.
///
/// A burst then leaves in one system call, and nothing stays behind when it is over.
pub(crate) async fn flushing<T>(
    next: impl Future<Output = T>,
    writer: &mut (impl AsyncWrite + Unpin),
) -> io::Result<T> {
    let mut next = pin!(next);
    let mut flushed = false;
    poll_fn(|cx| {
        if let Poll::Ready(next) = next.as_mut().poll(cx) {
            return Poll::Ready(Ok(next));
        }
        if !flushed {
            ready!(Pin::new(&mut *writer).poll_flush(cx))?;
            flushed = true;
        }
        Poll::Pending
    })
    .await
}
