//! A client's settings: which proxies lead to its servers.

use super::address::parse;
use super::{Client, ClientBuilder};
use crate::deadline::after;
use crate::dial::routes;
use crate::error::{Error, Result};
use crate::info::ConnectionInfo;
use crate::proxy::{Proxies, Proxy, Route, shown};

impl ClientBuilder {
    /// Reaches every server through this proxy, but for those on this machine.
    ///
    /// The same as [`proxies`](Self::proxies) with [`Proxies::all`], which can do more: except other
    /// servers, or take [this machine](Proxies::loopback) in.
    pub fn proxy(self, proxy: Proxy) -> Self {
        self.proxies(Proxies::all([proxy]))
    }

    /// Says which proxies lead to which servers. By default the environment says: see
    /// [`Proxies::environment`].
    ///
    /// A proxy is asked for a tunnel to the server, for `ws` as for `wss`; it sees the server's name
    /// and port, and with `wss` nothing else. The timeouts count for it as for a server: one for
    /// connecting to it, another one for its connecting.
    pub fn proxies(self, proxies: Proxies) -> Self {
        self.set("choosing proxies".to_owned(), |client| {
            proxies.check()?;
            client.way.proxies = proxies;
            Ok(())
        })
    }

    /// Decides which proxies with `https://` to trust. By default those that the operating system
    /// trusts, whatever holds for [servers](Self::tls).
    #[cfg(feature = "tls")]
    pub fn proxy_tls(self, config: crate::TlsConfig) -> Self {
        let doing = "choosing which proxies to trust".to_owned();
        self.set(doing, |client| client.way.proxy_tls.trust(config))
    }
}

impl Client {
    /// Which proxies a connection to this server would go through, and why.
    ///
    /// Nothing is connected to, and no script is run: see [`routes`](Self::routes).
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an address that is none, and if what says
    /// which proxy to use cannot be read, or is a script.
    pub fn route(&self, uri: impl AsRef<str>) -> Result<Route> {
        let (uri, _) = parse(uri.as_ref())?;
        self.way.proxies.route(&uri)
    }
}

impl Client {
    /// The ways that a connection to this server would go, in the order in which they would be tried.
    ///
    /// As [`route`](Self::route), but where a script says so (PAC) it is read and run. Nothing else is
    /// connected to.
    ///
    /// # Errors
    /// Those of [`route`](Self::route), and those of reading and running a script.
    ///
    /// # Cancel safety
    /// If cancelled nothing has happened that matters.
    pub async fn routes(&self, uri: impl AsRef<str>) -> Result<Vec<Route>> {
        let (uri, _) = parse(uri.as_ref())?;
        let deadline = self.way.total_timeout.and_then(after);
        routes(&uri, &self.way, deadline).await
    }
}

/// An error of the opening handshake, which proxies may have made.
pub(super) fn named(error: Error, info: &ConnectionInfo) -> Error {
    match info.route().filter(|route| !route.proxies().is_empty()) {
        Some(route) => error.by_way_of(&shown(route.proxies())),
        None => error,
    }
}
