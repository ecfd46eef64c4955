//! The text of a script, from wherever it is.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::apart::{Stuck, apart};
use super::kept::fetched;
use crate::dial::way::Way;
use crate::error::{Error, ErrorKind, Result};
use crate::proxy::{Script, Source};

/// Largest script that is read. Chrome takes as much.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// So long may fetching or reading it take. Chrome waits as long.
pub(super) const FETCH: Duration = Duration::from_secs(30);

pub(super) async fn text(
    script: &Arc<Script>,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<Arc<str>> {
    let doing = || doing(script);
    match &script.source {
        Source::Text(text) => Ok(Arc::clone(text)),
        Source::File(path) => {
            let path = path.clone();
            // It may be a pipe that nobody writes to, or on a disk that is far away.
            let bytes = match apart(FETCH, deadline, move || file(&path)).await {
                Ok(read) => read,
                Err(Stuck::Busy | Stuck::Late) => {
                    return Err(Error::timed_out(doing(), "it was not read in time")
                        .advise("is it a file, on a disk that answers?"));
                }
                Err(Stuck::Failed(error)) => Err(error),
            };
            bytes.map(|bytes| decode(&bytes)).map_err(|error| {
                Error::new(ErrorKind::Io, doing()).cause(error).advise("is the path right?")
            })
        }
        Source::Url(at) => fetched(script, at, way, deadline).await,
    }
}

/// How errors call it.
pub(super) fn doing(script: &Script) -> String {
    format!("reading the script {script}, which chooses the proxy")
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

pub(in crate::dial) const TOO_LARGE: &str = "it has more than 1 MiB";

pub(super) fn decode(bytes: &[u8]) -> Arc<str> {
    let text = String::from_utf8_lossy(bytes);
    text.strip_prefix('\u{feff}').unwrap_or(&text).into()
}
