//! What a stream has at hand, without waiting for more.

use std::future::poll_fn;
use std::task::Poll;

use futures_util::{Stream, StreamExt};

/// The next item, if it is there already.
pub(crate) async fn at_hand<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    // With the task's own waker: whoever waits next for the same thing is woken as he should be.
    poll_fn(|cx| match stream.poll_next_unpin(cx) {
        Poll::Ready(item) => Poll::Ready(item),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
