//! The errors that a program is given.

use std::io;

pub(super) use rustix::io::Errno;

/// The number of an error of the standard library's.
pub(super) fn of(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
