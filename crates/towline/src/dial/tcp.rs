//! TCP to a host: to its address, or to the one of several that answers first.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use towline_proto::WsUri;

use super::failure;
use super::race::{Finish, Rules, race};
use super::socket::Connected;
use super::watched::watched;
use super::way::Way;
use crate::attempt::{Attempt, AttemptOutcome};
use crate::deadline::{after, sooner, until};
use crate::error::Result;
use crate::progress::Progress;

/// Connects, and tells which addresses were tried if the first one did not win at once.
pub(super) async fn connect(
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<(Connected, Vec<Attempt>)> {
    match uri.ip() {
        Some(ip) => {
            let stream = to_address(SocketAddr::new(ip, uri.port()), way, deadline).await?;
            Ok((stream, Vec::new()))
        }
        // Boxed: the future of a connection to an address stays small.
        None => Box::pin(to_name(uri, way, deadline)).await,
    }
}

/// The one address there is: no race.
async fn to_address(
    address: SocketAddr,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<Connected> {
    if !way.family.admits(address.ip()) {
        return Err(failure::wrong_family(address));
    }
    let begun = tokio::time::Instant::now();
    let deadline = sooner(after(way.connect_timeout), deadline);
    let connected = until(deadline, way.socket.connect(address, None, &way.guard)).await;
    let (stream, outcome) = match connected {
        Some(Ok(stream)) => (Some(stream), AttemptOutcome::Connected),
        Some(Err(error)) => (None, AttemptOutcome::Failed(error.into())),
        None => (None, AttemptOutcome::TimedOut),
    };
    let attempt = Attempt { address, began: Duration::ZERO, took: begun.elapsed(), outcome };
    way.watch.tell(|| Progress::Attempted(attempt.clone()));
    stream.ok_or_else(|| failure::of_one(attempt))
}

async fn to_name(
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<(Connected, Vec<Attempt>)> {
    if let Err(denied) = way.guard.name(uri.host()) {
        return Err(failure::forbidden_name(uri.host(), &denied));
    }
    let rules = Rules {
        port: uri.port(),
        family: way.family,
        delay: way.attempt_delay,
        each: way.connect_timeout,
        deadline: deadline.map(Into::into),
    };
    let answers = watched(way.names.resolve(uri.host()), uri.host(), &way.watch);
    let finish =
        race(answers, rules, |address| way.socket.connect(address, Some(uri.host()), &way.guard))
            .await;
    let won = |attempt: &&Attempt| matches!(attempt.outcome, AttemptOutcome::Connected);
    let (winner, others): (Vec<_>, Vec<_>) = finish.attempts.iter().partition(won);
    for attempt in others.into_iter().chain(winner) {
        way.watch.tell(|| Progress::Attempted(attempt.clone()));
    }
    match finish {
        Finish { winner: Some(stream), mut attempts, .. } => {
            if attempts.len() == 1 {
                attempts = Vec::new();
            }
            Ok((stream, attempts))
        }
        Finish { winner: None, attempts, look_up, late } => {
            Err(failure::of_name(uri.host(), way.family, attempts, look_up, late))
        }
    }
}
