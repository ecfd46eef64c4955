//! A server's settings.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, lookup_host};
use towline_proto::Config;
use towline_proto::handshake::HeadLimits;

use super::Server;
use super::origin::{Hosts, Origins};
use crate::error::{Error, ErrorKind, Result, Step};
use crate::guard::Guard;

/// What a server decided about its connections.
#[derive(Debug)]
pub(super) struct Settings {
    #[cfg(feature = "tls")]
    pub(super) tls: Option<crate::tls::Acceptor>,
    pub(super) guard: Guard,
    pub(super) origins: Origins,
    pub(super) hosts: Hosts,
    pub(super) limits: HeadLimits,
    pub(super) handshake_timeout: Duration,
    pub(super) max_connections: usize,
    pub(super) max_per_address: usize,
    pub(super) max_handshakes: usize,
    pub(super) max_handshakes_per_address: usize,
    pub(super) nodelay: bool,
    pub(super) send_buffer_size: Option<usize>,
    #[cfg(feature = "deflate")]
    pub(super) deflate: Option<crate::Deflate>,
    /// Where every connection arrives, if the server listens on one address and not on all.
    pub(super) local_addr: Option<SocketAddr>,
    /// Shared by all connections.
    pub(super) config: Arc<Config>,
}

impl Settings {
    #[cfg(feature = "tls")]
    pub(super) fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, reason = "with the feature `tls` it depends on the settings")]
    pub(super) fn is_secure(&self) -> bool {
        false
    }
}

/// A server's settings.
#[derive(Debug)]
#[must_use = "nothing happens before `bind`"]
pub struct ServerBuilder {
    pub(super) settings: Settings,
    /// The first setting that was bad.
    pub(super) error: Option<Error>,
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self {
            settings: Settings {
                #[cfg(feature = "tls")]
                tls: None,
                guard: Guard::default(),
                origins: Origins::default(),
                hosts: Hosts::default(),
                limits: HeadLimits::default(),
                handshake_timeout: Duration::from_secs(10),
                max_connections: 65_536,
                max_per_address: 65_536,
                max_handshakes: 1024,
                max_handshakes_per_address: 256,
                nodelay: true,
                send_buffer_size: None,
                #[cfg(feature = "deflate")]
                deflate: None,
                local_addr: None,
                config: Arc::default(),
            },
            error: None,
        }
    }
}

impl ServerBuilder {
    /// Lets web pages of this origin connect, such as `https://example.com`.
    ///
    /// A browser lets any page on the Web connect to any server and names the page's origin; it is
    /// the server that has to refuse (RFC 6455 §10.2). By default pages of the server's own host
    /// are let in. Clients that are no browsers send no `Origin` and are not asked.
    pub fn allow_origin(mut self, origin: &str) -> Self {
        if let Err(error) = self.settings.origins.allow(origin) {
            self.error.get_or_insert(error);
        }
        self
    }

    /// Lets every web page connect. Only for what every page on the Web may do and see.
    pub fn allow_any_origin(mut self) -> Self {
        self.settings.origins.allow_any();
        self
    }

    /// Serves web pages that know the server by this name.
    ///
    /// Only needed on a loopback address, where by default nothing but `localhost` and IP
    /// addresses count as its names: any page could have its own name point there (DNS rebinding).
    /// That check covers loopback only: on any other address, one of a private network among them,
    /// a page may call the server by any name.
    pub fn allow_host(mut self, host: &str) -> Self {
        self.settings.hosts.allow(host);
        self
    }

    /// Most connections at once, those shaking hands included. Default 65,536.
    ///
    /// One more is answered 503.
    pub fn max_connections(mut self, limit: usize) -> Self {
        self.settings.max_connections = limit;
        self
    }

    /// Most connections at once from one IP address. Default 65,536, for servers behind a proxy.
    ///
    /// The IPv6 addresses that share their first 64 bits count as one. One more is answered 503.
    pub fn max_connections_per_address(mut self, limit: usize) -> Self {
        self.settings.max_per_address = limit;
        self
    }

    /// Most connections at once whose handshake is not over. Default 1024.
    ///
    /// One more is answered 503.
    pub fn max_handshakes(mut self, limit: usize) -> Self {
        self.settings.max_handshakes = limit;
        self
    }

    /// Most connections at once from one IP address whose handshake is not over. Default 256.
    ///
    /// Keeps one address from taking all of [`max_handshakes`](Self::max_handshakes). Behind a
    /// proxy, where all clients come from one address, raise it. The IPv6 addresses that share
    /// their first 64 bits count as one. One more is answered 503.
    pub fn max_handshakes_per_address(mut self, limit: usize) -> Self {
        self.settings.max_handshakes_per_address = limit;
        self
    }

    /// So long may TLS and the opening request take together. Default 10 s.
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.settings.handshake_timeout = limit;
        self
    }

    /// Longest head of an opening request in bytes, and most headers in it; beyond, 431.
    ///
    /// Default 16 KiB and 100.
    pub fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Sends small messages at once rather than waiting for more. Default true.
    pub fn nodelay(mut self, nodelay: bool) -> Self {
        self.settings.nodelay = nodelay;
        self
    }

    /// The operating system's buffer for what was sent, in bytes. Best left to it.
    pub fn send_buffer_size(mut self, bytes: usize) -> Self {
        self.settings.send_buffer_size = Some(bytes);
        self
    }

    /// Compresses messages with clients that offer it, with these settings. Off by default.
    ///
    /// What was agreed on is in [`ConnectionInfo::deflate`](crate::ConnectionInfo::deflate). See
    /// [`guide::compression`](crate::guide::compression).
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, settings: crate::Deflate) -> Self {
        self.settings.deflate = Some(crate::deflate::within_budget(settings));
        self
    }

    /// Limits and deadlines of the connections.
    pub fn config(mut self, config: Config) -> Self {
        self.settings.config = Arc::new(config);
        self
    }

    /// Keeps to a policy: it says where may be listened, and who is let in.
    ///
    /// Others are cut off before they are read from. See [`ClientBuilder::policy`](crate::ClientBuilder::policy).
    #[cfg(feature = "isolation")]
    pub fn policy(mut self, policy: towline_isolate::Policy) -> Self {
        self.settings.guard = Guard::new(policy);
        self
    }

    /// Listens on an address such as `127.0.0.1:8080`, `[::]:8080` or `localhost:8080`.
    ///
    /// # Errors
    /// As [`Server::bind`], and [`InvalidInput`](ErrorKind::InvalidInput) for a bad setting.
    ///
    /// # Cancel safety
    /// If cancelled nothing listens.
    pub async fn bind(self, address: impl AsRef<str>) -> Result<Server> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let address = address.as_ref();
        let doing = || format!("listening on {address}");
        if let Some((host, _)) = address.rsplit_once(':')
            && address.parse::<SocketAddr>().is_err()
            && let Err(denied) = self.settings.guard.name(host)
        {
            return Err(Error::denied_by(&denied, doing()).at(Step::Listen));
        }
        let addresses = lookup_host(address).await.map_err(|error| {
            Error::invalid(doing())
                .cause(error)
                .advise("expected an address and a port, such as 127.0.0.1:8080 or [::1]:0")
        })?;
        let mut failure = None;
        for address in addresses {
            if let Err(denied) = self.settings.guard.listen(address) {
                return Err(Error::denied_by(&denied, doing()).at(Step::Listen));
            }
            match TcpListener::bind(address).await.and_then(|listener| {
                let local_addr = listener.local_addr()?;
                Ok((listener, local_addr))
            }) {
                Ok((listener, local_addr)) => {
                    return Ok(Server::new(listener, local_addr, self.settings));
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(match failure {
            None => Error::invalid(doing()).cause("the name has no address"),
            Some(error) => {
                let advice = match error.kind() {
                    std::io::ErrorKind::AddrInUse => {
                        "another program listens there; choose another port, or 0 for a free one"
                    }
                    std::io::ErrorKind::PermissionDenied => {
                        "ports below 1024 need a privilege; choose a higher one"
                    }
                    std::io::ErrorKind::AddrNotAvailable => "this machine has no such address",
                    _ => "choose another address",
                };
                Error::new(ErrorKind::Io, doing()).cause(error).advise(advice)
            }
        })
    }
}
