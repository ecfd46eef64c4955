//! What the supervisor tells: the reason, which the program itself often hides.

use std::collections::HashMap;
use std::fmt;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::class::Classified;
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

    /// Something was allowed.
    pub(crate) fn allowed(&self, _: u32, _: Operation, _: SocketAddr, _: &Classified) {}

    /// Something was denied.
    pub(crate) fn denied(&self, _: u32, program: &str, operation: Operation, denied: &Denied) {
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
        let _ = writeln!(std::io::stderr(), "{line}");
        told.retain(|_, at| now.duration_since(*at) < AGAIN);
        if told.len() < MAX_REMEMBERED {
            told.insert(line, now);
        }
    }
}
