//! Check 7: every entry of IANA's registries, its first and last address and its neighbours.
//!
//! What is expected comes from the file by the longest prefix that matches, which is not how the
//! library does it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::anywhere;

const FILE: &str = include_str!("../../data/special-purpose.tsv");

struct Entry {
    network: IpAddr,
    length: u8,
    reachable: &'static str,
    class: &'static str,
    carries: &'static str,
    why: &'static str,
}

fn entries() -> Vec<Entry> {
    let lines = FILE.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let entry = |line: &'static str| {
        let [prefix, _name, _rfc, reachable, class, carries, why] =
            line.split('\t').collect::<Vec<_>>().try_into().expect(line);
        let (network, length) = prefix.split_once('/').expect(line);
        let (network, length) = (network.parse().expect(line), length.parse().expect(line));
        Entry { network, length, reachable, class, carries, why }
    };
    lines.map(entry).collect()
}

/// As a number, with as many bits as the family has.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl Entry {
    fn bits(&self) -> u32 {
        if self.network.is_ipv4() { 32 } else { 128 }
    }

    fn ends(&self) -> (u128, u128) {
        let host = match self.bits() - u32::from(self.length) {
            128 => u128::MAX,
            bits => (1 << bits) - 1,
        };
        (number(self.network), number(self.network) | host)
    }

    fn covers(&self, address: IpAddr) -> bool {
        let (first, last) = self.ends();
        address.is_ipv4() == self.network.is_ipv4() && (first..=last).contains(&number(address))
    }

    fn address(&self, number: u128) -> IpAddr {
        match self.network {
            IpAddr::V4(_) => Ipv4Addr::from_bits(number.try_into().expect("of this family")).into(),
            IpAddr::V6(_) => Ipv6Addr::from_bits(number).into(),
        }
    }

    /// Its first and last address, those beside them, and one in the middle.
    fn probes(&self) -> Vec<IpAddr> {
        let (first, last) = self.ends();
        let most = if self.bits() == 32 { u128::from(u32::MAX) } else { u128::MAX };
        let before = first.checked_sub(1);
        let after = last.checked_add(1).filter(|after| *after <= most);
        let within = [Some(first), Some(first + (last - first) / 2), Some(last)];
        before
            .into_iter()
            .chain(within.into_iter().flatten())
            .chain(after)
            .map(|number| self.address(number))
            .collect()
    }
}

/// The worst first.
const ORDER: [&str; 6] = ["loopback", "metadata", "reserved", "multicast", "private", "internet"];

fn rank(class: &str) -> usize {
    ORDER.iter().position(|word| *word == class).expect(class)
}

/// What the file says, by the longest prefix.
fn expected(entries: &[Entry], address: IpAddr) -> &'static str {
    let covering = entries.iter().filter(|entry| entry.covers(address));
    let entry = covering.max_by_key(|entry| entry.length).expect("two entries cover everything");
    let octets = match address {
        IpAddr::V4(_) => return entry.class,
        IpAddr::V6(address) => address.octets(),
    };
    let at = |place: usize| {
        <[u8; 4]>::try_from(&octets[place..place + 4]).map(Ipv4Addr::from).expect("four")
    };
    let inner = match entry.carries {
        "-" => vec![],
        "last" => vec![at(12)],
        "6to4" => vec![at(2)],
        "teredo" => vec![at(4), Ipv4Addr::from_bits(!at(12).to_bits())],
        other => panic!("what is {other}?"),
    };
    let inner = inner.into_iter().map(|inner| expected(entries, inner.into()));
    // A mapped address is the one that it is mapped from.
    let own = (entry.class != "as-mapped").then_some(entry.class);
    inner.chain(own).min_by_key(|class| rank(class)).expect("it has one")
}

#[test]
fn every_entry_of_the_registries_has_its_class_to_the_last_address() {
    let (entries, here) = (entries(), anywhere());
    assert!(entries.len() > 60, "only {} entries", entries.len());
    for address in entries.iter().flat_map(Entry::probes) {
        let classified = here.classify(address);
        assert_eq!(
            classified.class.word(),
            expected(&entries, address),
            "{address}: {classified:?}"
        );
    }
}

#[test]
fn what_is_not_reachable_from_everywhere_is_never_internet() {
    for entry in entries() {
        match (entry.reachable, entry.class) {
            ("false", "internet") => panic!("{} is not reachable", entry.network),
            // Stricter than the registry needs its reason.
            ("true", "internet") | ("false" | "n/a", _) => {}
            ("true", _) => assert_ne!(entry.why, "-", "why is {} stricter?", entry.network),
            (other, _) => panic!("{other}: true, false or n/a"),
        }
    }
}
