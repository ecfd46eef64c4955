//! What happened in a run, for people: kept only when a seed runs again because it failed. And how
//! often each thing happened, so that a run that tests nothing is noticed.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use tokio::time::Instant;

thread_local! {
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
    static COUNTS: RefCell<BTreeMap<&'static str, u64>> = const { RefCell::new(BTreeMap::new()) };
}

/// Begins to keep lines, or to drop them.
pub(crate) fn keep(lines: bool) {
    LINES.set(lines.then(Vec::new));
    START.set(None);
}

pub(crate) fn starts_now() {
    START.set(Some(Instant::now()));
}

pub(crate) fn take() -> Vec<String> {
    LINES.take().unwrap_or_default()
}

/// Adds a line, if they are kept.
pub(crate) fn note(who: &str, what: impl FnOnce() -> String) {
    LINES.with_borrow_mut(|lines| {
        if let Some(lines) = lines {
            let time = START.get().map_or(0.0, |start| start.elapsed().as_secs_f64());
            lines.push(format!("{time:>11.3} s  {who:<13}{}", what()));
        }
    });
}

/// Counts something that happened.
pub(crate) fn count(what: &'static str) {
    COUNTS.with_borrow_mut(|counts| *counts.entry(what).or_default() += 1);
}

pub(crate) fn take_counts() -> BTreeMap<&'static str, u64> {
    COUNTS.take()
}
