//! How a transfer gets on: a bar on a terminal, and a line when it is over.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::print::{rate, size, time};
use crate::tally::Tally;

/// A transfer that is over within this time needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A transfer on its way: counts, hashes and shows what goes by.
#[derive(Debug)]
pub(crate) struct Progress {
    tally: Tally,
    begun: Instant,
    total: Option<u64>,
    bar: Bar,
}

#[derive(Debug)]
enum Bar {
    /// Nobody looks.
    Never,
    /// Not for the moment.
    NotYet,
    Shown(ProgressBar),
}

/// A transfer that is over.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) time: Duration,
}

impl Progress {
    pub(crate) fn new(total: Option<u64>) -> Self {
        let bar = if stderr().is_terminal() { Bar::NotYet } else { Bar::Never };
        Self { tally: Tally::default(), begun: Instant::now(), total, bar }
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.tally.add(bytes);
        match &self.bar {
            Bar::Never => {}
            Bar::NotYet if self.begun.elapsed() < PATIENCE => {}
            Bar::NotYet => self.bar = Bar::Shown(bar(self.total, self.begun)),
            Bar::Shown(bar) => bar.set_position(self.tally.bytes()),
        }
    }

    pub(crate) fn finish(self) -> Done {
        let time = self.begun.elapsed();
        Done { bytes: self.tally.bytes(), sha256: self.tally.sha256(), time }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Self::Shown(bar) = self {
            bar.finish_and_clear();
        }
    }
}

impl Done {
    /// `sent 64.00 MiB in 1.20 s, 53.3 MiB/s, SHA-256 …`
    pub(crate) fn line(&self, what: &str) -> String {
        let (bytes, took) = (size(self.bytes), time(self.time));
        let rate = rate(self.bytes, self.time);
        format!("{what} {bytes} in {took}, {rate}, SHA-256 {}", self.sha256)
    }

    pub(crate) fn json(&self, what: &str) -> serde_json::Value {
        let seconds = self.time.as_secs_f64();
        let (bytes, sha256) = (self.bytes, &self.sha256);
        serde_json::json!({
            "v": 1, "type": what, "bytes": bytes, "sha256": sha256, "seconds": seconds,
        })
    }
}

fn bar(total: Option<u64>, begun: Instant) -> ProgressBar {
    let (template, bar) = match total {
        Some(total) => (
            "{wide_bar} {percent}%  {binary_bytes} of {binary_total_bytes}  {binary_bytes_per_sec}  {eta} left",
            ProgressBar::new(total),
        ),
        None => ("{spinner} {binary_bytes}  {binary_bytes_per_sec}", ProgressBar::no_length()),
    };
    let style = ProgressStyle::with_template(template).expect("the template is well-formed");
    let bar = bar.with_style(style).with_elapsed(begun.elapsed());
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar
}
