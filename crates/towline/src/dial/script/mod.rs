//! Scripts that choose proxies: they are read, run, and the ways that they name are gone one by one.

mod look_up;
mod text;

use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use towline_proto::WsUri;

use super::way::Way;
use crate::deadline::until;
use crate::error::{Error, ErrorKind, Result};
use crate::proxy::{Lead, Route, Scripted};
use look_up::look_up;
pub(super) use text::TOO_LARGE;
use text::text;

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
