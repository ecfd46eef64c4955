//! Sending messages, whole and in parts, dropped here and there.

use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use towline::{CloseCode, Message, MessageKind, MessageSender, Result};

use super::Socket;
use crate::ledger::Fate;
use crate::payload::UNIQUE;
use crate::player::Player;
use crate::trace::count;
use crate::world::{Limit, limited};

/// One who sends messages.
pub(super) trait Outlet {
    /// Whether it can do more than a `Sink`.
    const FULL: bool;
    async fn feed(&mut self, message: Message) -> Result<()>;
    async fn send(&mut self, message: Message) -> Result<()>;
    async fn flush(&mut self) -> Result<()>;
    async fn fragment(&mut self, kind: MessageKind, part: &[u8], fin: bool) -> Result<()>;
    async fn ping(&mut self, payload: &[u8]) -> Result<()>;
    async fn pong(&mut self, payload: &[u8]) -> Result<()>;
    async fn close(&mut self, code: CloseCode) -> Result<()>;
}

/// A socket and its sender have the same functions.
macro_rules! outlet {
    ($($socket:ty),*) => {$(
        impl Outlet for $socket {
            const FULL: bool = true;
            async fn feed(&mut self, message: Message) -> Result<()> {
                Self::feed(self, message).await
            }
            async fn send(&mut self, message: Message) -> Result<()> {
                Self::send(self, message).await
            }
            async fn flush(&mut self) -> Result<()> {
                Self::flush(self).await
            }
            async fn fragment(&mut self, kind: MessageKind, part: &[u8], fin: bool) -> Result<()> {
                self.send_fragment(kind, part, fin).await
            }
            async fn ping(&mut self, payload: &[u8]) -> Result<()> {
                Self::ping(self, payload).await
            }
            async fn pong(&mut self, payload: &[u8]) -> Result<()> {
                Self::pong(self, payload).await
            }
            async fn close(&mut self, code: CloseCode) -> Result<()> {
                Self::close(self, code, "bye").await
            }
        }
    )*};
}
outlet!(Socket, MessageSender);

impl Outlet for SplitSink<Socket, Message> {
    const FULL: bool = false;
    async fn feed(&mut self, message: Message) -> Result<()> {
        SinkExt::feed(self, message).await
    }
    async fn send(&mut self, message: Message) -> Result<()> {
        SinkExt::send(self, message).await
    }
    async fn flush(&mut self) -> Result<()> {
        SinkExt::flush(self).await
    }
    async fn fragment(&mut self, _: MessageKind, _: &[u8], _: bool) -> Result<()> {
        unreachable!("a sink has no fragments")
    }
    async fn ping(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
    async fn pong(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
    async fn close(&mut self, _: CloseCode) -> Result<()> {
        SinkExt::close(self).await
    }
}

pub(super) async fn send<O: Outlet>(outlet: &mut O, p: &mut Player) {
    if O::FULL && p.alone && p.plan.may_wait && p.rng.percent(20) {
        return fragments(outlet, p).await;
    }
    let limit = p.sending_limit();
    let feeds = p.rng.percent(50);
    let kind = p.kind();
    // If a feed is dropped it has queued nothing; of a send nobody knows.
    let (number, payload) = p.begin(kind, if feeds { 0 } else { Player::least(limit) });
    let message = match kind {
        MessageKind::Binary => Message::from(payload),
        MessageKind::Text => Message::text(String::from_utf8(payload).unwrap()),
    };
    let sent = if feeds {
        limited(limit, outlet.feed(message)).await
    } else {
        limited(limit, outlet.send(message)).await
    };
    match sent {
        Some(Ok(())) => p.settle(number, Fate::Sent),
        Some(Err(error)) => {
            p.settle(number, Fate::Perhaps);
            p.send_failed(&error);
        }
        None if feeds => {
            count("feeds cancelled");
            p.settle(number, Fate::Not);
        }
        None => {
            count("sends cancelled");
            p.settle(number, Fate::Perhaps);
        }
    }
}

/// A message in parts. One that is cancelled was sent or not, so there are several possible ones.
async fn fragments<O: Outlet>(outlet: &mut O, p: &mut Player) {
    let kind = p.kind();
    let (number, payload) = p.begin(kind, 4 * UNIQUE);
    let cuts = cuts(p, kind, &payload);
    let mut options = vec![Vec::new()];
    for (at, ends) in cuts.windows(2).enumerate() {
        let part = &payload[ends[0]..ends[1]];
        let fin = at == cuts.len() - 2;
        // The first part makes it known, and the last has to be certain.
        let certain = at == 0 || fin || options.len() == MAX_OPTIONS;
        let limit = if certain { Limit::None } else { p.sending_limit() };
        if fin {
            options.iter_mut().for_each(|option| option.extend_from_slice(part));
            p.ledger.book().offer(p.peer, p.writer, number, std::mem::take(&mut options));
        }
        match limited(limit, outlet.fragment(kind, part, fin)).await {
            Some(Ok(())) => options.iter_mut().for_each(|option| option.extend_from_slice(part)),
            Some(Err(error)) => {
                p.settle(number, Fate::Perhaps);
                return p.send_failed(&error);
            }
            None => {
                count("fragments cancelled");
                let with: Vec<_> = options.iter().map(|option| [option, part].concat()).collect();
                options.extend(with);
            }
        }
    }
    count("messages sent in fragments");
    p.settle(number, Fate::Sent);
}

/// So many shapes may a message have whose parts were cancelled.
const MAX_OPTIONS: usize = 4;

/// Where the parts begin and end. A part that is missing leaves no half of a character.
fn cuts(p: &mut Player, kind: MessageKind, payload: &[u8]) -> Vec<usize> {
    let parts = p.rng.between(1, 4);
    let mut cuts: Vec<_> = (0..parts).map(|_| p.rng.between(2 * UNIQUE, payload.len())).collect();
    if kind == MessageKind::Text {
        let text = std::str::from_utf8(payload).unwrap();
        for cut in &mut cuts {
            while !text.is_char_boundary(*cut) {
                *cut -= 1;
            }
        }
    }
    cuts.extend([0, payload.len()]);
    cuts.sort_unstable();
    cuts
}

pub(super) async fn ping<O: Outlet>(outlet: &mut O, p: &mut Player, awaits: bool) {
    let limit = p.sending_limit();
    let payload = p.rng.next().to_be_bytes().repeat(2);
    if p.rng.percent(30) {
        if let Some(Err(error)) = limited(limit, outlet.pong(&payload)).await {
            p.send_failed(&error);
        }
        return;
    }
    match limited(limit, outlet.ping(&payload)).await {
        Some(Ok(())) if awaits && p.plan.sound => {
            count("pings whose pong is awaited");
            p.ledger.book().sides[p.me].ping = Some(payload);
        }
        Some(Ok(())) => {}
        // If it was sent, the pong of one before it may never come.
        None => p.ledger.book().sides[p.me].ping = None,
        Some(Err(error)) => p.send_failed(&error),
    }
}

pub(super) async fn flush<O: Outlet>(outlet: &mut O, p: &mut Player) {
    let limit = p.sending_limit();
    if let Some(Err(error)) = limited(limit, outlet.flush()).await {
        p.send_failed(&error);
    }
}
