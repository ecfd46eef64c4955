//! Reading messages as they arrive, in each of the ways there are.

use tokio::io::{AsyncBufReadExt, AsyncReadExt};
use tokio::time::sleep;
use towline::{CloseFrame, ErrorKind, MessageReader, Result, Stats, StreamReceiver};

use super::{Socket, into_ours};
use crate::payload::UNIQUE;
use crate::player::Player;
use crate::world::{Limit, limited};

/// One who reads them.
pub(super) trait Inlet: tokio::io::AsyncBufRead + Unpin {
    async fn next_message(&mut self) -> Result<Option<MessageReader<'_>>>;
    fn stats(&self) -> Stats;
    fn goodbye(&self) -> (bool, Option<&CloseFrame>);
}

/// A socket and its receiver have the same functions.
macro_rules! inlet {
    ($($socket:ty),*) => {$(
        impl Inlet for $socket {
            async fn next_message(&mut self) -> Result<Option<MessageReader<'_>>> {
                Self::next_message(self).await
            }
            fn stats(&self) -> Stats {
                Self::stats(self)
            }
            fn goodbye(&self) -> (bool, Option<&CloseFrame>) {
                (self.peer_closed(), self.close_frame())
            }
        }
    )*};
}
inlet!(Socket, StreamReceiver);

pub(super) async fn read<I: Inlet>(inlet: &mut I, p: &mut Player, limit: Limit, bytes: bool) {
    let result =
        if bytes { read_bytes(inlet, p, limit).await } else { read_message(inlet, p, limit).await };
    let ended = match result {
        Ok(true) => return,
        Ok(false) => Ok(()),
        Err(error) => Err(into_ours(error)),
    };
    let (peer_closed, frame) = inlet.goodbye();
    // Who closes discards the rest of the message it reads, and a message that is cut is an error.
    let cut = matches!(&ended, Err(error) if error.kind() == ErrorKind::Disconnected);
    let closed = p.ledger.book().sides[p.me].closed.is_some();
    let ended = if cut && closed && peer_closed { Ok(()) } else { ended };
    p.ledger.book().ends(p.me, ended, peer_closed, frame);
}

/// Reads a message to its end, or skips its rest; false at the end of the connection.
async fn read_message<I: Inlet>(
    inlet: &mut I,
    p: &mut Player,
    limit: Limit,
) -> std::io::Result<bool> {
    let message = match limited(limit, inlet.next_message()).await {
        None => return Ok(true),
        Some(message) => message?,
    };
    let Some(mut message) = message else { return Ok(false) };
    let mut got = Vec::new();
    let skips = p.rng.percent(10);
    loop {
        if skips && got.len() > UNIQUE {
            p.ledger.book().received_beginning(p.me, message.kind(), &got);
            return Ok(true);
        }
        let limit = p.limit();
        let before = got.len();
        let mut some = vec![0; p.rng.size(5000) + 1];
        let ended = match p.rng.below(3) {
            0 => limited(limit, message.chunk()).await.transpose()?.map(|chunk| {
                got.extend_from_slice(chunk.map_or(&[][..], |chunk| chunk.bytes));
                // Also where the chunk knows that it is the last, one more call says so.
                chunk.is_none()
            }),
            1 => limited(limit, message.read(&mut some)).await.transpose()?.map(|count| {
                got.extend_from_slice(&some[..count]);
                count == 0
            }),
            _ => {
                let bytes = limited(limit, message.fill_buf()).await.transpose()?;
                let step = bytes.map(|bytes| {
                    let len = if bytes.is_empty() { 0 } else { p.rng.between(1, bytes.len()) };
                    got.extend_from_slice(&bytes[..len]);
                    len
                });
                message.consume(step.unwrap_or(0));
                step.map(|len| len == 0)
            }
        };
        assert!(ended != Some(true) || got.len() == before);
        if ended == Some(true) {
            p.ledger.book().received(p.me, message.kind(), &got);
            return Ok(true);
        }
        if p.rng.percent(p.plan.naps) {
            sleep(p.nap()).await;
        }
    }
}

async fn read_bytes<I: Inlet>(
    inlet: &mut I,
    p: &mut Player,
    limit: Limit,
) -> std::io::Result<bool> {
    let mut some = vec![0; p.rng.size(5000) + 1];
    let Some(count) = limited(limit, inlet.read(&mut some)).await.transpose()? else {
        return Ok(true);
    };
    p.ledger.book().read(p.me, &some[..count]);
    Ok(count > 0)
}

/// After the end there is nothing, at once and for ever.
pub(super) async fn check_over<I: Inlet>(inlet: &mut I) {
    for _ in 0..3 {
        let again = limited(Limit::Polls(1), inlet.next_message()).await;
        assert!(matches!(again, Some(Ok(None))), "after the end: {again:?}");
        let read = limited(Limit::Polls(1), inlet.read(&mut [0])).await;
        assert!(matches!(read, Some(Ok(0))), "after the end: {read:?}");
    }
}
