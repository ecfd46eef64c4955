//! What the two servers, `echo` and `serve`, have in common.

use std::io::Write;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use towline::{Deflate, Incoming, Server, ServerBuilder, ServerTls};

use crate::args::KeyArgs;
use crate::exit::{Failure, Outcome};
use crate::tls::identity;
use crate::{interrupt, isolate};

/// So long may connections take to say goodbye when the server stops.
const GOODBYE: Duration = Duration::from_secs(5);

/// Adds certificate and key, if they were given.
pub(crate) fn with_keys(builder: ServerBuilder, keys: &KeyArgs) -> Outcome<ServerBuilder> {
    let Some(cert) = &keys.cert else { return Ok(builder) };
    let mut tls = ServerTls::new(identity(cert, keys.key.as_deref(), keys.pass.as_ref())?);
    if let Some(roots) = &keys.client_cacert {
        tls = tls.demand_client_certificate(read(roots)?)?;
    }
    #[cfg(unix)]
    reload_at_hangup(tls.clone(), keys.clone());
    Ok(builder.tls(tls))
}

/// Reads certificate and key anew at each SIGHUP. Connections that are open go on.
///
/// The same signal says that the terminal is gone, and with it whoever started the server: that is
/// its end, as it is for every other program.
#[cfg(unix)]
fn reload_at_hangup(tls: ServerTls, keys: KeyArgs) {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    let at_terminal = has_terminal();
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            if at_terminal && !has_terminal() {
                std::process::exit(HUNG_UP);
            }
            let Some(cert) = &keys.cert else { return };
            match identity(cert, keys.key.as_deref(), keys.pass.as_ref()) {
                Ok(identity) => tls.replace([identity]),
                // The old one is better than none.
                Err(failure) => eprintln!("towline: {}", failure.text()),
            }
        }
    });
}

/// As shells tell it of a program that SIGHUP has ended.
#[cfg(unix)]
const HUNG_UP: i32 = 129;

/// Whether somebody's terminal controls this program.
#[cfg(unix)]
fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

/// Keeps to a manifest, if one was given.
pub(crate) fn with_policy(
    builder: ServerBuilder,
    manifest: Option<&Path>,
) -> Outcome<ServerBuilder> {
    match manifest {
        Some(manifest) => Ok(builder.policy(isolate::policy(manifest)?)),
        None => Ok(builder),
    }
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
