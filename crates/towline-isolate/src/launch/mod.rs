//! Runs a program so that the kernel keeps it to its policy.

mod broker;
mod error;
mod internet_sockets;
mod journal;
mod name_servers;
mod netlink;
mod network;
mod own_sockets;
mod packets;
mod relay;
mod standard;
mod supervisor;

use std::process::{Command, ExitStatus};

pub use error::{LaunchError, LaunchErrorKind};

use crate::policy::Policy;

/// Runs programs in isolation.
///
/// The program and all that it starts get a network of their own, with nothing in it. What they connect to
/// is judged by a supervisor, a process of its own, which hands them a connection that it has made; when it
/// ends, so does what they reach.
///
/// ```no_run
/// use std::process::Command;
/// use towline_isolate::{Launcher, Policy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = Policy::load("towline.toml")?;
/// let mut curl = Command::new("curl");
/// curl.arg("https://example.com");
/// let status = Launcher::new(policy).run(curl)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Launcher {
    policy: Policy,
    quiet: bool,
}

impl Launcher {
    /// A launcher that keeps programs to this policy.
    pub fn new(policy: Policy) -> Self {
        Self { policy, quiet: false }
    }

    /// Does not tell on standard error what was denied.
    #[must_use]
    pub fn quiet(mut self, quiet: bool) -> Self {
        self.quiet = quiet;
        self
    }

    /// Runs a program and waits for its end.
    ///
    /// Signals that would end this process are passed on to the program. Processes that it leaves behind
    /// stay isolated: their supervisor ends with the last of them.
    ///
    /// # Errors
    /// [`LaunchError`] if it could not be isolated, and then it was not started; and if it could not be
    /// started. This process has to have one thread: a second process is made of it.
    pub fn run(&self, command: Command) -> Result<ExitStatus, LaunchError> {
        relay::run(self, command)
    }
}
