//! What it costs to classify an address: prints nanoseconds for each, over a million of every kind.
//!
//! ```text
//! cargo run --release -p towline-isolate --example classify
//! ```

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use towline_isolate::{Definitions, Surroundings};

const COUNT: u32 = 1_000_000;

fn main() {
    let here = Surroundings::of_system(&Definitions::default(), &[]);
    let mut noise = Noise(7);
    let mut kinds: Vec<(&str, Vec<IpAddr>)> = Vec::new();
    let mut kind = |name, make: &mut dyn FnMut(&mut Noise) -> IpAddr| {
        kinds.push((name, (0..COUNT).map(|_| make(&mut noise)).collect()));
    };
    kind("IPv4, any", &mut |noise| v4(noise).into());
    kind("IPv4, private", &mut |noise| {
        Ipv4Addr::from_bits(0x0a00_0000 | v4(noise).to_bits() >> 8).into()
    });
    kind("IPv6, any of 2000::/3", &mut |noise| {
        Ipv6Addr::from_bits(1 << 125 | noise.wide() >> 3).into()
    });
    kind("IPv4-mapped", &mut |noise| v4(noise).to_ipv6_mapped().into());
    kind("NAT64", &mut |noise| {
        Ipv6Addr::from_bits(0x64_ff9b << 96 | u128::from(v4(noise).to_bits())).into()
    });
    kind("Teredo", &mut |noise| Ipv6Addr::from_bits(0x2001_0000 << 96 | noise.wide() >> 32).into());
    for (name, addresses) in kinds {
        let mut best = f64::MAX;
        for _ in 0..5 {
            let begun = Instant::now();
            for address in &addresses {
                black_box(here.classify(black_box(*address)));
            }
            best = best.min(begun.elapsed().as_secs_f64() * 1e9 / f64::from(COUNT));
        }
        println!("{name:<24}{best:>6.1} ns");
    }
}

fn v4(noise: &mut Noise) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::try_from(noise.next() >> 32).expect("half of it"))
}

/// Numbers without a pattern, the same each time (splitmix64).
struct Noise(u64);

impl Noise {
    fn wide(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}
