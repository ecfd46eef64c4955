//! The connections that a server has: how many, from where, and the word that they should end.

use std::collections::HashMap;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

/// Counts a server's connections, holds them to limits, and tells them when to end.
#[derive(Debug)]
pub(crate) struct Registry {
    phase: AtomicU8,
    connections: Mutex<Connections>,
    /// Rings whenever a connection has gone.
    gone: Notify,
    max_total: usize,
    max_per_address: usize,
}

#[derive(Debug, Default)]
struct Connections {
    next_id: u64,
    wakers: HashMap<u64, Arc<Mutex<Option<Waker>>>>,
    per_address: HashMap<IpAddr, usize>,
}

/// What a server wants of its connections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// Go on.
    Running,
    /// Close with 1001.
    Closing,
    /// The deadline has passed: end at once.
    Aborting,
}

impl Phase {
    const fn to_u8(self) -> u8 {
        match self {
            Self::Running => 0,
            Self::Closing => 1,
            Self::Aborting => 2,
        }
    }

    const fn from_u8(number: u8) -> Self {
        match number {
            0 => Self::Running,
            1 => Self::Closing,
            _ => Self::Aborting,
        }
    }
}

/// Why a connection is one too many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Full {
    /// The server has as many as it may have.
    Total,
    /// The address has as many as one may have.
    Address,
}

impl Registry {
    pub(crate) fn new(max_total: usize, max_per_address: usize) -> Arc<Self> {
        Arc::new(Self {
            phase: AtomicU8::new(Phase::Running.to_u8()),
            connections: Mutex::default(),
            gone: Notify::new(),
            max_total,
            max_per_address,
        })
    }

    /// Enters a connection; it leaves when the registration is dropped.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Registration, Full> {
        let mut connections = self.lock();
        if connections.wakers.len() >= self.max_total {
            return Err(Full::Total);
        }
        let from_there = connections.per_address.entry(address).or_default();
        if *from_there >= self.max_per_address {
            return Err(Full::Address);
        }
        *from_there += 1;
        let id = connections.next_id;
        connections.next_id += 1;
        let waker = Arc::default();
        connections.wakers.insert(id, Arc::clone(&waker));
        Ok(Registration { registry: Arc::clone(self), id, address, waker })
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase::from_u8(self.phase.load(Ordering::Acquire))
    }

    /// Tells every connection, now and to come.
    pub(crate) fn tell(&self, phase: Phase) {
        self.phase.store(phase.to_u8(), Ordering::Release);
        let wakers: Vec<_> = self.lock().wakers.values().map(Arc::clone).collect();
        for waker in wakers {
            let waker = waker.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().wakers.len()
    }

    /// Returns once no connection is left.
    pub(crate) async fn empty(&self) {
        loop {
            let gone = self.gone.notified();
            if self.len() == 0 {
                return;
            }
            gone.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place among a server's.
#[derive(Debug)]
pub(crate) struct Registration {
    registry: Arc<Registry>,
    id: u64,
    address: IpAddr,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl Registration {
    /// What the server wants, and a promise to wake `cx` when that changes.
    pub(crate) fn poll_phase(&self, cx: &Context<'_>) -> Phase {
        {
            let mut waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
            if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                *waker = Some(cx.waker().clone());
            }
        }
        // Looked at after the waker is in place: a change in between is seen or rings.
        self.registry.phase()
    }

    /// Returns once the server cuts its connections off.
    pub(crate) async fn aborted(&self) {
        poll_fn(|cx| match self.poll_phase(cx) {
            Phase::Running | Phase::Closing => Poll::Pending,
            Phase::Aborting => Poll::Ready(()),
        })
        .await;
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        {
            let mut connections = self.registry.lock();
            connections.wakers.remove(&self.id);
            if let Some(count) = connections.per_address.get_mut(&self.address) {
                *count -= 1;
                if *count == 0 {
                    connections.per_address.remove(&self.address);
                }
            }
        }
        self.registry.gone.notify_waiters();
    }
}
