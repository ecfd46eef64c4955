//! What happened, by way of talking, and the first things that were wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Failures that are told in full.
const TOLD: usize = 5;

#[derive(Debug, Default)]
pub(crate) struct Tally {
    ways: Mutex<BTreeMap<&'static str, Counts>>,
    failures: Mutex<Vec<String>>,
    failed: AtomicBool,
}

#[derive(Debug, Default)]
struct Counts {
    connections: u64,
    messages: u64,
    bytes: u64,
}

impl Tally {
    /// A message came back as it was sent.
    pub(crate) fn message(&self, way: &'static str, len: usize) {
        let mut ways = lock(&self.ways);
        let counts = ways.entry(way).or_default();
        counts.messages += 1;
        counts.bytes += u64::try_from(len).unwrap_or_default();
    }

    /// A connection has ended.
    pub(crate) fn ended(&self, way: &'static str, result: Result<(), String>) {
        lock(&self.ways).entry(way).or_default().connections += 1;
        if let Err(why) = result {
            lock(&self.failures).push(why);
            self.failed.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn connections(&self) -> u64 {
        lock(&self.ways).values().map(|counts| counts.connections).sum()
    }

    pub(crate) fn messages(&self) -> u64 {
        lock(&self.ways).values().map(|counts| counts.messages).sum()
    }

    /// Whether all went well, and there was something to go.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        let failures = lock(&self.failures);
        if !failures.is_empty() {
            let told: Vec<_> = failures.iter().take(TOLD).map(String::as_str).collect();
            return Err(format!("{} connections failed:\n  {}", failures.len(), told.join("\n  ")));
        }
        if self.messages() == 0 {
            return Err("nothing was sent".into());
        }
        Ok(())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<26}{:>12}{:>12}{:>12}", "way", "connections", "messages", "MiB")?;
        for (way, counts) in &*lock(&self.ways) {
            let Counts { connections, messages, bytes } = counts;
            writeln!(f, "{way:<26}{connections:>12}{messages:>12}{:>12}", bytes >> 20)?;
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
