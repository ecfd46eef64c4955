//! TLS as a server.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::UnixTime;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::chain::Chain;
use super::failure::{self, Peer};
use super::recorder::recording;
use super::verifier::ClientVerifier;
use super::{Agreed, version};
use crate::certificate::PeerCertificates;
use crate::error::Result;

/// What accepting needs.
#[derive(Clone, Debug)]
pub(crate) struct Acceptor {
    pub(super) config: Arc<ServerConfig>,
    /// `None` if clients are not asked, or rustls was told by somebody else.
    pub(super) verifier: Option<Arc<ClientVerifier>>,
}

/// So long may a client take to read why it was refused.
const LINGER: Duration = Duration::from_secs(1);

/// As much as a client may have sent before it could know: a request, in records.
const MAX_UNREAD_BYTES: usize = 32 * 1024;

/// Shakes hands with a client, and judges it if it shows a certificate.
pub(crate) async fn accept<T>(
    io: T,
    acceptor: &Acceptor,
    peer: impl fmt::Display,
) -> Result<(TlsStream<T>, Agreed)>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let shaking = TlsAcceptor::from(Arc::clone(&acceptor.config)).accept(io).into_fallible();
    let (shaken, seen) = recording(shaking).await;
    let stream = match shaken {
        Ok(stream) => stream,
        Err((error, mut io)) => {
            // Boxed: nobody else needs room for it.
            Box::pin(timeout(LINGER, linger(&mut io))).await.ok();
            let doing = format!("agreeing on TLS with {peer}");
            return Err(failure::of(Peer::Client, doing, error, seen));
        }
    };
    let connection = stream.get_ref().1;
    let shown = match (seen, connection.peer_certificates()) {
        (Some(seen), _) => Some(seen),
        (None, Some([leaf, intermediates @ ..])) => {
            let shown = look_again(Chain { leaf, intermediates }, acceptor);
            Some(shown.map_err(|(error, shown)| {
                let doing = format!("agreeing on TLS with {peer}");
                failure::of(Peer::Client, doing, io::Error::other(error), Some(shown))
            })?)
        }
        (None, _) => None,
    };
    let agreed = Agreed {
        version: version::of(connection.protocol_version()),
        alpn: connection.alpn_protocol().map(Into::into),
        peer: shown,
    };
    Ok((stream, agreed))
}

/// Judges a client by the certificates of the session that was resumed, for which rustls asks
/// nobody: meanwhile they may have expired.
fn look_again(
    chain: Chain<'_>,
    acceptor: &Acceptor,
) -> std::result::Result<PeerCertificates, (rustls::Error, PeerCertificates)> {
    let Some(verifier) = &acceptor.verifier else {
        return Ok(PeerCertificates::new(chain.leaf, chain.intermediates, []));
    };
    let (findings, shown) = verifier.examine(chain, UnixTime::now());
    match findings.refuse(&[]) {
        Ok(()) => Ok(shown),
        Err(error) => Err((error, shown)),
    }
}

/// Lets the alert arrive, by which the client is told why.
///
/// A socket that is closed with bytes unread is reset, and the reset may overtake what was written.
/// In TLS 1.3 a client sends its request before it can know what we think of its certificate.
async fn linger<T: AsyncRead + AsyncWrite + Unpin>(io: &mut T) -> io::Result<()> {
    io.shutdown().await?;
    let mut unread = [0; 1024];
    for _ in 0..MAX_UNREAD_BYTES / unread.len() {
        if io.read(&mut unread).await? == 0 {
            break;
        }
    }
    Ok(())
}
