//! [`Route`]: by way of which proxies, and why.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::Proxy;

/// Which proxies lead to a server, and why these, or why none.
///
/// ```
/// # use towline::{Client, Proxies, Proxy};
/// # fn main() -> towline::Result<()> {
/// let proxies = Proxies::all([Proxy::new("socks5h://127.0.0.1:9050")?]).except("*.corp.example");
/// let client = Client::builder().proxies(proxies).build()?;
/// let route = client.route("wss://example.com/chat")?;
/// assert_eq!(route.to_string(), "through socks5h://127.0.0.1:9050: the program says so");
/// let route = client.route("wss://chat.corp.example/")?;
/// assert_eq!(route.to_string(), "directly: *.corp.example is excepted");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Route {
    proxies: Arc<[Proxy]>,
    why: Cow<'static, str>,
}

impl Route {
    pub(super) fn through(proxies: &Arc<[Proxy]>, why: impl Into<Cow<'static, str>>) -> Self {
        Self { proxies: Arc::clone(proxies), why: why.into() }
    }

    pub(super) fn directly(why: impl Into<Cow<'static, str>>) -> Self {
        Self { proxies: Arc::default(), why: why.into() }
    }

    /// The same way, for another reason.
    #[cfg(feature = "pac")]
    pub(crate) fn because(self, why: String) -> Self {
        Self { why: why.into(), ..self }
    }

    /// The proxies, the nearest first; none if the server is connected to directly.
    pub fn proxies(&self) -> &[Proxy] {
        &self.proxies
    }

    /// Why: which setting or variable says so, in a few words.
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.proxies {
            [] => write!(f, "directly: {}", self.why),
            proxies => write!(f, "through {}: {}", shown(proxies), self.why),
        }
    }
}

/// A chain of proxies, the nearest first.
pub(crate) fn shown(proxies: &[Proxy]) -> String {
    proxies.iter().map(Proxy::to_string).collect::<Vec<_>>().join(" and ")
}
