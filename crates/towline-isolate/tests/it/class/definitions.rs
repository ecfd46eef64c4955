//! What machine policy may say about addresses.

use std::net::IpAddr;

use towline_isolate::Class::{Internet, Loopback, Metadata, Private, Reserved};
use towline_isolate::{Class, Definitions, Range, RangeError, Surroundings};

use super::ip;

fn ranges(texts: &[&str]) -> Vec<Range> {
    texts.iter().map(|text| text.parse().expect(text)).collect()
}

fn check(definitions: Definitions, expected: &[(&str, Class)]) {
    let here = Surroundings::fixed(&definitions, &[]);
    for (address, class) in expected {
        let classified = here.classify(ip(address));
        assert_eq!(classified.class, *class, "{address}: {classified:?}");
    }
}

#[test]
fn private_ranges_are_added() {
    let private_ranges = ranges(&["20.0.0.0/8", "2620:fe::/32", "8.8.8.1-8.8.8.3"]);
    let expected = [
        ("20.1.2.3", Private),
        ("10.1.2.3", Private),
        ("2620:fe::9", Private),
        ("8.8.8.0", Internet),
        ("8.8.8.1", Private),
        ("8.8.8.3", Private),
        ("8.8.8.4", Internet),
        ("64:ff9b::808:803", Private),
    ];
    check(Definitions { private_ranges, ..Definitions::default() }, &expected);
}

#[test]
fn private_ranges_do_not_hide_what_is_worse() {
    let private_ranges = ranges(&["0.0.0.0/0", "::/0"]);
    let expected = [
        ("127.0.0.1", Loopback),
        ("::1", Loopback),
        ("169.254.169.254", Metadata),
        ("198.51.100.1", Reserved),
        ("8.8.8.8", Private),
    ];
    check(Definitions { private_ranges, ..Definitions::default() }, &expected);
}

#[test]
fn where_the_list_is_authoritative_nothing_else_is_private() {
    let definitions = Definitions {
        private_ranges: ranges(&["172.16.0.0/12"]),
        private_ranges_authoritative: true,
        ..Definitions::default()
    };
    check(definitions, &[("172.16.0.1", Private), ("10.0.0.1", Reserved), ("fd00::1", Reserved)]);
}

#[test]
fn proxies_count_as_what_is_behind_them() {
    let definitions = Definitions {
        internet_proxies: ranges(&["10.0.0.1"]),
        intranet_proxies: ranges(&["9.9.9.9", "10.0.0.1"]),
        ..Definitions::default()
    };
    check(definitions, &[("10.0.0.1", Internet), ("10.0.0.2", Private), ("9.9.9.9", Private)]);
}

#[test]
fn only_what_is_reserved_can_be_lent_and_not_as_something_worse() {
    let everything = ranges(&["0.0.0.0/0", "::/0"]);
    let reserved_as = everything.iter().map(|range| (*range, Private)).collect();
    let expected = [
        ("198.51.100.1", Private),
        ("240.0.0.1", Private),
        ("2001:db8::1", Private),
        ("4000::1", Private),
        ("127.0.0.1", Loopback),
        ("169.254.169.254", Metadata),
        ("8.8.8.8", Internet),
    ];
    check(Definitions { reserved_as, ..Definitions::default() }, &expected);
    let reserved_as = everything.iter().map(|range| (*range, Loopback)).collect();
    check(Definitions { reserved_as, ..Definitions::default() }, &[("198.51.100.1", Reserved)]);
}

#[test]
fn untrusted_lans_are_internet_as_on_windows_if_that_is_said() {
    let definitions = Definitions {
        untrusted_lan_is_internet: true,
        trusted_ranges: ranges(&["192.168.7.0/24"]),
        ..Definitions::default()
    };
    let expected = [
        ("192.168.7.9", Private),
        ("192.168.8.9", Internet),
        ("fe80::1", Internet),
        ("169.254.169.254", Metadata),
    ];
    check(definitions, &expected);
}

#[test]
fn further_metadata_addresses() {
    let metadata_addresses = vec![ip("9.9.9.9"), ip("10.1.1.1")];
    let definitions = Definitions { metadata_addresses, ..Definitions::default() };
    check(definitions, &[("9.9.9.9", Metadata), ("::ffff:10.1.1.1", Metadata)]);
}

#[test]
fn ranges_are_read_strictly() {
    let reads = |text: &str| text.parse::<Range>().map(|range| range.to_string());
    assert_eq!(reads("10.0.0.0/8"), Ok("10.0.0.0/8".to_owned()));
    assert_eq!(reads(" 10.0.0.0 - 10.0.0.255 "), Ok("10.0.0.0/24".to_owned()));
    assert_eq!(reads("::/0"), Ok("::/0".to_owned()));
    assert_eq!(reads("10.0.0.1/8"), Err(RangeError::HostBits));
    assert_eq!(reads("10.0.0.0/33"), Err(RangeError::NoLength));
    assert_eq!(reads("fd00::/129"), Err(RangeError::NoLength));
    assert_eq!(reads("10.0.0.9-10.0.0.1"), Err(RangeError::Order));
    assert_eq!(reads("10.0.0.9-fd00::"), Err(RangeError::Order));
    for text in ["", "localhost", "10.0.0", "10.0.0.256", "010.0.0.1", "fe80::1%eth0", "*"] {
        assert_eq!(reads(text), Err(RangeError::NoAddress), "{text}");
    }
}

#[test]
fn a_range_contains_mapped_addresses_too() {
    let range: Range = "10.0.0.0/8".parse().unwrap();
    assert!(range.contains(ip("::ffff:10.1.1.1")));
    assert!(!range.contains(IpAddr::V6("::10.1.1.1".parse().unwrap())));
}
