//! Both sides of a socket of streams, in one hand or in two.

mod inlet;
mod outlet;

use tokio::io::AsyncWriteExt;
use tokio::time::sleep;
use towline::{CloseCode, StreamReceiver, StreamSender, StreamWebSocket};

use inlet::{Inlet, check_over, read};
use outlet::{abandon, failed, flush, write};

use crate::ledger::NAMES;
use crate::link::End;
use crate::player::{Act, Manners, Player};
use crate::trace::note;
use crate::world::{Limit, World, limited};

pub(crate) type Socket = StreamWebSocket<End>;

/// A socket in one hand. The peer must read by itself: this side does one thing at a time.
pub(crate) fn whole(world: &mut World, socket: Socket, player: Player, bytes: bool) {
    world.spawn(NAMES[player.me], whole_task(socket, player.writes(), bytes));
}

async fn whole_task(mut socket: Socket, mut p: Player, bytes: bool) {
    while !p.has_ended() {
        p.check_memory(socket.stats());
        match p.next_act() {
            Act::Send | Act::Ping if p.left > 0 => write(&mut socket, &mut p, bytes).await,
            Act::Flush => flush(&mut socket, &mut p).await,
            Act::Nap => sleep(p.nap()).await,
            Act::Send | Act::Ping | Act::Receive => {
                let limit = Limit::Time(p.millis(100) + p.millis(1));
                read(&mut socket, &mut p, limit, bytes).await;
            }
            Act::Close => {
                p.gives_up();
                let code = close(&mut p);
                let limit = p.limit();
                if let Some(result) = limited(limit, Socket::close(&mut socket, code, "")).await {
                    let (peer_closed, frame) = socket.goodbye();
                    p.ledger.book().ends(p.me, result, peer_closed, frame);
                }
            }
            Act::Abandon => abandon(&mut socket, &mut p).await,
            Act::Vanish => {
                p.gives_up();
                p.ledger.book().sides[p.me].reads_no_more = true;
                return;
            }
        }
    }
    p.gives_up();
    check_over(&mut socket).await;
}

/// A reader and a writer.
pub(crate) fn halves(world: &mut World, socket: Socket, mut player: Player, bytes: bool) {
    let (receiver, sender) = socket.split();
    let hand = player.hand().writes();
    world.spawn(["client writes", "server writes"][player.me], write_task(sender, hand, bytes));
    world.spawn(NAMES[player.me], read_task(receiver, player, bytes));
}

async fn read_task(mut inlet: StreamReceiver, mut p: Player, bytes: bool) {
    while !p.has_ended() {
        p.check_memory(Inlet::stats(&inlet));
        let leaves = p.plan.manners.leaves_reader();
        if leaves && p.leaves().is_some() {
            note(NAMES[p.me], || "drops its reader".into());
            p.ledger.book().sides[p.me].reads_no_more = true;
            return;
        }
        if p.rng.percent(p.plan.naps) {
            sleep(p.nap()).await;
        }
        let limit = if leaves { Limit::Time(p.millis(1000)) } else { p.limit() };
        read(&mut inlet, &mut p, limit, bytes).await;
    }
    check_over(&mut inlet).await;
}

async fn write_task(mut outlet: StreamSender, mut p: Player, bytes: bool) {
    while !p.has_ended() {
        match p.next_act() {
            Act::Send | Act::Ping => write(&mut outlet, &mut p, bytes).await,
            Act::Flush => flush(&mut outlet, &mut p).await,
            Act::Nap => sleep(p.nap()).await,
            Act::Receive if p.left > 0 => tokio::task::yield_now().await,
            Act::Receive => {
                if let Err(error) = outlet.flush().await {
                    return failed(&mut p, error);
                }
                if !p.has_plans() {
                    return;
                }
                sleep(p.millis(200) + p.millis(1)).await;
            }
            Act::Close => {
                p.gives_up();
                let limit = p.limit();
                // `shutdown` is the same with 1000.
                let closed = if p.rng.percent(30) {
                    p.ledger.book().closes(p.me, Some(1000));
                    limited(limit, outlet.shutdown()).await.map(|result| result.map_err(into_ours))
                } else {
                    let code = close(&mut p);
                    limited(limit, outlet.close(code, "bye")).await
                };
                if let Some(Err(error)) = closed {
                    p.send_failed(&error);
                }
                return;
            }
            Act::Abandon => abandon(&mut outlet, &mut p).await,
            Act::Vanish if matches!(p.plan.manners, Manners::StopsReadingAfter(_)) => {}
            Act::Vanish => return p.gives_up(),
        }
    }
    p.gives_up();
}

/// Draws a code and writes down that this side closes with it.
fn close(p: &mut Player) -> CloseCode {
    let code = p.rng.pick(&[1000, 1001, 3000, 4999]);
    p.ledger.book().closes(p.me, Some(code));
    CloseCode::new(code).unwrap()
}

/// The error that a face gives as an `io::Error`.
fn into_ours(error: std::io::Error) -> towline::Error {
    *error.into_inner().expect("it holds one of ours").downcast().expect("it is one of ours")
}
