//! How long messages took.

use std::collections::VecDeque;
use std::io;
use std::time::Instant;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// When the messages of one connection were sent, batch by batch.
#[derive(Debug, Default)]
pub(crate) struct Sent(VecDeque<(u64, Instant)>);

impl Sent {
    pub(crate) fn push(&mut self, messages: u64, now: Instant) {
        self.0.push_back((messages, now));
    }

    /// So many came back.
    pub(crate) fn done(&mut self, mut messages: u64, now: Instant, into: &mut Latencies) {
        while messages > 0 {
            let Some((left, sent)) = self.0.front_mut() else { break };
            let count = messages.min(*left);
            into.record(now.duration_since(*sent).as_nanos(), count);
            *left -= count;
            messages -= count;
            if *left == 0 {
                self.0.pop_front();
            }
        }
    }
}

/// All latencies of a window.
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> io::Result<Self> {
        Histogram::new(3).map(Self).map_err(io::Error::other)
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn record(&mut self, nanos: u128, count: u64) {
        // Beyond 64 bits it would be centuries.
        let _ = self.0.record_n(u64::try_from(nanos).unwrap_or(u64::MAX), count);
    }

    /// In microseconds.
    pub(crate) fn json(&self) -> Value {
        let at = |quantile| {
            let nanos = self.0.value_at_quantile(quantile);
            f64::from(u32::try_from(nanos / 10).unwrap_or(u32::MAX)) / 100.0
        };
        json!({ "p50": at(0.5), "p99": at(0.99), "p999": at(0.999) })
    }
}
