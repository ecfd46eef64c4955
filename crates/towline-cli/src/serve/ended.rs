//! How a connection ended, for the log.

use std::fmt;
use std::io;

use towline::{CloseFrame, Stats};

use crate::print::{count, size};

/// How a connection ended, and what it carried.
#[derive(Debug)]
pub(crate) struct Ended {
    result: io::Result<()>,
    stats: Stats,
    close: Option<CloseFrame>,
}

impl Ended {
    pub(crate) fn new(result: io::Result<()>, stats: Stats, close: Option<&CloseFrame>) -> Self {
        Self { result, stats, close: close.cloned() }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.result, &self.close) {
            (Err(error), _) => write!(f, "failed ({error})")?,
            (Ok(()), Some(frame)) => write!(f, "closed with {frame}")?,
            (Ok(()), None) => f.write_str("closed without a code")?,
        }
        let Stats { messages_in, messages_out, bytes_in, bytes_out, .. } = self.stats;
        write!(f, "; in: {}, {}", count(messages_in, "message"), size(bytes_in))?;
        write!(f, "; out: {}, {}", count(messages_out, "message"), size(bytes_out))
    }
}
