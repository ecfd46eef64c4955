//! The addresses of this machine, kept current.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Range;

/// The addresses of this machine at one time.
#[derive(Debug, Default)]
pub(super) struct Own {
    v4: Vec<Ipv4Addr>,
    v6: Vec<Ipv6Addr>,
    /// The subnets of interfaces that are trusted.
    trusted: Vec<Range>,
}

impl Own {
    /// Of these, and of what the system says if it is asked; `None` if it does not answer.
    pub(super) fn read(given: &[IpAddr], system: bool, trusted: &[String]) -> Option<Self> {
        let mut own = Self::default();
        given.iter().for_each(|address| own.add(*address));
        if system {
            for interface in if_addrs::get_if_addrs().ok()? {
                own.add(interface.ip());
                if trusted.contains(&interface.name) {
                    let length = match &interface.addr {
                        if_addrs::IfAddr::V4(address) => address.prefixlen,
                        if_addrs::IfAddr::V6(address) => address.prefixlen,
                    };
                    own.trusted.extend(Range::prefix(interface.ip(), length));
                }
            }
        }
        own.v4.sort_unstable();
        own.v6.sort_unstable();
        Some(own)
    }

    fn add(&mut self, address: IpAddr) {
        match address.to_canonical() {
            IpAddr::V4(address) => self.v4.push(address),
            IpAddr::V6(address) => self.v6.push(address),
        }
    }

    /// A bit for each address, and all of them where somebody has to look for other reasons.
    pub(super) fn hints(&self) -> u64 {
        if !self.trusted.is_empty() {
            return u64::MAX;
        }
        let v4 = self.v4.iter().map(|address| hint_v4(*address));
        v4.chain(self.v6.iter().map(|address| hint_v6(*address))).fold(0, |all, hint| all | hint)
    }

    #[inline]
    pub(super) fn has_v4(&self, address: Ipv4Addr) -> bool {
        self.v4.binary_search(&address).is_ok()
    }

    #[inline]
    pub(super) fn has_v6(&self, address: Ipv6Addr) -> bool {
        self.v6.binary_search(&address).is_ok()
    }

    #[inline]
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|range| range.contains(address))
    }
}

/// The bit of an address: where it is not set nobody needs to look.
#[inline]
pub(super) fn hint_v4(address: Ipv4Addr) -> u64 {
    // The multiplier of Fibonacci hashing: neighbours get different bits.
    1 << (address.to_bits().wrapping_mul(0x9e37_79b1) >> 26)
}

#[inline]
pub(super) fn hint_v6(address: Ipv6Addr) -> u64 {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let mixed = (u64::from(a ^ e) << 48 | u64::from(b ^ f) << 32)
        ^ (u64::from(c ^ g) << 16 | u64::from(d ^ h));
    1 << (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
}
