//! [`Credentials`]: who somebody is, and how that may be shown.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;

use super::basic;
use super::bearer::{Answer, Bearer, NO_TOKEN, TokenRequest, is_token};
use super::rounds::{Begin, Steps};
use super::scheme::Scheme;
use super::secret::Secret;

/// Who a client is: a name with a password, a token, or a ticket.
///
/// They are sent when a server (401) or an HTTP proxy (407) asks for them, once, by the strongest
/// scheme that it offers. Wrong ones end in an error of the kind
/// [`Handshake`](crate::ErrorKind::Handshake) or [`Proxy`](crate::ErrorKind::Proxy) with the answer in
/// [`Error::response`](crate::Error::response), never in a loop. No `Debug` and no error shows them.
///
/// ```
/// use towline::{Client, Credentials, Scheme};
///
/// # fn main() -> towline::Result<()> {
/// let credentials = Credentials::password("ada", "hunter2").only([Scheme::Digest]);
/// let client = Client::builder().credentials(credentials).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a client has to be given them"]
pub struct Credentials {
    pub(super) kind: Kind,
    /// Those schemes that may be used; `None` for all.
    only: Option<Box<[Scheme]>>,
    /// Whether a password is sent before anybody asks.
    pub(super) unasked: bool,
}

#[derive(Clone)]
pub(super) enum Kind {
    Password { user: String, password: Secret },
    Bearer(Bearer),
    Tickets(Begin),
}

impl Credentials {
    /// A name and its password, which may be empty.
    ///
    /// For NTLM the name may have a domain: `DOMAIN\ada` or `ada@domain`; over `wss` the answer is tied to
    /// the server's certificate, as Windows can demand (Extended Protection). Digest comes before NTLM,
    /// NTLM before Basic; what may be used at all, [`only`](Self::only) says. Basic tells the password
    /// to whoever can read `ws://` along.
    pub fn password(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::new(Kind::Password { user: user.into(), password: password.into() })
    }

    /// A token (OAuth 2.0, RFC 6750). It is sent with the first request.
    pub fn bearer(token: impl Into<Secret>) -> Self {
        Self::new(Kind::Bearer(Bearer::Token(token.into())))
    }

    /// Asks for a token before each connection, and for another one if that was refused.
    ///
    /// ```
    /// # async fn refresh() -> std::io::Result<String> { Ok(String::new()) }
    /// use towline::{Credentials, Secret};
    ///
    /// let credentials = Credentials::bearer_with(|request| async move {
    ///     match request.refused {
    ///         true => refresh().await.map(Secret::from),
    ///         false => Ok("the one in the cache".into()),
    ///     }
    /// });
    /// ```
    pub fn bearer_with<F>(ask: impl Fn(TokenRequest) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Secret>> + Send + 'static,
    {
        let ask = move |request: TokenRequest| -> Answer { Box::pin(ask(request)) };
        Self::new(Kind::Bearer(Bearer::Asked(Arc::new(ask))))
    }

    /// The tickets of the user who is logged on: Negotiate (RFC 4559), by the system's Kerberos.
    ///
    /// Its GSSAPI (`libgssapi_krb5.so.2`) is loaded when a server or a proxy asks, and its settings
    /// count, such as `KRB5_CONFIG` and `KRB5CCNAME`. The service is `HTTP` at the host of the address;
    /// the ticket for it is fetched if there is none. It goes to no other origin, over `wss` it is tied to
    /// the server's certificate (RFC 5929 §4), and nobody is let act in the user's name. What the host says when it agrees has to prove who it is. On Windows, whose own
    /// way is SSPI, and on macOS no ticket is made yet: connecting fails where one is asked for.
    ///
    /// Whoever the client connects to and asks for a ticket gets one that shows who the user is: give
    /// them to clients of known hosts.
    ///
    /// ```
    /// # use towline::{Client, Credentials};
    /// # fn main() -> towline::Result<()> {
    /// let client = Client::builder().credentials(Credentials::negotiate()).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "negotiate")]
    pub fn negotiate() -> Self {
        let begin = |service: &str, channel: Option<&[u8]>| -> io::Result<Steps> {
            let mut context = towline_gssapi::Context::begin(service)?;
            if let Some(channel) = channel {
                context.bind(channel);
            }
            Ok(Box::new(move |token: &[u8]| context.step(token)))
        };
        Self::new(Kind::Tickets(Arc::new(begin)))
    }

    /// Negotiate (RFC 4559) with tokens that somebody else makes: the system's Kerberos, mostly.
    ///
    /// `begin` is told the service, such as `HTTP@example.com`, and gives what makes the tokens: each
    /// time it takes the peer's, at first an empty one, and gives the next. What the peer says when it
    /// agrees is the last that it takes, and has to be right. Both may block: they run in a thread
    /// of the runtime's for that. They are told of no channel to tie the tokens to: a server that demands
    /// it refuses them.
    pub fn negotiate_with<S>(begin: impl Fn(&str) -> io::Result<S> + Send + Sync + 'static) -> Self
    where
        S: FnMut(&[u8]) -> io::Result<Vec<u8>> + Send + 'static,
    {
        let begin = move |service: &str, _: Option<&[u8]>| -> io::Result<Steps> {
            Ok(Box::new(begin(service)?))
        };
        Self::new(Kind::Tickets(Arc::new(begin)))
    }

    /// Uses these schemes alone, whatever else the peer offers.
    ///
    /// A SOCKS proxy gets a name and a password as they are: it gets none where Basic is not among them.
    pub fn only(mut self, schemes: impl IntoIterator<Item = Scheme>) -> Self {
        self.only = Some(schemes.into_iter().collect());
        self
    }

    /// Sends a password by Basic before anybody asks, for servers that never do.
    ///
    /// It saves a round trip, and shows the password to a server that may not have wanted it.
    pub fn unasked(mut self) -> Self {
        self.unasked = true;
        self
    }

    /// For those who ask for nothing else and in the clear, as SOCKS does; `None` if it is something else,
    /// or may not be shown so: who forbids Basic means all that is no better.
    pub(crate) fn user_and_password(&self) -> Option<(&str, &str)> {
        match &self.kind {
            _ if !self.allow(Scheme::Basic) => None,
            Kind::Password { user, password } => Some((user, password.reveal())),
            Kind::Bearer(_) | Kind::Tickets(_) => None,
        }
    }

    fn new(kind: Kind) -> Self {
        Self { kind, only: None, unasked: false }
    }

    /// Whether this scheme may be used.
    pub(super) fn allow(&self, scheme: Scheme) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&scheme))
    }

    /// Whether they can be used at all.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        match &self.kind {
            Kind::Password { user, password } => {
                if user.is_empty() {
                    return Err("the user name is empty");
                }
                // RFC 7617 §2, and no other scheme has a place for them.
                if user.chars().chain(password.reveal().chars()).any(char::is_control) {
                    return Err("a user name or password has control characters in it");
                }
            }
            Kind::Bearer(Bearer::Token(token)) if !is_token(token.reveal()) => {
                return Err(NO_TOKEN);
            }
            Kind::Bearer(_) | Kind::Tickets(_) => {}
        }
        let all = [Scheme::Basic, Scheme::Digest, Scheme::Bearer, Scheme::Ntlm, Scheme::Negotiate];
        match all.into_iter().any(|scheme| self.allow(scheme) && self.can(scheme)) {
            true => Ok(()),
            false => Err(self.why_none()),
        }
    }

    /// Whether this scheme can be answered with them, in this build.
    pub(super) fn can(&self, scheme: Scheme) -> bool {
        match (&self.kind, scheme) {
            (Kind::Password { user, .. }, Scheme::Basic) => basic::names(user),
            (Kind::Password { .. }, Scheme::Digest)
            | (Kind::Bearer(_), Scheme::Bearer)
            | (Kind::Tickets(_), Scheme::Negotiate) => true,
            (Kind::Password { .. }, Scheme::Ntlm | Scheme::Negotiate) => cfg!(feature = "ntlm"),
            (Kind::Password { .. }, Scheme::Bearer) | (Kind::Bearer(_) | Kind::Tickets(_), _) => {
                false
            }
        }
    }

    fn why_none(&self) -> &'static str {
        let rounds = self.allow(Scheme::Ntlm) || self.allow(Scheme::Negotiate);
        match self.kind {
            Kind::Password { .. } if rounds && cfg!(not(feature = "ntlm")) => {
                "this build has no NTLM: turn on the feature `ntlm`"
            }
            Kind::Password { .. } if self.allow(Scheme::Basic) => {
                "a user name with a colon in it cannot be sent by Basic"
            }
            Kind::Password { .. } => "no scheme is left that a password can answer",
            Kind::Bearer(_) => "a token can answer Bearer alone",
            Kind::Tickets(_) => "a ticket can answer Negotiate alone",
        }
    }
}

/// Without the name, too: with some services it is the secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Password { .. } => "password",
            Kind::Bearer(_) => "bearer",
            Kind::Tickets(_) => "negotiate",
        };
        f.debug_struct("Credentials")
            .field("kind", &kind)
            .field("only", &self.only)
            .field("unasked", &self.unasked)
            .finish_non_exhaustive()
    }
}
