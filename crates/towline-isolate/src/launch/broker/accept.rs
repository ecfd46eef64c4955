//! `accept`: a peer is judged before the program holds the connection.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl};
use rustix::net::sockopt::{Timeout, set_socket_linger, socket_timeout};
use rustix::net::{SocketAddrAny, SocketFlags, acceptfrom_with};

use super::address::written;
use super::errno::Errno;
use super::listen::local;
use super::waiting::{Acceptance, Waiting};
use super::{Answer, Broker, Outcome};
use crate::class::Class;
use crate::launch::journal::Operation;
use crate::sys::Notification;

/// `SOCK_NONBLOCK` and `SOCK_CLOEXEC`, which are all that `accept4` takes.
const NONBLOCK: u32 = 0o4_000;
const CLOEXEC: u32 = 0o2_000_000;

/// So many peers are refused before others of the app's calls have their turn.
const TURN: usize = 64;

impl Broker {
    pub(super) fn accept(&mut self, call: &Notification, flags: u32) -> Outcome {
        if flags & !(NONBLOCK | CLOEXEC) != 0 {
            return Err(Errno::INVAL);
        }
        let kernel = self.listener.clone();
        let listener = self.program(&kernel, call).duplicate(call.descriptor(0))?;
        let limit =
            socket_timeout(&listener, Timeout::Recv)?.filter(|limit| *limit > Duration::ZERO);
        let deadline = limit.map(|limit| Instant::now() + limit);
        let acceptance =
            Acceptance { address: call.arguments[1], length: call.arguments[2], flags };
        self.accept_from(*call, listener, acceptance, deadline)
    }

    /// Accepts whoever is there, or lets the call wait for somebody.
    pub(super) fn accept_from(
        &mut self,
        call: Notification,
        listener: OwnedFd,
        acceptance: Acceptance,
        deadline: Option<Instant>,
    ) -> Outcome {
        // Nobody else accepts from it: all calls of the program's come here. So what is there now is
        // there for this one, and it never waits.
        for _ in 0..TURN {
            if !is_readable(&listener)? || !self.listener.still_waits(call.id) {
                break;
            }
            let mut flags = SocketFlags::CLOEXEC;
            flags.set(SocketFlags::NONBLOCK, acceptance.flags & NONBLOCK != 0);
            let (connection, peer) = acceptfrom_with(&listener, flags)?;
            if self.is_welcome(&call, &listener, &connection, peer.as_ref())? {
                return self.give(&call, &connection, peer, acceptance);
            }
        }
        // A signal has ended the call: whoever is there is for the next one.
        if !self.listener.still_waits(call.id) {
            return Ok(Answer::Later);
        }
        if fcntl_getfl(&listener)?.contains(OFlags::NONBLOCK) {
            return Err(Errno::AGAIN);
        }
        self.wait_for(call, listener, Waiting::Peer(acceptance), deadline)
    }

    fn is_welcome(
        &mut self,
        call: &Notification,
        listener: &OwnedFd,
        connection: &OwnedFd,
        peer: Option<&SocketAddrAny>,
    ) -> Result<bool, Errno> {
        let Some(Ok(peer)) = peer.cloned().map(SocketAddr::try_from) else { return Ok(true) };
        // In its own network is nobody but the app.
        if !self.is_outside(listener.as_fd())? {
            return Ok(true);
        }
        let local = local(connection)?;
        let is_near = self.app.policy.classify(peer.ip()).class == Class::Loopback;
        if is_near && self.connections.has(self.internet.connection(peer, local)?) {
            return Ok(true);
        }
        match self.app.policy.judge_accept(peer, local) {
            Ok(_) => Ok(true),
            Err(denied) => {
                self.denied(call, Operation::Accept, &denied);
                // Ended with a reset: nothing that was sent is said to have arrived.
                let _ = set_socket_linger(connection, Some(Duration::ZERO));
                Ok(false)
            }
        }
    }

    fn give(
        &self,
        call: &Notification,
        connection: &OwnedFd,
        peer: Option<SocketAddrAny>,
        acceptance: Acceptance,
    ) -> Outcome {
        let kernel = self.listener.clone();
        let program = self.program(&kernel, call);
        if acceptance.address != 0 {
            let peer = match peer.map(SocketAddr::try_from) {
                Some(Ok(peer)) => written(peer),
                // A Unix socket that has no name.
                Some(Err(_)) | None => vec![1, 0],
            };
            let length = program.read(acceptance.length, 4)?;
            let room = u32::from_ne_bytes([length[0], length[1], length[2], length[3]]);
            let room = usize::try_from(room).unwrap_or(usize::MAX).min(peer.len());
            program.write(acceptance.address, &peer[..room])?;
            let whole = u32::try_from(peer.len()).unwrap_or(u32::MAX);
            program.write(acceptance.length, &whole.to_ne_bytes())?;
        }
        let close_on_exec = acceptance.flags & CLOEXEC != 0;
        // An error here says that nobody waits any more; the connection ends with its descriptor.
        let given = self.listener.give(call.id, connection.as_fd(), close_on_exec);
        given.map_err(|error| super::errno::of(&error))?;
        Ok(Answer::Later)
    }
}

fn is_readable(socket: &OwnedFd) -> Result<bool, Errno> {
    let mut sockets = [PollFd::new(socket, PollFlags::IN)];
    Ok(poll(&mut sockets, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0)
}
