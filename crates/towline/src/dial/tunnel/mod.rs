//! Through proxies: TCP to the first one, and each leads on to the next, the last to the server.

mod connect;
mod exchange;
mod failure;
mod hop;
mod look_up;
mod refusal;
mod socks;
mod socks4;
mod socks5;

use std::time::Instant;

use towline_proto::WsUri;

use super::socket::Connected;
use super::way::Way;
use super::{finish, tcp};
use crate::deadline::{after, sooner, until};
use crate::error::{Error, Result};
use crate::info::ConnectionInfo;
use crate::progress::Progress;
use crate::proxy::{Proxy, Route, Scheme, shown, target};
use crate::transport::Transport;
use hop::Hop;

/// Connections that are begun because a proxy wants its answer on another one than that on which it
/// asked. A chain needs one for each of its proxies that does; a proxy that never has enough must not
/// keep us busy.
const MAX_CONNECTIONS: usize = 8;

/// What a proxy did when it was asked to lead on.
enum Led<T> {
    /// It led on: these bytes are the next one's.
    On(T),
    /// It will not on this connection, and may on another one.
    Again,
}

/// Goes by way of proxies: a byte stream to the server, on which nothing of HTTP was sent.
pub(super) async fn through(
    route: Route,
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<(Transport, ConnectionInfo)> {
    let (io, info) = walk(route.proxies(), uri, way, deadline).await?;
    finish_behind(route, io, info, uri, way, deadline).await
}

/// Goes the last step behind proxies.
pub(super) async fn finish_behind(
    route: Route,
    io: Transport,
    mut info: ConnectionInfo,
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<(Transport, ConnectionInfo)> {
    let by = shown(route.proxies());
    info.went(route);
    let there = finish(io, info, uri, way, deadline).await;
    there.map_err(|error| error.by_way_of(&by))
}

/// Goes along a chain until it leads to the server.
pub(super) async fn walk(
    chain: &[Proxy],
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<(Transport, ConnectionInfo)> {
    let mut hops: Vec<_> = chain.iter().map(Hop::new).collect();
    for _ in 0..MAX_CONNECTIONS {
        let walked = walk_once(&mut hops, uri, way, deadline).await;
        if let Led::On(there) = walked.map_err(Error::at_proxy)? {
            return Ok(there);
        }
    }
    Err(failure::restless(chain))
}

async fn walk_once(
    hops: &mut [Hop<'_>],
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<Led<(Transport, ConnectionInfo)>> {
    let nearest = hops.first().expect("a route through proxies has one").proxy;
    let (Connected { stream, own: _own }, attempts) = tcp::connect(nearest.at(), way, deadline)
        .await
        .map_err(|error| failure::unreachable(nearest, error))?;
    let mut info = ConnectionInfo::new(stream.local_addr().ok(), stream.peer_addr().ok());
    info.attempted(attempts);
    let mut io = Transport::tcp(stream);
    for at in 0..hops.len() {
        let next = hops.get(at + 1).map_or(uri, |next| next.proxy.at());
        let hop = &mut hops[at];
        if let Err(denied) = way.guard.proxied(next) {
            return Err(failure::forbidden(hop.proxy, next, &denied));
        }
        if hop.proxy.scheme() == Scheme::Https {
            io = secure_proxy(io, hop.proxy, way, deadline).await?;
        }
        match lead_on(io, hop, next, way, deadline).await? {
            Led::On(on) => {
                let (proxy, to) = (hop.proxy, target(next));
                way.watch.tell(|| Progress::Tunnelled { proxy: proxy.to_string(), to });
                io = on;
            }
            Led::Again => return Ok(Led::Again),
        }
    }
    Ok(Led::On((io, info)))
}

/// Has a proxy lead on.
async fn lead_on(
    io: Transport,
    hop: &mut Hop<'_>,
    next: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<Led<Transport>> {
    // The proxy looks up a name and connects now, so it has as long as we have for that.
    let deadline = sooner(after(way.connect_timeout), deadline);
    let proxy = hop.proxy;
    let led = until(deadline, async {
        match proxy.scheme() {
            Scheme::Http | Scheme::Https => connect::lead_on(io, hop, next).await,
            Scheme::Socks4 => {
                let ip = look_up::v4(proxy, next, way).await?;
                socks4::lead_on(io, proxy, next, Some(ip)).await.map(Led::On)
            }
            Scheme::Socks4a => socks4::lead_on(io, proxy, next, None).await.map(Led::On),
            Scheme::Socks5 => {
                let ip = look_up::any(proxy, next, way).await?;
                socks5::lead_on(io, proxy, next, Some(ip)).await.map(Led::On)
            }
            Scheme::Socks5h => socks5::lead_on(io, proxy, next, None).await.map(Led::On),
        }
    });
    led.await.unwrap_or_else(|| Err(failure::late(proxy, next)))
}

/// Adds TLS to a proxy.
#[cfg(feature = "tls")]
async fn secure_proxy(
    io: Transport,
    proxy: &Proxy,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<Transport> {
    let connector = way.proxy_tls.connector()?;
    let deadline = sooner(after(way.handshake_timeout), deadline);
    // Boxed: TLS needs much more than the rest.
    let shaking = Box::pin(crate::tls::connect(io, proxy.at().host(), connector));
    match until(deadline, shaking).await {
        Some(Ok((stream, agreed))) => {
            way.watch.tell(|| agreed.progress(proxy.at().host()));
            Ok(Transport::new(stream))
        }
        Some(Err(error)) => Err(failure::insecure(proxy, error)),
        None => Err(failure::late_tls(proxy)),
    }
}

/// There is no TLS in this build.
#[cfg(not(feature = "tls"))]
async fn secure_proxy(
    _: Transport,
    proxy: &Proxy,
    _: &Way,
    _: Option<Instant>,
) -> Result<Transport> {
    Err(failure::no_tls(proxy))
}

#[cfg(test)]
mod tests;
