//! Keepalive, idle and close deadlines on a clock that jumps.

use std::time::{Duration, Instant};

use bytes::Buf;
use towline_proto::{Config, Connection, Event, Expired, MessageKind, Role, State};

use crate::check::{closed, drain, frame, hex, masked, ping, pong, show, text, unmasked};
use crate::pair::Pair;

const SECOND: Duration = Duration::from_secs(1);

/// No deadlines at all.
fn quiet() -> Config {
    Config::default().ping_interval(None)
}

fn keepalive() -> Config {
    Config::default().ping_interval(Some(SECOND * 30)).pong_timeout(SECOND * 10)
}

fn connection(config: Config) -> (Connection, Instant) {
    let now = Instant::now();
    (Connection::new(Role::Server, config, [0; 32], now), now)
}

#[test]
fn a_connection_without_deadlines_has_none() {
    let (connection, _) = connection(quiet());
    assert_eq!(connection.poll_timeout(), None);
}

#[test]
fn early_calls_do_nothing() {
    let (mut connection, now) = connection(keepalive().idle_timeout(Some(SECOND * 40)));
    for second in 0..30 {
        assert_eq!(connection.handle_timeout(now + SECOND * second), None);
    }
    assert!(connection.outbox().is_empty());
    assert_eq!(connection.poll_timeout(), Some(now + SECOND * 30));
}

#[test]
fn silence_is_asked_for_life_and_life_goes_on() {
    let mut pair = Pair::with(keepalive(), quiet());
    pair.run_for(SECOND * 300);
    assert_eq!(pair.client.connection.state(), State::Open);
    assert_eq!(pair.client.expired, []);
    let (pings, pongs) = (pair.server.events, pair.client.events);
    assert!((9..=10).contains(&pings.len()), "{pings:?}");
    assert_eq!(pings.len(), pongs.len());
    assert_eq!(pings[0], ping(&1_u64.to_be_bytes()));
    assert_eq!(pongs[1], pong(&2_u64.to_be_bytes()));
    assert_eq!(pair.client.connection.round_trip(), Some(pair.latency * 2));
}

#[test]
fn a_silent_peer_is_lost_after_the_pong_timeout() {
    let mut pair = Pair::with(keepalive(), quiet());
    pair.cut();
    pair.run_for(SECOND * 100);
    let (silent, rest) = pair.client.expired.split_first().unwrap();
    assert_eq!(*silent, (SECOND * 40, Expired::PeerSilent));
    assert_eq!(rest, [(SECOND * 50, Expired::ClosingTooSlow)]);
    assert_eq!(pair.client.connection.state(), State::Failed);
}

#[test]
fn a_peer_that_is_lost_hears_1011_if_it_still_listens() {
    let mut pair = Pair::with(keepalive(), quiet());
    pair.client.arrives = false;
    pair.run_for(SECOND * 45);
    assert_eq!(pair.server.events[1..], [closed(1011, "no pong in time")]);
}

#[test]
fn two_sides_with_keepalive_do_not_keep_each_other_busy() {
    let mut pair = Pair::with(keepalive(), keepalive());
    pair.run_for(SECOND * 300);
    let events = pair.client.events.len() + pair.server.events.len();
    assert!(events <= 40, "{events} control frames in 300 s");
    assert_eq!(pair.client.connection.state(), State::Open);
}

#[test]
fn whoever_talks_is_not_asked_for_life() {
    let mut pair = Pair::with(keepalive(), quiet());
    for _ in 0..100 {
        pair.server.connection.send("here").unwrap();
        pair.run_for(SECOND * 20);
    }
    assert_eq!(pair.server.events, []);
    assert_eq!(pair.client.take_events(), vec![text("here"); 100]);
}

#[test]
fn a_large_frame_that_arrives_slowly_is_life() {
    let mut pair = Pair::with(keepalive(), quiet());
    let sender = pair.server.connection.sender();
    sender.start_frame(MessageKind::Binary, 1_000_000, true).unwrap();
    for _ in 0..100 {
        pair.server.connection.sender().continue_frame(&[7; 10]).unwrap();
        pair.run_for(SECOND * 20);
    }
    assert_eq!((pair.server.events.len(), pair.client.expired.len()), (0, 0));
    assert_eq!(pair.client.connection.state(), State::Open);
}

#[test]
fn any_byte_after_a_ping_is_life_as_good_as_a_pong() {
    let (mut connection, now) = connection(keepalive());
    connection.handle_timeout(now + SECOND * 30);
    assert_eq!(show(&drain(&mut connection)), "89 08 00 00 00 00 00 00 00 01");
    assert_eq!(connection.poll_timeout(), Some(now + SECOND * 40));
    // One byte of a header.
    connection.receive(&mut hex("81"), now + SECOND * 39).unwrap();
    assert_eq!(connection.handle_timeout(now + SECOND * 40), None);
    assert_eq!(connection.poll_timeout(), Some(now + SECOND * 69));
}

#[test]
fn pings_of_the_caller_do_not_put_off_the_pong_deadline() {
    let mut pair = Pair::with(keepalive(), quiet());
    pair.cut();
    for _ in 0..30 {
        let _ = pair.client.connection.ping(b"app", pair.now);
        pair.run_for(SECOND * 5);
    }
    assert_eq!(pair.client.expired[0], (SECOND * 40, Expired::PeerSilent));
}

#[test]
fn a_peer_that_takes_one_large_frame_is_not_lost() {
    // It has nothing to say, and there is no room to ask.
    let (mut connection, now) = connection(keepalive());
    connection.sender().start_frame(MessageKind::Binary, 1 << 40, true).unwrap();
    for second in 0..1000 {
        connection.sender().continue_frame(&[7; 1000]).unwrap();
        drain(&mut connection);
        let now = now + SECOND * second;
        if connection.poll_timeout().is_some_and(|at| at <= now) {
            assert_eq!(connection.handle_timeout(now), None, "after {second} s");
        }
    }
    assert_eq!(connection.state(), State::Open);
}

#[test]
fn after_a_large_frame_a_silent_peer_is_asked_at_once() {
    let (mut connection, now) = connection(keepalive());
    connection.sender().start_frame(MessageKind::Binary, 2, true).unwrap();
    connection.sender().continue_frame(b"a").unwrap();
    assert_eq!(connection.poll_timeout(), None);
    connection.sender().continue_frame(b"b").unwrap();
    drain(&mut connection);
    let later = now + SECOND * 500;
    assert!(connection.poll_timeout().is_some_and(|at| at <= later));
    assert_eq!(connection.handle_timeout(later), None);
    assert_eq!(show(&drain(&mut connection)), "89 08 00 00 00 00 00 00 00 02");
    assert_eq!(connection.handle_timeout(later + SECOND * 10), Some(Expired::PeerSilent));
}

#[test]
fn a_ping_behind_a_large_message_waits_while_the_peer_takes_it() {
    let (mut connection, now) = connection(keepalive());
    connection.send(vec![7; 100_000]).unwrap();
    for second in 1..=90 {
        connection.outbox().advance(1000);
        assert_eq!(connection.handle_timeout(now + SECOND * second), None, "after {second} s");
    }
    assert_eq!(connection.state(), State::Open);
    let lost = (91..).find(|second| connection.handle_timeout(now + SECOND * *second).is_some());
    assert!(lost.is_some_and(|second| second <= 111), "{lost:?}");
}

#[test]
fn a_peer_that_takes_nothing_is_lost_after_the_pong_timeout() {
    let (mut connection, now) = connection(keepalive());
    connection.send(vec![7; 100_000]).unwrap();
    assert_eq!(connection.handle_timeout(now + SECOND * 30), None);
    assert_eq!(connection.handle_timeout(now + SECOND * 40), Some(Expired::PeerSilent));
}

// Round-trip time.

#[test]
fn the_pong_to_the_last_ping_tells_the_round_trip() {
    let (mut connection, now) = connection(quiet());
    assert_eq!(connection.round_trip(), None);
    connection.ping(b"a", now).unwrap();
    connection.ping(b"b", now + SECOND).unwrap();
    receive(&mut connection, "8a 01 61", now + SECOND * 2);
    assert_eq!(connection.round_trip(), None);
    receive(&mut connection, "8a 01 62", now + SECOND * 4);
    assert_eq!(connection.round_trip(), Some(SECOND * 3));
    // Only the first pong counts.
    receive(&mut connection, "8a 01 62", now + SECOND * 9);
    assert_eq!(connection.round_trip(), Some(SECOND * 3));
    assert_eq!(connection.smoothed_round_trip(), Some(SECOND * 3));
}

#[test]
fn an_unasked_pong_tells_no_round_trip() {
    let (mut connection, now) = connection(quiet());
    receive(&mut connection, "8a 00", now + SECOND);
    assert_eq!(connection.round_trip(), None);
}

// Unasked pongs.

#[test]
fn a_heartbeat_is_a_pong_that_needs_no_answer() {
    let mut pair = Pair::with(
        quiet().allow_short_pong_interval(true).pong_interval(Some(SECOND * 10)),
        quiet(),
    );
    pair.run_for(SECOND * 35);
    assert_eq!(pair.server.events, vec![pong(b""); 3]);
    assert_eq!(pair.client.events, []);
}

#[test]
fn a_heartbeat_skips_an_open_frame_and_a_full_outbox() {
    let (mut connection, now) = connection(
        quiet().allow_short_pong_interval(true).pong_interval(Some(SECOND)).max_outbox(10),
    );
    connection.sender().start_frame(MessageKind::Binary, 20, true).unwrap();
    assert_eq!(connection.handle_timeout(now + SECOND), None);
    assert_eq!(connection.poll_timeout(), Some(now + SECOND * 2));
    connection.sender().continue_frame(&[7; 20]).unwrap();
    connection.handle_timeout(now + SECOND * 2);
    assert_eq!(drain(&mut connection), frame(0x82, &[7; 20]));
    connection.handle_timeout(now + SECOND * 3);
    assert_eq!(show(&drain(&mut connection)), "8a 00");
}

// Idle.

fn idle() -> Config {
    quiet().idle_timeout(Some(SECOND * 60))
}

#[test]
fn an_idle_connection_is_closed_with_1001() {
    let mut pair = Pair::with(idle(), quiet());
    pair.run_for(SECOND * 59);
    assert_eq!(pair.client.connection.state(), State::Open);
    pair.run_for(SECOND * 2);
    assert_eq!(pair.server.events, [closed(1001, "idle")]);
    assert_eq!(pair.client.events, [closed(1001, "idle")]);
}

#[test]
fn messages_received_keep_a_connection_from_idling() {
    let mut pair = Pair::with(idle(), quiet());
    for _ in 0..10 {
        pair.run_for(SECOND * 50);
        pair.server.connection.send("x").unwrap();
    }
    assert_eq!(pair.client.connection.state(), State::Open);
    pair.run_for(SECOND * 61);
    assert_eq!(pair.client.connection.state(), State::Closed);
}

#[test]
fn messages_sent_keep_a_connection_from_idling() {
    let mut pair = Pair::with(idle(), quiet());
    for _ in 0..10 {
        pair.run_for(SECOND * 50);
        pair.client.connection.send("x").unwrap();
    }
    assert_eq!(pair.client.connection.state(), State::Open);
    // When a message was sent is seen at the next deadline, so it may be twice as long.
    pair.run_for(SECOND * 121);
    assert_eq!(pair.server.events.last(), Some(&closed(1001, "idle")));
}

#[test]
fn pings_and_pongs_are_not_data() {
    let config = idle()
        .ping_interval(Some(SECOND * 10))
        .allow_short_pong_interval(true)
        .pong_interval(Some(SECOND * 7));
    let mut pair = Pair::with(config.clone(), config);
    pair.run_for(SECOND * 59);
    assert_eq!(pair.client.connection.state(), State::Open);
    pair.run_for(SECOND * 2);
    assert_eq!(pair.client.connection.state(), State::Closed);
}

#[test]
fn one_large_frame_sent_slowly_is_not_idle() {
    let mut pair = Pair::with(idle(), quiet().max_message_size(u64::MAX));
    pair.client.connection.sender().start_frame(MessageKind::Binary, 1 << 40, true).unwrap();
    for _ in 0..100 {
        pair.client.connection.sender().continue_frame(b"x").unwrap();
        pair.run_for(SECOND * 20);
    }
    assert_eq!(pair.client.connection.state(), State::Open);
}

#[test]
fn one_large_message_written_slowly_is_not_idle() {
    let (mut connection, now) = connection(idle());
    connection.send(vec![7; 100_000]).unwrap();
    for second in 0..300 {
        connection.outbox().advance(100);
        connection.handle_timeout(now + SECOND * second);
    }
    assert_eq!(connection.state(), State::Open);
}

#[test]
fn one_large_frame_received_slowly_is_not_idle() {
    let mut pair = Pair::with(idle(), quiet());
    pair.server.connection.sender().start_frame(MessageKind::Binary, 1 << 20, true).unwrap();
    for _ in 0..100 {
        pair.server.connection.sender().continue_frame(b"x").unwrap();
        pair.run_for(SECOND * 20);
    }
    assert_eq!(pair.client.connection.state(), State::Open);
}

// The clock.

#[test]
fn a_clock_that_goes_back_harms_nothing() {
    let later = Instant::now() + SECOND * 1000;
    let config = keepalive()
        .idle_timeout(Some(SECOND * 60))
        .allow_short_pong_interval(true)
        .pong_interval(Some(SECOND * 5));
    let mut connection = Connection::new(Role::Server, config, [0; 32], later);
    let before = later - SECOND * 500;
    connection.ping(b"p", later).unwrap();
    receive(&mut connection, "8a 01 70 89 00 81 01 61", before);
    assert_eq!(connection.round_trip(), Some(Duration::ZERO));
    assert_eq!(connection.handle_timeout(before), None);
    connection.close(None, before);
    assert_eq!(connection.handle_timeout(before), None);
}

#[test]
fn a_caller_that_comes_late_finds_everything_done_once() {
    let (mut connection, now) =
        connection(keepalive().allow_short_pong_interval(true).pong_interval(Some(SECOND * 5)));
    assert_eq!(connection.handle_timeout(now + SECOND * 10_000), None);
    assert_eq!(show(&drain(&mut connection)), "89 08 00 00 00 00 00 00 00 01 8a 00");
}

#[test]
fn a_client_asks_for_life_like_a_server() {
    let now = Instant::now();
    let mut client = Connection::new(Role::Client, keepalive(), [0; 32], now);
    client.handle_timeout(now + SECOND * 30);
    assert_eq!(show(&unmasked(&drain(&mut client))), "89 08 00 00 00 00 00 00 00 01");
}

/// Gives a server a transcript as its client would send it.
fn receive(connection: &mut Connection, digits: &str, now: Instant) {
    let mut bytes = masked(&hex(digits));
    let mut rest = &mut bytes[..];
    while !rest.is_empty() {
        let (consumed, event) = connection.receive(rest, now).expect("the frames are good");
        assert!(!matches!(event, Some(Event::Closed(_))));
        rest = &mut rest[consumed..];
    }
}
