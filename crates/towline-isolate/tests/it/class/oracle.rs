//! Check 8: 1.5 million addresses against Python's `ipaddress`, which knows the registries by itself.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio};
use std::thread;

use towline_isolate::{Class, Classified};

use super::anywhere;

/// Two processes, of so many addresses each.
const COUNT: usize = 750_000;

/// One record of `oracle.py`: the family, whether the address is global, the address.
const RECORD: usize = 18;

#[test]
fn nothing_is_internet_that_python_does_not_call_global() {
    let halves = [1, 2].map(|seed| thread::spawn(move || compare(seed)));
    for half in halves {
        half.join().unwrap();
    }
}

fn compare(seed: u32) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle.py");
    let mut python = Command::new("python3")
        .args([script, &seed.to_string(), &COUNT.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is there");
    let mut records = Vec::new();
    python.stdout.take().unwrap().read_to_end(&mut records).unwrap();
    assert!(python.wait().unwrap().success());
    assert_eq!(records.len(), COUNT * RECORD);

    let here = anywhere();
    let mut stricter: BTreeMap<&str, usize> = BTreeMap::new();
    let mut internet = 0;
    for record in records.chunks_exact(RECORD) {
        let address = address(record);
        let classified = here.classify(address);
        let global = record[1] == 1;
        match (classified.class == Class::Internet, global) {
            (true, true) => internet += 1,
            (true, false) => {
                assert!(is_newer_than_python(address), "{address} is not global: {classified:?}");
            }
            // A range that swallows the Internet would pass otherwise.
            (false, true) => *stricter.entry(on_purpose(address, &classified)).or_default() += 1,
            (false, false) => {}
        }
    }
    assert!(internet > COUNT / 5, "only {internet} of {COUNT} were Internet");
    println!("seed {seed}: {internet} of {COUNT} are Internet to both; stricter: {stricter:?}");
}

fn address(record: &[u8]) -> IpAddr {
    let octets: [u8; 16] = record[2..].try_into().unwrap();
    match record[0] {
        4 => Ipv4Addr::from(*octets.last_chunk().expect("of sixteen")).into(),
        _ => Ipv6Addr::from(octets).into(),
    }
}

/// The exceptions: entries that the registry calls reachable, and Pythons of before 3.13 do not.
fn is_newer_than_python(address: IpAddr) -> bool {
    let IpAddr::V6(address) = address else { return false };
    let bits = address.to_bits();
    let under = |prefix: u128, length: u32| (bits ^ prefix << 96) >> (128 - length) == 0;
    let anycast = [0x2001_0001 << 96 | 1, 0x2001_0001 << 96 | 2, 0x2001_0001 << 96 | 3];
    anycast.contains(&bits) // RFC 7723, RFC 8155, RFC 9665 (no Python has the last)
        || under(0x2001_0003, 32) // RFC 7450
        || bits >> 80 == 0x2001_0004_0112 // RFC 7535
        || under(0x2001_0020, 28) // RFC 7343
        || under(0x2001_0030, 28) // RFC 9374
}

/// Why what Python calls global is not Internet here.
fn on_purpose(address: IpAddr, classified: &Classified) -> &'static str {
    let new_to_python = ["RFC 6890", "RFC 9637", "RFC 9780", "RFC 8215", "RFC 9602"];
    match (classified.class, address) {
        (Class::Multicast, _) => "multicast has a class of its own",
        (Class::Metadata, _) => "metadata is public at Azure and Oracle",
        (_, _) if classified.unwrapped.is_some() => "what it carries counts, or it only carries",
        (Class::Private, _) if classified.why.contains("RFC 3879") => "site-local",
        (Class::Reserved, IpAddr::V6(_)) if classified.why.contains("nobody was given") => {
            "never given to anybody"
        }
        (Class::Reserved, IpAddr::V4(_)) if classified.why.contains("RFC 7526") => {
            "relays of 6to4 are no more"
        }
        (Class::Reserved, _) if new_to_python.iter().any(|rfc| classified.why.contains(rfc)) => {
            "newer than an old Python"
        }
        _ => panic!("{address} is global, and here {classified:?}: why?"),
    }
}
