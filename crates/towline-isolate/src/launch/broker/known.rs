//! Sockets that are known again by the number that the kernel gives each once (`SO_COOKIE`).

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};

use super::errno::{self, Errno};
use crate::sys::socket_cookie;

/// The newest of them. A number is never given again, so what is gone does no harm.
#[derive(Debug, Default)]
pub(super) struct Known(VecDeque<u64>);

/// As many as the longest backlog holds (`somaxconn`), and more than a program listens at.
const MAX_KNOWN: usize = 4096;

impl Known {
    pub(super) fn remember(&mut self, socket: &OwnedFd) -> Result<(), Errno> {
        let cookie = socket_cookie(socket.as_fd()).map_err(|error| errno::of(&error))?;
        if self.0.len() == MAX_KNOWN {
            self.0.pop_front();
        }
        self.0.push_back(cookie);
        Ok(())
    }

    pub(super) fn has(&self, cookie: Option<u64>) -> bool {
        cookie.is_some_and(|cookie| self.0.contains(&cookie))
    }
}
