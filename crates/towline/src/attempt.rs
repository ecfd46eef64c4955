//! What became of each address of a host.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// One try to connect to one address of a host.
///
/// ```no_run
/// # #[tokio::main]
/// # async fn main() -> towline::Result<()> {
/// let connected = towline::Client::new().connect("wss://example.com/chat").await;
/// let attempts = match &connected {
///     Ok(socket) => socket.info().attempts(),
///     Err(error) => error.attempts(),
/// };
/// for attempt in attempts {
///     println!("{attempt}, after {:?}", attempt.took); // [2001:db8::7]:443: no answer in time, …
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// Where to.
    pub address: SocketAddr,
    /// When it began, counted from when the host began to be looked up.
    pub began: Duration,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: AttemptOutcome,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// It is the one that won.
    Connected,
    /// The operating system said why it failed.
    Failed(Arc<io::Error>),
    /// There was no answer in time.
    TimedOut,
    /// Another one was faster.
    Overtaken,
}

/// `[::1]:80: Connection refused (os error 111)`
impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.address, self.outcome)
    }
}

impl fmt::Display for AttemptOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("connected"),
            Self::Failed(error) => error.fmt(f),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Overtaken => f.write_str("another one was faster"),
        }
    }
}
