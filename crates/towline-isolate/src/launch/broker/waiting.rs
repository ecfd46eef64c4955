//! Calls that wait for something other than our answer.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::Timespec;

use super::errno::Errno;
use crate::sys::{Listener, Notification};

/// A call that waits.
#[derive(Debug)]
pub(super) struct WaitingCall {
    pub(super) notification: Notification,
    /// The socket that it waits for.
    pub(super) source: OwnedFd,
    pub(super) what: Waiting,
    pub(super) deadline: Option<Instant>,
}

/// What it waits for.
#[derive(Debug)]
pub(super) enum Waiting {
    /// That our socket is connected.
    Connection(Connection),
    /// That somebody connects to it.
    Peer(Acceptance),
}

/// A connection that a blocking call waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection {
    pub(super) to: SocketAddr,
}

/// Where the program wants to be told who connected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acceptance {
    pub(super) address: u64,
    pub(super) length: u64,
    pub(super) flags: u32,
}

/// The calls that wait, by their names in the epoll.
#[derive(Debug, Default)]
pub(super) struct WaitingCalls {
    calls: HashMap<u64, WaitingCall>,
    next: u64,
    looked: Option<Instant>,
}

/// How often it is looked whether a call was given up: nothing tells.
const LOOK: Duration = Duration::from_secs(1);

impl WaitingCalls {
    pub(super) fn next_token(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn put(
        &mut self,
        token: u64,
        notification: Notification,
        source: OwnedFd,
        what: Waiting,
        deadline: Option<Instant>,
    ) {
        self.calls.insert(token, WaitingCall { notification, source, what, deadline });
    }

    pub(super) fn take(&mut self, token: u64) -> Option<WaitingCall> {
        self.calls.remove(&token)
    }

    /// How long nothing is to be looked at.
    pub(super) fn timeout(&self, now: Instant) -> Option<Timespec> {
        if self.calls.is_empty() {
            return None;
        }
        let deadlines = self.calls.values().filter_map(|call| call.deadline);
        let wait = deadlines.map(|at| at.saturating_duration_since(now)).fold(LOOK, Duration::min);
        Timespec::try_from(wait).ok()
    }

    /// Those that are over: with an error for those whose time it is, without for those that nobody
    /// waits for.
    pub(super) fn late(&mut self, now: Instant, listener: &Listener) -> Vec<(u64, Option<Errno>)> {
        let look = self.looked.is_none_or(|at| now.duration_since(at) >= LOOK);
        if look {
            self.looked = Some(now);
        }
        let late = |call: &WaitingCall| call.deadline.is_some_and(|at| at <= now);
        self.calls
            .iter()
            .filter_map(|(token, call)| {
                if late(call) {
                    return Some((*token, Some(call.what.too_late())));
                }
                (look && !listener.still_waits(call.notification.id)).then_some((*token, None))
            })
            .collect()
    }
}

impl Waiting {
    /// As `socket(7)` says of SO_SNDTIMEO and SO_RCVTIMEO.
    fn too_late(&self) -> Errno {
        match self {
            Self::Connection(_) => Errno::INPROGRESS,
            Self::Peer(_) => Errno::AGAIN,
        }
    }
}
