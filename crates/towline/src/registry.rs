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
    addresses: Addresses,
    /// Rings whenever a connection has gone.
    gone: Notify,
    max_total: usize,
}

/// A place for each connection, those of `free` left by ones that have gone.
#[derive(Debug, Default)]
struct Connections {
    places: Vec<Waiting>,
    free: Vec<usize>,
}

/// Who waits for a connection's phase to change.
///
/// One waker of each kind, the newest: a waker keeps its task's memory, and a connection may pass
/// through the hands of several tasks.
#[derive(Debug, Default)]
struct Waiting {
    reader: Option<Waker>,
    writers: Option<Waker>,
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
            addresses: Addresses::to(max_per_address),
            gone: Notify::new(),
            max_total,
        })
    }

    /// Enters a connection; it leaves when the registration is dropped.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Registration, Full> {
        let mut connections = self.lock();
        if connections.len() >= self.max_total {
            return Err(Full::Total);
        }
        let address = self.addresses.count(address).ok_or(Full::Address)?;
        let place = connections.take_place();
        drop(connections);
        Ok(Registration { registry: Arc::clone(self), place, address })
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase::from_u8(self.phase.load(Ordering::Acquire))
    }

    /// Tells every connection, now and to come. There is no way back to an earlier phase.
    pub(crate) fn tell(&self, phase: Phase) {
        self.phase.fetch_max(phase.to_u8(), Ordering::AcqRel);
        let waiting: Vec<_> = self.lock().places.iter_mut().map(std::mem::take).collect();
        // Not under the lock: what wakes may poll at once.
        for Waiting { reader, writers } in waiting {
            reader.into_iter().chain(writers).for_each(Waker::wake);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
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

impl Connections {
    fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    fn take_place(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.places.push(Waiting::default());
            self.places.len() - 1
        })
    }
}

/// One connection's place among a server's.
#[derive(Debug)]
pub(crate) struct Registration {
    registry: Arc<Registry>,
    place: usize,
    /// What its address counts as.
    address: u64,
}

impl Registration {
    /// What the server wants now.
    pub(crate) fn phase(&self) -> Phase {
        self.registry.phase()
    }

    /// What the server wants, and a promise to wake the one who reads, or shakes hands.
    pub(crate) fn poll_phase(&self, cx: &Context<'_>) -> Phase {
        self.wait(|waiting| &mut waiting.reader, cx.waker());
        // Looked at after the waker is in place: a change in between is seen or rings.
        self.registry.phase()
    }

    /// The same for those who write, who share one waker.
    pub(crate) fn poll_phase_writing(&self, cx: &Context<'_>) -> Phase {
        self.wait(|waiting| &mut waiting.writers, cx.waker());
        self.registry.phase()
    }

    fn wait(&self, kind: impl FnOnce(&mut Waiting) -> &mut Option<Waker>, waker: &Waker) {
        let mut connections = self.registry.lock();
        let known = kind(&mut connections.places[self.place]);
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            let old = known.replace(waker.clone());
            // Not under the lock: it may be the last hold on a task.
            drop(connections);
            drop(old);
        }
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
        // First: whoever sees that the connection has gone finds room for its address.
        self.registry.addresses.uncount(self.address);
        let mut connections = self.registry.lock();
        let waiting = std::mem::take(&mut connections.places[self.place]);
        connections.free.push(self.place);
        drop(connections);
        // Not under the lock: it may be the last hold on a task.
        drop(waiting);
        self.registry.gone.notify_waiters();
    }
}

/// Counts by address, and holds each to a limit.
#[derive(Debug)]
pub(crate) struct Addresses {
    /// By [`key`].
    counts: Mutex<HashMap<u64, usize>>,
    max_each: usize,
}

impl Addresses {
    pub(crate) fn new(max_each: usize) -> Arc<Self> {
        Arc::new(Self::to(max_each))
    }

    fn to(max_each: usize) -> Self {
        Self { counts: Mutex::default(), max_each }
    }

    /// Counts one more until the guard is dropped; `None` if that is one too many.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<AddressGuard> {
        let key = self.count(address)?;
        Some(AddressGuard { addresses: Arc::clone(self), key })
    }

    /// Counts one more, and says as what; `None` if that is one too many.
    fn count(&self, address: IpAddr) -> Option<u64> {
        let key = key(address);
        let mut counts = self.lock();
        if counts.get(&key).copied().unwrap_or(0) >= self.max_each {
            return None;
        }
        *counts.entry(key).or_default() += 1;
        Some(key)
    }

    /// Counts one less.
    fn uncount(&self, key: u64) {
        let mut counts = self.lock();
        if let Some(count) = counts.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What counts as one address: for IPv6 the first 64 bits, since whoever has one has them all.
fn key(address: IpAddr) -> u64 {
    match address.to_canonical() {
        // RFC 4291 §2.4: where no network of IPv6 can be, 0000::/8 is reserved.
        IpAddr::V4(address) => 0xFFFF_0000_0000 | u64::from(address.to_bits()),
        IpAddr::V6(address) => {
            let [a, b, c, d, e, f, g, h, ..] = address.octets();
            u64::from_be_bytes([a, b, c, d, e, f, g, h])
        }
    }
}

/// One that is counted.
#[derive(Debug)]
pub(crate) struct AddressGuard {
    addresses: Arc<Addresses>,
    key: u64,
}

impl Drop for AddressGuard {
    fn drop(&mut self) {
        self.addresses.uncount(self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_phase_is_never_set_back() {
        let registry = Registry::new(1, 1);
        registry.tell(Phase::Aborting);
        registry.tell(Phase::Closing);
        assert_eq!(registry.phase(), Phase::Aborting);
    }

    #[test]
    fn reader_and_writers_are_woken_once() {
        let registry = Registry::new(1, 1);
        let registration = registry.enter(address("127.0.0.1")).unwrap();
        let [reader, writers]: [Arc<Count>; 2] = Default::default();
        for _ in 0..3 {
            let waker = Waker::from(Arc::clone(&reader));
            assert_eq!(registration.poll_phase(&Context::from_waker(&waker)), Phase::Running);
            let waker = Waker::from(Arc::clone(&writers));
            let phase = registration.poll_phase_writing(&Context::from_waker(&waker));
            assert_eq!(phase, Phase::Running);
        }
        registry.tell(Phase::Closing);
        assert_eq!(reader.0.load(Ordering::Relaxed), 1);
        assert_eq!(writers.0.load(Ordering::Relaxed), 1);
    }

    /// Otherwise every idle connection keeps the task that did its handshake.
    #[test]
    fn the_waker_of_a_task_that_has_gone_is_let_go() {
        let registry = Registry::new(1, 1);
        let registration = registry.enter(address("127.0.0.1")).unwrap();
        let gone = Arc::new(Count::default());
        registration.poll_phase(&Context::from_waker(&Waker::from(Arc::clone(&gone))));
        assert_eq!(Arc::strong_count(&gone), 2);
        registration.poll_phase(&Context::from_waker(Waker::noop()));
        assert_eq!(Arc::strong_count(&gone), 1);
    }

    #[test]
    fn one_turned_away_leaves_nothing_behind() {
        let registry = Registry::new(1, 0);
        assert_eq!(registry.enter(address("127.0.0.1")).err(), Some(Full::Address));
        assert!(registry.addresses.lock().is_empty());
        assert_eq!(registry.len(), 0);
    }

    #[test]
    fn ipv6_is_counted_by_its_first_64_bits() {
        let addresses = Addresses::new(1);
        let first = addresses.enter(address("2001:db8::1")).unwrap();
        assert!(addresses.enter(address("2001:db8::ffff:0:0:2")).is_none());
        let _other = addresses.enter(address("2001:db8:0:1::1")).unwrap();
        let _v4 = addresses.enter(address("192.0.2.1")).unwrap();
        assert!(addresses.enter(address("::ffff:192.0.2.1")).is_none());
        let _mapped = addresses.enter(address("::ffff:192.0.2.2")).unwrap();
        drop(first);
        addresses.enter(address("2001:db8::2")).unwrap();
    }
}
