//! The way to a server: name, addresses, TCP, proxies, TLS. One function, top to bottom.

mod failure;
mod family;
#[cfg(feature = "pac")]
mod fetch;
mod race;
mod resolve;
#[cfg(feature = "pac")]
mod script;
mod socket;
mod tcp;
mod tunnel;
#[cfg(unix)]
mod unix;
mod watched;
mod way;
#[cfg(feature = "pac")]
mod ways;

use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};
use towline_proto::WsUri;

#[cfg(feature = "tls")]
use crate::deadline::{after, sooner, until};
use crate::error::{Error, Result, Step};
use crate::info::ConnectionInfo;
use crate::progress::Progress;
use crate::proxy::{Lead, Route};
use crate::transport::Transport;
pub use family::Family;
pub use resolve::{Answers, Resolve, SystemResolver};
use socket::Connected;
pub(crate) use way::Way;

/// Goes the way: a byte stream to the server, on which nothing of HTTP was sent.
///
/// The guard is asked before each connection, in `socket`; for what a proxy leads to, in `tunnel`.
pub(crate) async fn dial(
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<(Transport, ConnectionInfo)> {
    #[cfg(unix)]
    if let Some(path) = &way.unix_socket {
        let stream = unix::connect(path, way, deadline).await?;
        return Box::pin(dial_over(stream, uri, way, deadline)).await;
    }
    let lead = way.proxies.through(uri)?;
    if way.watch.is_on()
        && let Lead::Route(route) = way.proxies.lead(uri)?
    {
        way.watch.tell(|| Progress::Route(route));
    }
    match lead {
        None => {}
        Some(Lead::Route(route)) => {
            return Box::pin(tunnel::through(route, uri, way, deadline)).await;
        }
        #[cfg(feature = "pac")]
        Some(Lead::Script(scripted)) => {
            return Box::pin(ways::by_script(&scripted, uri, way, deadline)).await;
        }
    }
    let (io, info) = directly(uri, way, deadline).await?;
    finish(io, info, uri, way, deadline).await
}

/// Connects to the server itself.
async fn directly(
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<(Transport, ConnectionInfo)> {
    let (Connected { stream, own }, attempts) = tcp::connect(uri, way, deadline).await?;
    let mut info = ConnectionInfo::new(stream.local_addr().ok(), stream.peer_addr().ok());
    info.attempted(attempts);
    info.owned(own);
    Ok((Transport::tcp(stream), info))
}

/// The ways to a server, in the order in which they are tried. Nothing is connected to but what a script
/// that says so needs.
pub(crate) async fn routes(
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<Vec<Route>> {
    #[cfg(not(feature = "pac"))]
    let _ = deadline;
    match way.proxies.lead(uri)? {
        Lead::Route(route) => Ok(vec![route]),
        #[cfg(feature = "pac")]
        Lead::Script(scripted) => script::routes(&scripted, uri, way, deadline).await,
    }
}

/// Goes the rest of the way over a byte stream that leads to the server.
pub(crate) async fn dial_over<T>(
    stream: T,
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<(Transport, ConnectionInfo)>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    finish(Transport::new(stream), ConnectionInfo::default(), uri, way, deadline).await
}

/// Goes the last step, over a byte stream that leads to the server: TLS, if it is to be.
async fn finish(
    io: Transport,
    info: ConnectionInfo,
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<(Transport, ConnectionInfo)> {
    if !uri.is_secure() {
        return Ok((io, info));
    }
    // Boxed: TLS needs much more than this, and the future without it stays small.
    let secured = Box::pin(secure(io, info, uri, way, deadline)).await;
    secured.map_err(|error| error.at(Step::Tls))
}

/// Adds TLS.
#[cfg(feature = "tls")]
async fn secure(
    io: Transport,
    mut info: ConnectionInfo,
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<(Transport, ConnectionInfo)> {
    let shaking = crate::tls::connect(io, uri.host(), way.tls.connector()?);
    let deadline = sooner(after(way.handshake_timeout), deadline);
    let shaken = until(deadline, shaking).await.ok_or_else(|| {
        Error::timed_out(
            format!("agreeing on TLS with wss://{}", uri.authority()),
            "no answer in time",
        )
        .advise("does that port speak TLS? ws:// does not")
    });
    let (stream, agreed) = shaken??;
    way.watch.tell(|| agreed.progress(uri.host()));
    info.secured(agreed.version);
    info.certified(agreed.peer, agreed.alpn);
    Ok((Transport::new(stream), info))
}

/// There is no TLS in this build.
#[cfg(not(feature = "tls"))]
async fn secure(
    _: Transport,
    mut info: ConnectionInfo,
    uri: &WsUri,
    _: &Way,
    _: Option<Instant>,
) -> Result<(Transport, ConnectionInfo)> {
    info.secured(None);
    Err(Error::invalid(format!("connecting to {}", uri.host()))
        .cause("this build has no TLS")
        .advise("turn on the feature `tls`"))
}
