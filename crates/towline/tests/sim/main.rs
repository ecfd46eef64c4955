//! Two sockets of ours over a simulated byte stream, on virtual time, with faults: ten thousand
//! lives of a connection in a minute, each from a seed.
//!
//! What arrives is what was sent, in order and once, until one error or a normal end; and nobody
//! waits for ever. What each function promises about being cancelled is what decides whether a
//! message may, must or must not arrive.
//!
//! `SEEDS=10000` runs so many, `FIRST=n` from another one on, `SEED=n` one alone with all that
//! happened in it.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report, helpers included")]

mod ledger;
mod link;
mod messages;
mod payload;
mod player;
mod proto;
mod rng;
mod scenario;
mod streams;
mod trace;
mod weather;
mod world;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

/// What an ordinary `cargo test` runs.
const SOME: u64 = 300;

/// What must have happened in a run of [`SOME`] seeds: otherwise it tests less than it says.
const SIGHTS: &[&str] = &[
    "black holes",
    "clock jumps",
    "closes",
    "ends: closed",
    "ends: disconnected",
    "ends: timed out",
    "feeds cancelled",
    "fragments cancelled",
    "fragments received",
    "futures dropped before their end",
    "half-closes",
    "messages abandoned",
    "messages received",
    "messages sent in fragments",
    "messages skipped half-way",
    "messages streamed",
    "messages streamed in one frame",
    "pings whose pong is awaited",
    "polls of a task that was not woken",
    "proto: closing frames received",
    "proto: deadlines passed",
    "proto: messages received",
    "proto: wires cut",
    "replies from within a batch",
    "resets",
    "resets by unread bytes",
    "runs on a sound link",
    "runs with faults",
    "sends cancelled",
    "sends refused after a close",
    "write errors",
    "writes cancelled",
];

#[test]
fn what_was_sent_arrives_or_the_connection_ends() {
    keep_panics();
    if let Some(seed) = number("SEED") {
        let (result, trace) = with_trace(seed);
        println!("{}", trace.join("\n"));
        if let Err(why) = result {
            panic!("seed {seed}: {why}");
        }
        println!("seed {seed}: nothing is wrong");
        return;
    }
    let first = number("FIRST").unwrap_or(0);
    let seeds = number("SEEDS").unwrap_or(SOME);
    let begin = Instant::now();
    let (failed, counts) = run_all(first, seeds);
    if let Some(seed) = failed.first() {
        let (result, trace) = with_trace(*seed);
        let last = &trace[trace.len().saturating_sub(60)..];
        println!("the last of {} lines:\n{}", trace.len(), last.join("\n"));
        let why = result.err().unwrap_or_else(|| "it passes the second time".into());
        panic!(
            "seed {seed} fails ({} of {seeds} do): {why}\n\
             all that happened: SEED={seed} cargo test -p towline --test sim what_was -- --nocapture",
            failed.len()
        );
    }
    for (what, count) in &counts {
        println!("{count:>10}  {what}");
    }
    if seeds >= SOME {
        let missing: Vec<_> = SIGHTS.iter().filter(|what| !counts.contains_key(**what)).collect();
        assert!(missing.is_empty(), "this never happened: {missing:?}");
    }
    println!("{seeds} seeds from {first} in {:.0} s, no failure", begin.elapsed().as_secs_f64());
}

#[test]
fn a_seed_gives_the_same_twice() {
    keep_panics();
    for seed in 0..20 {
        let (first, second) = (with_trace(seed), with_trace(seed));
        assert!(first.1.len() > 3, "there is a trace");
        assert_eq!(first, second, "seed {seed}");
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// Runs these seeds on all processors; those that fail, and how often each thing happened.
fn run_all(first: u64, seeds: u64) -> (Vec<u64>, BTreeMap<&'static str, u64>) {
    // All of them, to tell how common a fault is; not many more once one has failed.
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let keep_going = std::env::var_os("KEEP_GOING").is_some();
    let work = || {
        let mut failed = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= seeds {
                break;
            }
            if let Err(why) = run(first + at) {
                println!("seed {}: {why}", first + at);
                failed.push(first + at);
                stop.store(!keep_going, Ordering::Relaxed);
            }
        }
        (failed, trace::take_counts())
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let results: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut all = (Vec::new(), BTreeMap::new());
    for (failed, counts) in results {
        all.0.extend(failed);
        for (what, count) in counts {
            *all.1.entry(what).or_default() += count;
        }
    }
    all.0.sort_unstable();
    all
}

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Has a panic in a run say what it says to us; the others are the test's.
fn keep_panics() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !RUNNING.get() {
            return usual(info);
        }
        PANIC.set(Some(info.to_string()));
    }));
}

fn run(seed: u64) -> Result<(), String> {
    RUNNING.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        proto::run(seed);
        scenario::run(seed);
    }));
    RUNNING.set(false);
    result.map_err(|_| PANIC.take().unwrap_or_default())
}

fn with_trace(seed: u64) -> (Result<(), String>, Vec<String>) {
    trace::keep(true);
    let result = run(seed);
    let trace = trace::take();
    trace::keep(false);
    (result, trace)
}
