//! The way to a server: name, addresses, TCP, TLS. One function, top to bottom.

mod failure;
mod family;
mod race;
mod resolve;
mod socket;
mod tcp;
#[cfg(unix)]
mod unix;
mod way;

use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};
use towline_proto::WsUri;

#[cfg(feature = "tls")]
use crate::deadline::{after, sooner, until};
use crate::error::{Error, Result};
use crate::info::ConnectionInfo;
#[cfg(feature = "tls")]
use crate::tls::TlsConfig;
use crate::transport::Transport;
pub use family::Family;
pub use resolve::{Answers, Resolve, SystemResolver};
pub(crate) use way::Way;

/// Goes the way: a byte stream to the server, on which nothing of HTTP was sent.
///
/// The other steps have their place here: a policy asked before each address, a proxy's tunnel
/// between TCP and TLS.
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
    let (stream, attempts) = tcp::connect(uri, way, deadline).await?;
    let mut info = ConnectionInfo::new(stream.local_addr().ok(), stream.peer_addr().ok());
    info.attempted(attempts);
    if !uri.is_secure() {
        return Ok((Transport::tcp(stream), info));
    }
    // Boxed: TLS needs much more than this, and the future without it stays small.
    Box::pin(secure(stream, info, uri, way, deadline)).await
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
    let info = ConnectionInfo::default();
    if !uri.is_secure() {
        return Ok((Transport::new(stream), info));
    }
    Box::pin(secure(stream, info, uri, way, deadline)).await
}

/// Adds TLS.
#[cfg(feature = "tls")]
async fn secure<T>(
    stream: T,
    mut info: ConnectionInfo,
    uri: &WsUri,
    way: &Way,
    deadline: Option<Instant>,
) -> Result<(Transport, ConnectionInfo)>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let config = match way.tls.get() {
        Some(config) => config,
        None => {
            let platform = TlsConfig::platform()?;
            way.tls.get_or_init(|| platform)
        }
    };
    let shaking = crate::tls::connect(stream, uri.host(), config);
    let deadline = sooner(after(way.handshake_timeout), deadline);
    let shaken = until(deadline, shaking).await.ok_or_else(|| {
        Error::timed_out(
            format!("agreeing on TLS with wss://{}", uri.authority()),
            "no answer in time",
        )
        .advise("does that port speak TLS? ws:// does not")
    });
    let (stream, version) = shaken??;
    info.secured(version);
    Ok((Transport::new(stream), info))
}

/// There is no TLS in this build.
#[cfg(not(feature = "tls"))]
async fn secure<T: AsyncRead + AsyncWrite>(
    _: T,
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
