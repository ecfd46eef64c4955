//! System calls that wait for the supervisor's answer (`seccomp_unotify(2)`).

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use super::check;

/// The end at which a filter's notifications come out.
///
/// When the last of its descriptors is closed, what was to be answered fails with ENOSYS: a supervisor
/// that is gone leaves the network closed.
#[derive(Debug)]
pub(crate) struct Listener(OwnedFd);

/// A system call that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notification {
    /// What the answer names it by.
    pub(crate) id: u64,
    /// The thread that made the call, as this process's namespace numbers it.
    pub(crate) thread: u32,
    /// The number of the call.
    pub(crate) call: i64,
    /// Its arguments.
    pub(crate) arguments: [u64; 6],
}

impl Notification {
    /// An argument that is a descriptor.
    pub(crate) fn descriptor(&self, argument: usize) -> RawFd {
        // The kernel looks at the lower half alone, and so does this.
        self.arguments[argument] as u32 as RawFd
    }

    /// An argument that is an `int` or an `unsigned`.
    pub(crate) fn number(&self, argument: usize) -> u32 {
        self.arguments[argument] as u32
    }
}

impl From<OwnedFd> for Listener {
    fn from(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Listener {
    /// The next call that waits; `None` if it was given up meanwhile.
    pub(crate) fn receive(&self) -> io::Result<Option<Notification>> {
        // SAFETY: all of the structure's fields may be zero, and the kernel wants them so.
        let mut raw: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel writes one `seccomp_notif` to the address, which is that of one.
        let done =
            unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &mut raw) };
        match check(done) {
            Ok(_) => Ok(Some(Notification {
                id: raw.id,
                thread: raw.pid,
                call: raw.data.nr.into(),
                arguments: raw.data.args,
            })),
            // A signal ended the call between our being woken and our asking, or it interrupted us.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Has the call return a value. An error says that nobody waits for it any more.
    pub(crate) fn succeed(&self, id: u64, value: i64) -> io::Result<()> {
        self.respond(id, value, 0)
    }

    /// Has the call fail.
    pub(crate) fn fail(&self, id: u64, errno: i32) -> io::Result<()> {
        self.respond(id, 0, -errno)
    }

    fn respond(&self, id: u64, val: i64, error: i32) -> io::Result<()> {
        // Flags stay zero: "go on with the call" would let the caller's memory be read a second time.
        let response = libc::seccomp_notif_resp { id, val, error, flags: 0 };
        // SAFETY: the kernel reads one `seccomp_notif_resp` from the address, which is that of one.
        let done =
            unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &response) };
        check(done).map(drop)
    }

    /// Whether the caller still waits, and so its thread's number still means the same thread.
    pub(crate) fn still_waits(&self, id: u64) -> bool {
        // SAFETY: the kernel reads one `u64` from the address, which is that of one.
        let done =
            unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &id) };
        done == 0
    }

    /// Puts a descriptor of ours in the place of one of the caller's.
    pub(crate) fn replace(
        &self,
        id: u64,
        ours: BorrowedFd<'_>,
        theirs: RawFd,
        close_on_exec: bool,
    ) -> io::Result<()> {
        let flags = u32::try_from(libc::SECCOMP_ADDFD_FLAG_SETFD).unwrap_or_default();
        self.add(id, ours, flags, theirs, close_on_exec).map(drop)
    }

    /// Has the call return a new descriptor, which is one of ours.
    pub(crate) fn give(
        &self,
        id: u64,
        ours: BorrowedFd<'_>,
        close_on_exec: bool,
    ) -> io::Result<()> {
        // Both in one step (Linux 5.14): a call that ends meanwhile leaves no descriptor behind.
        let flags = u32::try_from(libc::SECCOMP_ADDFD_FLAG_SEND).unwrap_or_default();
        self.add(id, ours, flags, 0, close_on_exec).map(drop)
    }

    fn add(
        &self,
        id: u64,
        ours: BorrowedFd<'_>,
        flags: u32,
        theirs: RawFd,
        close_on_exec: bool,
    ) -> io::Result<i32> {
        let addition = libc::seccomp_notif_addfd {
            id,
            flags,
            srcfd: ours.as_raw_fd() as u32,
            newfd: theirs as u32,
            newfd_flags: if close_on_exec { libc::O_CLOEXEC as u32 } else { 0 },
        };
        // SAFETY: the kernel reads one `seccomp_notif_addfd` from the address, which is that of one.
        let done =
            unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ADDFD, &addition) };
        check(done)
    }
}
