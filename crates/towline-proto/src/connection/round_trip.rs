//! How far away the peer is, by its answers to pings.

use std::time::Duration;

/// The last time there and back, and all of them smoothed. In microseconds, of which an hour has few
/// enough: a connection keeps it as long as it lives, so it has to be small.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoundTrip {
    last: u32,
    smoothed: u32,
}

/// No ping was answered yet. What takes more than an hour counts as an hour.
const NONE: u32 = u32::MAX;

impl Default for RoundTrip {
    fn default() -> Self {
        Self { last: NONE, smoothed: NONE }
    }
}

impl RoundTrip {
    /// Another ping was answered after so long.
    pub(super) fn took(&mut self, time: Duration) {
        let time = u32::try_from(time.as_micros()).unwrap_or(NONE).min(NONE - 1);
        self.smoothed = match self.smoothed {
            NONE => time,
            // RFC 6298 §2.3, with alpha = 1/8.
            smoothed => smoothed - smoothed / 8 + time / 8,
        };
        self.last = time;
    }

    pub(super) fn last(self) -> Option<Duration> {
        duration(self.last)
    }

    pub(super) fn smoothed(self) -> Option<Duration> {
        duration(self.smoothed)
    }
}

fn duration(microseconds: u32) -> Option<Duration> {
    (microseconds != NONE).then(|| Duration::from_micros(microseconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_answer_among_many_counts_for_an_eighth() {
        let mut trip = RoundTrip::default();
        assert_eq!((trip.last(), trip.smoothed()), (None, None));
        trip.took(Duration::from_millis(8));
        assert_eq!(trip.smoothed(), Some(Duration::from_millis(8)));
        trip.took(Duration::from_millis(80));
        assert_eq!(trip.last(), Some(Duration::from_millis(80)));
        assert_eq!(trip.smoothed(), Some(Duration::from_millis(17)));
        for _ in 0..3 {
            trip.took(Duration::MAX);
        }
        assert!(trip.last() > Some(Duration::from_secs(3600)));
        assert!(trip.smoothed() < trip.last());
        trip.took(Duration::ZERO);
        assert_eq!(trip.last(), Some(Duration::ZERO));
    }
}
