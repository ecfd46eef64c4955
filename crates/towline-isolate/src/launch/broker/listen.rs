//! `listen`: for the app alone in its own network, or for others in this process's.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{fcntl_getfl, fcntl_setfl};
use rustix::net::sockopt::{socket_acceptconn, socket_domain};
use rustix::net::{AddressFamily, bind, getsockname, listen};

use super::errno::Errno;
use super::{Broker, DONE, Outcome};
use crate::launch::journal::Operation;
use crate::sys::{Notification, register_anew};

impl Broker {
    pub(super) fn listen(&mut self, call: &Notification) -> Outcome {
        let kernel = self.listener.clone();
        let program = self.program(&kernel, call);
        let descriptor = call.descriptor(0);
        let theirs = program.duplicate(descriptor)?;
        let backlog = i32::from_ne_bytes(call.number(1).to_ne_bytes());
        if socket_domain(&theirs)? == AddressFamily::UNIX {
            listen(&theirs, backlog)?;
            return DONE;
        }
        if self.is_outside(theirs.as_fd())? {
            // One that listens already was made here. Any other has connected, or came from somewhere
            // else, and the program may bind it to whatever it likes: it never listens.
            return if socket_acceptconn(&theirs)? { DONE } else { Err(Errno::ACCESS) };
        }
        let local = local(&theirs)?;
        if local.ip().to_canonical().is_loopback() {
            return self.listen_privately(&theirs, backlog);
        }
        if let Err(denied) = self.app.policy.judge_listen(local) {
            return Err(self.denied(call, Operation::Listen, &denied));
        }
        let flags = fcntl_getfl(&theirs)?;
        let close_on_exec = program.closes_at_exec(descriptor);
        let registrations = program.registrations(descriptor);
        let ours = self.like(theirs.as_fd())?;
        bind(&ours, &local)?;
        listen(&ours, backlog)?;
        fcntl_setfl(&ours, flags)?;
        self.replace(call.id, &ours, descriptor, close_on_exec)?;
        if !registrations.is_empty() {
            register_anew(&registrations, ours.as_fd(), descriptor).map_err(|_| Errno::NOMEM)?;
        }
        self.listeners.remember(&ours)?;
        DONE
    }

    fn listen_privately(&mut self, socket: &OwnedFd, backlog: i32) -> Outcome {
        listen(socket, backlog)?;
        self.private_ports.insert(local(socket)?.port());
        DONE
    }
}

/// Where a socket listens, or will.
pub(super) fn local(socket: &OwnedFd) -> Result<SocketAddr, Errno> {
    SocketAddr::try_from(getsockname(socket)?)
}
