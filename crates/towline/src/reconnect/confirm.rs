//! Whether what was sent has arrived: a ping behind it that is answered says so.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Asks whether what was sent has arrived.
#[derive(Debug)]
pub(super) struct Confirm {
    interval: Option<Duration>,
    /// The last message before the ping that is not answered yet.
    asked: Option<u64>,
    /// When to ask at the earliest.
    timer: Option<Pin<Box<Sleep>>>,
    last: Option<Instant>,
}

impl Confirm {
    pub(super) fn new(interval: Option<Duration>) -> Self {
        Self { interval, asked: None, timer: None, last: None }
    }

    /// There is another connection now.
    pub(super) fn start_again(&mut self) {
        *self = Self::new(self.interval);
    }

    /// The payload of a ping, if one is due, where messages up to `written` are to be confirmed.
    pub(super) fn poll_ask(
        &mut self,
        cx: &mut Context<'_>,
        confirmed: u64,
        written: u64,
    ) -> Option<[u8; 12]> {
        let interval = self.interval?;
        if self.asked.is_some() || confirmed == written {
            return None;
        }
        if let Some(last) = self.last {
            // Beyond all time is never.
            let at = last.checked_add(interval)?;
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
            if timer.as_mut().poll(cx) == Poll::Pending {
                return None;
            }
        }
        (self.timer, self.last, self.asked) = (None, Some(Instant::now()), Some(written));
        Some(payload(written))
    }

    /// The last message that has arrived, by this pong; `None` if it says nothing of them.
    pub(super) fn heard(&mut self, pong: &[u8]) -> Option<u64> {
        self.asked.take_if(|asked| payload(*asked) == pong)
    }
}

/// As long as no ping of the keepalive's.
fn payload(written: u64) -> [u8; 12] {
    let mut payload = *b"sent        ";
    payload[4..].copy_from_slice(&written.to_be_bytes());
    payload
}
