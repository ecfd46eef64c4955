//! Whether what was sent has arrived: a ping behind it that is answered says so.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// Asks whether what was sent has arrived.
///
/// As long as something is not confirmed it asks again and again: a peer may answer the newest of
/// several pings alone (RFC 6455 §5.5.3), and that may be one of the keepalive's.
#[derive(Debug)]
pub(super) struct Confirm {
    interval: Option<Duration>,
    /// The last message before the newest ping.
    asked: u64,
    /// Before the next one.
    wait: Option<Pin<Box<Sleep>>>,
}

impl Confirm {
    pub(super) fn new(interval: Option<Duration>) -> Self {
        Self { interval, asked: 0, wait: None }
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
        if confirmed == written {
            return None;
        }
        if let Some(wait) = &mut self.wait
            && wait.as_mut().poll(cx) == Poll::Pending
        {
            return None;
        }
        let mut wait = Box::pin(sleep(interval));
        // So that it wakes whoever waits for an answer that never comes.
        let _ = wait.as_mut().poll(cx);
        (self.wait, self.asked) = (Some(wait), written);
        Some(payload(written))
    }

    /// The last message that has arrived, by this pong; `None` if it says nothing of them.
    pub(super) fn heard(&self, pong: &[u8]) -> Option<u64> {
        let number = pong.strip_prefix(MARK)?.try_into().ok()?;
        Some(u64::from_be_bytes(number)).filter(|number| *number <= self.asked)
    }
}

/// As long as no ping of the keepalive's.
fn payload(written: u64) -> [u8; 12] {
    let mut payload = [0; 12];
    payload[..4].copy_from_slice(MARK);
    payload[4..].copy_from_slice(&written.to_be_bytes());
    payload
}

const MARK: &[u8; 4] = b"sent";
