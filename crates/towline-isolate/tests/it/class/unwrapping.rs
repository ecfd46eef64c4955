//! Check 9: every form that carries an IPv4 address, with one of each class in it.

use std::net::{Ipv4Addr, Ipv6Addr};

use towline_isolate::Class::{self, Internet, Loopback, Metadata, Multicast, Private, Reserved};
use towline_isolate::{Definitions, Form, Range, Surroundings};

use super::{anywhere, classify, ip};

/// One of each class, as an IPv4 address.
const INNER: [(&str, Class); 6] = [
    ("127.0.0.1", Loopback),
    ("169.254.169.254", Metadata),
    ("198.51.100.7", Reserved),
    ("224.0.0.251", Multicast),
    ("10.9.9.9", Private),
    ("8.8.8.8", Internet),
];

/// Puts each address into a form whose own class is `carrier`.
fn check(form: Form, carrier: Class, wrap: impl Fn(Ipv4Addr) -> Ipv6Addr) {
    for (inner, class) in INNER {
        let inner: Ipv4Addr = inner.parse().unwrap();
        let address = wrap(inner);
        let classified = anywhere().classify(address.into());
        assert_eq!(classified.class, class.min(carrier), "{address}: {classified:?}");
        assert_eq!(classified.unwrapped, Some((form, inner.into())), "{address}");
        assert_eq!(classified.by_carrier, carrier < class, "{address}");
    }
}

fn bits(text: &str) -> u128 {
    text.parse::<Ipv6Addr>().expect(text).to_bits()
}

/// The address in the last 32 bits.
fn behind(prefix: &str) -> impl Fn(Ipv4Addr) -> Ipv6Addr {
    let prefix = bits(prefix);
    move |inner| Ipv6Addr::from_bits(prefix | u128::from(inner.to_bits()))
}

#[test]
fn mapped_addresses_are_what_they_are_mapped_from() {
    check(Form::V4Mapped, Internet, behind("::ffff:0:0"));
}

#[test]
fn compatible_addresses_are_reserved_at_best() {
    check(Form::V4Compatible, Reserved, behind("::"));
    assert_eq!(classify("::1").unwrapped, None);
    assert_eq!(classify("::").unwrapped, None);
}

#[test]
fn behind_nat64_is_what_is_carried() {
    check(Form::Nat64, Internet, behind("64:ff9b::"));
}

#[test]
fn a_local_nat64_that_no_policy_names_is_reserved() {
    check(Form::Nat64, Reserved, behind("64:ff9b:1::"));
    check(Form::Nat64, Reserved, behind("64:ff9b:1:2:3:4::"));
}

#[test]
fn siit_is_reserved_at_best() {
    check(Form::Siit, Reserved, behind("::ffff:0:0:0"));
}

#[test]
fn six_to_four_is_reserved_at_best() {
    check(Form::SixToFour, Reserved, |inner| {
        Ipv6Addr::from_bits(0x2002 << 112 | u128::from(inner.to_bits()) << 80 | 1)
    });
}

#[test]
fn teredo_carries_two_addresses_of_which_the_worse_counts() {
    let teredo = |server: u32, client: u32| {
        Ipv6Addr::from_bits(0x2001_0000 << 96 | u128::from(server) << 64 | u128::from(!client))
    };
    let public = Ipv4Addr::new(9, 9, 9, 9).to_bits();
    check(Form::Teredo, Reserved, |client| teredo(public, client.to_bits()));
    for (server, class) in INNER.into_iter().take(2) {
        let server: Ipv4Addr = server.parse().unwrap();
        let classified = anywhere().classify(teredo(server.to_bits(), public).into());
        assert_eq!(classified.class, class);
        assert_eq!(classified.unwrapped, Some((Form::Teredo, server.into())));
    }
}

#[test]
fn isatap_is_known_behind_every_prefix() {
    check(Form::Isatap, Internet, behind("2001:4860:1:2:0:5efe::"));
    check(Form::Isatap, Internet, behind("2001:4860:1:2:200:5efe::"));
    check(Form::Isatap, Private, behind("fe80::5efe:0:0"));
    check(Form::Isatap, Private, behind("fd00:1:2:3:200:5efe::"));
}

/// RFC 6052 §2.4 has this table.
#[test]
fn translators_of_all_six_lengths() {
    let table = [
        ("2001:db8::/32", "2001:db8:c000:221::"),
        ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
        ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
        ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
        ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
        ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
    ];
    for (prefix, address) in table {
        let prefix: Range = prefix.parse().unwrap();
        let definitions = Definitions { nat64_prefixes: vec![prefix], ..Definitions::default() };
        let here = Surroundings::fixed(&definitions, &[]);
        let classified = here.classify(ip(address));
        assert_eq!(classified.unwrapped, Some((Form::Nat64, ip("192.0.2.33"))), "{address}");
        assert_eq!(classified.class, Reserved);
        // The same with one of each class, where the example has 192.0.2.33.
        let zero = u32::from(Ipv4Addr::new(192, 0, 2, 33));
        for (inner, class) in INNER {
            let inner: Ipv4Addr = inner.parse().unwrap();
            let swapped =
                swap(bits(address), zero, inner.to_bits(), prefix.prefix_length().unwrap());
            let classified = here.classify(Ipv6Addr::from_bits(swapped).into());
            assert_eq!(classified.unwrapped, Some((Form::Nat64, inner.into())), "{prefix}");
            assert_eq!(classified.class, class, "{prefix} with {inner}: {classified:?}");
        }
    }
}

/// Puts another address where one stands, bit by bit: RFC 6052 §2.2 leaves out bits 64 to 71.
fn swap(mut address: u128, old: u32, new: u32, length: u8) -> u128 {
    let mut place = 127 - u32::from(length);
    for bit in (0..32).rev() {
        if (56..64).contains(&place) && length < 96 {
            place = 55;
        }
        assert_eq!(address >> place & 1, u128::from(old >> bit & 1));
        address = address & !(1 << place) | u128::from(new >> bit & 1) << place;
        place = place.saturating_sub(1);
    }
    address
}
