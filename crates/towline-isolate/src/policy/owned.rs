//! Ports of this machine that are the app's own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Ports, and by how many sockets each is held.
#[derive(Debug, Default)]
pub(super) struct Owned(Mutex<BTreeMap<u16, usize>>);

impl Owned {
    pub(super) fn has(&self, port: u16) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&port)
    }
}

/// While it lives, a port of this machine is the app's own.
#[derive(Debug)]
#[must_use = "the port is the app's own only while this lives"]
pub struct OwnListener {
    /// `None` where everything is permitted.
    owned: Option<Arc<Owned>>,
    port: u16,
}

impl OwnListener {
    pub(super) fn new(owned: Option<&Arc<Owned>>, port: u16) -> Self {
        if let Some(owned) = owned {
            let mut ports = owned.0.lock().unwrap_or_else(PoisonError::into_inner);
            *ports.entry(port).or_default() += 1;
        }
        Self { owned: owned.cloned(), port }
    }
}

impl Drop for OwnListener {
    fn drop(&mut self) {
        let Some(owned) = &self.owned else { return };
        let mut ports = owned.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = ports.get_mut(&self.port).expect("it was entered when this was made");
        *held -= 1;
        if *held == 0 {
            ports.remove(&self.port);
        }
    }
}
