//! Scripts that choose proxies: they are read, run, and the ways that they name are gone one by one.

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_core::Stream;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use towline_proto::WsUri;

use super::fetch::fetch;
use super::resolve::Names;
use super::way::Way;
use crate::deadline::{after, sooner, until};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Watch;
use crate::proxy::{Fetched, Lead, Route, Script, Scripted, Source};

/// Largest script that is read. Chrome takes as much.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// So long may fetching it take. Chrome waits as long.
const FETCH: Duration = Duration::from_secs(30);

/// After so long it is fetched anew.
const KEEP: Duration = Duration::from_secs(3600);

/// For one name that the script has looked up.
const LOOK_UP: Duration = Duration::from_secs(5);

/// Answers of a resolver about one name.
const MAX_ANSWERS: usize = 16;

/// The ways to a server, in the order in which they are to be tried.
pub(super) async fn routes(
    scripted: &Scripted,
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<Vec<Route>> {
    let script = scripted.script.script();
    let text = match (text(script, way, deadline).await, &scripted.otherwise) {
        (Ok(text), _) => text,
        (Err(error), None) => return Err(error),
        (Err(error), Some(otherwise)) => match otherwise.lead()? {
            Lead::Route(route) => {
                let why = format!("{}, and the script could not be read: {error}", route.why());
                return Ok(vec![route.because(why)]);
            }
            Lead::Script(_) => return Err(error),
        },
    };
    let (names, runtime) = (way.names.clone(), Handle::current());
    let look_up = move |host: &str| runtime.block_on(look_up(&names, host));
    let (script, uri, who) = (Arc::clone(script), uri.clone(), scripted.credentials.clone());
    let doing = format!("running the script {script} for {}", uri.host());
    let run = spawn_blocking(move || script.run(&text, &uri, who.as_ref(), look_up));
    match until(deadline, run).await {
        Some(Ok(routes)) => routes,
        Some(Err(error)) => Err(Error::new(ErrorKind::Io, doing).cause(error)),
        None => Err(Error::timed_out(doing, "it took too long")),
    }
}

async fn text(script: &Arc<Script>, way: &Way, deadline: Option<Instant>) -> Result<Arc<str>> {
    let doing = || format!("reading the script {script}, which chooses the proxy");
    match &script.source {
        Source::Text(text) => Ok(Arc::clone(text)),
        Source::File(path) => {
            let path = path.clone();
            let read = spawn_blocking(move || file(&path)).await;
            let bytes = read.map_err(io::Error::other).and_then(|read| read);
            bytes.map(|bytes| decode(&bytes)).map_err(|error| {
                Error::new(ErrorKind::Io, doing()).cause(error).advise("is the path right?")
            })
        }
        Source::Url(at) => {
            let late = || Error::timed_out(doing(), "it did not come in time");
            let deadline = sooner(after(FETCH), deadline);
            let fetched = until(deadline, async {
                let mut kept = script.fetched.lock().await;
                let now = tokio::time::Instant::now().into_std();
                if let Some(kept) = kept.as_ref()
                    && now.saturating_duration_since(kept.at) < KEEP
                {
                    return Ok(Arc::clone(&kept.text));
                }
                // Whoever watches wants to know of the way to the server.
                let unwatched = Way { watch: Watch::default(), ..way.clone() };
                let text = match (fetch(at, &unwatched, MAX_BYTES).await, kept.take()) {
                    (Ok(bytes), _) => decode(&bytes),
                    // An old one is better than none.
                    (Err(_), Some(old)) => old.text,
                    (Err(error), None) => return Err(error.on_the_way(&doing())),
                };
                *kept = Some(Fetched { text: Arc::clone(&text), at: now });
                Ok(text)
            });
            fetched.await.unwrap_or_else(|| Err(late()))
        }
    }
}

fn file(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read;

    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES).expect("it is small") + 1;
    std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    match bytes.len() > MAX_BYTES {
        true => Err(io::Error::new(io::ErrorKind::FileTooLarge, TOO_LARGE)),
        false => Ok(bytes),
    }
}

pub(super) const TOO_LARGE: &str = "it has more than 1 MiB";

fn decode(bytes: &[u8]) -> Arc<str> {
    let text = String::from_utf8_lossy(bytes);
    text.strip_prefix('\u{feff}').unwrap_or(&text).into()
}

/// The addresses of a name, as far as they come in time.
async fn look_up(names: &Names, host: &str) -> Vec<IpAddr> {
    let mut answers = names.resolve(host);
    let mut ips = Vec::new();
    let all = async {
        for _ in 0..MAX_ANSWERS {
            match poll_fn(|cx| Pin::new(&mut answers).poll_next(cx)).await {
                Some(Ok(addresses)) => ips.extend(addresses.iter().map(|at| at.ip())),
                Some(Err(_)) => {}
                None => break,
            }
        }
    };
    timeout(LOOK_UP, all).await.ok();
    // The system's resolver gives some twice.
    let mut seen = Vec::new();
    ips.retain(|ip| {
        !seen.contains(ip) && {
            seen.push(*ip);
            true
        }
    });
    ips
}
