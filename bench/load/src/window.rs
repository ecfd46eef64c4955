//! The time in which things count: after the warm-up, and as long as was asked.

use std::collections::BTreeMap;
use std::io;
use std::process;
use std::time::{Duration, Instant};

use bench_common::proc;
use clap::Args;
use serde_json::{Value, json};

#[derive(Args, Clone)]
pub(crate) struct Times {
    /// How long to measure
    #[arg(long, default_value_t = 0.8)]
    pub(crate) seconds: f64,
    /// How long to run before that
    #[arg(long, default_value_t = 0.3)]
    pub(crate) warmup: f64,
}

/// The measuring window.
pub(crate) struct Window {
    pid: u32,
    opens: Instant,
    lasts: Duration,
    before: Option<Before>,
}

struct Before {
    at: Instant,
    server: BTreeMap<u32, u64>,
    load: BTreeMap<u32, u64>,
}

/// What the clock says.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    Same,
    /// The window has just opened: count from here.
    Opened,
    /// It is over.
    Over,
}

impl Window {
    pub(crate) fn new(pid: u32, times: &Times) -> Self {
        Self {
            pid,
            opens: Instant::now() + Duration::from_secs_f64(times.warmup),
            lasts: Duration::from_secs_f64(times.seconds),
            before: None,
        }
    }

    pub(crate) fn look(&mut self, now: Instant) -> io::Result<Phase> {
        match &self.before {
            Some(before) if now >= before.at + self.lasts => Ok(Phase::Over),
            None if now >= self.opens => {
                let (server, load) = (proc::cpu(self.pid)?, proc::cpu(process::id())?);
                self.before = Some(Before { at: Instant::now(), server, load });
                Ok(Phase::Opened)
            }
            _ => Ok(Phase::Same),
        }
    }

    /// What the window saw, apart from what the caller counted.
    pub(crate) fn json(&self) -> io::Result<Value> {
        let before = self.before.as_ref().ok_or_else(|| io::Error::other("never measured"))?;
        let server = proc::cpu_since(self.pid, &before.server)?;
        let load = proc::cpu_since(process::id(), &before.load)?;
        Ok(json!({
            "seconds": before.at.elapsed().as_secs_f64(),
            "cpu_ns": server.iter().sum::<u64>(),
            "cpu_ns_by_thread": server,
            "load_cpu_ns": load.iter().sum::<u64>(),
        }))
    }
}
