//! The processes at the other end of a connection, and their memory. Linux tells, in /proc.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, SocketAddr};

/// Whoever holds a socket; often one process, sometimes a few.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Processes(pub(super) Vec<u32>);

impl Processes {
    /// Those that listen at this address.
    pub(super) fn listening(address: SocketAddr) -> Option<Self> {
        // tcp(5): state 0A is LISTEN.
        Self::holding(|local, _, state| {
            let anywhere = local.ip().is_unspecified();
            let here = local.ip().to_canonical() == address.ip().to_canonical();
            state == "0A" && local.port() == address.port() && (here || anywhere)
        })
    }

    /// Those with the end `from` of the connection to `to`. Either alone is not enough: a port serves
    /// many connections, as long as they lead elsewhere.
    pub(super) fn connected(from: SocketAddr, to: SocketAddr) -> Option<Self> {
        let same = |one: SocketAddr, other: SocketAddr| {
            one.ip().to_canonical() == other.ip().to_canonical() && one.port() == other.port()
        };
        Self::holding(|local, remote, state| state != "0A" && same(local, from) && same(remote, to))
    }

    fn holding(is_it: impl Fn(SocketAddr, SocketAddr, &str) -> bool) -> Option<Self> {
        let mut inodes = BTreeSet::new();
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let Ok(table) = fs::read_to_string(table) else { continue };
            for line in table.lines().skip(1) {
                let fields: Vec<&str> = line.split_whitespace().collect();
                // proc_pid_net(5): sl, local, remote, state, queues, timer, retransmits, uid,
                // timeout, inode. A socket that nobody holds has inode 0.
                if let [_, local, remote, state, _, _, _, _, _, inode, ..] = fields[..]
                    && inode != "0"
                    && let (Some(local), Some(remote)) = (address(local), address(remote))
                    && is_it(local, remote, state)
                {
                    inodes.insert(format!("socket:[{inode}]"));
                }
            }
        }
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").ok()?.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // Of other users' processes nothing can be seen.
            let Ok(descriptors) = fs::read_dir(entry.path().join("fd")) else { continue };
            let held = descriptors.flatten().any(|descriptor| {
                let target = fs::read_link(descriptor.path()).unwrap_or_default();
                target.to_str().is_some_and(|target| inodes.contains(target))
            });
            if held {
                found.push(pid);
            }
        }
        (!found.is_empty()).then_some(Self(found))
    }

    /// Their resident memory, in bytes; `None` once all of them are gone.
    pub(super) fn resident(&self) -> Option<u64> {
        self.sum("VmRSS:")
    }

    /// The most that it has been.
    pub(super) fn peak(&self) -> Option<u64> {
        self.sum("VmHWM:")
    }

    fn sum(&self, field: &str) -> Option<u64> {
        self.0.iter().filter_map(|pid| status(*pid, field)).reduce(|sum, kib| sum + kib)
    }
}

/// A field of a process's status, in bytes.
fn status(pid: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// `0100007F:2329` is 127.0.0.1:9001: words of the address in the machine's order, in hexadecimal.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let mut bytes = Vec::new();
    for word in ip.as_bytes().chunks(8) {
        let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let ip = match <[u8; 4]>::try_from(&*bytes) {
        Ok(four) => IpAddr::from(four),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(&*bytes).ok()?),
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::Processes;

    #[test]
    fn whoever_holds_a_socket_is_found_and_measured() {
        let this = Processes(vec![std::process::id()]);
        for bound in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(bound) else { continue };
            let address = listener.local_addr().unwrap();
            assert_eq!(Processes::listening(address).as_ref(), Some(&this), "{bound}");
            let client = TcpStream::connect(address).unwrap();
            let found = Processes::connected(client.local_addr().unwrap(), address);
            assert_eq!(found.as_ref(), Some(&this), "{bound}");
            drop(listener);
            assert_eq!(Processes::listening(address), None, "{bound}");
        }
        let before = this.resident().unwrap();
        let held = vec![7_u8; 64 * 1024 * 1024];
        assert!(this.resident().unwrap() >= before + 60 * 1024 * 1024);
        assert!(this.peak().unwrap() >= this.resident().unwrap() && held[0] == 7);
    }
}
