//! IPv4, IPv6 or both.

use std::net::{IpAddr, SocketAddr};

/// Which kinds of addresses are used, and which begins.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Family {
    /// Both; the one begins that the operating system, or the resolver, names first.
    #[default]
    Any,
    /// Both, and IPv4 begins.
    PreferV4,
    /// Both, and IPv6 begins.
    PreferV6,
    /// IPv4 alone.
    OnlyV4,
    /// IPv6 alone.
    OnlyV6,
}

impl Family {
    pub(super) const fn admits(self, ip: IpAddr) -> bool {
        match self {
            Self::Any | Self::PreferV4 | Self::PreferV6 => true,
            Self::OnlyV4 => ip.is_ipv4(),
            Self::OnlyV6 => ip.is_ipv6(),
        }
    }

    /// Whether IPv6 begins before this address; the first one of a host says so, unless that is
    /// laid down.
    pub(super) const fn v6_begins(self, first: &SocketAddr) -> bool {
        match self {
            Self::Any => first.is_ipv6(),
            Self::PreferV4 | Self::OnlyV4 => false,
            Self::PreferV6 | Self::OnlyV6 => true,
        }
    }

    /// Whether it is worth a moment's wait that IPv6 addresses may still come (RFC 8305 §3).
    pub(super) const fn waits_for_v6(self) -> bool {
        match self {
            Self::Any | Self::PreferV6 | Self::OnlyV6 => true,
            Self::PreferV4 | Self::OnlyV4 => false,
        }
    }

    /// What a host lacks that has no address of this kind.
    pub(super) const fn missing(self) -> &'static str {
        match self {
            Self::Any | Self::PreferV4 | Self::PreferV6 => "the name has no address",
            Self::OnlyV4 => "the name has no IPv4 address",
            Self::OnlyV6 => "the name has no IPv6 address",
        }
    }
}
