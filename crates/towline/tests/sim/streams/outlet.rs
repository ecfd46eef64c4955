//! Writing messages of any size, and bytes without messages.

use tokio::io::AsyncWriteExt;
use tokio::time::sleep;
use towline::{MessageKind, MessageWriter, StreamSender};

use super::{Socket, into_ours};
use crate::ledger::{Fate, NAMES};
use crate::payload::stream_byte;
use crate::player::Player;
use crate::trace::{count, note};
use crate::world::limited;

/// One who writes messages as streams.
pub(super) trait Outlet: tokio::io::AsyncWrite + Unpin {
    fn writer(&mut self, kind: MessageKind) -> MessageWriter<'_>;
    fn writer_sized(&mut self, kind: MessageKind, len: usize) -> MessageWriter<'_>;
}

impl Outlet for Socket {
    fn writer(&mut self, kind: MessageKind) -> MessageWriter<'_> {
        self.message_writer(kind)
    }
    fn writer_sized(&mut self, kind: MessageKind, len: usize) -> MessageWriter<'_> {
        self.message_writer_sized(kind, u64::try_from(len).unwrap())
    }
}

impl Outlet for StreamSender {
    fn writer(&mut self, kind: MessageKind) -> MessageWriter<'_> {
        self.message_writer(kind)
    }
    fn writer_sized(&mut self, kind: MessageKind, len: usize) -> MessageWriter<'_> {
        self.message_writer_sized(kind, u64::try_from(len).unwrap())
    }
}

pub(super) async fn write<O: Outlet>(outlet: &mut O, p: &mut Player, bytes: bool) {
    if bytes {
        return write_bytes(outlet, p).await;
    }
    let kind = p.kind();
    let (number, payload) = p.begin(kind, 0);
    match write_message(outlet, p, kind, &payload).await {
        Ok(()) => p.settle(number, Fate::Sent),
        Err(error) => {
            p.settle(number, Fate::Perhaps);
            failed(p, error);
        }
    }
}

/// Writes a message, dropping every write and flush that the plan wants dropped: such a write took
/// nothing. Only the end must not be dropped.
async fn write_message<O: Outlet>(
    outlet: &mut O,
    p: &mut Player,
    kind: MessageKind,
    mut payload: &[u8],
) -> std::io::Result<()> {
    let sized = p.rng.percent(30);
    let mut writer =
        if sized { outlet.writer_sized(kind, payload.len()) } else { outlet.writer(kind) };
    count(if sized { "messages streamed in one frame" } else { "messages streamed" });
    let last = if p.rng.percent(50) { p.rng.between(0, payload.len()) } else { payload.len() };
    let last = payload.len() - last;
    while payload.len() > last {
        let len = p.rng.size(payload.len() - last).max(1);
        let limit = p.limit();
        if let Some(count) = limited(limit, writer.write(&payload[..len])).await {
            payload = &payload[count?..];
        }
        if p.rng.percent(10) {
            let limit = p.limit();
            limited(limit, writer.flush()).await.transpose()?;
        }
        if p.rng.percent(p.plan.naps) {
            sleep(p.nap()).await;
            p.begins();
        }
    }
    if payload.is_empty() && p.rng.percent(60) {
        if p.rng.percent(30) { writer.shutdown().await } else { Ok(writer.finish().await?) }
    } else {
        Ok(writer.feed_last(payload).await?)
    }
}

/// A part of the stream without messages.
async fn write_bytes<O: Outlet>(outlet: &mut O, p: &mut Player) {
    let at = p.ledger.book().written(p.peer);
    let len = p.rng.size(p.plan.size).max(1);
    let bytes: Vec<_> = (at..).take(len).map(|position| stream_byte(p.peer, position)).collect();
    let limit = p.limit();
    match limited(limit, outlet.write(&bytes)).await {
        Some(Ok(count)) => {
            note(NAMES[p.me], || format!("wrote {count} bytes of the stream"));
            p.ledger.book().wrote(p.peer, count);
            p.left -= 1;
            if p.left == 0 {
                p.ledger.book().writer_is_done(p.peer);
            }
        }
        // It took nothing.
        None => count("writes cancelled"),
        Some(Err(error)) => {
            // It may have gone out before the link failed.
            p.ledger.book().may_have_written(p.peer, len);
            failed(p, error);
        }
    }
}

pub(super) async fn flush<O: Outlet>(outlet: &mut O, p: &mut Player) {
    let limit = p.sending_limit();
    if let Some(Err(error)) = limited(limit, outlet.flush()).await {
        failed(p, error);
    }
}

/// Leaves a message unfinished.
pub(super) async fn abandon<O: Outlet>(outlet: &mut O, p: &mut Player) {
    count("messages abandoned");
    note(NAMES[p.me], || "leaves a message unfinished".into());
    p.gives_up();
    let kind = MessageKind::Binary;
    let (_, payload) = p.begin(kind, 1000);
    let mut writer = if p.rng.percent(50) {
        outlet.writer(kind)
    } else {
        outlet.writer_sized(kind, payload.len())
    };
    let limit = p.limit();
    limited(limit, writer.write_all(&payload[..500])).await;
    let limit = p.limit();
    limited(limit, writer.flush()).await;
    drop(writer);
    let side = p.me;
    p.ledger.book().sides[side].abandoned = true;
    // If nothing of it was sent, nothing has happened: then close.
    p.closes_next();
}

/// Writes down that writing has failed.
pub(super) fn failed(p: &mut Player, error: std::io::Error) {
    p.send_failed(&into_ours(error));
}
