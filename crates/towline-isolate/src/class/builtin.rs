//! What everybody's addresses mean: the special-purpose registries of IANA, and the clouds.
//!
//! `tests/data/special-purpose.tsv` has the registries and says where this is stricter, and why.

use super::Class::{self, Internet, Loopback, Metadata, Multicast, Private, Reserved};

/// A range, its class and its name with the RFC. The first that covers an address counts.
pub(super) type Row = (&'static str, Class, &'static str);

/// What no policy says otherwise of.
pub(super) const FIXED: &[Row] = &[
    ("127.0.0.0/8", Loopback, "a loopback address (RFC 1122)"),
    ("0.0.0.0", Loopback, "the unspecified address, which leads to this machine (RFC 1122)"),
    ("169.254.169.254", Metadata, METADATA),
    ("169.254.170.2", Metadata, METADATA),  // containers of AWS
    ("169.254.170.23", Metadata, METADATA), // pods of AWS
    ("169.254.0.23", Metadata, METADATA),   // Tencent
    ("169.254.42.42", Metadata, METADATA),  // Scaleway
    ("100.100.100.200", Metadata, METADATA), // Alibaba
    ("168.63.129.16", Metadata, METADATA),  // Azure, in a public range
    ("192.0.0.192", Metadata, METADATA),    // Oracle
    ("::1", Loopback, "the loopback address (RFC 4291)"),
    ("::", Loopback, "the unspecified address, which leads to this machine (RFC 4291)"),
    ("fd00:ec2::254", Metadata, METADATA),      // AWS
    ("fd00:ec2::23", Metadata, METADATA),       // pods of AWS
    ("fd20:ce::254", Metadata, METADATA),       // Google
    ("fd00:42::42", Metadata, METADATA),        // Scaleway
    ("fd00:c1::a9fe:a9fe", Metadata, METADATA), // Oracle
    ("fe80::a9fe:a9fe", Metadata, METADATA),    // OpenStack
];

/// What is not for everybody, or looks as if it were not. Of the reserved ones a policy may lend some.
pub(super) const SPECIAL: &[Row] = &[
    ("255.255.255.255", Multicast, "the broadcast address (RFC 8190)"),
    ("224.0.0.0/4", Multicast, "a multicast address (RFC 5771)"),
    ("0.0.0.0/8", Reserved, "an address of \"this network\" (RFC 791)"),
    ("192.0.0.9", Internet, "the anycast address of the Port Control Protocol (RFC 7723)"),
    ("192.0.0.10", Internet, "the anycast address of TURN (RFC 8155)"),
    ("192.0.0.0/24", Reserved, "an address of IETF protocols (RFC 6890)"),
    ("192.0.2.0/24", Reserved, DOCUMENTATION),
    ("198.51.100.0/24", Reserved, DOCUMENTATION),
    ("203.0.113.0/24", Reserved, DOCUMENTATION),
    ("192.88.99.0/24", Reserved, "an address of 6to4 relays, which are no more (RFC 7526)"),
    ("198.18.0.0/15", Reserved, "an address for benchmarks (RFC 2544)"),
    ("240.0.0.0/4", Reserved, "an address reserved for future use (RFC 1112)"),
    ("ff00::/8", Multicast, "a multicast address (RFC 4291)"),
    ("::ffff:0:0:0/96", Reserved, "an address of SIIT, which is no more (RFC 6145)"),
    ("::/96", Reserved, "an IPv4-compatible address, which are no more (RFC 4291)"),
    ("64:ff9b::/96", Internet, "an address behind NAT64 (RFC 6052)"),
    ("64:ff9b:1::/48", Reserved, "an address behind a local NAT64 (RFC 8215)"),
    ("100::/64", Reserved, "an address that discards (RFC 6666)"),
    ("100:0:0:1::/64", Reserved, "an address that stands for none (RFC 9780)"),
    ("2001::/32", Reserved, "an address of Teredo (RFC 4380)"),
    ("2001:1::1", Internet, "the anycast address of the Port Control Protocol (RFC 7723)"),
    ("2001:1::2", Internet, "the anycast address of TURN (RFC 8155)"),
    ("2001:1::3", Internet, "the anycast address of DNS-SD registration (RFC 9665)"),
    ("2001:2::/48", Reserved, "an address for benchmarks (RFC 5180)"),
    ("2001:3::/32", Internet, "an address of AMT (RFC 7450)"),
    ("2001:4:112::/48", Internet, "an address of AS112 (RFC 7535)"),
    ("2001:10::/28", Reserved, "an address of ORCHID, which is no more (RFC 4843)"),
    ("2001:20::/28", Internet, "an address of ORCHIDv2 (RFC 7343)"),
    ("2001:30::/28", Internet, "a tag of a drone (RFC 9374)"),
    ("2001::/23", Reserved, "an address of IETF protocols (RFC 2928)"),
    ("2001:db8::/32", Reserved, "an address for documentation (RFC 3849)"),
    ("3fff::/20", Reserved, "an address for documentation (RFC 9637)"),
    ("2002::/16", Reserved, "an address of 6to4 (RFC 3056)"),
    ("5f00::/16", Reserved, "an address of segment routing (RFC 9602)"),
];

/// Home and work networks.
pub(super) const PRIVATE: &[Row] = &[
    ("10.0.0.0/8", Private, "a private address (RFC 1918)"),
    ("172.16.0.0/12", Private, "a private address (RFC 1918)"),
    ("192.168.0.0/16", Private, "a private address (RFC 1918)"),
    ("100.64.0.0/10", Private, "a shared address behind a carrier's NAT (RFC 6598)"),
    ("169.254.0.0/16", Private, "a link-local address (RFC 3927)"),
    ("fc00::/7", Private, "a unique local address (RFC 4193)"),
    ("fe80::/10", Private, "a link-local address (RFC 4291)"),
    ("fec0::/10", Private, "a site-local address, which are no more (RFC 3879)"),
];

/// All the others: every address is in one of these.
pub(super) const REST: &[Row] = &[
    ("0.0.0.0/0", Internet, "an Internet address"),
    ("2000::/3", Internet, "an Internet address"),
    ("::/0", Reserved, "an IPv6 address that nobody was given (RFC 4291)"),
];

const METADATA: &str = "a cloud's metadata service";
const DOCUMENTATION: &str = "an address for documentation (RFC 5737)";
