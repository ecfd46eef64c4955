//! A descriptor table of one's own, for a moment.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::thread;

use super::check;

/// That a program waits for something of a descriptor, by epoll.
#[derive(Debug)]
pub(crate) struct Registration {
    /// A duplicate of the program's epoll.
    pub(crate) epoll: OwnedFd,
    /// What for.
    pub(crate) events: u32,
    /// What it wants to be told then.
    pub(crate) data: u64,
}

/// Registers a descriptor of ours under the number that it has with the program.
///
/// epoll knows what it watches by file and number. The program's own registrations went with the file that
/// was replaced, and only under its number can it change or end the new ones.
pub(crate) fn register_anew(
    registrations: &[Registration],
    ours: BorrowedFd<'_>,
    number: RawFd,
) -> io::Result<()> {
    // A thread of its own, since a table that is no longer shared never is again.
    thread::scope(|scope| {
        let made = scope.spawn(|| {
            // SAFETY: no pointers are passed. The thread ends with this closure, so nobody takes its
            // descriptors for the process's afterwards.
            check(unsafe { libc::unshare(libc::CLONE_FILES) })?;
            let registered = register(registrations, ours.as_raw_fd(), number);
            // Now rather than with the thread, which is said to have ended before its table is gone: until
            // then epoll would tell the program of the file that was replaced, of which this has a copy.
            // SAFETY: the arguments are numbers, and the table is this thread's own.
            check(unsafe { libc::syscall(libc::SYS_close_range, 0_u32, u32::MAX, 0_u32) })?;
            registered
        });
        made.join().unwrap_or_else(|_| Err(io::Error::other("the thread panicked")))
    })
}

/// Registers it in this thread's table.
fn register(registrations: &[Registration], ours: RawFd, number: RawFd) -> io::Result<()> {
    let ours = duplicate(ours, number)?;
    let mut epolls = Vec::with_capacity(registrations.len());
    for registration in registrations {
        epolls.push(duplicate(registration.epoll.as_raw_fd(), number)?);
    }
    // SAFETY: what the number meant is closed in this thread's table alone, and what in it would
    // be closed by its owner once more is the process's table, which is another.
    check(unsafe { libc::dup2(ours, number) })?;
    for (registration, epoll) in registrations.iter().zip(epolls) {
        let mut event = libc::epoll_event { events: registration.events, u64: registration.data };
        // SAFETY: the kernel reads one `epoll_event` from the address, which is that of one.
        check(unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, number, &mut event) })?;
    }
    Ok(())
}

/// A duplicate that does not have the number which is wanted for something else.
fn duplicate(descriptor: RawFd, not: RawFd) -> io::Result<RawFd> {
    // SAFETY: the arguments are numbers. The duplicate is closed with the thread's table.
    let any = || check(unsafe { libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 3) });
    let first = any()? as RawFd;
    // The first of two is still open, and so the second has another number.
    if first == not { any().map(|number| number as RawFd) } else { Ok(first) }
}
