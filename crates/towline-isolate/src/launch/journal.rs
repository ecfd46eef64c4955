//! What the supervisor tells: the reason, which the program itself often hides.

use std::collections::HashMap;
use std::fmt;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::policy::Denied;

/// What a program tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// To connect.
    Connect,
    /// To send a datagram.
    Send,
    /// To listen for others.
    Listen,
    /// To take a connection from a peer.
    Accept,
    /// To have a name resolved.
    Resolve,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::Send => "send",
            Self::Listen => "listen",
            Self::Accept => "accept",
            Self::Resolve => "resolve",
        })
    }
}

/// Where decisions are told.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    quiet: bool,
    told: Mutex<HashMap<String, Instant>>,
}

/// A program that tries again and again is told of as often as this.
const AGAIN: Duration = Duration::from_secs(10);

/// More different reasons than this are told each time: what is remembered has an end.
const MAX_REMEMBERED: usize = 1024;

impl Journal {
    /// A journal that tells denials on standard error, unless it is quiet.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, ..Self::default() }
    }

    /// Something was denied.
    pub(crate) fn denied(&self, program: &str, operation: Operation, denied: &Denied) {
        self.tell(format!("towline: {program}: {operation}: {denied}"));
    }

    /// Something was refused that no rule is about.
    pub(crate) fn refused(&self, program: &str, operation: Operation, why: &str) {
        self.tell(format!("towline: {program}: {operation}: {why}"));
    }

    fn tell(&self, line: String) {
        if self.quiet {
            return;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if told.get(&line).is_some_and(|at| now.duration_since(*at) < AGAIN) {
            return;
        }
        write_at_once(&format!("{line}\n"));
        told.retain(|_, at| now.duration_since(*at) < AGAIN);
        if told.len() < MAX_REMEMBERED {
            told.insert(line, now);
        }
    }
}

/// Writes to standard error what can be written without waiting: the program's calls wait meanwhile.
fn write_at_once(line: &str) {
    let mut error = std::io::stderr();
    let writable = {
        let mut one = [PollFd::new(&error, PollFlags::OUT)];
        let looked = poll(&mut one, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        looked.is_ok() && one[0].revents().contains(PollFlags::OUT)
    };
    if writable {
        // `pipe(7)`: so much is written whole, or not at all.
        let _ = error.write_all(&line.as_bytes()[..line.len().min(PIPE_BUF)]);
    }
}

/// What a pipe that can be written to has room for.
const PIPE_BUF: usize = 4096;
