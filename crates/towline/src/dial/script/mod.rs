//! Scripts that choose proxies: they are read, run, and the ways that they name are gone one by one.

mod apart;
mod kept;
mod look_up;
mod text;

use std::sync::Arc;
use std::time::{Duration, Instant};

use towline_proto::WsUri;

use super::way::Way;
use crate::error::{Error, ErrorKind, Result};
use crate::proxy::{Lead, Route, Scripted};
use apart::{Stuck, apart};
pub(super) use text::TOO_LARGE;
use text::text;

/// So long somebody waits for a script: it may run for 5 seconds and look names up for 20, and the engine
/// sees to both. What is beyond that it cannot end.
const LIMIT: Duration = Duration::from_secs(30);

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
    let (asking, answering) = look_up::pair();
    let look_up = move |host: &str, limit| asking.look_up(host, limit);
    let (script, uri, who) = (Arc::clone(script), uri.clone(), scripted.credentials.clone());
    let doing = format!("running the script {script} for {}", uri.host());
    let run = move || script.run(&text, &uri, who.as_ref(), look_up);
    match answering.during(&way.names, &way.guard, apart(LIMIT, deadline, run)).await {
        Ok(routes) => routes,
        Err(Stuck::Busy) => Err(Error::timed_out(doing, "too many scripts run, and none ended")
            .advise("does one of them never end? then only a new process is rid of them")),
        Err(Stuck::Late) if is_over(deadline) => Err(Error::timed_out(doing, "it took too long")),
        // Not a time-out: it would come again, and each time keep one more thread.
        Err(Stuck::Late) => Err(Error::invalid(doing)
            .cause("it does not end, and nothing can end it")
            .advise("mend the script, or say which proxy to use: Proxies::none is none")),
        Err(Stuck::Failed(error)) => Err(Error::new(ErrorKind::Io, doing).cause(error)),
    }
}

fn is_over(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| deadline <= tokio::time::Instant::now().into_std())
}
