//! Which proxy leads to which server. Nothing here connects; `dial/tunnel` does.

mod environment;
mod except;
mod proxies;
mod route;
mod rules;
#[cfg(feature = "pac")]
mod script;
mod system;
mod url;

use std::fmt;

use towline_proto::WsUri;

use crate::auth::Credentials;
use crate::error::{Error, Result};

pub(crate) use proxies::Lead;
pub use proxies::Proxies;
pub use route::Route;
pub(crate) use route::shown;
#[cfg(feature = "pac")]
pub(crate) use rules::Scripted;
#[cfg(feature = "pac")]
pub use script::PacScript;
#[cfg(feature = "pac")]
pub(crate) use script::{Found, Script, Source};

/// A proxy: how it is spoken to, where it is, and who one is to it.
///
/// | address | how |
/// |---|---|
/// | `http://…` | HTTP, by CONNECT; port 80 unless the address names one |
/// | `https://…` | the same over TLS; port 443 |
/// | `socks5h://…` | SOCKS5 (RFC 1928), and the proxy looks up the server's name; port 1080 |
/// | `socks5://…` | the same, and the name is looked up here |
/// | `socks4a://…` | SOCKS4, and the proxy looks up the name; no IPv6, and of credentials only the user name |
/// | `socks4://…` | the same, and the name is looked up here |
///
/// Without a scheme it is `http`. `user:password@` may stand before the host, with other characters
/// than letters and digits as `%` and two hexadecimal digits. Neither appears in errors or in `Debug`.
///
/// ```
/// # use towline::{Client, Credentials, Proxy};
/// # fn main() -> towline::Result<()> {
/// let proxy = Proxy::new("http://proxy.example:3128")?
///     .credentials(Credentials::password("ann", "s3cret"));
/// let client = Client::builder().proxy(proxy).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Proxy {
    scheme: Scheme,
    /// Where it is. Scheme and path say nothing.
    at: WsUri,
    credentials: Option<Credentials>,
}

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scheme {
    Http,
    Https,
    Socks4,
    Socks4a,
    Socks5,
    Socks5h,
}

impl Proxy {
    /// The proxy with this address.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if it is not the address of a proxy. What is
    /// wrong is said without repeating the address, which may hold a password.
    pub fn new(address: impl AsRef<str>) -> Result<Self> {
        url::parse(address.as_ref())
            .map_err(|why| Error::invalid("reading the address of a proxy").cause(why))
    }

    /// Who one is to it, if it asks: by 407, as a [server](crate::ClientBuilder::credentials) does by
    /// 401, or as SOCKS does, which knows names and passwords alone. A client refuses those that cannot be
    /// used.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// With these, unless it has some.
    fn or(self, credentials: &Credentials) -> Self {
        let credentials = self.credentials.unwrap_or_else(|| credentials.clone());
        Self { credentials: Some(credentials), ..self }
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(crate) fn at(&self) -> &WsUri {
        &self.at
    }

    pub(crate) fn shown_credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }
}

/// `http://proxy.example:3128`, without user name and password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), target(&self.at))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

impl Scheme {
    fn parse(text: &str) -> Option<Self> {
        let all =
            [Self::Http, Self::Https, Self::Socks4, Self::Socks4a, Self::Socks5, Self::Socks5h];
        all.into_iter().find(|scheme| scheme.name().eq_ignore_ascii_case(text))
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks4 => "socks4",
            Self::Socks4a => "socks4a",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            // RFC 1928 §3
            Self::Socks4 | Self::Socks4a | Self::Socks5 | Self::Socks5h => 1080,
        }
    }
}

/// Host and port, both of them always: `example.com:443`, `[2001:db8::1]:80`.
pub(crate) fn target(uri: &WsUri) -> String {
    match uri.ip() {
        Some(ip) => std::net::SocketAddr::new(ip, uri.port()).to_string(),
        None => format!("{}:{}", uri.host(), uri.port()),
    }
}
