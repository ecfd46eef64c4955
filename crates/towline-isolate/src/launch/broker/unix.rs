//! `connect` to a socket in the file system, or to one of a name that is nowhere.

use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};
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
            let address = SocketAddrUnix::new_abstract_name(name)?;
            return self.connect_aside(call, socket, move |socket| connect(socket, &address));
        }
        let path = &path[..end];
        // Held from here on: what the path leads to later is nobody's business.
        let mut whole = program.root(path).into_bytes();
        whole.extend_from_slice(path);
        let found = open(OsStr::from_bytes(&whole), OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let real = std::fs::read_link(format!("/proc/self/fd/{}", found.as_raw_fd()));
        let real = real.map_err(|_| Errno::NOENT)?;
        if !self.is_own(&real)?
            && let Err(denied) = self.app.policy.judge_unix(real.as_os_str().as_bytes())
        {
            return Err(self.denied(call, Operation::Connect, &denied));
        }
        let address = SocketAddrUnix::new(format!("/proc/self/fd/{}", found.as_raw_fd()))?;
        self.connect_aside(call, socket, move |socket| {
            let _held = &found;
            connect(socket, &address)
        })
    }

    /// Whether a process of the app listens there.
    fn is_own(&self, path: &Path) -> Result<bool, Errno> {
        let Some(sockets) = &self.app.sockets else { return Ok(false) };
        let file = std::fs::metadata(path).map_err(|error| super::errno::of(&error))?;
        sockets.has(&file)
    }
}
