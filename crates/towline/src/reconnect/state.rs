//! What a connection that comes back is doing, and why.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use towline_proto::CloseFrame;

use crate::error::{Error, ErrorKind};

/// What a connection that comes back is doing.
///
/// ```text
///                +-------------------- Waiting <--------------------+
///                |                        ^                         |
///                v      it cannot be had  |            it was lost  |
///   ------> Connecting -------------------+--------> Connected -----+
///                |                        |              |
///                +-- for good             |              | closed, or for good
///                v                        v              v
///              Ended <-------------- too many         Ended
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LinkState {
    /// It is being connected.
    Connecting {
        /// Which attempt in a row this is: 1 for the first, and for the first after a good connection.
        attempt: u32,
    },
    /// It is open, and whoever prepares it is done.
    Connected,
    /// It will be connected again.
    Waiting {
        /// After so long.
        delay: Duration,
        /// Why it has to be.
        why: Why,
    },
    /// It is over.
    Ended {
        /// Why.
        why: Why,
    },
}

/// Why a connection is not there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Why {
    /// It was lost, or could not be had.
    Failed(Arc<Error>),
    /// The peer closed it, perhaps with a code.
    ClosedByPeer(Option<CloseFrame>),
    /// We did.
    ClosedByUs,
}

impl Why {
    /// As the error that ends it.
    pub(super) fn into_error(self) -> Error {
        match self {
            // Whoever was told before keeps it: then this is another that says the same.
            Self::Failed(error) => Arc::try_unwrap(error).unwrap_or_else(|error| error.again()),
            why @ (Self::ClosedByPeer(_) | Self::ClosedByUs) => {
                Error::new(ErrorKind::Disconnected, "staying connected").cause(why.to_string())
            }
        }
    }

    /// For one more who has to be told.
    pub(super) fn of(error: &Error) -> Self {
        Self::Failed(Arc::new(error.again()))
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::ClosedByPeer(None) => f.write_str("the peer closed the connection"),
            Self::ClosedByPeer(Some(frame)) => {
                write!(f, "the peer closed the connection with {frame}")
            }
            Self::ClosedByUs => f.write_str("we closed the connection"),
        }
    }
}
