//! What scripts ask of addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// Whether an IPv4 address agrees with another one wherever the mask has ones.
pub(super) fn is_in_net(ip: &str, net: &str, mask: &str) -> bool {
    let parse = |text: &str| text.parse::<Ipv4Addr>().map(Ipv4Addr::to_bits);
    match (parse(ip), parse(net), parse(mask)) {
        (Ok(ip), Ok(net), Ok(mask)) => (ip ^ net) & mask == 0,
        _ => false,
    }
}

/// Whether an address is in a network such as `2001:db8::/32`.
pub(super) fn is_in_prefix(ip: &str, prefix: &str) -> bool {
    let Some((net, bits)) = prefix.split_once('/') else { return false };
    let (Ok(ip), Ok(net), Ok(bits)) = (ip.parse(), net.parse(), bits.parse::<u32>()) else {
        return false;
    };
    match (ip, net) {
        (IpAddr::V4(ip), IpAddr::V4(net)) => {
            bits <= 32 && (ip.to_bits() ^ net.to_bits()).leading_zeros() >= bits
        }
        (IpAddr::V6(ip), IpAddr::V6(net)) => {
            bits <= 128 && (ip.to_bits() ^ net.to_bits()).leading_zeros() >= bits
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// A list with semicolons in order, IPv6 first; `None` if something in it is no address.
pub(super) fn sorted(list: &str) -> Option<String> {
    let parts = list.split(';').map(str::trim).filter(|part| !part.is_empty());
    let mut ips = parts.map(|part| part.parse().ok()).collect::<Option<Vec<IpAddr>>>()?;
    if ips.is_empty() {
        return None;
    }
    ips.sort_by_key(|ip| (ip.is_ipv4(), *ip));
    Some(ips.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(";"))
}

/// The addresses from which this machine would reach others, IPv4 first. Nothing is sent.
pub(super) fn own() -> Vec<String> {
    // RFC 5737 §3 and RFC 3849 §2: in nobody's network, so by the way that leads to most.
    let ways = [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")];
    let ip = |(from, to): (&str, &str)| {
        let socket = UdpSocket::bind(from).ok()?;
        socket.connect(to).ok()?;
        socket.local_addr().ok().map(|address: SocketAddr| address.ip().to_string())
    };
    ways.into_iter().filter_map(ip).collect()
}
