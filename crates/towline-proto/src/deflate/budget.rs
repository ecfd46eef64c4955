//! [`MemoryBudget`]: what all connections together may keep between messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that connections may keep for context takeover, all together.
///
/// A connection that takes its context over from message to message keeps a compressor and a
/// decompressor for as long as it lasts: with the default settings about 320 KiB. It reserves that
/// here when it is agreed on. Once the rest does not suffice, new connections agree on no takeover,
/// compress a little less well, and keep nothing between messages.
///
/// Clones share one budget.
///
/// ```
/// use towline_proto::{Deflate, MemoryBudget};
///
/// let budget = MemoryBudget::new(64 * 1024 * 1024);
/// let settings = Deflate::default().memory_budget(budget.clone());
/// assert_eq!(budget.reserved(), 0); // nobody is connected yet
/// ```
#[derive(Clone, Debug)]
pub struct MemoryBudget(Arc<Account>);

#[derive(Debug)]
struct Account {
    limit: usize,
    reserved: AtomicUsize,
}

impl MemoryBudget {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Account { limit: bytes, reserved: AtomicUsize::new(0) }))
    }

    /// The budget, in bytes.
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// What of it is reserved, in bytes.
    pub fn reserved(&self) -> usize {
        self.0.reserved.load(Ordering::Relaxed)
    }

    /// Takes so many bytes of it, until what this gives is dropped.
    pub(super) fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let take = |reserved: usize| {
            reserved.checked_add(bytes).filter(|reserved| *reserved <= self.0.limit)
        };
        // The number guards no other memory, so no order among threads is asked for.
        self.0.reserved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()?;
        Some(Reservation { budget: self.clone(), bytes })
    }
}

/// A part of a budget; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Reservation {
    budget: MemoryBudget,
    bytes: usize,
}

impl Reservation {
    /// Gives back what is above so many bytes.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        let spare = self.bytes.saturating_sub(bytes);
        self.budget.0.reserved.fetch_sub(spare, Ordering::Relaxed);
        self.bytes -= spare;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}
