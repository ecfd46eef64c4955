//! [`Negotiation`]: what is said to one party for one connection.

use std::fmt;
use std::io;

use http::{HeaderMap, HeaderValue, Method};

use super::bearer::{self, Bearer, TokenRequest};
use super::challenge::Challenge;
use super::choice::strongest;
use super::credentials::{Credentials, Kind};
use super::digest::{Asked, Digest};
use super::rounds::{Peer, Rounds};
use super::scheme::Scheme;
use super::secret::Secret;
use super::{Party, basic};
use crate::error::{Error, ErrorKind, Result};

/// What is said to one party, for one attempt to connect.
///
/// ```text
///            ┌─ Digest, once more if the nonce was stale ─┐
/// Fresh ─────┼─ NTLM, Negotiate: round after round ───────┼─→ Over
///            └─ Basic, Bearer, another token ─────────────┘
/// ```
pub(crate) struct Negotiation {
    credentials: Credentials,
    party: Party,
    host: String,
    /// What ties answers to the TLS on which they go (RFC 5929 §4), if there is any.
    channel: Option<Vec<u8>>,
    /// A token that was not sent yet.
    token: Option<Secret>,
    state: State,
    /// The scheme that was answered last.
    tried: Option<Scheme>,
}

enum State {
    Fresh,
    Digest(Digest),
    Rounds(Rounds),
    Over,
}

impl fmt::Debug for Negotiation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Negotiation")
            .field("party", &self.party)
            .field("tried", &self.tried)
            .finish_non_exhaustive()
    }
}

impl Negotiation {
    pub(crate) fn new(credentials: &Credentials, party: Party, host: &str) -> Self {
        let token = match &credentials.kind {
            Kind::Bearer(Bearer::Token(token)) => Some(token.clone()),
            Kind::Bearer(Bearer::Asked(_)) | Kind::Password { .. } | Kind::Tickets(_) => None,
        };
        Self {
            credentials: credentials.clone(),
            party,
            host: host.to_owned(),
            channel: None,
            token,
            state: State::Fresh,
            tried: None,
        }
    }

    /// It goes on over this TLS: nobody who stands in between can use what is said on it elsewhere.
    pub(crate) fn bind(&mut self, channel: Option<Vec<u8>>) {
        self.channel = channel;
    }

    /// Gets a token, where one has to be asked for: before [`first`](Self::first), and with what was
    /// refused before [`answer`](Self::answer).
    pub(crate) async fn prepare(&mut self, refused: Option<&HeaderMap>) -> Result<()> {
        let Kind::Bearer(Bearer::Asked(ask)) = &self.credentials.kind else { return Ok(()) };
        if !matches!(self.state, State::Fresh) {
            return Ok(());
        }
        let request = match refused {
            None => TokenRequest::first(&self.host),
            Some(headers) => {
                // One more is asked for, not one after another.
                self.state = State::Over;
                let offered = Challenge::all(headers, &self.party.asks());
                let bearer = |one: &&Challenge| one.known() == Some(Scheme::Bearer);
                let Some(challenge) = offered.iter().find(bearer) else { return Ok(()) };
                TokenRequest::after(&self.host, challenge)
            }
        };
        self.token = Some(bearer::fetch(ask, request).await?);
        Ok(())
    }

    /// What to send before anybody asked.
    pub(crate) fn first(&mut self) -> Result<Option<HeaderValue>> {
        if !matches!(self.state, State::Fresh) {
            return Ok(None);
        }
        match &self.credentials.kind {
            Kind::Bearer(_) => self.bearer(),
            Kind::Password { user, password } => {
                let may = self.credentials.unasked
                    && self.credentials.allow(Scheme::Basic)
                    && self.credentials.can(Scheme::Basic);
                if !may {
                    return Ok(None);
                }
                self.tried = Some(Scheme::Basic);
                secret(&basic::answer(user, password)).map(Some)
            }
            Kind::Tickets(_) => Ok(None),
        }
    }

    /// Answers a 401 or a 407; `None` if there is nothing more to try.
    pub(crate) async fn answer(
        &mut self,
        headers: &HeaderMap,
        method: &Method,
        target: &str,
    ) -> Result<Option<HeaderValue>> {
        let offered = Challenge::all(headers, &self.party.asks());
        match std::mem::replace(&mut self.state, State::Over) {
            State::Fresh => self.begin(&offered, method, target).await,
            State::Digest(digest) => self.renew(&digest, &offered, method, target),
            State::Rounds(rounds) => self.go_on(rounds, &offered).await,
            // A token that was asked for anew, if any.
            State::Over => self.bearer(),
        }
    }

    /// The peer lets us in. If it says with that who it is, in the header in which it would ask, that has
    /// to be right.
    pub(crate) async fn confirm(&mut self, headers: &HeaderMap) -> Result<()> {
        let State::Rounds(rounds) = &mut self.state else { return Ok(()) };
        let said = Challenge::all(headers, &self.party.asks());
        let confirmed = rounds.confirm(&said).await;
        confirmed.map_err(|error| self.failed(error).advise("is it the host that it seems to be?"))
    }

    /// Whether what was answered last means something on the connection alone on which it was asked:
    /// so for all rounds of NTLM and Negotiate but the first.
    pub(crate) fn needs_same_connection(&self) -> bool {
        matches!(&self.state, State::Rounds(rounds) if rounds.are_bound())
    }

    /// The scheme that was answered last.
    pub(crate) fn tried(&self) -> Option<Scheme> {
        self.tried
    }

    async fn begin(
        &mut self,
        offered: &[Challenge],
        method: &Method,
        target: &str,
    ) -> Result<Option<HeaderValue>> {
        let Some((scheme, challenge)) = strongest(offered, &self.credentials, self.tried) else {
            return Ok(None);
        };
        self.tried = Some(scheme);
        match (&self.credentials.kind, scheme) {
            (Kind::Password { user, password }, Scheme::Basic) => {
                secret(&basic::answer(user, password)).map(Some)
            }
            (Kind::Password { .. }, Scheme::Digest) => match Digest::read(challenge) {
                Some(digest) => self.digest(digest, method, target),
                None => Ok(None),
            },
            (Kind::Password { user, password }, Scheme::Ntlm | Scheme::Negotiate) => {
                let peer = self.peer();
                let rounds = Rounds::of_password(scheme, user, password.clone(), peer);
                self.go_on(rounds, offered).await
            }
            (Kind::Tickets(begin), _) => {
                self.go_on(Rounds::of_tickets(begin, self.peer()), offered).await
            }
            // Neither was chosen.
            (Kind::Password { .. }, Scheme::Bearer) | (Kind::Bearer(_), _) => Ok(None),
        }
    }

    fn digest(
        &mut self,
        mut digest: Digest,
        method: &Method,
        target: &str,
    ) -> Result<Option<HeaderValue>> {
        let Kind::Password { user, password } = &self.credentials.kind else { return Ok(None) };
        let cnonce = format!("{:032x}", rand::random::<u128>());
        let asked = Asked { method: method.as_str(), target, cnonce: &cnonce };
        let value = secret(&digest.answer(user, password, asked));
        self.state = State::Digest(digest);
        value.map(Some)
    }

    /// RFC 7616 §3.3: where only the nonce was too old, the password may be right. Once.
    fn renew(
        &mut self,
        old: &Digest,
        offered: &[Challenge],
        method: &Method,
        target: &str,
    ) -> Result<Option<HeaderValue>> {
        let digests = offered.iter().filter(|one| one.known() == Some(Scheme::Digest));
        let mut fresh = digests
            .filter_map(|one| Digest::read(one).filter(|digest| old.is_renewed_by(one, digest)));
        let Some(digest) = fresh.next() else { return Ok(None) };
        let value = self.digest(digest, method, target);
        self.state = State::Over;
        value
    }

    /// The peer's next token, or its refusal.
    async fn go_on(
        &mut self,
        mut rounds: Rounds,
        offered: &[Challenge],
    ) -> Result<Option<HeaderValue>> {
        let first = rounds.is_first();
        let answer = rounds.answer(offered).await.map_err(|error| match self.credentials.kind {
            Kind::Tickets(_) if first => self.failed(error).advise(NO_TICKET),
            Kind::Tickets(_) => self.failed(error).advise(NOT_ITS_TICKET),
            Kind::Password { .. } | Kind::Bearer(_) => self.failed(error),
        })?;
        self.state = State::Rounds(rounds);
        answer.map(|value| secret(&value)).transpose()
    }

    fn peer(&self) -> Peer<'_> {
        Peer { host: &self.host, channel: self.channel.as_deref() }
    }

    fn bearer(&mut self) -> Result<Option<HeaderValue>> {
        let Some(token) = self.token.take() else { return Ok(None) };
        self.tried = Some(Scheme::Bearer);
        secret(&bearer::answer(&token)).map(Some)
    }

    fn failed(&self, error: io::Error) -> Error {
        let scheme = self.tried.map_or("", Scheme::name);
        let doing = format!("answering {} by {scheme}", self.host);
        let kind = match self.party {
            Party::Server => ErrorKind::Handshake,
            Party::Proxy => ErrorKind::Proxy,
        };
        Error::new(kind, doing).cause(error)
    }
}

const NO_TICKET: &str = "is there a ticket? klist shows them, kinit gets one";

const NOT_ITS_TICKET: &str =
    "it does not take the ticket: is it for that host, as that host's keys are?";

/// A header's value that no `Debug` shows.
fn secret(bytes: &[u8]) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_bytes(bytes)
        .map_err(|error| Error::invalid("writing credentials into a header").cause(error))?;
    value.set_sensitive(true);
    Ok(value)
}
