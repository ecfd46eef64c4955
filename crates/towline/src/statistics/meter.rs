//! How much was carried from one look to the next, where the operating system does not tell.

use std::time::{Duration, Instant};

use super::BandwidthStatistics;

/// Bytes that a connection has carried so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Carried {
    pub(crate) inbound: u64,
    pub(crate) outbound: u64,
}

/// The last look.
#[derive(Debug)]
pub(crate) struct Meter {
    at: Instant,
    carried: Carried,
    found: BandwidthStatistics,
}

/// Who looks sooner than that again is told the same: over less time a rate is a matter of luck.
const MIN_TIME: Duration = Duration::from_millis(100);

impl Meter {
    /// What was found since the last look. The first one begins the measuring.
    pub(crate) fn look(
        meter: &mut Option<Box<Self>>,
        carried: Carried,
        now: Instant,
    ) -> BandwidthStatistics {
        let Some(meter) = meter else {
            let found = BandwidthStatistics::default();
            *meter = Some(Box::new(Self { at: now, carried, found }));
            return found;
        };
        let time = now.saturating_duration_since(meter.at);
        if time < MIN_TIME {
            return meter.found;
        }
        let rate = |new: u64, old: u64| bits_per_second(new.saturating_sub(old), time);
        let outbound = rate(carried.outbound, meter.carried.outbound);
        let inbound = rate(carried.inbound, meter.carried.inbound);
        let before = meter.found;
        meter.found = BandwidthStatistics {
            outbound_bits_per_second: outbound,
            inbound_bits_per_second: inbound,
            outbound_bits_per_second_instability: outbound
                .abs_diff(before.outbound_bits_per_second),
            inbound_bits_per_second_instability: inbound.abs_diff(before.inbound_bits_per_second),
            ..BandwidthStatistics::default()
        };
        (meter.at, meter.carried) = (now, carried);
        meter.found
    }
}

fn bits_per_second(bytes: u64, time: Duration) -> u64 {
    let rate = u128::from(bytes) * 8 * 1_000_000_000 / time.as_nanos().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_what_was_carried_since_the_last_look() {
        let mut meter = None;
        let begin = Instant::now();
        let second = Duration::from_secs(1);
        let carried = |inbound, outbound| Carried { inbound, outbound };
        let first = Meter::look(&mut meter, carried(50, 70), begin);
        assert_eq!(first, BandwidthStatistics::default());
        let found = Meter::look(&mut meter, carried(150, 1070), begin + second * 2);
        assert_eq!(found.inbound_bits_per_second, 400);
        assert_eq!(found.outbound_bits_per_second, 4000);
        assert_eq!(found.inbound_bits_per_second_instability, 400);
        let soon = begin + second * 2 + Duration::from_millis(99);
        assert_eq!(Meter::look(&mut meter, carried(9999, 9999), soon), found);
        let found = Meter::look(&mut meter, carried(250, 1070), begin + second * 3);
        assert_eq!(found.inbound_bits_per_second, 800);
        assert_eq!(found.inbound_bits_per_second_instability, 400);
        assert_eq!(found.outbound_bits_per_second, 0);
        assert_eq!(found.outbound_bits_per_second_instability, 4000);
        assert!(!found.outbound_bandwidth_peaked && !found.inbound_bandwidth_peaked);
    }

    #[test]
    fn no_number_is_too_large() {
        let mut meter = None;
        let begin = Instant::now();
        Meter::look(&mut meter, Carried { inbound: 0, outbound: 0 }, begin);
        let all = Carried { inbound: u64::MAX, outbound: u64::MAX };
        let found = Meter::look(&mut meter, all, begin + MIN_TIME);
        assert_eq!(found.inbound_bits_per_second, u64::MAX);
        // A clock or a count that goes back harms nothing.
        let found = Meter::look(&mut meter, Carried { inbound: 0, outbound: 0 }, begin);
        assert_eq!(found.inbound_bits_per_second, u64::MAX);
    }
}
