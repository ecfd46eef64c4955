//! One way after another: where a script names several, the first that leads on is taken.

use std::time::Instant;

use towline_proto::WsUri;

use super::way::Way;
use super::{directly, finish, script, tunnel};
use crate::error::{Error, Result};
use crate::info::ConnectionInfo;
use crate::progress::Progress;
use crate::proxy::{Route, Scripted};
use crate::transport::Transport;

/// Goes the way that a script names, or the next one where it cannot be gone.
pub(super) async fn by_script(
    scripted: &Scripted,
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<(Transport, ConnectionInfo)> {
    let mut failed: Vec<Error> = Vec::new();
    let routes = script::routes(scripted, uri, way, deadline).await;
    for route in routes.map_err(Error::choosing_proxies)? {
        way.watch.tell(|| Progress::Route(route.clone()));
        match begin(&route, uri, way, deadline).await {
            Ok((io, info)) => return end(route, io, info, uri, way, deadline).await,
            // A proxy that answered by HTTP is there, and that is its answer.
            Err(error) if error.response().is_some() => return Err(error),
            Err(error) => failed.push(error),
        }
    }
    Err(none(scripted, uri, failed))
}

/// Up to the tunnel, or to TCP: beyond it another way would lead to the same server.
async fn begin(
    route: &Route,
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<(Transport, ConnectionInfo)> {
    match route.proxies() {
        [] => directly(uri, way, deadline).await,
        chain => tunnel::walk(chain, uri, way, deadline).await,
    }
}

async fn end(
    route: Route,
    io: Transport,
    mut info: ConnectionInfo,
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<(Transport, ConnectionInfo)> {
    if route.proxies().is_empty() {
        info.went(route);
        return finish(io, info, uri, way, deadline).await;
    }
    tunnel::finish_behind(route, io, info, uri, way, deadline).await
}

/// Of several ways none could be gone.
fn none(scripted: &Scripted, uri: &WsUri, mut failed: Vec<Error>) -> Error {
    let last = failed.pop().expect("an answer names one way at least");
    if failed.is_empty() {
        return last;
    }
    let all = failed.iter().chain([&last]).map(ToString::to_string).collect::<Vec<_>>();
    let count = all.len();
    let doing = format!("going to {} as the script {} says", uri.authority(), scripted.script);
    let error = Error::new(last.kind(), doing)
        .at(last.step())
        .cause(format!("none of {count} ways leads there: {}", all.join("; then ")))
        .advise("are the proxies there, and is the script up to date?");
    match last.proxy() {
        Some(proxy) => error.with_proxy(proxy.to_owned()),
        None => error,
    }
}
