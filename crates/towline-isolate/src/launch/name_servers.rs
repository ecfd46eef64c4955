//! The name servers of this machine, which an app's programs ask as well.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};

pub(crate) const NAME_SERVER_PORT: u16 = 53;

/// Those that `/etc/resolv.conf` names (`resolv.conf(5)`).
#[derive(Clone, Debug, Default)]
pub(crate) struct NameServers(Vec<IpAddr>);

/// As many as the C library takes.
const MAX_NAME_SERVERS: usize = 3;

impl NameServers {
    pub(crate) fn of_this_machine() -> Self {
        Self::read(&fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
    }

    fn read(configuration: &str) -> Self {
        let named = configuration.lines().filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            (words.next() == Some("nameserver")).then(|| words.next()?.parse().ok()).flatten()
        });
        let mut servers: Vec<IpAddr> = named.take(MAX_NAME_SERVERS).collect();
        if servers.is_empty() {
            // As the C library does.
            servers.push(Ipv4Addr::LOCALHOST.into());
        }
        Self(servers)
    }

    pub(crate) fn addresses(&self) -> &[IpAddr] {
        &self.0
    }

    /// The first that is this machine itself: a program's own network has another such.
    pub(crate) fn on_this_machine(&self) -> Option<Ipv4Addr> {
        self.0.iter().find_map(|ip| match ip {
            IpAddr::V4(ip) if ip.is_loopback() => Some(*ip),
            _ => None,
        })
    }
}
