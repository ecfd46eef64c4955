//! What a client decided about the way to its server.

use std::time::Duration;

use super::family::Family;
use super::resolve::Names;
use super::socket::SocketOptions;
use crate::guard::Guard;
use crate::progress::Watch;
use crate::proxy::Proxies;
#[cfg(feature = "tls")]
use crate::tls::Tls;

#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// For the look-up, and for each address.
    pub(crate) connect_timeout: Duration,
    /// For TLS here, and for HTTP after it.
    pub(crate) handshake_timeout: Duration,
    /// For everything until the connection is open.
    pub(crate) total_timeout: Option<Duration>,
    /// How far attempts to connect are apart.
    pub(crate) attempt_delay: Duration,
    pub(crate) family: Family,
    pub(crate) names: Names,
    pub(crate) socket: SocketOptions,
    /// Asked before each connection.
    pub(crate) guard: Guard,
    pub(crate) proxies: Proxies,
    /// Whoever wants to be told how it goes.
    pub(crate) watch: Watch,
    /// Taken in place of TCP.
    #[cfg(unix)]
    pub(crate) unix_socket: Option<std::path::PathBuf>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Tls,
    /// The same for proxies that are spoken to over TLS.
    #[cfg(feature = "tls")]
    pub(crate) proxy_tls: Tls,
}

impl Way {
    /// The way to servers that the caller did not name: they are not shown who one is.
    pub(crate) fn for_strangers(&self) -> Self {
        Self {
            #[cfg(feature = "tls")]
            tls: self.tls.nameless(),
            ..self.clone()
        }
    }
}

impl Default for Way {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(60),
            handshake_timeout: Duration::from_secs(30),
            total_timeout: None,
            // RFC 8305 §8
            attempt_delay: Duration::from_millis(250),
            family: Family::default(),
            names: Names::default(),
            socket: SocketOptions::default(),
            guard: Guard::default(),
            proxies: Proxies::of_process(),
            watch: Watch::default(),
            #[cfg(unix)]
            unix_socket: None,
            #[cfg(feature = "tls")]
            tls: Tls::default(),
            #[cfg(feature = "tls")]
            proxy_tls: Tls::default(),
        }
    }
}
