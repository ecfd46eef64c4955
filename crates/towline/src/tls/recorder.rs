//! Hands on what a verifier has seen to who waits for the handshake.

use std::cell::Cell;

use crate::certificate::PeerCertificates;

tokio::task_local! {
    /// rustls asks its verifier in the middle of a handshake and gives it nothing to tell one
    /// connection from another by; and a verifier for each would forget the sessions that can be
    /// resumed.
    static SEEN: Cell<Option<PeerCertificates>>;
}

/// Waits for a handshake, and gives what was recorded in it.
pub(super) async fn recording<F: Future>(handshake: F) -> (F::Output, Option<PeerCertificates>) {
    let recorded = async {
        let output = handshake.await;
        (output, SEEN.try_with(Cell::take).ok().flatten())
    };
    SEEN.scope(Cell::new(None), recorded).await
}

/// Notes what the peer showed.
pub(super) fn record(seen: PeerCertificates) {
    // Outside of a handshake of ours nobody waits for it.
    SEEN.try_with(|cell| cell.set(Some(seen))).ok();
}
