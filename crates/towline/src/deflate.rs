//! What all connections of this process may keep for compression.

use std::sync::LazyLock;

use towline_proto::{Deflate, MemoryBudget};

/// Bytes that connections may keep between messages: enough for 800 with the default settings,
/// a quarter of what is often all the memory that a small server has.
const BUDGET_BYTES: usize = 256 * 1024 * 1024;

static BUDGET: LazyLock<MemoryBudget> = LazyLock::new(|| MemoryBudget::new(BUDGET_BYTES));

/// The budget of every client and server in this process whose [`Deflate`] names no other: 256 MiB.
///
/// [`MemoryBudget::reserved`] of it is worth a gauge.
pub fn deflate_budget() -> &'static MemoryBudget {
    &BUDGET
}

pub(crate) fn within_budget(settings: Deflate) -> Deflate {
    match settings.get_memory_budget() {
        Some(_) => settings,
        None => settings.memory_budget(BUDGET.clone()),
    }
}
