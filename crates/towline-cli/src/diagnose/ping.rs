//! The first ping.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use towline::{Event, MessageWebSocket};

use super::why::End;

/// Long enough that nobody sends it by chance.
const PAYLOAD: &[u8] = b"towline diagnose";

/// Pings, and waits for the pong while what comes before it is passed over.
pub(super) async fn first_ping(
    socket: &mut MessageWebSocket,
    limit: Duration,
) -> Result<Duration, End> {
    let begun = Instant::now();
    let answered = async {
        socket.ping(PAYLOAD).await.map_err(End::Error)?;
        while let Some(event) = socket.recv_event().await.map_err(End::Error)? {
            if matches!(event, Event::Pong(pong) if pong == PAYLOAD) {
                return Ok(begun.elapsed());
            }
        }
        Err(End::Closed(socket.close_frame().cloned()))
    };
    timeout_at(begun + limit, answered).await.unwrap_or(Err(End::NoPong(limit)))
}
