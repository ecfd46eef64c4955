//! [`PacScript`]: a program that chooses proxies (proxy auto-config, Netscape 1996).
//!
//! It is run here, in the thread that asks. `dial/script/` reads it, has it run in a thread that nobody has
//! to wait for, and goes the ways that it names.

mod address;
mod answer;
mod engine;
mod fetched;
mod pattern;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use towline_proto::WsUri;

use super::{Proxy, Route};
use crate::auth::Credentials;
use crate::error::{Error, ErrorKind, Result};
pub(crate) use engine::Found;
use engine::{Failure, Limits, Machine};
use fetched::Fetched;

/// A script that chooses the proxy for each server (PAC), as browsers run them.
///
/// It is JavaScript with a function `FindProxyForURL(url, host)`, which may call the functions that
/// browsers have for it, those with `Ex` for IPv6 too. It answers with ways that are tried in their order:
/// `PROXY a:3128; SOCKS5 b:1080; DIRECT`. The next one is tried where a proxy cannot be reached, or does
/// not lead on and gives no answer of HTTP's. Of a `wss` address the script sees no path and no query.
///
/// It runs for each connection, in a thread of its own. It may take 5 seconds, and 20 for what it looks up,
/// which may be 32 names; 32 MiB of memory and 256 KiB of stack. Beyond that connecting fails, as it does
/// where the script has an error. A name that has no address is not found, one about which no answer
/// comes in time is such a failure: the script would choose the wrong way.
///
/// One that was made to never end may do so in its thread, where nothing can end it; connecting fails
/// after 30 seconds. At most 16 such threads are alive in a process, and none keeps a runtime from ending.
///
/// ```
/// # use towline::{Client, PacScript, Proxies};
/// # fn main() -> towline::Result<()> {
/// let script = PacScript::url("http://wpad.corp.example/proxy.pac")?;
/// let client = Client::builder().proxies(Proxies::script(script)).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PacScript(Arc<Script>);

/// A script, and the text that was fetched last.
pub(crate) struct Script {
    pub(crate) source: Source,
    pub(crate) fetched: Fetched,
}

/// Where a script is.
pub(crate) enum Source {
    Text(Arc<str>),
    File(PathBuf),
    /// With the scheme of a WebSocket: it is fetched over the same TCP and TLS.
    Url(WsUri),
}

impl PacScript {
    /// This text.
    pub fn text(script: impl Into<String>) -> Self {
        Self::of(Source::Text(script.into().into()))
    }

    /// A file, which is read for each connection. At most 1 MiB, within 30 seconds.
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self::of(Source::File(path.as_ref().to_owned()))
    }

    /// What is at this URL: `http://`, `https://` or `file://`.
    ///
    /// It is fetched with the first connection, directly and never through a proxy, and anew with one that
    /// is an hour later; where that fails or takes more than 5 seconds, the one that is there is kept, and
    /// a minute later it is tried again. At most 1 MiB, within 30 seconds or what `connect_timeout` says; if
    /// nothing comes in that time, connecting fails at once for the next minute. An `https` server is trusted as a
    /// [proxy](crate::ClientBuilder::proxy_tls) is. Who can change an answer of `http` on its way can
    /// choose the proxies.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if it is no such URL.
    pub fn url(url: &str) -> Result<Self> {
        let failed = || Error::invalid("reading the address of a script that chooses proxies");
        if let Some(path) = url.strip_prefix("file://") {
            // RFC 8089 §2: between the two there may be a host, which is this machine.
            let path = path.strip_prefix("localhost").unwrap_or(path);
            return match path.starts_with('/') {
                // Behind the root of Windows there is a drive.
                true if cfg!(windows) => Ok(Self::file(path.trim_start_matches('/'))),
                true => Ok(Self::file(path)),
                false => Err(failed().cause("a file's URL has a path from the root")),
            };
        }
        let at = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => format!("ws://{rest}"),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => format!("wss://{rest}"),
            _ => return Err(failed().cause("its scheme is not http, https or file")),
        };
        let at = WsUri::parse(&at).map_err(|error| failed().cause(error))?;
        Ok(Self::of(Source::Url(at)))
    }

    fn of(source: Source) -> Self {
        Self(Arc::new(Script { source, fetched: Fetched::default() }))
    }

    pub(crate) fn script(&self) -> &Arc<Script> {
        &self.0
    }
}

/// Where it is.
impl fmt::Display for PacScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for PacScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PacScript({self})")
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Text(_) => f.write_str("of the program"),
            Source::File(path) => write!(f, "{}", path.display()),
            // What follows the question mark is often a token.
            Source::Url(at) => {
                let scheme = if at.is_secure() { "https" } else { "http" };
                let path = at.resource().split('?').next().unwrap_or_default();
                write!(f, "{scheme}://{}{path}", at.authority())
            }
        }
    }
}

impl Script {
    /// The ways to a server, in the order in which they are to be tried. Blocks while names are looked up.
    pub(crate) fn run(
        &self,
        text: &str,
        uri: &WsUri,
        credentials: Option<&Credentials>,
        look_up: impl Fn(&str, Duration) -> Found + 'static,
    ) -> Result<Vec<Route>> {
        let doing = || format!("running the script {self} for {}", uri.host());
        let failed = |why: String| {
            Error::invalid(doing())
                .cause(why)
                .advise("mend the script, or say which proxy to use: Proxies::none is none")
        };
        let machine = Machine { look_up: Box::new(look_up), now: SystemTime::now() };
        let asked = (&*url_of(uri), uri.host());
        let answer = engine::run(text, asked, machine, Limits::DEFAULT);
        let answer = answer.map_err(|failure| match failure {
            Failure::Script(why) => failed(why),
            Failure::LookUp(why) => Error::new(ErrorKind::TimedOut, doing())
                .cause(why)
                .advise("is there a network, and do its name servers answer?"),
        })?;
        let why = format!("the script {self} says so");
        let route = |way: Option<Proxy>| match (way, credentials) {
            (None, _) => Route::directly(why.clone()),
            (Some(proxy), None) => Route::through(&[proxy].into(), why.clone()),
            (Some(proxy), Some(who)) => Route::through(&[proxy.or(who)].into(), why.clone()),
        };
        Ok(answer::parse(&answer).map_err(failed)?.into_iter().map(route).collect())
    }
}

/// The address as a script may see it: of a secret connection, nothing that is secret.
fn url_of(uri: &WsUri) -> String {
    match uri.is_secure() {
        true => format!("wss://{}/", uri.authority()),
        false => uri.to_string(),
    }
}
