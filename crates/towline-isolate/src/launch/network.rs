//! The app's own network, as messages of rtnetlink (`rtnetlink(7)`).
//!
//! A pair of virtual interfaces: what the program sends into the world leaves by one, and comes out at the
//! other, where the supervisor reads it. Routes and addresses are such that programs that look whether they
//! are online, or sort addresses (RFC 6724), find what they find outside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::netlink::{self, NLM_F_ACK};

/// The program's end, in place of the machine's interfaces.
const NEAR: Interface = Interface { index: 1000, name: b"net0\0", hardware: [2, 0, 0, 0, 0, 1] };
/// The end at which its packets come out.
const FAR: Interface = Interface { index: 1001, name: b"net1\0", hardware: [2, 0, 0, 0, 0, 2] };

/// The index of the interface at which packets come out.
pub(super) const FAR_END: i32 = FAR.index;

/// The hardware addresses in front of packets for the program: its own, and where they come from.
pub(super) const HARDWARE: [u8; 12] = {
    let (to, from) = (NEAR.hardware, FAR.hardware);
    [to[0], to[1], to[2], to[3], to[4], to[5], from[0], from[1], from[2], from[3], from[4], from[5]]
};

/// RFC 7335 §4: addresses for just such ends, that nobody else has.
const NEAR_IPV4: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 2);
/// RFC 4193: of a prefix of our own, drawn by lot.
const NEAR_IPV6: Ipv6Addr = Ipv6Addr::new(0xfd6c, 0x8ad4, 0x9e1b, 0, 0, 0, 0, 2);

/// The largest packet. Programs rarely cut theirs for it.
const MTU: u32 = 65_535;

struct Interface {
    index: i32,
    name: &'static [u8; 5],
    hardware: [u8; 6],
}

// Of `linux/rtnetlink.h`, `linux/if_link.h` and `linux/if_addr.h`.
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINKINFO: u16 = 18;
const IFLA_GSO_MAX_SEGS: u16 = 40;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_F_NODAD: u8 = 2;
const RTA_OIF: u16 = 4;
const RTA_PREFSRC: u16 = 7;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IFF_UP: u32 = 1;
const IFF_NOARP: u32 = 0x80;
const LOOPBACK_INDEX: i32 = 1;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_STATIC: u8 = 4;
const RT_SCOPE_LINK: u8 = 253;
const RTN_UNICAST: u8 = 1;

/// The messages that make it, and which may fail. `machine` are this machine's addresses, to
/// which the app may bind its sockets.
pub(super) fn messages(machine: &[IpAddr]) -> Vec<(Vec<u8>, bool)> {
    let mut messages = vec![
        (loopback_up(), false),
        (pair(), false),
        // Neither end can be up before it has the other.
        (message(RTM_NEWLINK, 0, &link(NEAR.index, IFF_UP | IFF_NOARP)), false),
        (message(RTM_NEWLINK, 0, &link(FAR.index, IFF_UP | IFF_NOARP)), false),
        (address(NEAR.index, NEAR_IPV4.into()), false),
        (default_route(IpAddr::V4(NEAR_IPV4)), false),
        // Where the kernel has no IPv6.
        (address(NEAR.index, NEAR_IPV6.into()), true),
        (default_route(IpAddr::V6(NEAR_IPV6)), true),
    ];
    // Addresses of a link mean nothing on another one.
    let of_link = |ip: &IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    for ip in machine.iter().filter(|ip| !ip.is_loopback() && !of_link(ip)) {
        messages.push((address(LOOPBACK_INDEX, *ip), true));
    }
    messages
}

fn loopback_up() -> Vec<u8> {
    message(RTM_NEWLINK, 0, &link(LOOPBACK_INDEX, IFF_UP))
}

fn pair() -> Vec<u8> {
    let peer = [link(FAR.index, 0), described(&FAR)].concat();
    let data = attribute(IFLA_INFO_DATA, &attribute(VETH_INFO_PEER, &peer));
    let kind = attribute(IFLA_INFO_KIND, b"veth\0");
    let info = attribute(IFLA_LINKINFO, &[kind, data].concat());
    let near = link(NEAR.index, 0);
    message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &[near, described(&NEAR), info].concat())
}

fn described(interface: &Interface) -> Vec<u8> {
    [
        attribute(IFLA_IFNAME, interface.name),
        attribute(IFLA_ADDRESS, &interface.hardware),
        attribute(IFLA_MTU, &MTU.to_ne_bytes()),
        // What a program sends as one packet to be cut into many comes out as those that it becomes.
        attribute(IFLA_GSO_MAX_SEGS, &1_u32.to_ne_bytes()),
    ]
    .concat()
}

/// An `ifinfomsg`.
fn link(index: i32, flags: u32) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend(index.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes()); // those that are to change
    bytes
}

fn address(interface: i32, ip: IpAddr) -> Vec<u8> {
    let (family, octets) = parts(ip);
    let bits = u8::try_from(octets.len() * 8).unwrap_or(u8::MAX);
    // An `ifaddrmsg`, of a network that is this address alone.
    let mut bytes = vec![family, bits, IFA_F_NODAD, 0];
    bytes.extend(interface.to_ne_bytes());
    bytes.extend(attribute(IFA_LOCAL, &octets));
    bytes.extend(attribute(IFA_ADDRESS, &octets));
    message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &bytes)
}

fn default_route(source: IpAddr) -> Vec<u8> {
    let (family, octets) = parts(source);
    let scope = if family == AF_INET { RT_SCOPE_LINK } else { 0 };
    // An `rtmsg`.
    let mut bytes =
        vec![family, 0, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, scope, RTN_UNICAST, 0, 0, 0, 0];
    bytes.extend(attribute(RTA_OIF, &NEAR.index.to_ne_bytes()));
    bytes.extend(attribute(RTA_PREFSRC, &octets));
    message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &bytes)
}

fn parts(ip: IpAddr) -> (u8, Vec<u8>) {
    match ip {
        IpAddr::V4(ip) => (AF_INET, ip.octets().to_vec()),
        IpAddr::V6(ip) => (AF_INET6, ip.octets().to_vec()),
    }
}

/// A request that the kernel confirms.
fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    netlink::request(kind, NLM_F_ACK | flags, body)
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    const HEADER_BYTES: usize = 4;
    let length = u16::try_from(HEADER_BYTES + value.len()).unwrap_or(u16::MAX);
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
