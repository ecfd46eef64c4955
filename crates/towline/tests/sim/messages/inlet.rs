//! Receiving messages, in each of the ways there are.

use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use towline::{
    CloseFrame, Event, Fragment, Message, MessageKind, MessageReceiver, Replies, Result, Stats,
    Utf8Bytes,
};

use super::Socket;
use crate::ledger::Fate;
use crate::link::End;
use crate::player::Player;
use crate::trace::count;
use crate::world::{Limit, limited};

/// One who receives them.
pub(super) trait Inlet {
    const FULL: bool;
    async fn recv(&mut self) -> Result<Option<Message>>;
    async fn recv_event(&mut self) -> Result<Option<Event>>;
    async fn recv_fragment(&mut self) -> Result<Option<Fragment>>;
    /// Takes messages that came together, so many at most; those that are left are the next ones.
    /// `false` at the end.
    async fn recv_batch(&mut self, p: &mut Player, _: usize) -> Result<bool> {
        Ok(self.recv().await?.map(|message| take_message(p, &message)).is_some())
    }
    fn stats(&self) -> Option<Stats>;
    /// Whether the peer has closed, and with what, if it knows.
    fn goodbye(&self) -> Option<(bool, Option<&CloseFrame>)>;
}

/// A socket and its receiver have the same functions.
macro_rules! inlet {
    ($($socket:ty { $($more:tt)* })*) => {$(
        impl Inlet for $socket {
            const FULL: bool = true;
            async fn recv(&mut self) -> Result<Option<Message>> {
                Self::recv(self).await
            }
            async fn recv_event(&mut self) -> Result<Option<Event>> {
                Self::recv_event(self).await
            }
            async fn recv_fragment(&mut self) -> Result<Option<Fragment>> {
                Self::recv_fragment(self).await
            }
            $($more)*
            fn stats(&self) -> Option<Stats> {
                Some(Self::stats(self))
            }
            fn goodbye(&self) -> Option<(bool, Option<&CloseFrame>)> {
                Some((self.peer_closed(), self.close_frame()))
            }
        }
    )*};
}
inlet! {
    Socket {
        async fn recv_batch(&mut self, p: &mut Player, most: usize) -> Result<bool> {
            let Some(mut batch) = Self::recv_batch(self).await? else { return Ok(false) };
            count("batches");
            for _ in 0..most {
                let Some((message, replies)) = batch.next() else { break };
                take_message(p, &message.to_message());
                if p.left > 0 && p.rng.percent(60) {
                    reply(replies, p);
                }
            }
            Ok(true)
        }
    }
    MessageReceiver {}
}

impl Inlet for SplitStream<Socket> {
    const FULL: bool = false;
    async fn recv(&mut self) -> Result<Option<Message>> {
        self.next().await.transpose()
    }
    async fn recv_event(&mut self) -> Result<Option<Event>> {
        Ok(self.recv().await?.map(Event::Message))
    }
    async fn recv_fragment(&mut self) -> Result<Option<Fragment>> {
        unreachable!("a stream has no fragments")
    }
    fn stats(&self) -> Option<Stats> {
        None
    }
    fn goodbye(&self) -> Option<(bool, Option<&CloseFrame>)> {
        None
    }
}

/// A reader's state between two calls.
#[derive(Debug)]
pub(super) struct Desk {
    /// A message that is being received in fragments.
    partial: Option<(MessageKind, Vec<u8>)>,
    /// Whether it looks at pings and pongs.
    pub(super) events: bool,
}

impl Desk {
    pub(super) fn new(events: bool) -> Self {
        Self { partial: None, events }
    }
}

/// Waits for something to arrive, in one of the ways there are.
pub(super) async fn receive<I: Inlet>(
    inlet: &mut I,
    p: &mut Player,
    desk: &mut Desk,
    limit: Limit,
) {
    let result = if desk.partial.is_some() || (I::FULL && !desk.events && p.rng.percent(20)) {
        limited(limit, inlet.recv_fragment()).await.map(|result| {
            result
                .map(|fragment| fragment.map(|fragment| take_fragment(p, desk, fragment)).is_some())
        })
    } else if desk.events {
        limited(limit, inlet.recv_event())
            .await
            .map(|result| result.map(|event| event.map(|event| take_event(p, event)).is_some()))
    } else if p.rng.percent(30) {
        let most = p.rng.between(0, 10);
        limited(limit, inlet.recv_batch(p, most)).await
    } else {
        limited(limit, inlet.recv()).await.map(|result| {
            result.map(|message| message.map(|message| take_message(p, &message)).is_some())
        })
    };
    let ended = match result {
        None | Some(Ok(true)) => return,
        Some(Ok(false)) => Ok(()),
        Some(Err(error)) => Err(error),
    };
    assert!(
        desk.partial.is_none() || ended.is_err() || p.ledger.book().sides[p.me].closed.is_some()
    );
    match inlet.goodbye() {
        Some((peer_closed, frame)) => p.ledger.book().ends(p.me, ended, peer_closed, frame),
        None => {
            let peer_closed = ended.is_ok();
            p.ledger.book().ends(p.me, ended, peer_closed, None);
        }
    }
}

fn take_message(p: &mut Player, message: &Message) {
    p.ledger.book().received(p.me, message.kind(), message.as_bytes());
}

/// Sends what was to be sent anyway, from within a batch.
fn reply(replies: &mut Replies<'_, End>, p: &mut Player) {
    p.begins();
    let kind = p.kind();
    let (number, payload) = p.begin(kind, Player::least(Limit::None));
    let fed = match kind {
        MessageKind::Binary => replies.feed(&payload[..]),
        MessageKind::Text => replies.feed(std::str::from_utf8(&payload).unwrap()),
    };
    match fed {
        Ok(()) => {
            count("replies from within a batch");
            p.settle(number, Fate::Sent);
        }
        Err(error) => {
            p.settle(number, Fate::Perhaps);
            p.send_failed(&error);
        }
    }
}

fn take_event(p: &mut Player, event: Event) {
    match event {
        Event::Message(message) => take_message(p, &message),
        Event::Pong(payload) => {
            let ping = &mut p.ledger.book().sides[p.me].ping;
            // Eight bytes are the socket's own ping, which may be newer than ours.
            if payload.len() == 8 || ping.as_deref() == Some(&*payload) {
                *ping = None;
            }
        }
        _ => {}
    }
}

fn take_fragment(p: &mut Player, desk: &mut Desk, fragment: Fragment) {
    count("fragments received");
    assert_eq!(fragment.start, desk.partial.is_none(), "a message's first part");
    if fragment.kind == MessageKind::Text {
        Utf8Bytes::try_from(fragment.payload.clone()).expect("whole characters");
    }
    let (kind, mut message) = desk.partial.take().unwrap_or((fragment.kind, Vec::new()));
    assert_eq!(kind, fragment.kind);
    message.extend_from_slice(&fragment.payload);
    if fragment.end {
        p.ledger.book().received(p.me, kind, &message);
    } else {
        desk.partial = Some((kind, message));
    }
}

/// After the end there is nothing, at once and for ever.
pub(super) async fn check_over<I: Inlet>(inlet: &mut I) {
    for _ in 0..3 {
        let again = limited(Limit::Polls(1), inlet.recv()).await;
        assert!(matches!(again, Some(Ok(None))), "after the end: {again:?}");
    }
}
