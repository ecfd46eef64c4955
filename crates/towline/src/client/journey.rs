//! Connecting where one request may not be enough: credentials, redirects, cookies.
//!
//! ```text
//!        ┌──────────────────────── redirect: another address ───────────────────────┐
//!        ↓                                                                          │
//! visit: dial → request → 101 ──────────────────────────────────────────→ WebSocket │
//!          ↑       ↑    → 401 → answer it, if that was not tried ┐                  │
//!          │       └─ on the same connection, if it goes on ─────┤                  │
//!          └───────── on a new one ──────────────────────────────┘   → any other ───┘ or an error
//! ```

use std::time::Instant;

use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use towline_proto::handshake::{ClientHandshake, ClientRequest};
use towline_proto::{Role, WsUri};

use super::redirect::{RedirectError, is_redirect, may_travel, same_origin, target};
use super::refused::{Had, Refused};
use super::{Client, ask, cookies, proxy};
use crate::auth::{Credentials, Negotiation, Party, hide};
use crate::deadline::{after, sooner, until};
use crate::dial::{Way, dial};
use crate::error::{Error, ErrorKind, Result, Step};
use crate::http1::Answer;
use crate::info::ConnectionInfo;
use crate::progress::Progress;
use crate::transport::Transport;
use crate::websocket::WebSocket;

/// A byte stream to the server, and what is known of it.
type Dialled = (Transport, ConnectionInfo);

/// An address, and what is brought there.
struct Stop {
    uri: WsUri,
    request: ClientRequest,
    credentials: Option<Credentials>,
    /// Whether there were credentials, which are not for this origin.
    left_behind: bool,
    /// How it is gone there, where that is not the client's own way.
    way: Option<Box<Way>>,
}

/// How a visit to one address ended.
enum Visit {
    Open(Box<WebSocket>),
    Refused(Box<Refused>),
}

impl Client {
    /// Connects to an address and wherever it leads, over this byte stream if there is one.
    pub(super) async fn travel(
        &self,
        uri: WsUri,
        given: Option<Credentials>,
        mut stream: Option<Dialled>,
        deadline: Option<Instant>,
    ) -> Result<WebSocket> {
        // A byte stream of the caller's leads to one server.
        let most = if stream.is_some() { 0 } else { self.session.redirects };
        let credentials = given.or_else(|| self.session.credentials.clone());
        let request = self.request.clone();
        let mut stop = Stop { uri, request, credentials, left_behind: false, way: None };
        let mut followed = 0;
        loop {
            let refused = match self.visit(&stop, stream.take(), deadline).await? {
                Visit::Open(socket) => return Ok(*socket),
                Visit::Refused(refused) => refused,
            };
            let response = &refused.refusal.response;
            if most == 0 || !is_redirect(response.status()) {
                return Err(refused.error(&stop.uri));
            }
            let to = match target(&stop.uri, response.headers()) {
                Ok(_) if followed == most => Err(RedirectError::TooMany(most)),
                to => to,
            };
            stop = match to {
                Ok(to) => {
                    self.way.watch.tell(|| Progress::Redirected(to.clone()));
                    stop.moved(to, &self.way)
                }
                Err(error) => return Err(refused.nowhere(&stop.uri, error)),
            };
            followed += 1;
        }
    }

    async fn visit(
        &self,
        stop: &Stop,
        stream: Option<Dialled>,
        deadline: Option<Instant>,
    ) -> Result<Visit> {
        let uri = &stop.uri;
        let way = stop.way.as_deref().unwrap_or(&self.way);
        // Nobody but the caller can open another one of the caller's byte streams.
        let redial = stream.is_none();
        let new = |credentials| Negotiation::new(credentials, Party::Server, uri.host());
        let mut negotiation = stop.credentials.as_ref().map(new);
        let mut shown = None;
        if let Some(negotiation) = &mut negotiation {
            prepare(negotiation, uri, None, deadline).await?;
            shown = negotiation.first()?;
        }
        let (mut io, mut info) = match stream {
            Some(dialled) => dialled,
            None => dial(uri, way, deadline).await?,
        };
        let mut used = false;
        loop {
            if let Some(negotiation) = &mut negotiation {
                negotiation.bind(channel(&info));
            }
            let request = self.request_to(stop, shown.as_ref())?;
            let limit = sooner(after(self.way.handshake_timeout), deadline);
            let mut handshake =
                ClientHandshake::new(request, rand::random(), self.limits).expire_at(limit);
            let answer = ask(&mut io, &mut handshake, uri, &way.watch).await;
            let bound = negotiation.as_ref().is_some_and(Negotiation::needs_same_connection);
            let refusal = match answer {
                Ok(Answer::Open(terms, rest)) => {
                    match &negotiation {
                        Some(_) => info.asked(&hide(handshake.request())),
                        None => info.asked(handshake.request()),
                    }
                    info.answered(handshake.received());
                    if let Some(response) = info.response() {
                        if let Some(negotiation) = &mut negotiation {
                            let confirmed = negotiation.confirm(response.headers());
                            let late = || Err(late(uri, "checking who answers"));
                            let confirmed = until(limit, confirmed).await.unwrap_or_else(late);
                            confirmed.map_err(|error| proxy::named(error, &info))?;
                        }
                        self.keep_cookies(uri, response.headers());
                    }
                    let config = self.config.clone();
                    let socket = WebSocket::with_info(io, Role::Client, terms, config, &rest, info);
                    return Ok(Visit::Open(Box::new(socket)));
                }
                Ok(Answer::Refused(refusal)) => *refusal,
                // It had said that the connection stays.
                Err(error)
                    if used && redial && !bound && error.kind() == ErrorKind::Disconnected =>
                {
                    drop(io);
                    (io, info) = dial(uri, way, deadline).await?;
                    used = false;
                    continue;
                }
                Err(error) => return Err(proxy::named(error, &info)),
            };
            used = true;
            let headers = refusal.response.headers();
            self.keep_cookies(uri, headers);
            let asks = refusal.response.status() == StatusCode::UNAUTHORIZED;
            let answer = match &mut negotiation {
                Some(negotiation) if asks => {
                    prepare(negotiation, uri, Some(headers), deadline).await?;
                    let limit = sooner(after(self.way.handshake_timeout), deadline);
                    let answer = negotiation.answer(headers, &Method::GET, uri.resource());
                    let late = || Err(late(uri, "getting a ticket"));
                    match until(limit, answer).await.unwrap_or_else(late) {
                        Ok(answer) => answer,
                        Err(error) => {
                            let error = error.with_response(refusal.response);
                            return Err(proxy::named(error, &info));
                        }
                    }
                }
                Some(_) | None => None,
            };
            let had = Had::of(negotiation.as_ref(), stop.left_behind);
            if answer.is_none() {
                return Ok(Visit::Refused(Box::new(Refused { refusal, info, had })));
            }
            if !refusal.reusable {
                let bound = negotiation.as_ref().is_some_and(Negotiation::needs_same_connection);
                if bound || !redial {
                    return Err(Refused { refusal, info, had }.interrupted(uri));
                }
                drop(io);
                (io, info) = dial(uri, way, deadline).await?;
                used = false;
            }
            shown = answer;
        }
    }

    fn request_to(&self, stop: &Stop, shown: Option<&HeaderValue>) -> Result<ClientRequest> {
        // RFC 6455 §4.1: a fresh random key for every attempt.
        let mut request = stop.request.clone().with_uri(&stop.uri);
        if let Some(jar) = &self.session.cookies
            && let Some(kept) = jar.cookies(&cookies::address(&stop.uri))
        {
            let cookies = cookies::beside(request.own_header(&COOKIE), kept);
            request = with(request, COOKIE, cookies)?;
        }
        match shown {
            Some(value) => with(request, AUTHORIZATION, value.clone()),
            None => Ok(request),
        }
    }

    fn keep_cookies(&self, uri: &WsUri, headers: &HeaderMap) {
        if let Some(jar) = &self.session.cookies {
            cookies::keep(&**jar, uri, headers);
        }
    }
}

/// Gets a token, if one has to be asked for.
async fn prepare(
    negotiation: &mut Negotiation,
    uri: &WsUri,
    refused: Option<&HeaderMap>,
    deadline: Option<Instant>,
) -> Result<()> {
    let late = || Err(late(uri, "getting a token"));
    let prepared = until(deadline, negotiation.prepare(refused)).await.unwrap_or_else(late);
    prepared.map_err(|error| error.at(Step::Handshake))
}

/// What ties credentials to the connection, where there is TLS.
#[cfg(feature = "tls")]
fn channel(info: &ConnectionInfo) -> Option<Vec<u8>> {
    info.peer_certificates()?.certificate().end_point()
}

/// There is no TLS in this build.
#[cfg(not(feature = "tls"))]
fn channel(_: &ConnectionInfo) -> Option<Vec<u8>> {
    None
}

/// What a server's question made necessary took too long.
fn late(uri: &WsUri, doing: &str) -> Error {
    Error::timed_out(format!("{doing} for {}", uri.host()), "there was none in time")
        .at(Step::Handshake)
}

fn with(request: ClientRequest, name: HeaderName, value: HeaderValue) -> Result<ClientRequest> {
    let doing = format!("setting the header {name:?}");
    request.set_header(name, value).map_err(|error| Error::invalid(doing).cause(error))
}

impl Stop {
    /// The next address, and what may be brought there.
    fn moved(self, to: WsUri, way: &Way) -> Self {
        if same_origin(&self.uri, &to) {
            return Self { uri: to, ..self };
        }
        let request = self.request.retain_headers(may_travel);
        let left_behind = self.left_behind || self.credentials.is_some();
        let way = self.way.unwrap_or_else(|| Box::new(way.for_strangers()));
        Self { uri: to, request, credentials: None, left_behind, way: Some(way) }
    }
}
