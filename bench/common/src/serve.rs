//! The part of an echo server that is the same for all: one thread, `TCP_NODELAY`, TLS if asked.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(feature = "tls")]
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
#[cfg(feature = "tls")]
use tokio_rustls::TlsAcceptor;

#[cfg(feature = "tls")]
use crate::listen;

#[derive(Args, Clone, Debug)]
pub struct ServerArgs {
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Speak TLS with this certificate (PEM)
    #[arg(long, requires = "key")]
    pub cert: Option<PathBuf>,
    /// and this key (PEM)
    #[arg(long, requires = "cert")]
    pub key: Option<PathBuf>,
}

/// What a connection is read from and written to.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Io for T {}

/// An echo server.
pub trait Serve: Copy + Send + Sync + 'static {
    /// Shakes hands on a connection and echoes until it ends.
    fn serve<S: Io>(self, stream: S) -> impl Future<Output = ()> + Send;
}

/// The runtime of every server and client: one thread.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Serves until the process is ended.
#[cfg(feature = "tls")]
pub fn run(args: &ServerArgs, server: impl Serve) -> io::Result<()> {
    let acceptor = match (&args.cert, &args.key) {
        (Some(cert), Some(key)) => Some(TlsAcceptor::from(crate::tls::server(cert, key)?)),
        _ => None,
    };
    runtime()?.block_on(async {
        let listener = TcpListener::from_std(listen::listen(args.listen)?)?;
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            match acceptor.clone() {
                None => drop(tokio::spawn(server.serve(stream))),
                Some(acceptor) => drop(tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    // A task of its own, without the room that the handshake needed.
                    tokio::spawn(server.serve(stream));
                })),
            }
        }
    })
}
