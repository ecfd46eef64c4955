//! What the kernel offers for isolation and no safe crate has. Nothing unsafe comes out of here.
#![expect(
    unsafe_code,
    reason = "system calls are made here that no safe crate has, and nowhere else"
)]
#![expect(clippy::as_conversions, reason = "the kernel has one number in types of several widths")]

mod child;
mod memory;
mod notify;
mod process;
mod signals;
mod socket;
mod table;

use std::io;

pub(crate) use child::{Network, Preparation, Report, Step, has_scopes};
pub(crate) use memory::read_memory;
pub(crate) use notify::{Listener, Notification};
pub(crate) use process::{Forked, end, fork, hide_memory, write_to_any_terminal};
pub(crate) use signals::Signals;
pub(crate) use socket::{Options, network_cookie, socket_cookie};
pub(crate) use table::{Registration, register_anew};

/// What a system call gave, or why it failed.
fn check<T: PartialOrd + Default>(returned: T) -> io::Result<T> {
    if returned < T::default() { Err(io::Error::last_os_error()) } else { Ok(returned) }
}
