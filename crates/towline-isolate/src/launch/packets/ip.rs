//! Packets of IP, as they leave a program's network and come back (RFC 791, RFC 8200, RFC 768).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;

const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
const IPV4_HEADER_BYTES: usize = 20;
const IPV6_HEADER_BYTES: usize = 40;
const UDP_HEADER_BYTES: usize = 8;

/// More does not fit into a packet of either version without fragments.
pub(super) const MAX_PAYLOAD_BYTES: usize = 65_535 - IPV4_HEADER_BYTES - UDP_HEADER_BYTES;

/// A datagram that a program sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Datagram {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    /// Where in the packet it stands.
    pub(super) payload: Range<usize>,
}

/// Why a datagram was not sent on, as the program's kernel is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// RFC 1812 §5.2.7.1, RFC 4443 §3.1: administratively prohibited.
    Prohibited,
    /// Nobody listens at that port.
    PortUnreachable,
}

impl Datagram {
    /// Reads a packet. `None` for all that is no datagram: TCP goes another way, and nothing else goes.
    pub(super) fn parse(packet: &[u8]) -> Option<Self> {
        let (from, to, udp) = match packet.first()? >> 4 {
            4 => ipv4(packet)?,
            6 => ipv6(packet)?,
            _ => return None,
        };
        let header = packet.get(udp.clone())?.get(..UDP_HEADER_BYTES)?;
        let number = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let length = usize::from(number(4));
        if !(UDP_HEADER_BYTES..=udp.len()).contains(&length) {
            return None;
        }
        Some(Self {
            from: SocketAddr::new(from, number(0)),
            to: SocketAddr::new(to, number(2)),
            payload: udp.start + UDP_HEADER_BYTES..udp.start + length,
        })
    }
}

/// Who sent it to whom, and where the datagram stands.
type Parts = (IpAddr, IpAddr, Range<usize>);

fn ipv4(packet: &[u8]) -> Option<Parts> {
    let header = packet.get(..IPV4_HEADER_BYTES)?;
    let header_bytes = usize::from(header[0] & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    // "More fragments" or an offset: its ports stand in another packet.
    let fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0;
    if header[9] != UDP || fragment || header_bytes < IPV4_HEADER_BYTES || total > packet.len() {
        return None;
    }
    let address = |at: usize| {
        IpAddr::V4(Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]))
    };
    (header_bytes <= total).then(|| (address(12), address(16), header_bytes..total))
}

fn ipv6(packet: &[u8]) -> Option<Parts> {
    let header = packet.get(..IPV6_HEADER_BYTES)?;
    let total = IPV6_HEADER_BYTES + usize::from(u16::from_be_bytes([header[4], header[5]]));
    // Extension headers could lead elsewhere than to the address that is judged.
    if header[6] != UDP || total > packet.len() {
        return None;
    }
    let address = |at: usize| {
        let mut octets = [0; 16];
        octets.copy_from_slice(&header[at..at + 16]);
        IpAddr::V6(Ipv6Addr::from(octets))
    };
    Some((address(8), address(24), IPV6_HEADER_BYTES..total))
}

/// A packet with a datagram in it. `None` if it is too long, or its addresses are of two families.
pub(super) fn datagram(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Option<Vec<u8>> {
    if payload.len() > MAX_PAYLOAD_BYTES {
        return None;
    }
    let length = u16::try_from(UDP_HEADER_BYTES + payload.len()).ok()?;
    let mut udp = Vec::with_capacity(usize::from(length));
    udp.extend(from.port().to_be_bytes());
    udp.extend(to.port().to_be_bytes());
    udp.extend(length.to_be_bytes());
    udp.extend([0, 0]);
    udp.extend_from_slice(payload);
    let sum = match checksum(from.ip(), to.ip(), UDP, &udp) {
        // RFC 768: zero would say that there is none.
        0 => u16::MAX,
        sum => sum,
    };
    udp[6..8].copy_from_slice(&sum.to_be_bytes());
    packet(from.ip(), to.ip(), UDP, &udp)
}

/// What tells a program's kernel that its datagram went nowhere.
pub(super) fn refusal(of: &Datagram, refused: &[u8], why: Refusal) -> Option<Vec<u8>> {
    let (protocol, kind, code, at_most) = match (of.to, why) {
        (SocketAddr::V4(_), Refusal::Prohibited) => (ICMP, 3, 13, 576),
        (SocketAddr::V4(_), Refusal::PortUnreachable) => (ICMP, 3, 3, 576),
        (SocketAddr::V6(_), Refusal::Prohibited) => (ICMPV6, 1, 1, 1280),
        (SocketAddr::V6(_), Refusal::PortUnreachable) => (ICMPV6, 1, 4, 1280),
    };
    let quoted = &refused[..refused.len().min(at_most - IPV6_HEADER_BYTES - 8)];
    let mut body = vec![kind, code, 0, 0, 0, 0, 0, 0];
    body.extend_from_slice(quoted);
    // It comes from whoever was not reached, to whoever asked.
    let (from, to) = (of.to.ip(), of.from.ip());
    let sum = match protocol {
        // RFC 792: of ICMP alone, without the addresses.
        ICMP => folded(&[&body]),
        _ => checksum(from, to, protocol, &body),
    };
    body[2..4].copy_from_slice(&sum.to_be_bytes());
    packet(from, to, protocol, &body)
}

fn packet(from: IpAddr, to: IpAddr, protocol: u8, body: &[u8]) -> Option<Vec<u8>> {
    const HOPS: u8 = 64;
    let mut bytes = Vec::with_capacity(IPV6_HEADER_BYTES + body.len());
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let total = u16::try_from(IPV4_HEADER_BYTES + body.len()).ok()?;
            bytes.extend([0x45, 0]);
            bytes.extend(total.to_be_bytes());
            bytes.extend([0, 0, 0x40, 0, HOPS, protocol, 0, 0]); // in one piece
            bytes.extend(from.octets());
            bytes.extend(to.octets());
            let sum = folded(&[&bytes]);
            bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            bytes.extend([0x60, 0, 0, 0]);
            bytes.extend(u16::try_from(body.len()).ok()?.to_be_bytes());
            bytes.extend([protocol, HOPS]);
            bytes.extend(from.octets());
            bytes.extend(to.octets());
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return None,
    }
    bytes.extend_from_slice(body);
    Some(bytes)
}

/// The checksum over a body and the addresses that it goes between (RFC 768, RFC 8200 §8.1).
fn checksum(from: IpAddr, to: IpAddr, protocol: u8, body: &[u8]) -> u16 {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    let tail = [0, 0, 0, protocol];
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            folded(&[&from.octets(), &to.octets(), &length, &tail, body])
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            folded(&[&from.octets(), &to.octets(), &length, &tail, body])
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => 0,
    }
}

/// The Internet's checksum (RFC 1071). Only the last part may have an odd length.
fn folded(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u64;
    for part in parts {
        let mut pairs = part.chunks_exact(2);
        sum += pairs
            .by_ref()
            .map(|pair| u64::from(u16::from_be_bytes([pair[0], pair[1]])))
            .sum::<u64>();
        if let [last] = pairs.remainder() {
            sum += u64::from(u16::from_be_bytes([*last, 0]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or_default()
}
