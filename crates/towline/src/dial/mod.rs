//! The way to a server: name, addresses, TCP, TLS. One function, top to bottom.

use std::net::SocketAddr;
#[cfg(feature = "tls")]
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;
use towline_proto::WsUri;

use crate::error::{Error, ErrorKind, Result};
use crate::info::ConnectionInfo;
#[cfg(feature = "tls")]
use crate::tls::TlsConfig;
use crate::transport::Transport;

/// Most addresses of one name that are tried, one after another, as on Windows.
const MAX_ADDRESSES: usize = 5;

/// What a client decided about the way.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) connect_timeout: Duration,
    /// For TLS here, and for HTTP after it.
    pub(crate) handshake_timeout: Duration,
    pub(crate) nodelay: bool,
    pub(crate) send_buffer_size: Option<u32>,
    /// Filled with the operating system's trust when it is first needed.
    #[cfg(feature = "tls")]
    pub(crate) tls: Arc<OnceLock<TlsConfig>>,
}

/// Goes the way: a byte stream to the server, on which nothing of HTTP was sent.
///
/// The other steps have their place here: a policy asked before each address, a proxy's tunnel
/// between TCP and TLS.
pub(crate) async fn dial(uri: &WsUri, way: &Way) -> Result<(Transport, ConnectionInfo)> {
    let stream = tcp(uri, way).await?;
    let mut info = ConnectionInfo::new(stream.local_addr().ok(), stream.peer_addr().ok());
    if !uri.is_secure() {
        return Ok((Transport::tcp(stream), info));
    }
    #[cfg(feature = "tls")]
    {
        let config = match way.tls.get() {
            Some(config) => config,
            None => {
                let platform = TlsConfig::platform()?;
                way.tls.get_or_init(|| platform)
            }
        };
        let shaking = crate::tls::connect(stream, uri.host(), config);
        let (stream, version) = timeout(way.handshake_timeout, shaking).await.map_err(|_| {
            Error::timed_out(
                format!("agreeing on TLS with wss://{}", uri.authority()),
                "no answer in time",
            )
            .advise("does that port speak TLS? ws:// does not")
        })??;
        info.secured(version);
        Ok((Transport::new(stream), info))
    }
    #[cfg(not(feature = "tls"))]
    {
        info.secured(None);
        Err(Error::invalid(format!("connecting to {}", uri.host()))
            .cause("this build has no TLS")
            .advise("turn on the feature `tls`"))
    }
}

async fn tcp(uri: &WsUri, way: &Way) -> Result<TcpStream> {
    let (host, port) = (uri.host(), uri.port());
    let addresses = in_time(lookup_host((host, port)), host, way).await?;
    first_of(addresses, host, way).await
}

/// What the look-up of a host gives, unless it takes longer than connecting may.
async fn in_time<T>(
    looking_up: impl Future<Output = std::io::Result<T>>,
    host: &str,
    way: &Way,
) -> Result<T> {
    let doing = || format!("looking up {host}");
    let found = timeout(way.connect_timeout, looking_up).await.map_err(|_| {
        Error::timed_out(doing(), "no answer in time")
            .advise("is the network's name server there? see connect_timeout")
    })?;
    found.map_err(|error| {
        Error::new(ErrorKind::Resolve, doing())
            .cause(error)
            .advise("is the name spelt right, and the network there?")
    })
}

/// Tries the addresses in their order.
async fn first_of(
    addresses: impl Iterator<Item = SocketAddr>,
    host: &str,
    way: &Way,
) -> Result<TcpStream> {
    let mut failure = Error::new(ErrorKind::Resolve, format!("looking up {host}"))
        .cause("the name has no address");
    for address in addresses.take(MAX_ADDRESSES) {
        match timeout(way.connect_timeout, tcp_to(address, way)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => {
                failure = Error::new(ErrorKind::Connect, format!("connecting to {address}"))
                    .cause(error)
                    .advise("is a server listening there, and does a firewall let you through?");
            }
            Err(_) => {
                failure = Error::timed_out(format!("connecting to {address}"), "no answer in time")
                    .advise("does a firewall drop what you send? see connect_timeout");
            }
        }
    }
    Err(failure)
}

async fn tcp_to(address: SocketAddr, way: &Way) -> std::io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(size) = way.send_buffer_size {
        socket.set_send_buffer_size(size)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(way.nodelay)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way() -> Way {
        Way {
            connect_timeout: Duration::from_secs(5),
            handshake_timeout: Duration::from_secs(5),
            nodelay: true,
            send_buffer_size: None,
            #[cfg(feature = "tls")]
            tls: Arc::default(),
        }
    }

    /// No name server can be made silent from outside.
    #[tokio::test(start_paused = true)]
    async fn a_look_up_without_answer_is_given_up() {
        let begun = tokio::time::Instant::now();
        let silent = std::future::pending::<std::io::Result<()>>();
        let error = in_time(silent, "host.example", &way()).await.unwrap_err();
        assert_eq!(begun.elapsed().as_secs(), 5);
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.to_string().starts_with("looking up host.example: "), "{error}");
    }

    /// No name has has seven addresses on every machine, so this cannot be seen from outside.
    #[tokio::test]
    async fn five_addresses_are_tried_and_no_more() {
        let alive = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dead = {
            let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap()
        };
        let way = way();
        let with_dead = |count| {
            let dead = std::iter::repeat_n(dead, count);
            dead.chain([alive.local_addr().unwrap()])
        };
        let stream = first_of(with_dead(4), "example", &way).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), alive.local_addr().unwrap());
        let error = first_of(with_dead(5), "example", &way).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        let error = first_of(std::iter::empty(), "example", &way).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Resolve);
    }
}
