//! Every limit and deadline of a connection, its default and its reason.

use std::time::Duration;

/// Limits and deadlines of a connection.
///
/// Set what differs from the default:
///
/// ```
/// use std::time::Duration;
/// use towline_proto::Config;
///
/// let config = Config::default()
///     .max_message_size(1024 * 1024)
///     .ping_interval(Some(Duration::from_secs(10)));
/// assert_eq!(config.get_max_message_size(), 1024 * 1024);
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) max_message_size: u64,
    pub(crate) max_frame_size: u64,
    pub(crate) max_fragments: u64,
    pub(crate) max_empty_fragments: u64,
    pub(crate) max_control_frames_per_second: u32,
    pub(crate) max_outbox: usize,
    pub(crate) ping_interval: Option<Duration>,
    pub(crate) pong_timeout: Duration,
    pub(crate) pong_interval: Option<Duration>,
    pub(crate) allow_short_pong_interval: bool,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) close_timeout: Duration,
    pub(crate) write_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_message_size: 64 * 1024 * 1024,
            max_frame_size: i64::MAX.unsigned_abs(),
            max_fragments: 128 * 1024,
            max_empty_fragments: 1024,
            max_control_frames_per_second: 1000,
            max_outbox: 64 * 1024,
            ping_interval: Some(Duration::from_secs(30)),
            pong_timeout: Duration::from_secs(30),
            pong_interval: None,
            allow_short_pong_interval: false,
            idle_timeout: None,
            close_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
        }
    }
}

/// Makes a setter and a getter of each field, so that the two cannot differ.
macro_rules! settings {
    ($($(#[$doc:meta])* $field:ident, $get:ident: $type:ty;)*) => {
        impl Config {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $field(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }

                #[doc = concat!("What [`", stringify!($field), "`](Self::", stringify!($field), ") set.")]
                pub fn $get(&self) -> $type {
                    self.$field
                }
            )*
        }
    };
}

/// The shortest time between two pings or pongs: none at all would be nothing but pings and pongs.
const MIN_INTERVAL: Duration = Duration::from_millis(1);

/// What a heartbeat beats at if it is to be, and nobody says how often: as Windows does it.
const DEFAULT_PONG_INTERVAL: Duration = Duration::from_secs(30);

/// The shortest time between two heartbeats that are not explicitly allowed to be quicker: as Windows
/// does it. A radio that is woken more often never sleeps.
const MIN_PONG_INTERVAL: Duration = Duration::from_secs(15);

impl Config {
    pub(crate) fn ping_every(&self) -> Option<Duration> {
        self.ping_interval.map(|interval| interval.max(MIN_INTERVAL))
    }

    /// How often a pong is sent unasked, by what [`pong_interval`](Self::pong_interval) asks for.
    ///
    /// | asked for | sent |
    /// |---|---|
    /// | `None` | never |
    /// | zero | each 30 s |
    /// | less than 15 s | each 15 s; with [`allow_short_pong_interval`](Self::allow_short_pong_interval) as asked for, at least 1 ms apart |
    /// | 15 s or more | as asked for |
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use towline_proto::Config;
    /// let config = Config::default().pong_interval(Some(Duration::from_secs(1)));
    /// assert_eq!(config.get_pong_interval(), Some(Duration::from_secs(1)));
    /// assert_eq!(config.actual_pong_interval(), Some(Duration::from_secs(15)));
    /// ```
    pub fn actual_pong_interval(&self) -> Option<Duration> {
        let shortest =
            if self.allow_short_pong_interval { MIN_INTERVAL } else { MIN_PONG_INTERVAL };
        self.pong_interval.map(|desired| match desired {
            Duration::ZERO => DEFAULT_PONG_INTERVAL,
            desired => desired.max(shortest),
        })
    }
}

settings! {
    /// Largest message received, in bytes, all its frames together; the peer is told 1009.
    ///
    /// Default 64 MiB. Where messages are streamed they are not held, and this does not apply.
    max_message_size, get_max_message_size: u64;

    /// Largest frame received, in bytes; the peer is told 1009.
    ///
    /// Default 2^63 - 1: frames are handed on as they arrive, so their size costs nothing.
    max_frame_size, get_max_frame_size: u64;

    /// Most frames in one received message; the peer is told 1008.
    ///
    /// Default 131,072. Where messages are streamed this does not apply.
    max_fragments, get_max_fragments: u64;

    /// Most empty frames in a row within a received message; the peer is told 1008.
    ///
    /// Default 1024: they carry nothing, and each costs us more than it costs the peer.
    max_empty_fragments, get_max_empty_fragments: u64;

    /// Most pings, pongs and closing frames received within a second; the peer is told 1008.
    ///
    /// Default 1000.
    max_control_frames_per_second, get_max_control_frames_per_second: u32;

    /// Bytes that may wait to be written before a sender has to wait.
    ///
    /// Default 64 KiB. One message more may be added while less than this waits.
    max_outbox, get_max_outbox: usize;

    /// After so long a silence of the peer, ask for life with a ping; `None`: never.
    ///
    /// Default 30 s, at least 1 ms. Any byte that arrives is a sign of life, so a slow large frame
    /// is no silence.
    ping_interval, get_ping_interval: Option<Duration>;

    /// So long may the peer stay silent after such a ping before the connection counts as lost.
    ///
    /// Default 30 s.
    pong_timeout, get_pong_timeout: Duration;

    /// Send a pong unasked so often, as a heartbeat that needs no answer; `None`: never.
    ///
    /// Default `None` (RFC 6455 §5.5.3 allows it). How often it really is tells
    /// [`actual_pong_interval`](Self::actual_pong_interval): zero stands for 30 s, and what is shorter
    /// than 15 s is 15 s.
    pong_interval, get_pong_interval: Option<Duration>;

    /// Whether a [`pong_interval`](Self::pong_interval) may be shorter than 15 s.
    ///
    /// Default false.
    allow_short_pong_interval, get_allow_short_pong_interval: bool;

    /// Close with 1001 after so long without data in either direction; `None`: never.
    ///
    /// Default `None`. Pings and pongs are not data. What is sent is looked at when the time is up,
    /// so after the last data sent it may take up to twice as long.
    idle_timeout, get_idle_timeout: Option<Duration>;

    /// So long may the closing handshake take before the connection is cut.
    ///
    /// Default 10 s.
    close_timeout, get_close_timeout: Duration;

    /// So long may a write make no progress before the connection counts as lost.
    ///
    /// Default 30 s: a peer that never reads must not hold a sender for ever.
    write_timeout, get_write_timeout: Duration;
}
