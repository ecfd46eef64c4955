//! A script at a URL: fetched by one at a time, and kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use towline_proto::WsUri;

use super::text::{FETCH, MAX_BYTES, decode, doing};
use crate::deadline::{after, sooner, until};
use crate::dial::fetch::fetch;
use crate::dial::way::Way;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Watch;
use crate::proxy::Script;

/// After so long it is fetched anew.
const KEEP: Duration = Duration::from_secs(3600);

/// So long may that take where there is an old one: most servers need a hundredth of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// After so long it is tried again, if nobody answered or there is an old one. Meanwhile nobody waits.
const RETRY: Duration = Duration::from_secs(60);

/// The text, as it is kept or as it comes.
pub(super) async fn fetched(
    script: &Script,
    at: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<Arc<str>> {
    if let Some(known) = known(script) {
        return known;
    }
    let old = script.fetched.last().text;
    let limit = match &old {
        None => sooner(after(FETCH), deadline),
        // What is left is for the way to the server.
        Some(_) => after(deadline.map_or(PATIENCE, |end| PATIENCE.min(left(end) / 2))),
    };
    let fetching = &script.fetched.fetching;
    let _one = match &old {
        None => until(limit, fetching.lock()).await.ok_or_else(|| late(script))?,
        Some(old) => match fetching.try_lock() {
            Ok(one) => one,
            Err(_) => return Ok(Arc::clone(old)),
        },
    };
    // Somebody else may have had the lock meanwhile.
    if let Some(known) = known(script) {
        return known;
    }
    let begun = now();
    // Whoever watches wants to know of the way to the server.
    let unwatched = Way { watch: Watch::default(), ..way.clone() };
    let answer = until(limit, fetch(at, &unwatched, MAX_BYTES)).await;
    let error = match (answer, old) {
        (Some(Ok(bytes)), _) => return Ok(script.fetched.keep(decode(&bytes), after(KEEP))),
        // An old one is better than none.
        (Some(Err(_)) | None, Some(old)) => return Ok(script.fetched.keep(old, after(RETRY))),
        (Some(Err(error)), None) => error.on_the_way(&doing(script)),
        (None, None) => late(script),
    };
    // Of one that was in a hurry itself, nothing follows for others.
    let was_cut = deadline.is_some_and(|end| end <= now()) && now() - begun < FETCH;
    if error.kind() == ErrorKind::TimedOut && !was_cut {
        script.fetched.miss(after(RETRY));
    }
    Err(error)
}

/// What nobody has to be asked about now.
fn known(script: &Script) -> Option<Result<Arc<str>>> {
    let last = script.fetched.last();
    last.next.filter(|next| now() < *next)?;
    Some(last.text.ok_or_else(|| {
        Error::timed_out(doing(script), "it did not come in time, less than a minute ago")
    }))
}

fn late(script: &Script) -> Error {
    Error::timed_out(doing(script), "it did not come in time")
}

fn left(end: Instant) -> Duration {
    end.saturating_duration_since(now())
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
