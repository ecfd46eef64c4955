//! The sockets by which a program's datagrams go into the world.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendFlags, SocketFlags, SocketType, bind, connect, send, sendto, socket_with,
    sockopt,
};

use rustix::process::{Resource, getrlimit};

use super::Source;
use super::asked::Asked;

/// Datagrams between two addresses.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) socket: OwnedFd,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) source: Source,
    /// Whether others than the one that it was sent to may answer: to many, or to all.
    pub(super) any_peer: bool,
    /// What a name server was asked by it.
    pub(super) asked: Asked,
    used: Instant,
}

impl Flow {
    pub(super) fn send(&mut self, payload: &[u8], to: SocketAddr) -> Result<(), Errno> {
        self.used = Instant::now();
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        if self.any_peer {
            sendto(&self.socket, payload, flags, &to)?;
        } else {
            send(&self.socket, payload, flags)?;
        }
        Ok(())
    }
}

/// All of them, by the numbers that they have in the epoll.
#[derive(Debug, Default)]
pub(super) struct Flows {
    by_token: HashMap<u64, Flow>,
    tokens: HashMap<(SocketAddr, SocketAddr, Source), u64>,
    next: u64,
    looked: Option<Instant>,
}

/// More at a time than a program has that means well. The one that was idle longest makes room.
const MAX_FLOWS: usize = 1024;

/// RFC 4787 §4.3 asks for two minutes at least, where datagrams pass through something like this.
const IDLE: Duration = Duration::from_secs(120);

impl Flows {
    /// The flow between two addresses.
    pub(super) fn of(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        source: Source,
        epoll: &OwnedFd,
    ) -> Result<&mut Flow, Errno> {
        let token = match self.tokens.get(&(from, to, source)) {
            Some(token) => *token,
            None => self.open(from, to, source, epoll)?,
        };
        self.by_token.get_mut(&token).ok_or(Errno::NOENT)
    }

    fn open(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        source: Source,
        epoll: &OwnedFd,
    ) -> Result<u64, Errno> {
        // The other half is for the program's calls.
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX) / 2;
        if self.by_token.len() >= usize::try_from(descriptors).unwrap_or(MAX_FLOWS).min(MAX_FLOWS) {
            self.end_idlest();
        }
        let (family, any): (_, SocketAddr) = match to {
            SocketAddr::V4(_) => (AddressFamily::INET, (Ipv4Addr::UNSPECIFIED, 0).into()),
            SocketAddr::V6(_) => (AddressFamily::INET6, (Ipv6Addr::UNSPECIFIED, 0).into()),
        };
        let make = || socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, None);
        let socket = match make() {
            Err(Errno::MFILE | Errno::NFILE) => {
                self.end_idlest();
                make()?
            }
            made => made?,
        };
        let any_peer = match to {
            SocketAddr::V4(to) => to.ip().is_multicast() || to.ip().is_broadcast(),
            SocketAddr::V6(to) => to.ip().is_multicast(),
        };
        if any_peer {
            if to.is_ipv4() {
                sockopt::set_socket_broadcast(&socket, true)?;
            }
            bind(&socket, &any)?;
        } else {
            connect(&socket, &to)?;
        }
        self.next += 1;
        let token = self.next;
        epoll::add(epoll, &socket, epoll::EventData::new_u64(token), epoll::EventFlags::IN)?;
        let flow = Flow {
            socket,
            from,
            to,
            source,
            any_peer,
            asked: Asked::default(),
            used: Instant::now(),
        };
        self.by_token.insert(token, flow);
        self.tokens.insert((from, to, source), token);
        Ok(token)
    }

    pub(super) fn get(&mut self, token: u64) -> Option<&mut Flow> {
        self.by_token.get_mut(&token)
    }

    /// How long there is nothing to end.
    pub(super) fn timeout(&self, now: Instant) -> Option<Duration> {
        let oldest = self.by_token.values().map(|flow| flow.used).min()?;
        Some((oldest + IDLE).saturating_duration_since(now).max(Duration::from_secs(1)))
    }

    /// Ends those that nothing was sent on for long.
    pub(super) fn end_idle(&mut self, now: Instant) {
        if self.looked.is_some_and(|at| now.duration_since(at) < Duration::from_secs(1)) {
            return;
        }
        self.looked = Some(now);
        let idle: Vec<_> = self
            .by_token
            .iter()
            .filter(|(_, flow)| now.duration_since(flow.used) >= IDLE)
            .map(|(token, _)| *token)
            .collect();
        for token in idle {
            self.end(token);
        }
    }

    fn end_idlest(&mut self) {
        let idlest = self.by_token.iter().min_by_key(|(_, flow)| flow.used);
        if let Some(token) = idlest.map(|(token, _)| *token) {
            self.end(token);
        }
    }

    fn end(&mut self, token: u64) {
        // Closing the socket takes it out of the epoll.
        if let Some(flow) = self.by_token.remove(&token) {
            self.tokens.remove(&(flow.from, flow.to, flow.source));
        }
    }
}
