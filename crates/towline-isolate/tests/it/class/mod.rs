//! Classes of addresses.

mod definitions;
mod oracle;
mod own;
mod registry;
mod unwrapping;

use std::net::IpAddr;

use towline_isolate::{Classified, Definitions, Surroundings};

/// What an address is to a machine that has no address itself.
fn classify(address: &str) -> Classified {
    anywhere().classify(address.parse().expect(address))
}

fn anywhere() -> Surroundings {
    Surroundings::fixed(&Definitions::default(), &[])
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect(text)
}
