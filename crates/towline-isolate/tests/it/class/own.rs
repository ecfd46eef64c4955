//! Check 10: addresses of this machine are loopback, also those that come later.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use towline_isolate::{Class, Definitions, Form, Surroundings};

use super::{classify, ip};
use crate::namespace::inside;

#[test]
fn the_unspecified_address_leads_to_this_machine() {
    for address in ["0.0.0.0", "::", "::ffff:0.0.0.0", "::ffff:127.9.9.9"] {
        assert_eq!(classify(address).class, Class::Loopback, "{address}");
    }
}

#[test]
fn addresses_that_the_caller_knows_are_loopback_in_every_form() {
    let own = [ip("192.0.2.77"), ip("2001:4860::77")];
    let here = Surroundings::fixed(&Definitions::default(), &own);
    let forms = [
        ("192.0.2.77", None),
        ("2001:4860::77", None),
        ("::ffff:192.0.2.77", Some(Form::V4Mapped)),
        ("64:ff9b::192.0.2.77", Some(Form::Nat64)),
        ("2002:c000:24d::1", Some(Form::SixToFour)),
    ];
    for (address, form) in forms {
        let classified = here.classify(ip(address));
        assert_eq!(classified.class, Class::Loopback, "{address}");
        assert_eq!(classified.unwrapped.map(|unwrapped| unwrapped.0), form, "{address}");
    }
    assert_eq!(here.classify(ip("192.0.2.78")).class, Class::Reserved);
    assert_eq!(here.classify(ip("2001:4860::78")).class, Class::Internet);
}

#[test]
fn an_address_that_is_added_counts_within_a_second() {
    let test = "class::own::an_address_that_is_added_counts_within_a_second";
    if !inside(test, &["ip link set lo up"]) {
        return;
    }
    let definitions =
        Definitions { trusted_interfaces: vec!["lo".to_owned()], ..Definitions::default() };
    let here = Surroundings::of_system(&definitions, &[]);
    let class = |address| here.classify(ip(address)).class;
    for (address, neighbour) in [("9.9.9.9", "9.9.9.200"), ("2620:fe::9", "2620:fe::200")] {
        assert_eq!((class(address), class(neighbour)), (Class::Internet, Class::Internet));
        let length = if address.contains(':') { 64 } else { 24 };
        let added = format!("{address}/{length}");
        let set = |verb| {
            let ran = Command::new("ip").args(["address", verb, &added, "dev", "lo"]).status();
            assert!(ran.unwrap().success());
        };
        let becomes = |own, beside| {
            let limit = Instant::now() + Duration::from_secs(1);
            while (class(address), class(neighbour)) != (own, beside) {
                assert!(Instant::now() < limit, "{address} is still {}", class(address));
                sleep(Duration::from_millis(20));
            }
        };
        set("add");
        // Its subnet is that of an interface which is trusted.
        becomes(Class::Loopback, Class::Private);
        set("del");
        becomes(Class::Internet, Class::Internet);
    }
}
