//! The demo's own servers, and the certificate that is good for this run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::fs::File;
use tokio::task::JoinHandle;
use towline::{Incoming, Server, ServerTls};

use crate::client::streaming;
use crate::echo::echo;
use crate::exit::{Code, Failure, Outcome};
use crate::listen;
use crate::serve::{send_file, upload};

/// A certificate for this machine's own address. Its key never leaves the process.
pub(super) struct Certificate {
    pub(super) pem: String,
    key: String,
}

pub(super) fn certificate() -> Outcome<Certificate> {
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names)
        .map_err(|error| Failure::new(Code::Tls, format!("making a certificate: {error}")))?;
    Ok(Certificate { pem: cert.pem(), key: signing_key.serialize_pem() })
}

/// A server that is running.
pub(super) struct Running {
    pub(super) url: String,
    server: Arc<Server>,
    accepting: JoinHandle<()>,
}

impl Running {
    pub(super) async fn stop(self) {
        self.server.shutdown(Duration::from_secs(1)).await;
        self.accepting.await.ok();
    }
}

pub(super) async fn start(
    certificate: Option<&Certificate>,
    file: &Arc<PathBuf>,
) -> Outcome<Running> {
    let mut builder = Server::builder().config(streaming());
    if let Some(certificate) = certificate {
        builder = builder.tls(ServerTls::from_pem(&certificate.pem, &certificate.key)?);
    }
    let server = Arc::new(builder.bind("127.0.0.1:0").await?);
    let (accepting, file) = (Arc::clone(&server), Arc::clone(file));
    let accepting = tokio::spawn(async move {
        while let Ok(incoming) = accepting.accept().await {
            tokio::spawn(connection(incoming, Arc::clone(&file)));
        }
    });
    Ok(Running { url: listen::url(&server), server, accepting })
}

/// Errors are the client's to tell.
async fn connection(incoming: Incoming, file: Arc<PathBuf>) {
    let Ok(upgrade) = incoming.handshake().await else { return };
    let path = upgrade.path().to_owned();
    let file = match &*path {
        "/download" => File::open(&*file).await.ok(),
        "/echo" | "/upload" => None,
        _ => return drop(upgrade.reject(StatusCode::NOT_FOUND).await),
    };
    let Ok(socket) = upgrade.accept_stream().await else { return };
    match file {
        Some(file) => drop(send_file(socket, file).await),
        None if path == "/upload" => drop(upload(socket, None, "").await),
        None => drop(echo(socket).await),
    }
}
