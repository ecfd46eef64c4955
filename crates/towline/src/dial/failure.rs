//! Why there is no connection, put into words.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use super::family::Family;
use crate::attempt::{Attempt, AttemptOutcome};
use crate::error::{Error, ErrorKind, Step};
use crate::guard::{Denied, denied_in};

const REACH: &str = "is a server listening there, and does a firewall let you through?";

/// The one address that there was failed.
pub(super) fn of_one(attempt: Attempt) -> Error {
    let doing = format!("connecting to {}", attempt.address);
    let error = match &attempt.outcome {
        AttemptOutcome::Failed(error) => match denied_in(error) {
            Some(denied) => Error::denied_by(denied, doing),
            None => Error::new(ErrorKind::Connect, doing).cause(copy(error)).advise(REACH),
        },
        AttemptOutcome::Connected | AttemptOutcome::TimedOut | AttemptOutcome::Overtaken => {
            Error::timed_out(doing, "no answer in time")
                .advise("does a firewall drop what you send? see connect_timeout")
        }
    };
    error.at(Step::Connect).with_attempts(vec![attempt])
}

/// No address of a host could be reached, or none was found.
pub(super) fn of_name(
    host: &str,
    family: Family,
    mut attempts: Vec<Attempt>,
    look_up: Option<io::Error>,
    late: bool,
) -> Error {
    match (attempts.len(), look_up) {
        (0, _) if late => Error::timed_out(looking_up(host), "no answer in time")
            .advise("is the network's name server there? see connect_timeout")
            .at(Step::Resolve),
        (0, Some(error)) => Error::new(ErrorKind::Resolve, looking_up(host))
            .cause(error)
            .advise("is the name spelt right, and the network there?"),
        (0, None) => Error::new(ErrorKind::Resolve, looking_up(host)).cause(family.missing()),
        (1, _) => of_one(attempts.remove(0)),
        _ => {
            if let Some(denied) = all_denied(&attempts) {
                return Error::denied_by(&denied, format!("connecting to {host}"))
                    .at(Step::Connect)
                    .with_attempts(attempts);
            }
            let answered = |attempt: &Attempt| matches!(attempt.outcome, AttemptOutcome::Failed(_));
            let kind = match late || !attempts.iter().any(answered) {
                true => ErrorKind::TimedOut,
                false => ErrorKind::Connect,
            };
            Error::new(kind, format!("connecting to {host}"))
                .cause(List(&attempts).to_string())
                .advise(REACH)
                .at(Step::Connect)
                .with_attempts(attempts)
        }
    }
}

/// The name may not be looked up.
pub(super) fn forbidden_name(host: &str, denied: &Denied) -> Error {
    Error::denied_by(denied, looking_up(host)).at(Step::Resolve)
}

/// Why the first of several was not permitted, if none was.
fn all_denied(attempts: &[Attempt]) -> Option<Denied> {
    let denied = |attempt: &Attempt| match &attempt.outcome {
        AttemptOutcome::Failed(error) => denied_in(error).cloned(),
        AttemptOutcome::Connected | AttemptOutcome::TimedOut | AttemptOutcome::Overtaken => None,
    };
    let all: Option<Vec<_>> = attempts.iter().map(denied).collect();
    all?.into_iter().next()
}

/// The address is of a family that the client's settings rule out.
pub(super) fn wrong_family(address: SocketAddr) -> Error {
    let (is, only) = if address.is_ipv4() { ("IPv4", "IPv6") } else { ("IPv6", "IPv4") };
    Error::invalid(format!("connecting to {address}"))
        .cause(format!("that is {is}, and {only} alone was asked for"))
        .at(Step::Connect)
}

fn looking_up(host: &str) -> String {
    format!("looking up {host}")
}

/// An error of the operating system's, once more.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

struct List<'a>(&'a [Attempt]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, attempt) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{attempt}")?;
        }
        Ok(())
    }
}
