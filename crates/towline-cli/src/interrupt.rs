//! Ctrl-C: once means please, twice means now.

use std::process::exit;

use crate::exit::Code;

/// Waits for Ctrl-C.
pub(crate) async fn pressed() {
    if tokio::signal::ctrl_c().await.is_err() {
        // It cannot be heard; then it ends the process, as it does by default.
        std::future::pending().await
    }
}

/// Waits for Ctrl-C or, where there is such a thing, the signal to terminate.
#[cfg(unix)]
pub(crate) async fn stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return pressed().await };
    tokio::select! {
        () = pressed() => {}
        _ = terminate.recv() => {}
    }
}

/// Waits for Ctrl-C or, where there is such a thing, the signal to terminate.
#[cfg(not(unix))]
pub(crate) async fn stop() {
    pressed().await;
}

/// From here on, the next one ends the process at once.
pub(crate) fn next_one_kills() {
    tokio::spawn(async {
        stop().await;
        exit(Code::Interrupted.number().into());
    });
}
