//! What machine policy says about addresses.

use std::net::IpAddr;

use super::{Class, Range};

/// What machine policy says about addresses; without it, what they mean to everybody.
///
/// ```
/// use towline_isolate::{Class, Definitions, Surroundings};
///
/// let definitions = Definitions {
///     reserved_as: vec![("198.51.100.0/24".parse().unwrap(), Class::Private)],
///     ..Definitions::default()
/// };
/// let here = Surroundings::fixed(&definitions, &[]);
/// assert_eq!(here.classify([198, 51, 100, 7].into()).class, Class::Private);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a list of settings is written with `..default()`")]
pub struct Definitions {
    /// Private beside those of the RFCs.
    pub private_ranges: Vec<Range>,
    /// Only `private_ranges` are private: those of the RFCs are reserved then.
    pub private_ranges_authoritative: bool,
    /// Internet, though the address may be private: proxies that lead there.
    pub internet_proxies: Vec<Range>,
    /// Private, though the address may be public: proxies that lead to a home or work network.
    pub intranet_proxies: Vec<Range>,
    /// Reserved ranges that are in use here, as what: private or Internet.
    pub reserved_as: Vec<(Range, Class)>,
    /// Prefixes of translators: what is behind them is what the IPv4 address in them is.
    ///
    /// RFC 6052 §2.2 has the lengths 32, 40, 48, 56, 64 and 96; others are left out.
    pub nat64_prefixes: Vec<Range>,
    /// Further addresses where a cloud tells its machines their secrets.
    pub metadata_addresses: Vec<IpAddr>,
    /// Networks that are trusted: the names of interfaces, whose subnets are private then.
    pub trusted_interfaces: Vec<String>,
    /// Networks that are trusted, whatever `untrusted_lan_is_internet` says.
    pub trusted_ranges: Vec<Range>,
    /// As on Windows: what is private by an RFC is Internet outside the trusted networks.
    pub untrusted_lan_is_internet: bool,
}

impl Definitions {
    /// Entries in one list. So many are compiled in a few milliseconds.
    pub const MAX_ENTRIES: usize = 512;
}
