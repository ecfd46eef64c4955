//! The opening handshake by hyper, for the libraries that stand on it.

use std::convert::Infallible;
use std::future::Future;

use bench_common::serve::Io;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

/// Answers requests with what `upgrade` says, until one is an upgrade.
pub(crate) async fn serve<F, S>(stream: S, upgrade: F)
where
    S: Io,
    F: Fn(Request<Incoming>) -> Option<Response<Empty<Bytes>>> + Copy + Send,
{
    let service = service_fn(move |request| {
        let refused = || {
            let mut response = Response::new(Empty::new());
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        };
        let response = upgrade(request).unwrap_or_else(refused);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // Ends as the load ends it.
    let _ = connection.with_upgrades().await;
}

/// Runs what hyper needs run beside a client.
pub(crate) struct Spawn;

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Spawn {
    fn execute(&self, future: F) {
        tokio::spawn(future);
    }
}
