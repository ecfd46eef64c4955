//! One run of two sockets: everything about it follows from its seed.

use tokio::runtime::Builder;
use tokio::time::{advance, sleep};
use towline::WebSocket;
use towline::proto::Role;
use towline::proto::handshake::Negotiated;

use crate::ledger::{CLIENT, Ledger, NAMES, SERVER};
use crate::link::{End, Pipe, link};
use crate::player::{Manners, Plan, Player};
use crate::rng::Rng;
use crate::trace::{self, count, note};
use crate::weather::{Event, Weather};
use crate::world::World;
use crate::{messages, streams};

/// How a side looks at its socket, and in how many hands it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Face {
    MessageWhole,
    MessageHalves,
    FuturesHalves,
    StreamWhole,
    StreamHalves,
}

const FACES: [Face; 5] = [
    Face::MessageWhole,
    Face::MessageHalves,
    Face::FuturesHalves,
    Face::StreamWhole,
    Face::StreamHalves,
];

impl Face {
    fn is_whole(self) -> bool {
        matches!(self, Self::MessageWhole | Self::StreamWhole)
    }

    fn is_stream(self) -> bool {
        matches!(self, Self::StreamWhole | Self::StreamHalves)
    }
}

/// Runs one.
///
/// # Panics
/// If something is wrong.
pub(crate) fn run(seed: u64) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        trace::starts_now();
        let mut rng = Rng::new(seed, 0);
        let weather = Weather::draw(&mut rng);
        note("seed", || format!("{seed}: {weather:?}"));
        let ledger = Ledger::new(weather.sound);
        let mut world = World::new(Rng::new(seed, 1));
        set_up(&mut world, &weather, &ledger, &mut rng);
        let _last_words = LastWords(ledger.clone());
        world.run().await;
        ledger.book().check_end();
    });
}

fn set_up(world: &mut World, weather: &Weather, ledger: &Ledger, rng: &mut Rng) {
    let mut faces = [rng.pick(&FACES), rng.pick(&FACES)];
    if faces == [Face::StreamWhole; 2] {
        // Each would write while the other does.
        faces[rng.below(2)] = Face::StreamHalves;
    }
    // Without messages both sides must be streams.
    let bytes = faces.iter().all(|face| face.is_stream()) && rng.percent(30);
    // Bytes of a message that was left unfinished would be none of the stream's.
    let manners = manners(rng, weather.sound, faces.map(|face| face.is_stream() && !bytes));
    note("seed", || format!("{faces:?}, bytes: {bytes}, {manners:?}"));
    count(if weather.sound { "runs on a sound link" } else { "runs with faults" });
    let terms = terms(rng);

    let (client, server) = link(&weather.ways, rng);
    if let Some((after, event)) = weather.at_time {
        let (to_client, to_server) = client.pipes();
        world.spawn("fate", strike(after, event, [to_client, to_server]));
    }
    for (me, end) in [(CLIENT, client), (SERVER, server)] {
        let config = weather.config(rng);
        let plan = Plan {
            sound: weather.sound,
            messages: rng.between(0, 20),
            size: (weather.budget / 8).max(100),
            cancels: rng.pick(&[0, 20, 60, 95]),
            may_wait: !faces[me].is_whole() || !faces[1 - me].is_whole(),
            manners: manners[me],
            naps: rng.pick(&[0, 0, 3, 20]),
            max_outbox: config.get_max_outbox(),
        };
        // Then it may close by itself, and nobody here is told when.
        ledger.book().sides[me].closes_by_itself = config.get_idle_timeout().is_some();
        note(NAMES[me], || format!("{plan:?} {config:?}"));
        let player = Player::new(me, Rng::new(rng.next(), 2), ledger, plan, end.pipes());
        let role = [Role::Client, Role::Server][me];
        let socket = WebSocket::new(end, role, terms.clone(), config);
        take_up(world, faces[me], socket, player, bytes);
    }
}

/// What was agreed on: nothing, as a rule, or compression with or without what went before.
fn terms(rng: &mut Rng) -> Negotiated {
    let mut terms = Negotiated::default();
    #[cfg(feature = "deflate")]
    if rng.percent(30) {
        let mut headers = http::HeaderMap::new();
        let offer = http::HeaderValue::from_static("permessage-deflate");
        headers.insert("sec-websocket-extensions", offer);
        let settings = towline::Deflate::default()
            .threshold(rng.pick(&[0, 100]))
            .server_no_context_takeover(rng.percent(50))
            .client_no_context_takeover(rng.percent(50));
        terms.deflate = settings.accept(&headers);
        note("seed", || format!("{}", terms.deflate.as_ref().expect("it was offered")));
        count("runs with compression");
    }
    terms
}

fn take_up(world: &mut World, face: Face, socket: WebSocket<End>, player: Player, bytes: bool) {
    match face {
        Face::MessageWhole => messages::whole(world, socket.into(), player),
        Face::MessageHalves => messages::halves(world, socket.into(), player),
        Face::FuturesHalves => messages::futures_halves(world, socket.into(), player),
        Face::StreamWhole => streams::whole(world, socket.into(), player, bytes),
        Face::StreamHalves => streams::halves(world, socket.into(), player, bytes),
    }
}

/// Notes how far the sides had come, if something is wrong.
struct LastWords(Ledger);

impl Drop for LastWords {
    fn drop(&mut self) {
        if std::thread::panicking() {
            note("seed", || self.0.book().summary());
        }
    }
}

/// How both sides mean to end: at least one of them does.
fn manners(rng: &mut Rng, sound: bool, can_abandon: [bool; 2]) -> [Manners; 2] {
    let acts = rng.between(1, 80);
    let first = rng.below(2);
    let mut one = rng.pick(&[
        Manners::ClosesWhenSettled,
        Manners::ClosesWhenSettled,
        Manners::ClosesAfter(acts),
    ]);
    let mut other = rng.pick(&[Manners::Waits, one]);
    if !sound && rng.percent(40) {
        other = one;
        let rude = [
            Manners::VanishesAfter(acts),
            Manners::StopsReadingAfter(acts),
            Manners::AbandonsAfter(acts),
        ];
        one = rude[rng.below(if can_abandon[first] { 3 } else { 2 })];
    }
    if first == CLIENT { [one, other] } else { [other, one] }
}

/// What goes wrong at a moment.
async fn strike(after: std::time::Duration, event: Event, pipes: [Pipe; 2]) {
    sleep(after).await;
    match event {
        Event::Fault(to, fault) => pipes[to].strike(fault, &pipes[1 - to]),
        Event::ClockJump(by) => {
            note("fate", || format!("the clock jumps by {by:?}"));
            count("clock jumps");
            advance(by).await;
        }
    }
}
