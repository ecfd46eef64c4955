//! Arguments for staying connected.

use std::time::Duration;

use clap::Args;
use towline::Backoff;

use super::value::some_time;

/// Whether to connect again, and how often. Where curl has a name for it, that is the name.
#[derive(Args, Debug)]
pub(crate) struct StayArgs {
    /// Connect again when the connection is lost, after a random wait that grows
    #[arg(long, conflicts_with = "binary")]
    pub(crate) reconnect: bool,
    /// Try again so many times in a row before giving up; by default for ever
    #[arg(long, value_name = "N", requires = "reconnect")]
    retry: Option<u32>,
    /// Wait up to so long after the first failure, and twice as long after each further one [default: 500ms]
    #[arg(long, value_name = "TIME", requires = "reconnect", value_parser = some_time)]
    retry_delay: Option<Duration>,
    /// Give up so long after the first failure in a row
    #[arg(long, value_name = "TIME", requires = "reconnect", value_parser = some_time)]
    retry_max_time: Option<Duration>,
}

impl StayArgs {
    pub(crate) fn backoff(&self) -> Backoff {
        let backoff = Backoff::default().retries(self.retry).max_time(self.retry_max_time);
        match self.retry_delay {
            Some(delay) => backoff.base(delay),
            None => backoff,
        }
    }
}
