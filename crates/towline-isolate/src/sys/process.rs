//! Processes: the supervisor is one of its own.

use std::io;

use super::check;

/// Which of the two processes this is, after [`fork`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forked {
    /// The one that asked.
    Parent {
        /// The new one's number.
        child: u32,
    },
    /// The new one.
    Child,
}

/// Whether this process has one thread alone.
pub(crate) fn only_thread() -> io::Result<bool> {
    Ok(std::fs::read_dir("/proc/self/task")?.count() == 1)
}

/// Makes a copy of this process, which has to have one thread alone.
pub(crate) fn fork() -> io::Result<Forked> {
    if !only_thread()? {
        return Err(io::Error::other("this process has several threads already"));
    }
    // SAFETY: with one thread no lock can be held by a thread that the copy does not have.
    let child = check(unsafe { libc::fork() })?;
    Ok(match u32::try_from(child) {
        Ok(0) | Err(_) => Forked::Child,
        Ok(child) => Forked::Parent { child },
    })
}

/// Keeps other processes of this user from looking into this one, or taking descriptors out of it.
pub(crate) fn hide_memory() -> io::Result<()> {
    // SAFETY: this option has one argument, a number.
    check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) }).map(drop)
}

/// Lets this process write to its terminal though another one has it (`stty tostop`): it would be stopped,
/// and with it the program's network. Programs that it starts later inherit this.
pub(crate) fn write_to_any_terminal() {
    // SAFETY: no handler of ours is installed, the signal is ignored.
    unsafe { libc::signal(libc::SIGTTOU, libc::SIG_IGN) };
}

/// Ends this process at once. What runs at the end of the program that it is a copy of, runs there.
pub(crate) fn end() -> ! {
    // SAFETY: the argument is a number, and nothing runs afterwards.
    unsafe { libc::_exit(0) }
}
