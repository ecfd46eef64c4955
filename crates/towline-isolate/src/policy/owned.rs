//! Addresses of this machine that are the app's own.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

/// Addresses, and by how many sockets each is held.
///
/// The port alone would not do: somebody else may listen on the same one at 127.0.0.2.
#[derive(Debug, Default)]
pub(super) struct Owned(Mutex<BTreeMap<SocketAddr, usize>>);

impl Owned {
    pub(super) fn has_port(&self, port: u16) -> bool {
        let owned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        owned.keys().any(|own| own.port() == port)
    }

    pub(super) fn has(&self, address: SocketAddr) -> bool {
        // To connect to no address is to connect to this one.
        let ip = match address.ip().to_canonical() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        // Who listens on all of IPv6 usually does so on all of IPv4.
        let is_all = |own: &SocketAddr| {
            own.ip().is_unspecified() && (own.is_ipv6() || own.is_ipv4() == ip.is_ipv4())
        };
        let owned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        owned.keys().any(|own| own.port() == address.port() && (own.ip() == ip || is_all(own)))
    }
}

/// While it lives, an address of this machine is the app's own.
#[derive(Debug)]
#[must_use = "the address is the app's own only while this lives"]
pub struct OwnListener {
    /// `None` where everything is permitted.
    owned: Option<Arc<Owned>>,
    address: SocketAddr,
}

impl OwnListener {
    pub(super) fn new(owned: Option<&Arc<Owned>>, address: SocketAddr) -> Self {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        if let Some(owned) = owned {
            let mut held = owned.0.lock().unwrap_or_else(PoisonError::into_inner);
            *held.entry(address).or_default() += 1;
        }
        Self { owned: owned.cloned(), address }
    }
}

impl Drop for OwnListener {
    fn drop(&mut self) {
        let Some(owned) = &self.owned else { return };
        let mut all = owned.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = all.get_mut(&self.address).expect("it was entered when this was made");
        *held -= 1;
        if *held == 0 {
            all.remove(&self.address);
        }
    }
}
