//! How much the way to the peer carries: what TCP knows of it, or else what was measured.

mod meter;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod tcp_info;

use std::time::Duration;

use tokio::net::TcpStream;

pub(crate) use meter::{Carried, Meter};

/// Estimates of how much the way to the peer carries, and of how steady that is.
///
/// The fields are those of `Windows.Networking.Sockets.BandwidthStatistics`. What is not known is zero
/// or false; asking is never an error.
///
/// | | Linux, over TCP or TLS | elsewhere |
/// |---|---|---|
/// | `outbound_bits_per_second` | the rate at which the newest data was acknowledged | sent since the last time asked |
/// | `inbound_bits_per_second` | the most that was read in one round trip so far | received since the last time asked |
/// | `…_instability` | the share of the rate by which round trips vary | the difference to the rate before |
/// | `outbound_bandwidth_peaked` | there was more to send, and it filled half the congestion window | false |
/// | `inbound_bandwidth_peaked` | false: the receiver cannot know | false |
///
/// Elsewhere is every other system, a proxy that is spoken to over TLS, and each byte stream of your
/// own. There the first answer is zeros, and the measuring begins with it. Linux tells from version 4.9
/// on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct BandwidthStatistics {
    /// What the way to the peer carries, in bits per second.
    pub outbound_bits_per_second: u64,
    /// What the way from the peer carries, in bits per second.
    pub inbound_bits_per_second: u64,
    /// By how much the first estimate varies.
    pub outbound_bits_per_second_instability: u64,
    /// By how much the second estimate varies.
    pub inbound_bits_per_second_instability: u64,
    /// Whether the way to the peer is used to the full, so that the estimate rises no more.
    pub outbound_bandwidth_peaked: bool,
    /// Whether the way from the peer is.
    pub inbound_bandwidth_peaked: bool,
}

/// What the operating system knows of a TCP connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfTcp {
    pub(crate) bandwidth: BandwidthStatistics,
    /// The time there and back, smoothed.
    pub(crate) round_trip: Option<Duration>,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn of_tcp(stream: &TcpStream) -> Option<OfTcp> {
    tcp_info::read(stream)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn of_tcp(_stream: &TcpStream) -> Option<OfTcp> {
    None
}
