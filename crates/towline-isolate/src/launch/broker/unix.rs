//! `connect` to a socket in the file system, or to one of a name that is nowhere.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{Mode, OFlags, fstat, open, stat};
use rustix::net::{SocketAddrUnix, connect};

use super::errno::Errno;
use super::program::Program;
use super::{Broker, Outcome};
use crate::launch::journal::Operation;
use crate::sys::Notification;

impl Broker {
    pub(super) fn connect_unix(
        &self,
        call: &Notification,
        program: &Program<'_>,
        socket: OwnedFd,
        path: &[u8],
    ) -> Outcome {
        let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
        if end == 0 {
            // Abstract: those of this app are in its own network, where others' are not.
            let name = path.get(1..).ok_or(Errno::INVAL)?;
            if self.is_outside(socket.as_fd())?
                && let Err(denied) = self.app.policy.judge_unix(path)
            {
                return Err(self.denied(call, Operation::Connect, &denied));
            }
            let address = SocketAddrUnix::new_abstract_name(name)?;
            return self.connect_aside(call, socket, move |socket| connect(socket, &address));
        }
        let path = &path[..end];
        // Held from here on: what the path leads to later is nobody's business.
        let mut whole = program.root(path).into_bytes();
        whole.extend_from_slice(path);
        let found = open(OsStr::from_bytes(&whole), OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        if !self.is_own(&found)? {
            let real = std::fs::read_link(format!("/proc/self/fd/{}", found.as_raw_fd()));
            let real = real.map_err(|_| Errno::NOENT)?;
            if let Err(denied) = self.app.policy.judge_unix(real.as_os_str().as_bytes()) {
                return Err(self.denied(call, Operation::Connect, &denied));
            }
            // A path is permitted for what is there as we see it, and not as the program has mounted it.
            let (held, there) = (fstat(&found)?, stat(&real)?);
            if (held.st_dev, held.st_ino) != (there.st_dev, there.st_ino) {
                return Err(Errno::ACCESS);
            }
        }
        let address = SocketAddrUnix::new(format!("/proc/self/fd/{}", found.as_raw_fd()))?;
        self.connect_aside(call, socket, move |socket| {
            let _held = &found;
            connect(socket, &address)
        })
    }

    /// Whether a process of the app has bound it.
    fn is_own(&self, socket: &OwnedFd) -> Result<bool, Errno> {
        let Some(sockets) = &self.app.sockets else { return Ok(false) };
        let held = fstat(socket)?;
        sockets.has(held.st_dev, held.st_ino)
    }
}
