//! What names were answered with, for those who connect by the address alone.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Answers that are remembered; after them the oldest is forgotten. A browser has some hundreds.
const MAX_PINS: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Pins(Mutex<Pinned>);

#[derive(Debug, Default)]
struct Pinned {
    names: HashMap<IpAddr, Vec<String>>,
    /// The oldest first.
    order: VecDeque<(IpAddr, String)>,
}

impl Pins {
    pub(super) fn add(&self, name: &str, addresses: &[IpAddr]) {
        let mut pinned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for address in addresses {
            let names = pinned.names.entry(*address).or_default();
            if names.iter().any(|known| known == name) {
                continue;
            }
            names.push(name.to_owned());
            pinned.order.push_back((*address, name.to_owned()));
            if pinned.order.len() > MAX_PINS
                && let Some((address, name)) = pinned.order.pop_front()
                && let Some(names) = pinned.names.get_mut(&address)
            {
                names.retain(|known| *known != name);
                if names.is_empty() {
                    pinned.names.remove(&address);
                }
            }
        }
    }

    /// Whether the address was the answer to a name of this kind.
    pub(super) fn any(&self, address: IpAddr, is_one: impl Fn(&str) -> bool) -> bool {
        let pinned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pinned.names.get(&address).is_some_and(|names| names.iter().any(|name| is_one(name)))
    }
}
