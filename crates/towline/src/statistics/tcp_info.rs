//! What Linux knows of a TCP connection: `TCP_INFO` of tcp(7).

use std::sync::LazyLock;
use std::time::Duration;

use nix::libc;
use nix::sys::socket::getsockopt;
use nix::sys::utsname::uname;
use nix::{getsockopt_impl, sockopt_impl};
use tokio::net::TcpStream;

use super::{BandwidthStatistics, OfTcp};

/// The beginning of `struct tcp_info` in linux/tcp.h, as it is since Linux 4.9.
///
/// Nothing but numbers, so that whatever the kernel writes is one. It writes as much as is asked for,
/// and no kernel that is [new enough](NEW_ENOUGH) has less.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    unreachable_pub,
    reason = "the macro makes an option that is `pub`, and this is its value"
)]
pub struct TcpInfo {
    _state: [u8; 7],
    /// The lowest bit, where the lowest byte comes first: there was nothing more to send.
    flags: u8,
    _timeouts: [u32; 2],
    _mss: [u32; 2],
    unacked: u32,
    _sacked: [u32; 4],
    _times: [u32; 4],
    _pmtu: [u32; 2],
    /// In microseconds, smoothed.
    rtt: u32,
    rttvar: u32,
    _ssthresh: u32,
    snd_cwnd: u32,
    _reordering: [u32; 2],
    /// In microseconds, as the receiver sees it; 0 as long as it does not.
    rcv_rtt: u32,
    /// The most bytes that were read within one of these.
    rcv_space: u32,
    _retransmits: u32,
    _pacing: [u64; 2],
    _bytes: [u64; 2],
    _segments: [u32; 6],
    /// In bytes per second.
    delivery_rate: u64,
}

const _: () = assert!(size_of::<TcpInfo>() == 168);

sockopt_impl!(GetTcpInfo, GetOnly, libc::IPPROTO_TCP, libc::TCP_INFO, TcpInfo);

/// Whether the kernel's structure has all that is read here.
static NEW_ENOUGH: LazyLock<bool> =
    LazyLock::new(|| uname().is_ok_and(|name| name.release().to_str().is_some_and(is_new_enough)));

fn is_new_enough(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return false;
    };
    (major, minor) >= (4, 9)
}

/// Asks for it; `None` where it cannot be had.
pub(super) fn read(stream: &TcpStream) -> Option<OfTcp> {
    if !*NEW_ENOUGH {
        return None;
    }
    getsockopt(stream, GetTcpInfo).ok().map(TcpInfo::told)
}

impl TcpInfo {
    fn told(self) -> OfTcp {
        let outbound = self.delivery_rate.saturating_mul(8);
        let inbound = match u64::from(self.rcv_rtt) {
            0 => 0,
            rcv_rtt => u64::from(self.rcv_space) * 8 * 1_000_000 / rcv_rtt,
        };
        let bandwidth = BandwidthStatistics {
            outbound_bits_per_second: outbound,
            inbound_bits_per_second: inbound,
            outbound_bits_per_second_instability: self.varying(outbound),
            inbound_bits_per_second_instability: self.varying(inbound),
            outbound_bandwidth_peaked: outbound > 0
                && !self.had_nothing_more()
                && self.unacked.saturating_mul(2) >= self.snd_cwnd,
            inbound_bandwidth_peaked: false,
        };
        let rtt = Duration::from_micros(self.rtt.into());
        OfTcp { bandwidth, round_trip: (self.rtt > 0).then_some(rtt) }
    }

    /// As large a part of a rate as the variation of the round-trip time is of that.
    fn varying(self, rate: u64) -> u64 {
        let (rtt, rttvar) = (u128::from(self.rtt.max(1)), u128::from(self.rttvar.min(self.rtt)));
        u64::try_from(u128::from(rate) * rttvar / rtt).unwrap_or(u64::MAX)
    }

    fn had_nothing_more(self) -> bool {
        let bit = if cfg!(target_endian = "little") { 1 } else { 0x80 };
        self.flags & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_as_numbers() {
        for new in ["4.9.0", "4.19.0-6-amd64", "5.4", "6.18.44-fc", "10.0-rc1"] {
            assert!(is_new_enough(new), "{new}");
        }
        for old in ["4.4.0-19041-Microsoft", "3.10.0", "4.8", "4", "", "new"] {
            assert!(!is_new_enough(old), "{old}");
        }
    }

    #[test]
    fn a_rate_comes_with_how_steady_it_is() {
        let info = TcpInfo {
            rtt: 20_000,
            rttvar: 5_000,
            rcv_rtt: 10_000,
            rcv_space: 125_000,
            delivery_rate: 1_000_000,
            snd_cwnd: 10,
            unacked: 5,
            ..TcpInfo::default()
        };
        let told = info.told();
        assert_eq!(told.round_trip, Some(Duration::from_millis(20)));
        assert_eq!(told.bandwidth.outbound_bits_per_second, 8_000_000);
        assert_eq!(told.bandwidth.outbound_bits_per_second_instability, 2_000_000);
        assert_eq!(told.bandwidth.inbound_bits_per_second, 100_000_000);
        assert_eq!(told.bandwidth.inbound_bits_per_second_instability, 25_000_000);
        assert!(told.bandwidth.outbound_bandwidth_peaked);
        let flags = if cfg!(target_endian = "little") { 1 } else { 0x80 };
        assert!(!TcpInfo { flags, ..info }.told().bandwidth.outbound_bandwidth_peaked);
        assert!(!TcpInfo { unacked: 4, ..info }.told().bandwidth.outbound_bandwidth_peaked);
    }

    #[test]
    fn what_is_not_known_is_nothing() {
        let told = TcpInfo::default().told();
        assert_eq!((told.bandwidth, told.round_trip), (BandwidthStatistics::default(), None));
        let most = u32::MAX;
        let delivery_rate = u64::MAX;
        let info =
            TcpInfo { rtt: most, rttvar: most, rcv_rtt: 1, rcv_space: most, ..TcpInfo::default() };
        let told = TcpInfo { delivery_rate, unacked: most, snd_cwnd: most, ..info }.told();
        assert_eq!(told.bandwidth.outbound_bits_per_second, u64::MAX);
        assert_eq!(told.bandwidth.outbound_bits_per_second_instability, u64::MAX);
    }
}
