//! A clock that costs next to nothing to look at, exact to a few milliseconds.

use std::time::Duration;

/// Time that passed since some point before.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[inline]
pub(super) fn coarse() -> Duration {
    use nix::time::{ClockId, clock_gettime};

    clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE).map(Duration::from).unwrap_or_default()
}

/// Time that passed since some point before.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn coarse() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;

    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGUN.elapsed()
}
