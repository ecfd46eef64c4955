//! [`Guard`]: the policy that everything asks which opens a connection or lets one in.
//!
//! It is asked for each address after the look-up, not for the name before it, and once more for the
//! address that TCP really leads to. It is there for good errors, and is no wall: other code of the
//! program opens sockets without asking. A launcher that has the kernel enforce the policy is one.

#[cfg(not(feature = "isolation"))]
mod absent;
#[cfg(feature = "isolation")]
mod present;

#[cfg(not(feature = "isolation"))]
pub(crate) use absent::{Denied, Guard, Own};
#[cfg(feature = "isolation")]
pub(crate) use present::{Guard, Own};
#[cfg(feature = "isolation")]
pub(crate) use towline_isolate::Denied;

use std::io;

/// What was not permitted, if that is what an error of the operating system's stands for.
pub(crate) fn denied_in(error: &io::Error) -> Option<&Denied> {
    error.get_ref()?.downcast_ref()
}
