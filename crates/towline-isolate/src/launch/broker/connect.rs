//! `connect`: judged, done on a socket of ours, and put in the place of the program's.

use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::net::sockopt::{Timeout, socket_domain, socket_protocol, socket_timeout, socket_type};
use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind, connect, connect_unspec, getsockname, socket_with,
};

use super::address::{Address, MAX_ADDRESS_BYTES};
use super::errno::Errno;
use super::waiting::{Connection, Waiting};
use super::{Answer, Broker, DONE, Outcome};
use crate::class::{Class, Form};
use crate::launch::journal::Operation;
use crate::launch::name_servers::NAME_SERVER_PORT;
use crate::policy::Protocol;
use crate::sys::{Notification, Options, network_cookie, register_anew};

impl Broker {
    pub(super) fn connect(&mut self, call: &Notification) -> Outcome {
        let length = usize::try_from(call.number(2)).unwrap_or(usize::MAX);
        if length > MAX_ADDRESS_BYTES {
            return Err(Errno::INVAL);
        }
        let listener = self.listener.clone();
        let program = self.program(&listener, call);
        let address = Address::parse(&program.read(call.arguments[1], length)?)?;
        let socket = program.duplicate(call.descriptor(0))?;
        let (family, kind) = (socket_domain(&socket)?, socket_type(&socket)?);
        match address {
            // Connected to nothing it reaches nobody, whichever network it belongs to.
            Address::Unspecified => {
                connect_unspec(&socket)?;
                DONE
            }
            Address::Unix(path) if family == AddressFamily::UNIX => {
                self.connect_unix(call, &program, socket, &path)
            }
            Address::Internet(to) if kind == SocketType::STREAM => {
                if family != family_of(to) {
                    return Err(Errno::AFNOSUPPORT);
                }
                self.connect_tcp(call, socket, to)
            }
            Address::Internet(to) => self.connect_datagrams(call, &socket, to),
            Address::Unix(_) | Address::Other => Err(Errno::AFNOSUPPORT),
        }
    }

    /// A socket for datagrams stays in the program's own network, where each packet is judged. One of this
    /// network, which somebody handed to the program, is judged here.
    fn connect_datagrams(&self, call: &Notification, socket: &OwnedFd, to: SocketAddr) -> Outcome {
        if self.is_outside(socket.as_fd())? {
            self.app
                .policy
                .judge_connect(to, Protocol::Udp, None)
                .map_err(|denied| self.denied(call, Operation::Connect, &denied))?;
        }
        connect(socket, &to)?;
        DONE
    }

    fn connect_tcp(&mut self, call: &Notification, socket: OwnedFd, to: SocketAddr) -> Outcome {
        let outside = self.is_outside(socket.as_fd())?;
        let classified = self.app.policy.classify(to.ip());
        // Behind a translator's address is another machine, or nobody.
        let as_it_is = matches!(classified.unwrapped, None | Some((Form::V4Mapped, _)));
        let near = classified.class == Class::Loopback && as_it_is;
        if near && !outside && self.private_ports.contains(&to.port()) {
            return self.connect_as_it_is(call, socket, to);
        }
        // The app's own listener, in this network.
        let own = near && !outside && self.listeners.has(self.internet.listener(to)?);
        if self.is_name_server(to) {
            // Long answers come by TCP (RFC 7766). Which names are asked for is not seen here.
            self.app
                .policy
                .judge_name("")
                .map_err(|denied| self.denied(call, Operation::Resolve, &denied))?;
        } else if !own {
            self.app
                .policy
                .judge_connect(to, Protocol::Tcp, None)
                .map_err(|denied| self.denied(call, Operation::Connect, &denied))?;
        }
        if outside {
            // It is ours already: asked again how far it has come, or to go elsewhere.
            return self.connect_as_it_is(call, socket, to);
        }
        self.connect_instead(call, &socket, to, own)
    }

    fn is_name_server(&self, to: SocketAddr) -> bool {
        to.port() == NAME_SERVER_PORT && self.app.name_servers.addresses().contains(&to.ip())
    }

    /// Connects the program's socket itself.
    fn connect_as_it_is(&self, call: &Notification, socket: OwnedFd, to: SocketAddr) -> Outcome {
        self.connect_aside(call, socket, move |socket| connect(socket, &to))
    }

    /// Connects a socket on this machine, which is done at once but where the listener's queue is full.
    pub(super) fn connect_aside(
        &self,
        call: &Notification,
        socket: OwnedFd,
        connect: impl FnOnce(&OwnedFd) -> Result<(), Errno> + Send + 'static,
    ) -> Outcome {
        if fcntl_getfl(&socket)?.contains(OFlags::NONBLOCK) {
            connect(&socket)?;
            return DONE;
        }
        // One that may wait does so in a thread. There are no more of those than the program has.
        let (listener, id) = (self.listener.clone(), call.id);
        let connecting = move || {
            let _ = match connect(&socket) {
                Ok(()) => listener.succeed(id, 0),
                Err(error) => listener.fail(id, error.raw_os_error()),
            };
        };
        std::thread::Builder::new().spawn(connecting).map_err(|_| Errno::AGAIN)?;
        Ok(Answer::Later)
    }

    /// Connects a socket of ours, in this process's network, that takes the place of the program's.
    fn connect_instead(
        &mut self,
        call: &Notification,
        theirs: &OwnedFd,
        to: SocketAddr,
        own: bool,
    ) -> Outcome {
        let descriptor = call.descriptor(0);
        let flags = fcntl_getfl(theirs)?;
        let ours = self.like(theirs.as_fd())?;
        if let Some(from) = bound(theirs)? {
            bind(&ours, &from)?;
        }
        let waits = !flags.contains(OFlags::NONBLOCK);
        let done = match connect(&ours, &to) {
            // On this machine, and near it, it is done before one can look.
            Err(Errno::INPROGRESS) if waits && is_decided(&ours)? => connect(&ours, &to),
            done => done,
        };
        if own {
            self.connections.remember(&ours)?;
        }
        let listener = self.listener.clone();
        let program = self.program(&listener, call);
        let close_on_exec = program.closes_at_exec(descriptor);
        match done {
            Ok(()) | Err(Errno::INPROGRESS) if !waits => {
                let registrations = program.registrations(descriptor);
                self.replace(call.id, &ours, descriptor, close_on_exec)?;
                if !registrations.is_empty() {
                    register_anew(&registrations, ours.as_fd(), descriptor)
                        .map_err(|_| Errno::NOMEM)?;
                }
                done?;
                DONE
            }
            Ok(()) => {
                fcntl_setfl(&ours, flags)?;
                self.replace(call.id, &ours, descriptor, close_on_exec)?;
                DONE
            }
            Err(Errno::INPROGRESS) => {
                let limit =
                    socket_timeout(theirs, Timeout::Send)?.filter(|limit| *limit > Duration::ZERO);
                let deadline = limit.map(|limit| Instant::now() + limit);
                // In its place already while it waits: if a signal ends the call, the program has the socket
                // that goes on connecting, as without isolation.
                fcntl_setfl(&ours, flags)?;
                self.replace(call.id, &ours, descriptor, close_on_exec)?;
                self.wait_for(*call, ours, Waiting::Connection(Connection { to }), deadline)
            }
            Err(error) => Err(error),
        }
    }

    /// A socket of ours has connected, or failed to.
    pub(super) fn connected(ours: &OwnedFd, connection: Connection) -> Outcome {
        // Asked once more, as a call that waited has been told: from now on it says that it is connected.
        // Without waiting, since the program has the socket as well and may have ended what it did.
        let flags = fcntl_getfl(ours)?;
        fcntl_setfl(ours, flags | OFlags::NONBLOCK)?;
        let connected = connect(ours, &connection.to);
        fcntl_setfl(ours, flags)?;
        connected?;
        DONE
    }

    pub(super) fn replace(
        &self,
        id: u64,
        ours: &OwnedFd,
        theirs: RawFd,
        close_on_exec: bool,
    ) -> Result<(), Errno> {
        let replaced = self.listener.replace(id, ours.as_fd(), theirs, close_on_exec);
        replaced.map_err(|error| super::errno::of(&error))
    }

    /// A socket of this process's network, set as the program set its own.
    pub(super) fn like(&mut self, theirs: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
        let (family, protocol) = (socket_domain(theirs)?, socket_protocol(theirs)?);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let ours = socket_with(family, SocketType::STREAM, flags, protocol)?;
        // Nobody has set any of its options yet.
        let defaults = self.defaults.entry(family).or_insert_with(|| Options::of(ours.as_fd()));
        Options::of(theirs).set(defaults, ours.as_fd());
        Ok(ours)
    }

    /// Whether a socket belongs to this process's network.
    pub(super) fn is_outside(&self, socket: BorrowedFd<'_>) -> Result<bool, Errno> {
        let cookie = network_cookie(socket).map_err(|error| super::errno::of(&error))?;
        Ok(cookie == self.outside)
    }
}

/// Whether a connection is there, or has failed.
fn is_decided(socket: &OwnedFd) -> Result<bool, Errno> {
    let mut sockets = [PollFd::new(socket, PollFlags::OUT)];
    Ok(poll(&mut sockets, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0)
}

/// Where a program has bound its socket to, if it has.
fn bound(socket: &OwnedFd) -> Result<Option<SocketAddr>, Errno> {
    let Ok(address) = SocketAddr::try_from(getsockname(socket)?) else { return Ok(None) };
    let bound = address.port() != 0 || !address.ip().is_unspecified();
    Ok(bound.then_some(address))
}

fn family_of(address: SocketAddr) -> AddressFamily {
    match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    }
}
