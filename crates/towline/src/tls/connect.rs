//! TLS as a client.

use std::sync::Arc;

use rustls::pki_types::{ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::chain::Chain;
use super::connector::Connector;
use super::failure::{self, Peer};
use super::recorder::recording;
use super::{Agreed, version};
use crate::certificate::PeerCertificates;
use crate::error::{Error, ErrorKind, HResult, Result};

/// Shakes hands with a server, and judges it. Nothing of HTTP was sent when this is over.
pub(crate) async fn connect<T>(
    io: T,
    host: &str,
    connector: &Connector,
) -> Result<(TlsStream<T>, Agreed)>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let doing = || format!("agreeing on TLS with {host}");
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| Error::invalid(format!("using {host} as a server's name")).cause(error))?;
    let shaking = TlsConnector::from(Arc::clone(&connector.config)).connect(name.clone(), io);
    let (shaken, seen) = recording(shaking).await;
    let stream = match shaken {
        Ok(stream) => stream,
        Err(error) => {
            return Err(failure::of(Peer::Server, doing(), error, seen));
        }
    };
    let shown = match seen {
        Some(seen) => Some(seen),
        None => look_again(&stream, &name, connector, doing)?,
    };
    if let Some(shown) = &shown {
        for check in &*connector.checks {
            check.ask(shown).await.map_err(|why| {
                Error::new(ErrorKind::Certificate, doing())
                    .cause(failure::Rejected(why))
                    .with_hresult(HResult::SECURITY_PROBLEM)
                    .advise("a check of your own refused the server; nothing was sent to it")
                    .with_peer_certificates(Some(shown.clone()))
            })?;
        }
    }
    let connection = stream.get_ref().1;
    let agreed = Agreed {
        version: version::of(connection.protocol_version()),
        alpn: connection.alpn_protocol().map(Into::into),
        peer: shown,
    };
    Ok((stream, agreed))
}

/// Judges a server by the certificates of the session that was resumed, for which rustls asks
/// nobody: meanwhile they may have expired.
fn look_again<T>(
    stream: &TlsStream<T>,
    name: &ServerName<'_>,
    connector: &Connector,
    doing: impl Fn() -> String,
) -> Result<Option<PeerCertificates>> {
    let Some([leaf, intermediates @ ..]) = stream.get_ref().1.peer_certificates() else {
        return Ok(None);
    };
    let Some(verifier) = &connector.verifier else {
        return Ok(Some(PeerCertificates::new(leaf, intermediates, [])));
    };
    let chain = Chain { leaf, intermediates };
    let (findings, shown) = verifier.examine(chain, name, &[], UnixTime::now());
    match findings.refuse(&verifier.ignored) {
        Ok(()) => Ok(Some(shown)),
        Err(error) => {
            let error = std::io::Error::other(error);
            Err(failure::of(Peer::Server, doing(), error, Some(shown)))
        }
    }
}
