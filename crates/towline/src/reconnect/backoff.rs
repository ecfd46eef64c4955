//! How long to wait before the next attempt.

use std::time::Duration;

/// How long to wait between attempts, and when to give up.
///
/// After the `n`th failure in a row the wait is drawn at random between nothing and
/// `base` × `factor`ⁿ⁻¹, or `max` if that is less ("full jitter"): clients that lost the same server do
/// not come back all at once. A `Retry-After` of the server's is waited for as well, before it.
///
/// ```
/// use std::time::Duration;
/// use towline::Backoff;
///
/// let backoff = Backoff::default().base(Duration::from_millis(200)).retries(Some(10));
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    base: Duration,
    factor: f64,
    max: Duration,
    retries: Option<u32>,
    max_time: Option<Duration>,
    max_retry_after: Duration,
    healthy_after: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(500),
            factor: 2.0,
            max: Duration::from_secs(60),
            retries: None,
            max_time: None,
            max_retry_after: Duration::from_secs(10 * 60),
            healthy_after: Duration::from_secs(30),
        }
    }
}

impl Backoff {
    /// The longest wait after the first failure. Default 500 ms.
    #[must_use]
    pub fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// So many times as long is the longest wait after each further failure. Default 2; at least 1.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        // What is no number is not more than 1 either.
        self.factor = factor.max(1.0);
        self
    }

    /// The longest wait there is, but for the server's `Retry-After`. Default 60 s.
    #[must_use]
    pub fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// So many attempts follow a failure before this gives up; `None`: any number. Default `None`.
    ///
    /// With `Some(0)` nothing is tried again.
    #[must_use]
    pub fn retries(mut self, retries: Option<u32>) -> Self {
        self.retries = retries;
        self
    }

    /// So long after the first failure in a row no further attempt begins; `None`: always. Default
    /// `None`.
    #[must_use]
    pub fn max_time(mut self, limit: Option<Duration>) -> Self {
        self.max_time = limit;
        self
    }

    /// The longest `Retry-After` that is obeyed (RFC 9110 §10.2.3); for a longer one this is waited.
    /// Default 10 minutes.
    #[must_use]
    pub fn max_retry_after(mut self, limit: Duration) -> Self {
        self.max_retry_after = limit;
        self
    }

    /// A connection that was open for so long was a good one: the waits begin with `base` again.
    /// Default 30 s.
    ///
    /// The time begins when [`on_connect`](super::ReconnectBuilder::on_connect) is done with it.
    ///
    /// One that ends sooner counts as a failure, or a server that accepts and drops everybody would be
    /// stormed.
    #[must_use]
    pub fn healthy_after(mut self, time: Duration) -> Self {
        self.healthy_after = time;
        self
    }

    /// How long to wait after so many failures in a row, if `luck` is between 0 and 1; `None`: no more.
    ///
    /// `since` is how long ago the first of them was.
    pub(super) fn wait(&self, seen: &Failures, luck: f64) -> Option<Duration> {
        if self.retries.is_some_and(|retries| seen.count > retries) {
            return None;
        }
        let steps = i32::try_from(seen.count.saturating_sub(1)).unwrap_or(i32::MAX);
        // Beyond all numbers, after many: and nothing times that would be none.
        let growth = self.factor.powi(steps).min(f64::MAX);
        let ceiling = (self.base.as_secs_f64() * growth).min(self.max.as_secs_f64());
        let jitter = Duration::try_from_secs_f64(ceiling * luck).unwrap_or(self.max);
        let told = seen.retry_after.map_or(Duration::ZERO, |told| told.min(self.max_retry_after));
        let wait = told.saturating_add(jitter);
        let late = |limit| seen.since.saturating_add(wait) > limit;
        (!self.max_time.is_some_and(late)).then_some(wait)
    }

    pub(super) fn is_healthy(&self, open: Duration) -> bool {
        open >= self.healthy_after
    }
}

/// What has failed in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Failures {
    pub(super) count: u32,
    /// How long ago the first was.
    pub(super) since: Duration,
    /// When to come back, by the word of the server that refused last.
    pub(super) retry_after: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(count: u32) -> Failures {
        Failures { count, ..Failures::default() }
    }

    fn milliseconds(wait: Option<Duration>) -> u128 {
        wait.unwrap().as_millis()
    }

    #[test]
    fn the_longest_wait_grows_up_to_the_most_and_the_shortest_is_none() {
        let backoff = Backoff::default();
        for (count, longest) in [(1, 500), (2, 1000), (3, 2000), (7, 32_000), (8, 60_000)] {
            assert_eq!(milliseconds(backoff.wait(&after(count), 1.0)), longest);
            assert_eq!(milliseconds(backoff.wait(&after(count), 0.5)), longest / 2);
            assert_eq!(milliseconds(backoff.wait(&after(count), 0.0)), 0);
        }
        assert_eq!(milliseconds(backoff.wait(&after(u32::MAX), 1.0)), 60_000);
    }

    #[test]
    fn what_the_server_says_is_waited_for_first_within_a_bound() {
        let backoff = Backoff::default().max_retry_after(Duration::from_secs(100));
        let told =
            |seconds| Failures { retry_after: Some(Duration::from_secs(seconds)), ..after(1) };
        assert_eq!(milliseconds(backoff.wait(&told(7), 0.0)), 7000);
        assert_eq!(milliseconds(backoff.wait(&told(7), 1.0)), 7500);
        assert_eq!(milliseconds(backoff.wait(&told(u64::MAX), 0.0)), 100_000);
    }

    #[test]
    fn it_gives_up_after_so_many_or_so_long() {
        let backoff = Backoff::default().retries(Some(2));
        assert!(backoff.wait(&after(2), 1.0).is_some());
        assert!(backoff.wait(&after(3), 1.0).is_none());
        assert!(Backoff::default().retries(Some(0)).wait(&after(1), 1.0).is_none());
        let backoff = Backoff::default().max_time(Some(Duration::from_secs(10)));
        let since =
            |milliseconds| Failures { since: Duration::from_millis(milliseconds), ..after(1) };
        assert!(backoff.wait(&since(9500), 1.0).is_some());
        assert!(backoff.wait(&since(9501), 1.0).is_none());
    }

    #[test]
    fn no_setting_breaks_it() {
        let huge = Backoff::default().base(Duration::MAX).max(Duration::MAX).factor(f64::MAX);
        assert!(huge.wait(&after(9), 1.0).is_some());
        let odd = Backoff::default().factor(f64::NAN).base(Duration::ZERO);
        for count in [9, 1024, 1025, u32::MAX] {
            assert_eq!(odd.wait(&after(count), 1.0), Some(Duration::ZERO));
            let none = Backoff::default().base(Duration::ZERO);
            assert_eq!(none.wait(&after(count), 1.0), Some(Duration::ZERO), "{count}");
        }
        let odd = Backoff::default().factor(-1.0);
        assert_eq!(milliseconds(odd.wait(&after(9), 1.0)), 500);
    }
}
