//! Policies.

mod connect;
#[cfg(feature = "manifest")]
mod fix;
mod inbound;
#[cfg(feature = "manifest")]
mod layers;
mod local;

use std::net::SocketAddr;

use towline_isolate::{Capability, Definitions, Denied, Manifest, Policy, Surroundings};

/// Addresses of this machine in these tests.
const OWN: [&str; 2] = ["192.168.7.7", "2001:4860::7"];

fn surroundings() -> Surroundings {
    let own = OWN.map(|address| address.parse().unwrap());
    Surroundings::fixed(&Definitions::default(), &own)
}

/// Of an app with these capabilities.
fn declaring(capabilities: &[Capability]) -> Policy {
    let manifest = capabilities
        .iter()
        .fold(Manifest::new("chat"), |manifest, capability| manifest.with(*capability));
    Policy::new(manifest).within(surroundings())
}

/// As a manifest and a machine's policy say.
#[cfg(feature = "manifest")]
fn policy(manifest: &str, machine: &str) -> Policy {
    use towline_isolate::{Layer, Level};

    let manifest = Manifest::parse("towline.toml", manifest.as_bytes()).expect(manifest);
    let machine = Layer::parse(Level::Machine, "policy.toml", machine.as_bytes()).expect(machine);
    Policy::layered(manifest, &machine, &Layer::default()).within(surroundings())
}

fn at(address: &str) -> SocketAddr {
    address.parse().expect(address)
}

fn code<T: std::fmt::Debug>(judged: Result<T, Denied>) -> &'static str {
    match judged {
        Ok(_) => "ok",
        Err(denied) => denied.code().word(),
    }
}
