//! IPv6 addresses that carry an IPv4 address, which is where their packets may end.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// How an IPv6 address carries an IPv4 address.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Form {
    /// `::ffff:a.b.c.d`, which a socket of both families shows for IPv4 (RFC 4291 §2.5.5.2).
    V4Mapped,
    /// `::a.b.c.d` (RFC 4291 §2.5.5.1).
    V4Compatible,
    /// Behind a translator's prefix, the well-known one or another (RFC 6052 §2.2).
    Nat64,
    /// `2002:aabb:ccdd::` (RFC 3056 §2).
    SixToFour,
    /// `2001:0:server:…:client`, the client's with its bits turned (RFC 4380 §4).
    Teredo,
    /// `…:0:5efe:a.b.c.d` behind any prefix (RFC 5214 §6.1).
    Isatap,
    /// `::ffff:0:a.b.c.d` (RFC 2765 §2.1).
    Siit,
}

impl Form {
    /// The word for it in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::V4Mapped => "v4-mapped",
            Self::V4Compatible => "v4-compatible",
            Self::Nat64 => "nat64",
            Self::SixToFour => "6to4",
            Self::Teredo => "teredo",
            Self::Isatap => "isatap",
            Self::Siit => "siit",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4Mapped => "IPv4-mapped",
            Self::V4Compatible => "IPv4-compatible",
            Self::Nat64 => "NAT64",
            Self::SixToFour => "6to4",
            Self::Teredo => "Teredo",
            Self::Isatap => "ISATAP",
            Self::Siit => "SIIT",
        })
    }
}

/// What an address carries: one address, and with Teredo a second one, that of the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content {
    pub(super) form: Form,
    pub(super) inner: Ipv4Addr,
    pub(super) second: Option<Ipv4Addr>,
}

impl Content {
    fn new(form: Form, inner: u32) -> Self {
        Self { form, inner: Ipv4Addr::from_bits(inner), second: None }
    }
}

/// A prefix of a translator (RFC 6052 §2.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Translator {
    network: u128,
    length: u8,
}

impl Translator {
    /// `None` for a length that RFC 6052 §2.2 does not have.
    pub(super) fn new(network: Ipv6Addr, length: u8) -> Option<Self> {
        let lengths = [32, 40, 48, 56, 64, 96];
        lengths.contains(&length).then(|| Self { network: network.to_bits(), length })
    }

    fn covers(self, address: u128) -> bool {
        (address ^ self.network) >> (128 - self.length) == 0
    }

    /// RFC 6052 §2.2: the octet at bits 64 to 71 is left out, whatever it holds.
    fn content(self, address: u128) -> u32 {
        let o = address.to_be_bytes();
        u32::from_be_bytes(match self.length {
            32 => [o[4], o[5], o[6], o[7]],
            40 => [o[5], o[6], o[7], o[9]],
            48 => [o[6], o[7], o[9], o[10]],
            56 => [o[7], o[9], o[10], o[11]],
            64 => [o[9], o[10], o[11], o[12]],
            _ => [o[12], o[13], o[14], o[15]],
        })
    }
}

/// What an address carries, if it has one of the forms.
#[inline]
pub(super) fn content(address: Ipv6Addr, translators: &[Translator]) -> Option<Content> {
    let bits = address.to_bits();
    if let Some(translator) = translators.iter().find(|translator| translator.covers(bits)) {
        return Some(Content::new(Form::Nat64, translator.content(bits)));
    }
    let (network, host) = halves(bits);
    // RFC 5214 §6.1: 0200 where the address is unique in the world, 0000 where not.
    let is_isatap = host >> 32 & !0x0200_0000 == 0x5efe;
    let form = match (network, host >> 32) {
        (0, 0xffff) => Form::V4Mapped,
        (0, 0xffff_0000) => Form::Siit,
        // `::` and `::1` are none.
        (0, 0) if host > 1 => Form::V4Compatible,
        (0x0064_ff9b_0000_0000, 0) => Form::Nat64,
        _ if network >> 16 == 0x0064_ff9b_0001 => Form::Nat64,
        _ if network >> 32 == 0x2001_0000 => {
            let server = Some(Ipv4Addr::from_bits(low(network)));
            return Some(Content { second: server, ..Content::new(Form::Teredo, !low(host)) });
        }
        _ if network >> 48 == 0x2002 => {
            return Some(Content::new(Form::SixToFour, low(network >> 16)));
        }
        _ if is_isatap => Form::Isatap,
        _ => return None,
    };
    Some(Content::new(form, low(host)))
}

#[inline]
fn halves(bits: u128) -> (u64, u64) {
    let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).expect("it was cut");
    (half(bits >> 64), half(bits))
}

#[inline]
fn low(half: u64) -> u32 {
    u32::try_from(half & u64::from(u32::MAX)).expect("it was cut")
}
