//! Names that are looked up here, for proxies that are given addresses.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;

use futures_core::Stream;
use towline_proto::WsUri;

use super::failure;
use crate::dial::family::Family;
use crate::dial::watched::watched;
use crate::dial::way::Way;
use crate::error::Result;
use crate::proxy::Proxy;

/// Answers of a resolver that are listened to, before one holds an address.
const MAX_ANSWERS: usize = 16;

/// An IPv4 address, the only kind that SOCKS4 knows.
pub(super) async fn v4(proxy: &Proxy, next: &WsUri, way: &Way) -> Result<IpAddr> {
    first(proxy, next, way, Family::OnlyV4).await
}

pub(super) async fn any(proxy: &Proxy, next: &WsUri, way: &Way) -> Result<IpAddr> {
    first(proxy, next, way, way.family).await
}

/// The first address of a host, in the family that begins. There is no race behind a proxy: it would
/// have to be asked for each address.
async fn first(proxy: &Proxy, next: &WsUri, way: &Way, family: Family) -> Result<IpAddr> {
    if let Some(ip) = next.ip() {
        return Ok(ip);
    }
    if let Err(denied) = way.guard.name(next.host()) {
        return Err(failure::forbidden(proxy, next, &denied));
    }
    let mut answers = watched(way.names.resolve(next.host()), next.host(), &way.watch);
    let mut failed = None;
    for _ in 0..MAX_ANSWERS {
        match poll_fn(|cx| Pin::new(&mut answers).poll_next(cx)).await {
            None => break,
            Some(Err(error)) => failed = Some(error),
            Some(Ok(addresses)) => {
                let admitted = || addresses.iter().filter(|address| family.admits(address.ip()));
                if let Some(first) = admitted().next() {
                    let v6_begins = family.v6_begins(first);
                    let begins = admitted().find(|address| address.is_ipv6() == v6_begins);
                    let ip = begins.unwrap_or(first).ip();
                    let judged = way.guard.connect((ip, next.port()).into(), Some(next.host()));
                    judged.map_err(|denied| failure::forbidden(proxy, next, &denied))?;
                    return Ok(ip);
                }
            }
        }
    }
    Err(failure::unknown(proxy, next, family, failed))
}
