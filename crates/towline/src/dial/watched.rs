//! A look-up that somebody watches.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::resolve::Answers;
use crate::progress::{Progress, Watch};

/// The same answers, told to whoever watches.
pub(super) fn watched(answers: Answers, host: &str, watch: &Watch) -> Answers {
    match watch.is_on() {
        true => Answers::new(Watched { answers, host: host.to_owned(), watch: watch.clone() }),
        false => answers,
    }
}

struct Watched {
    answers: Answers,
    host: String,
    watch: Watch,
}

impl Stream for Watched {
    type Item = io::Result<Vec<SocketAddr>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let answer = ready!(Pin::new(&mut self.answers).poll_next(cx));
        if let Some(Ok(addresses)) = &answer {
            let addresses = addresses.iter().map(SocketAddr::ip).collect();
            self.watch.tell(|| Progress::Resolved { host: self.host.clone(), addresses });
        }
        Poll::Ready(answer)
    }
}
