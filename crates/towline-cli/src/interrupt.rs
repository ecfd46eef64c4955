//! Ctrl-C: once means please, twice means now.

use std::process::exit;

use crate::exit::Code;

/// Waits for Ctrl-C, which is heard from this call on and not only once the future is polled.
pub(crate) fn pressed() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt());
    #[cfg(windows)]
    let signal = tokio::signal::windows::ctrl_c();
    async {
        match signal {
            Ok(mut signal) => drop(signal.recv().await),
            // It cannot be heard; then it ends the process, as it does by default.
            Err(_) => std::future::pending().await,
        }
    }
}

/// Waits for Ctrl-C or, where there is such a thing, the signal to terminate; heard likewise.
#[cfg(unix)]
pub(crate) fn stop() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (pressed, terminate) = (pressed(), signal(SignalKind::terminate()));
    async {
        let Ok(mut terminate) = terminate else { return pressed.await };
        tokio::select! {
            () = pressed => {}
            _ = terminate.recv() => {}
        }
    }
}

/// Waits for Ctrl-C or, where there is such a thing, the signal to terminate; heard likewise.
#[cfg(not(unix))]
pub(crate) fn stop() -> impl Future<Output = ()> {
    pressed()
}

/// From here on, the next one ends the process at once.
pub(crate) fn next_one_kills() {
    let stop = stop();
    tokio::spawn(async {
        stop.await;
        exit(Code::Interrupted.number().into());
    });
}
