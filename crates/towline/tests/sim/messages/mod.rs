//! Both sides of a socket of messages, in one hand or in several.

mod inlet;
mod outlet;

use futures_util::StreamExt;
use tokio::sync::oneshot;
use tokio::time::sleep;
use towline::{CloseCode, MessageWebSocket};

use inlet::{Desk, Inlet, check_over, receive};
use outlet::{Outlet, flush, ping, send};

use crate::ledger::NAMES;
use crate::link::End;
use crate::player::{Act, Manners, Player};
use crate::trace::note;
use crate::world::{Limit, World, limited};

pub(crate) type Socket = MessageWebSocket<End>;

/// A socket in one hand: what waits is dropped again and again, so that it reads and writes.
pub(crate) fn whole(world: &mut World, socket: Socket, player: Player) {
    let mut player = player.writes();
    player.alone = true;
    world.spawn(NAMES[player.me], whole_task(socket, player));
}

async fn whole_task(mut socket: Socket, mut p: Player) {
    let mut desk = Desk::new(p.rng.percent(50));
    while !p.has_ended() {
        p.check_memory(socket.stats());
        match p.next_act() {
            Act::Send => send(&mut socket, &mut p).await,
            Act::Ping => ping(&mut socket, &mut p, desk.events).await,
            Act::Flush => flush(&mut socket, &mut p).await,
            Act::Nap => sleep(p.nap()).await,
            Act::Receive if p.left == 0 => {
                // Nothing to do but to wait, so wait.
                let limit = Limit::Time(p.millis(200) + p.millis(1));
                receive(&mut socket, &mut p, &mut desk, limit).await;
            }
            Act::Receive => {
                let limit = match p.limit() {
                    Limit::None => Limit::Time(p.millis(20)),
                    limit => limit,
                };
                receive(&mut socket, &mut p, &mut desk, limit).await;
            }
            Act::Close => close_whole(&mut socket, &mut p).await,
            Act::Vanish | Act::Abandon => {
                p.gives_up();
                p.ledger.book().sides[p.me].reads_no_more = true;
                return;
            }
        }
    }
    p.gives_up();
    check_over(&mut socket).await;
    let refused = limited(Limit::Polls(1), socket.send("x")).await;
    assert!(matches!(refused, Some(Err(_))), "sent after the end: {refused:?}");
}

async fn close_whole(socket: &mut Socket, p: &mut Player) {
    p.gives_up();
    let code = p.rng.pick(&[1000, 1001, 3000, 4999]);
    let without = p.rng.percent(20);
    p.ledger.book().closes(p.me, (!without).then_some(code));
    let limit = p.limit();
    let closed = if without {
        limited(limit, socket.close_without_code()).await
    } else {
        limited(limit, socket.close(CloseCode::new(code).unwrap(), "bye")).await
    };
    if let Some(result) = closed {
        let (peer_closed, frame) = (socket.peer_closed(), socket.close_frame().cloned());
        p.ledger.book().ends(p.me, result, peer_closed, frame.as_ref());
    }
}

/// A reader and cloned writers.
pub(crate) fn halves(world: &mut World, socket: Socket, mut player: Player) {
    let (receiver, sender) = socket.split();
    let writers = player.rng.between(1, 3);
    for n in 0..writers {
        let name = ["client writes", "server writes"][player.me];
        let mut hand = player.hand().writes();
        hand.alone = writers == 1;
        let task = write_task(sender.clone(), hand, n == 0);
        world.spawn(name, async move { drop(task.await) });
    }
    world.spawn(NAMES[player.me], async move {
        read_task(receiver, player).await;
    });
}

/// The halves of `futures`, which share the whole socket.
pub(crate) fn futures_halves(world: &mut World, socket: Socket, mut player: Player) {
    let (sink, stream) = StreamExt::split(socket);
    player.ledger.book().sides[player.me].holds_back = true;
    let hand = player.hand().writes();
    let (give, given) = oneshot::channel();
    world.spawn(["client writes", "server writes"][player.me], async move {
        if let Some(sink) = write_task(sink, hand, true).await {
            give.send(sink).ok();
        }
    });
    world.spawn(NAMES[player.me], async move {
        let (me, ledger) = (player.me, player.ledger.clone());
        let Some(stream) = read_task(stream, player).await else { return };
        let Ok(sink) = given.await else { return };
        let socket = stream.reunite(sink).expect("they belong together");
        let mut book = ledger.book();
        if socket.peer_closed() {
            book.sides[me].saw = Some(socket.close_frame().map(|frame| frame.code.get()));
        }
    });
}

/// Gives the receiver back after its end; `None` if it was dropped before.
async fn read_task<I: Inlet>(mut inlet: I, mut p: Player) -> Option<I> {
    let mut desk = Desk::new(p.rng.percent(50));
    while !p.has_ended() {
        if let Some(stats) = inlet.stats() {
            p.check_memory(stats);
        }
        let leaves = p.plan.manners.leaves_reader();
        if leaves && p.leaves().is_some() {
            note(NAMES[p.me], || "drops its reader".into());
            p.ledger.book().sides[p.me].reads_no_more = true;
            return None;
        }
        if p.rng.percent(p.plan.naps) {
            sleep(p.nap()).await;
        }
        let limit = if leaves { Limit::Time(p.millis(1000)) } else { p.limit() };
        receive(&mut inlet, &mut p, &mut desk, limit).await;
    }
    check_over(&mut inlet).await;
    Some(inlet)
}

/// Gives the sender back once there is no more to send; `None` if it was dropped before.
async fn write_task<O: Outlet>(mut outlet: O, mut p: Player, closes: bool) -> Option<O> {
    while !p.has_ended() {
        match p.next_act() {
            Act::Send => send(&mut outlet, &mut p).await,
            Act::Ping => ping(&mut outlet, &mut p, false).await,
            Act::Flush => flush(&mut outlet, &mut p).await,
            Act::Nap => sleep(p.nap()).await,
            Act::Receive if p.left > 0 => tokio::task::yield_now().await,
            Act::Receive => {
                // What was fed is not left behind.
                if let Err(error) = outlet.flush().await {
                    p.send_failed(&error);
                    return Some(outlet);
                }
                if !p.has_plans() {
                    return Some(outlet);
                }
                sleep(p.millis(200) + p.millis(1)).await;
            }
            Act::Close if closes => {
                p.gives_up();
                let code = if O::FULL { p.rng.pick(&[1000, 1001, 3000]) } else { 1000 };
                p.ledger.book().closes(p.me, Some(code));
                let limit = p.limit();
                let code = CloseCode::new(code).unwrap();
                let mut closed = limited(limit, outlet.close(code)).await;
                if closed.is_none() && !O::FULL {
                    // A `Sink` promises nothing about a close that is dropped.
                    closed = Some(outlet.close(code).await);
                }
                if let Some(Err(error)) = closed {
                    p.send_failed(&error);
                }
                return Some(outlet);
            }
            Act::Close => {}
            Act::Vanish if matches!(p.plan.manners, Manners::StopsReadingAfter(_)) => {}
            Act::Vanish | Act::Abandon => {
                p.gives_up();
                return None;
            }
        }
    }
    p.gives_up();
    Some(outlet)
}
