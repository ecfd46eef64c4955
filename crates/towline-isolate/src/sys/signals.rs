//! Signals, as something to wait for.

use std::fs::File;
use std::io::{self, Read};
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, RawFd};

use super::check;

/// The signals that would end a process that runs another one. While this lives they are held back, in
/// this thread and in those that it makes.
#[derive(Debug)]
pub(crate) struct Signals {
    before: libc::sigset_t,
    file: File,
}

/// A signal that came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signal {
    pub(crate) number: i32,
    /// Whether a process sent it, rather than the terminal to all of its group.
    pub(crate) sent: bool,
}

const HELD: [i32; 4] = [libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGHUP];

impl Signals {
    /// Holds them back from now on.
    pub(crate) fn hold() -> io::Result<Self> {
        // SAFETY: sets of signals are filled by the functions for it before they are read, and the
        // addresses are those of sets.
        unsafe {
            let (mut held, mut before) = (mem::zeroed(), mem::zeroed());
            libc::sigemptyset(&mut held);
            for signal in HELD {
                libc::sigaddset(&mut held, signal);
            }
            // It gives the error itself.
            match libc::pthread_sigmask(libc::SIG_BLOCK, &held, &mut before) {
                0 => {}
                error => return Err(io::Error::from_raw_os_error(error)),
            }
            let descriptor = check(libc::signalfd(-1, &held, libc::SFD_CLOEXEC))?;
            Ok(Self { before, file: File::from_raw_fd(descriptor as RawFd) })
        }
    }

    /// The next one; waits for it.
    pub(crate) fn next(&mut self) -> io::Result<Signal> {
        let mut bytes = [0; size_of::<libc::signalfd_siginfo>()];
        self.file.read_exact(&mut bytes)?;
        let number = |at: usize| {
            i32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        // `ssi_signo`, `ssi_errno` and `ssi_code`, which is that of the kernel for a terminal's.
        Ok(Signal { number: number(0), sent: number(8) != libc::SI_KERNEL })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // SAFETY: `before` was filled by the same function.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut()) };
    }
}
