//! Ranges, laid side by side: one look-up, whatever overlaps.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Class::{Internet, Metadata, Private, Reserved};
use super::{Class, Definitions, Range, builtin};

/// What an address is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Verdict {
    pub(super) class: Class,
    pub(super) why: &'static str,
}

/// The classes of all addresses, but for what they carry and whose they are.
#[derive(Debug)]
pub(super) struct Tables {
    v4: Table<u32>,
    v6: Table<u128>,
}

impl Tables {
    pub(super) fn new(definitions: &Definitions) -> Self {
        let rows = rows(definitions);
        let lent = lent(definitions);
        Self { v4: Table::paint(&rows, &lent), v6: Table::paint(&rows, &lent) }
    }

    #[inline]
    pub(super) fn v4(&self, address: Ipv4Addr) -> Verdict {
        self.v4.at(address.to_bits())
    }

    #[inline]
    pub(super) fn v6(&self, address: Ipv6Addr) -> Verdict {
        self.v6.at(address.to_bits())
    }
}

/// All that is said about addresses; the first that covers one counts (the order of the classes).
fn rows(definitions: &Definitions) -> Vec<(Range, Verdict)> {
    let mut rows = builtin(builtin::FIXED);
    let mut say = |ranges: &[Range], class, why| {
        rows.extend(ranges.iter().map(|range| (*range, Verdict { class, why })));
    };
    let metadata: Vec<Range> =
        definitions.metadata_addresses.iter().map(|address| (*address).into()).collect();
    say(&metadata, Metadata, "metadata, as machine policy says (metadata_addresses)");
    let behind = "an address behind NAT64, as machine policy says (nat64_prefixes)";
    say(&definitions.nat64_prefixes, Internet, behind);
    rows.append(&mut builtin(builtin::SPECIAL));
    let mut say = |ranges: &[Range], class, why| {
        rows.extend(ranges.iter().map(|range| (*range, Verdict { class, why })));
    };
    let proxy = "a proxy to the Internet, as machine policy says (internet_proxies)";
    say(&definitions.internet_proxies, Internet, proxy);
    let proxy = "a proxy to private networks, as machine policy says (intranet_proxies)";
    say(&definitions.intranet_proxies, Private, proxy);
    let listed = "private, as machine policy says (private_ranges)";
    say(&definitions.private_ranges, Private, listed);
    let trusted = "in a trusted network, as machine policy says (trusted_networks)";
    say(&definitions.trusted_ranges, Private, trusted);
    for (range, verdict) in builtin(builtin::PRIVATE) {
        rows.push((range, private(verdict, definitions)));
    }
    rows.append(&mut builtin(builtin::REST));
    rows
}

fn builtin(rows: &[builtin::Row]) -> Vec<(Range, Verdict)> {
    let parse = |text: &str| text.parse().expect("a test parses all of them");
    rows.iter().map(|&(range, class, why)| (parse(range), Verdict { class, why })).collect()
}

/// What is private by an RFC.
fn private(verdict: Verdict, definitions: &Definitions) -> Verdict {
    if definitions.untrusted_lan_is_internet {
        let why = "in a network that is not trusted (untrusted_lan = \"internet\")";
        return Verdict { class: Internet, why };
    }
    if definitions.private_ranges_authoritative {
        let why = "private by an RFC, but not in the list that counts here (private_ranges)";
        return Verdict { class: Reserved, why };
    }
    verdict
}

/// Reserved ranges that are in use here.
fn lent(definitions: &Definitions) -> Vec<(Range, Verdict)> {
    let why = "reserved by an RFC, but in use here, as machine policy says (reserved_as)";
    // As loopback or metadata nothing can be lent.
    let good = definitions.reserved_as.iter().filter(|(_, class)| *class > Reserved);
    good.map(|(range, class)| (*range, Verdict { class: *class, why })).collect()
}

/// Neighbours of one family: where each begins, and what it is.
#[derive(Debug)]
struct Table<A> {
    /// Sorted; the first is zero.
    starts: Vec<A>,
    verdicts: Vec<Verdict>,
    /// For each first octet, how many begin before its second address; then how many there are. Most
    /// octets mean one thing, and need no search.
    octets: Vec<usize>,
}

impl<A: Bits> Table<A> {
    /// Of what covers an address the first counts; if that says reserved, it may be lent.
    fn paint(rows: &[(Range, Verdict)], lent: &[(Range, Verdict)]) -> Self {
        let of_family = |rows: &[(Range, Verdict)]| -> Vec<(A, A, Verdict)> {
            rows.iter()
                .filter_map(|(range, verdict)| {
                    Some((A::of(range.first())?, A::of(range.last())?, *verdict))
                })
                .collect()
        };
        let (rows, lent) = (of_family(rows), of_family(lent));
        let ends = rows.iter().chain(&lent);
        let mut edges: Vec<A> =
            ends.flat_map(|(first, last, _)| [Some(*first), last.next()]).flatten().collect();
        edges.sort_unstable();
        edges.dedup();
        let mut table = Self { starts: Vec::new(), verdicts: Vec::new(), octets: Vec::new() };
        let over = |rows: &[(A, A, Verdict)], edge: A| {
            rows.iter().find(|(first, last, _)| (*first..=*last).contains(&edge)).map(|row| row.2)
        };
        for edge in edges {
            let mut verdict = over(&rows, edge).expect("the last rows cover everything");
            if verdict.class == Reserved {
                verdict = over(&lent, edge).unwrap_or(verdict);
            }
            if table.verdicts.last() != Some(&verdict) {
                table.starts.push(edge);
                table.verdicts.push(verdict);
            }
        }
        let begin = |octet| table.starts.partition_point(|start| *start <= A::under(octet));
        table.octets = (0..=u8::MAX).map(begin).chain([table.starts.len()]).collect();
        table
    }

    #[inline]
    fn at(&self, address: A) -> Verdict {
        let octet = usize::from(address.octet());
        let (low, high) = (self.octets[octet], self.octets[octet + 1]);
        let within = &self.starts[low..high];
        let after = match within.is_empty() {
            true => low,
            false => low + within.partition_point(|start| *start <= address),
        };
        self.verdicts[after - 1]
    }
}

/// An address as a number.
trait Bits: Copy + Ord {
    fn of(address: IpAddr) -> Option<Self>;
    fn next(self) -> Option<Self>;
    /// The first octet.
    fn octet(self) -> u8;
    /// The first address with this first octet.
    fn under(octet: u8) -> Self;
}

impl Bits for u32 {
    fn of(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(address) => Some(address.to_bits()),
            IpAddr::V6(_) => None,
        }
    }

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    #[inline]
    fn octet(self) -> u8 {
        self.to_be_bytes()[0]
    }

    fn under(octet: u8) -> Self {
        Self::from(octet) << (Self::BITS - 8)
    }
}

impl Bits for u128 {
    fn of(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some(address.to_bits()),
        }
    }

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    #[inline]
    fn octet(self) -> u8 {
        self.to_be_bytes()[0]
    }

    fn under(octet: u8) -> Self {
        Self::from(octet) << (Self::BITS - 8)
    }
}
