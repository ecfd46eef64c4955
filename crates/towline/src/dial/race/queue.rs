//! The addresses of a host that are still to be tried.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::super::family::Family;

/// Most addresses of one name that are tried, as on Windows.
pub(super) const MAX_ADDRESSES: usize = 5;

/// Each family in the order in which it came; the two take turns (RFC 8305 §4).
#[derive(Debug)]
pub(super) struct Queue {
    family: Family,
    port: u16,
    v6: VecDeque<SocketAddr>,
    v4: VecDeque<SocketAddr>,
    /// Whether IPv6 is next; `None` as long as nothing has come.
    v6_next: Option<bool>,
    /// How many more may be tried.
    left: usize,
    /// All that were taken in, at most [`MAX_ADDRESSES`] of each family: none is tried twice.
    known: Vec<SocketAddr>,
}

impl Queue {
    pub(super) fn new(family: Family, port: u16) -> Self {
        Self {
            family,
            port,
            v6: VecDeque::new(),
            v4: VecDeque::new(),
            v6_next: None,
            left: MAX_ADDRESSES,
            known: Vec::new(),
        }
    }

    /// Takes in an answer, of which no more is kept than can be tried.
    pub(super) fn take_in(&mut self, addresses: Vec<SocketAddr>) {
        for mut address in addresses {
            address.set_port(self.port);
            let alike = self.known.iter().filter(|other| other.is_ipv6() == address.is_ipv6());
            let enough = alike.count() == MAX_ADDRESSES;
            if enough || !self.family.admits(address.ip()) || self.known.contains(&address) {
                continue;
            }
            self.known.push(address);
            self.v6_next.get_or_insert_with(|| self.family.v6_begins(&address));
            if address.is_ipv6() { &mut self.v6 } else { &mut self.v4 }.push_back(address);
        }
    }

    /// The next one to try.
    pub(super) fn pop(&mut self) -> Option<SocketAddr> {
        let left = self.left.checked_sub(1)?;
        let v6 = if self.v6_next? { !self.v6.is_empty() } else { self.v4.is_empty() };
        let address = if v6 { &mut self.v6 } else { &mut self.v4 }.pop_front()?;
        self.v6_next = Some(!v6);
        self.left = left;
        Some(address)
    }

    /// Whether none is to be tried, unless more come.
    pub(super) fn is_empty(&self) -> bool {
        self.left == 0 || (self.v6.is_empty() && self.v4.is_empty())
    }

    pub(super) fn has_v6(&self) -> bool {
        !self.v6.is_empty()
    }

    /// Lets IPv6 begin, although an IPv4 address came first.
    pub(super) fn begin_with_v6(&mut self) {
        self.v6_next = Some(true);
    }
}
