//! What the two servers, `echo` and `serve`, have in common.

use std::io::Write;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use towline::{Deflate, Incoming, Server, ServerBuilder, ServerTls};

use crate::args::KeyArgs;
use crate::exit::{Failure, Outcome};
use crate::interrupt;

/// So long may connections take to say goodbye when the server stops.
const GOODBYE: Duration = Duration::from_secs(5);

/// Adds certificate and key, if they were given.
pub(crate) fn with_keys(builder: ServerBuilder, keys: &KeyArgs) -> Outcome<ServerBuilder> {
    let (Some(cert), Some(key)) = (&keys.cert, &keys.key) else { return Ok(builder) };
    Ok(builder.tls(ServerTls::from_pem(read(cert)?, read(key)?)?))
}

/// Compresses, if that was asked for.
pub(crate) fn with_deflate(builder: ServerBuilder, deflate: bool) -> ServerBuilder {
    if deflate { builder.deflate(Deflate::default()) } else { builder }
}

pub(crate) fn read(path: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|error| Failure::reading(path.display(), &error))
}

/// `ws://127.0.0.1:9001`, as clients write it.
pub(crate) fn url(server: &Server) -> String {
    let scheme = if server.is_secure() { "wss" } else { "ws" };
    format!("{scheme}://{}", server.local_addr())
}

/// Says where the server listens: whoever started it may wait for this line. From then on it can be
/// [told to stop](interrupt::stop).
pub(crate) fn announce(server: &Server) -> impl Future<Output = ()> + use<> {
    let stop = interrupt::stop();
    let mut out = std::io::stdout();
    // If nobody reads it, nobody waits for it.
    let _ = writeln!(out, "listening on {}", url(server)).and_then(|()| out.flush());
    stop
}

/// Accepts connections until it is told to [stop](announce), by Ctrl-C or a termination signal.
///
/// The first one closes every connection with 1001, the second ends the process at once.
pub(crate) async fn run(
    server: Server,
    stop: impl Future<Output = ()>,
    mut handle: impl FnMut(Incoming),
) -> Outcome {
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            incoming = server.accept() => handle(incoming?),
            () = &mut stop => break,
        }
    }
    interrupt::next_one_kills();
    server.shutdown(GOODBYE).await;
    Ok(())
}
