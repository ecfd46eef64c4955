//! A socket in the file system.

use std::path::Path;
use std::time::Instant;

use tokio::net::UnixStream;

use super::way::Way;
use crate::deadline::{after, sooner, until};
use crate::error::{Error, ErrorKind, Result, Step};

pub(super) async fn connect(
    path: &Path,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<UnixStream> {
    if let Err(denied) = way.guard.unix(path) {
        let doing = format!("connecting to {}", path.display());
        return Err(Error::denied_by(&denied, doing));
    }
    let doing = || format!("connecting to {}", path.display());
    let deadline = sooner(after(way.connect_timeout), deadline);
    let connected = until(deadline, UnixStream::connect(path)).await;
    let connected = connected.ok_or_else(|| {
        Error::timed_out(doing(), "no answer in time")
            .advise("does its server accept connections?")
            .at(Step::Connect)
    })?;
    connected.map_err(|error| {
        Error::new(ErrorKind::Connect, doing())
            .cause(error)
            .advise("is a server listening on that socket, and may you open it?")
    })
}
