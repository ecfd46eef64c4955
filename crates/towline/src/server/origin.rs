//! Which web pages may connect (RFC 6455 §10.2).

use std::net::{IpAddr, SocketAddr};

use http::Uri;

use crate::error::{Error, Result};

/// Origins that are let in beside the server's own.
#[derive(Debug, Default)]
pub(super) struct Origins {
    any: bool,
    list: Vec<Origin>,
}

/// `scheme://host:port`, with the scheme's own port made explicit (RFC 6454 §4).
#[derive(Debug, Eq, PartialEq)]
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origins {
    pub(super) fn allow(&mut self, origin: &str) -> Result<()> {
        let parsed = Origin::parse(origin).ok_or_else(|| {
            Error::invalid(format!("allowing the origin {origin:?}"))
                .cause("it is not of the form scheme://host or scheme://host:port")
        })?;
        self.list.push(parsed);
        Ok(())
    }

    pub(super) fn allow_any(&mut self) {
        self.any = true;
    }

    /// Whether a page of `origin` may connect, whatever it called the server.
    pub(super) fn list(&self, origin: &str) -> bool {
        self.any || Origin::parse(origin).is_some_and(|origin| self.list.contains(&origin))
    }

    /// Whether a page of `origin` is of the same origin as a server that it called `host`, which
    /// is `secure` if it speaks TLS itself.
    pub(super) fn is_own(origin: &str, host: &str, secure: bool) -> bool {
        // "null", of sandboxed pages and files, is nobody's origin (RFC 6454 §6.1).
        let Some(origin) = Origin::parse(origin) else { return false };
        // A page that came without TLS may be anybody's on its way.
        if secure && origin.scheme != "https" {
            return false;
        }
        // Same host and port. A plain server does not compare the scheme: TLS may end in front.
        let own = Origin::parse(&format!("{}://{host}", origin.scheme));
        own.is_some_and(|own| own == origin)
    }
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let authority = uri.authority()?;
        let bare = !authority.as_str().contains('@')
            && matches!(uri.path(), "" | "/")
            && uri.query().is_none();
        let default = match &*scheme {
            "http" | "ws" => Some(80),
            "https" | "wss" => Some(443),
            _ => None,
        };
        bare.then(|| Self {
            scheme,
            host: authority.host().to_ascii_lowercase(),
            port: authority.port_u16().or(default),
        })
    }
}

/// Names by which web pages may know a server on a loopback address.
#[derive(Debug, Default)]
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    pub(super) fn allow(&mut self, host: &str) {
        self.0.push(host.to_ascii_lowercase());
    }

    /// Whether a page that called the server `host` may connect to it at `local`.
    ///
    /// A page's author can have a name of his point at 127.0.0.1: the page is then of the same
    /// origin as the server on the visitor's own machine (DNS rebinding). A name that cannot be
    /// had that way is safe.
    pub(super) fn admit(&self, host: &str, local: Option<SocketAddr>) -> bool {
        if !local.is_some_and(|local| local.ip().to_canonical().is_loopback()) {
            return true;
        }
        let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
        let name = authority.host().to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok()
            || bare == "localhost"
            || bare.ends_with(".localhost")
            || self.0.iter().any(|allowed| allowed == bare)
    }
}
