//! [`Proxies`]: which proxy leads to which server.

use std::fmt;
use std::sync::{Arc, OnceLock};

use towline_proto::WsUri;

use super::except::Exceptions;
use super::route::Route;
use super::rules::{Choice, Rules};
#[cfg(feature = "pac")]
use super::{PacScript, Scripted};
use super::{Proxy, environment, system};
use crate::auth::Credentials;
#[cfg(feature = "pac")]
use crate::error::Error;
use crate::error::Result;

/// Which proxies lead to which servers.
///
/// By default the environment says, as it does for curl: see [`environment`](Self::environment).
/// A client that is to use none has [`none`](Self::none).
#[derive(Clone)]
pub struct Proxies(Option<Arc<Rules>>);

impl Proxies {
    /// None: every server is connected to directly.
    pub const fn none() -> Self {
        Self(None)
    }

    /// These for every server, one behind the other.
    ///
    /// The first is connected to, and the last one connects to the server. Servers on this machine are
    /// connected to directly, unless [`loopback`](Self::loopback) says otherwise.
    pub fn all(chain: impl IntoIterator<Item = Proxy>) -> Self {
        let chain: Arc<[Proxy]> = chain.into_iter().collect();
        if chain.is_empty() {
            return Self::none();
        }
        let through = Choice::Through(chain, "the program says so");
        Self(Some(Arc::new(Rules {
            plain: through.clone(),
            secure: through,
            except: Exceptions::default(),
            loopback: false,
        })))
    }

    /// Those that a script names, for every server but those on this machine, to which
    /// [`loopback`](Self::loopback) lets it speak too.
    ///
    /// The script is read and run for each connection: see [`PacScript`]. Where that fails nothing is
    /// connected to.
    #[cfg(feature = "pac")]
    pub fn script(script: PacScript) -> Self {
        let scripted = Scripted { script, credentials: None, otherwise: None };
        let choice = Choice::Script(Box::new(scripted));
        Self(Some(Arc::new(Rules {
            plain: choice.clone(),
            secure: choice,
            except: Exceptions::default(),
            loopback: false,
        })))
    }

    /// What the environment says now, as curl reads it.
    ///
    /// A client has it by default, and then it is read once.
    ///
    /// | for | the first of these that is set |
    /// |---|---|
    /// | `ws` | `ws_proxy`, `WS_PROXY`, `http_proxy`, `all_proxy`, `ALL_PROXY` |
    /// | `wss` | `wss_proxy`, `WSS_PROXY`, `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY` |
    /// | servers that are connected to directly | `no_proxy`, `NO_PROXY`: see [`except`](Self::except) |
    ///
    /// One that is set to nothing counts as not set. `HTTP_PROXY` is not read: a request's header can
    /// set it where a web server runs programs (CGI). Servers on this machine are connected to
    /// directly. What cannot be read as a [`Proxy`] is an error when a server is connected to for
    /// which it counts.
    pub fn environment() -> Self {
        Self::of(environment::rules(std::env::var_os))
    }

    /// What the environment says, and where that says nothing, the operating system's settings.
    ///
    /// On Windows those of the user, on macOS those of the network; elsewhere there are none that all
    /// programs share, and the environment alone counts. Where the settings name a script that chooses a
    /// proxy (PAC) it is run, with the feature `pac`; if it cannot be read, what else the settings
    /// say holds, as in browsers. Without the feature, [`Route::why`] says that there is one. No script is
    /// looked for in the network (WPAD). Asking the system starts a program of its own (`reg`,
    /// `scutil`) and waits for it.
    pub fn system() -> Self {
        let rules = environment::rules(std::env::var_os);
        Self::of(rules.or_else(system::rules))
    }

    /// What the environment said when it was first asked for.
    pub(crate) fn of_process() -> Self {
        static READ: OnceLock<Proxies> = OnceLock::new();
        READ.get_or_init(Self::environment).clone()
    }

    pub(super) fn of(rules: Option<Rules>) -> Self {
        Self(rules.map(Arc::new))
    }

    /// Connects directly to these servers, in place of those that were excepted before.
    ///
    /// In the form of `NO_PROXY`: names, which mean all that end in them too (`example.com`,
    /// `.example.com`); addresses and networks (`192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`), to which
    /// no name is looked up; each with a port behind a colon or for all of them; `*` for everything.
    /// Apart by commas or spaces.
    #[must_use]
    pub fn except(self, list: &str) -> Self {
        self.change(|rules| rules.except = Exceptions::parse(list))
    }

    /// Whether servers on this machine (`localhost`, `127.0.0.1`, `::1`, …) are reached through them.
    ///
    /// They are not unless this says so: seen from a proxy, these names mean the proxy's own machine.
    #[must_use]
    pub fn loopback(self, through: bool) -> Self {
        self.change(|rules| rules.loopback = through)
    }

    /// Who one is to those of them that have no credentials of their own. A client refuses those that
    /// cannot be used.
    #[must_use]
    pub fn credentials(self, credentials: &Credentials) -> Self {
        self.change(|rules| {
            for choice in [&mut rules.plain, &mut rules.secure] {
                choice.identify(credentials);
            }
        })
    }

    /// Whether all credentials can be used at all.
    pub(crate) fn check(&self) -> std::result::Result<(), &'static str> {
        let Some(rules) = &self.0 else { return Ok(()) };
        rules.plain.check().and_then(|()| rules.secure.check())
    }

    fn change(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        if let Some(rules) = &mut self.0 {
            change(Arc::make_mut(rules));
        }
        self
    }

    /// The way to a server, and why it is that.
    ///
    /// Nothing is looked up or connected to, and no script is run:
    /// [`Client::routes`](crate::Client::routes) does that.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if what says so cannot be read, and if it is a
    /// script.
    pub fn route(&self, uri: &WsUri) -> Result<Route> {
        match self.lead(uri)? {
            Lead::Route(route) => Ok(route),
            #[cfg(feature = "pac")]
            Lead::Script(scripted) => {
                Err(Error::invalid(format!("finding the way to {}", uri.host()))
                    .cause(format!("the script {} says which it is", scripted.script))
                    .advise("Client::routes runs it"))
            }
        }
    }

    /// What leads to a server.
    pub(crate) fn lead(&self, uri: &WsUri) -> Result<Lead> {
        let Some(rules) = &self.0 else {
            return Ok(Lead::Route(Route::directly("no proxy is set")));
        };
        match rules.spares(uri) {
            Some(why) => Ok(Lead::Route(Route::directly(why))),
            None => rules.choice(uri).lead(),
        }
    }

    /// What leads to a server, unless it is connected to directly. Allocates nothing where there are no
    /// proxies.
    pub(crate) fn through(&self, uri: &WsUri) -> Result<Option<Lead>> {
        let Some(rules) = &self.0 else { return Ok(None) };
        if matches!(rules.choice(uri), Choice::Direct(_)) || rules.is_spared_loopback(uri) {
            return Ok(None);
        }
        Ok(Some(self.lead(uri)?).filter(|lead| match lead {
            Lead::Route(route) => !route.proxies().is_empty(),
            #[cfg(feature = "pac")]
            Lead::Script(_) => true,
        }))
    }
}

/// What leads to a server.
#[derive(Debug)]
pub(crate) enum Lead {
    Route(Route),
    /// A script has to be asked.
    #[cfg(feature = "pac")]
    Script(Box<Scripted>),
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Proxies(none)"),
            Some(rules) => f.debug_tuple("Proxies").field(rules).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> WsUri {
        WsUri::parse(text).unwrap()
    }

    fn route(proxies: &Proxies, to: &str) -> String {
        let route = proxies.route(&uri(to)).unwrap();
        let through = proxies.through(&uri(to)).unwrap();
        assert_eq!(through.is_some(), !route.proxies().is_empty(), "{to}");
        route.to_string()
    }

    fn proxy(address: &str) -> Proxy {
        Proxy::new(address).unwrap()
    }

    #[test]
    fn a_program_says_which() {
        assert_eq!(route(&Proxies::none(), "ws://a.example"), "directly: no proxy is set");
        assert_eq!(route(&Proxies::all([]), "ws://a.example"), "directly: no proxy is set");
        let chain = Proxies::all([proxy("socks5h://one.example"), proxy("https://two.example")]);
        let expected = "through socks5h://one.example:1080 and https://two.example:443: \
                        the program says so";
        assert_eq!(route(&chain, "ws://a.example"), expected);
        assert_eq!(route(&chain.clone().loopback(true), "wss://127.0.0.1"), expected);
        let chain = chain.except("a.example, 10.0.0.0/8");
        assert_eq!(route(&chain, "wss://b.a.example"), "directly: a.example is excepted");
        assert_eq!(route(&chain, "wss://10.1.1.1"), "directly: 10.0.0.0/8 is excepted");
        assert_eq!(route(&chain, "wss://b.example"), expected);
        for here in ["localhost", "LocalHost.", "a.localhost", "127.9.9.9", "[::1]"] {
            assert_eq!(route(&chain, &format!("ws://{here}/")), "directly: it is this machine");
        }
        assert_eq!(route(&chain, "ws://[::ffff:127.0.0.1]/"), "directly: it is this machine");
        assert_eq!(route(&chain, "ws://notlocalhost"), expected);
    }

    #[test]
    fn credentials_are_for_those_that_have_none() {
        let chain = [proxy("http://one.example"), proxy("http://bob:b@two.example")];
        let chain = Proxies::all(chain).credentials(&Credentials::password("ann", "a"));
        let route = chain.route(&uri("ws://a.example")).unwrap();
        let users = route.proxies().iter().map(|proxy| {
            proxy.shown_credentials().unwrap().user_and_password().unwrap().0.to_owned()
        });
        assert_eq!(users.collect::<Vec<_>>(), ["ann", "bob"]);
        assert!(!format!("{chain:?}").contains("ann"), "{chain:?}");
    }

    #[test]
    fn what_cannot_be_read_counts_where_it_would() {
        let rules = Rules {
            plain: Choice::Direct("no proxy is set for ws"),
            secure: Choice::Bad("https_proxy", "there is no host"),
            except: Exceptions::parse("b.example"),
            loopback: false,
        };
        let proxies = Proxies::of(Some(rules));
        assert_eq!(route(&proxies, "ws://a.example"), "directly: no proxy is set for ws");
        assert_eq!(route(&proxies, "wss://b.example"), "directly: b.example is excepted");
        assert_eq!(route(&proxies, "wss://localhost"), "directly: it is this machine");
        let error = proxies.through(&uri("wss://a.example")).unwrap_err();
        assert!(
            error.to_string().starts_with("reading https_proxy: there is no host; "),
            "{error}"
        );
    }
}
