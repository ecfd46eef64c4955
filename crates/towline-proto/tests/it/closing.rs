//! The closing handshake, walked through with two sides, and failing the connection.

use std::time::{Duration, Instant};

use towline_proto::{
    CloseCode, CloseFrame, Config, Connection, Expired, ProtocolError, Role, SendError, State,
};

use crate::check::{binary, closed, closed_empty, drain, hex, masked, ping, show, text};
use crate::pair::Pair;

const SECOND: Duration = Duration::from_secs(1);

fn bye() -> Option<CloseFrame> {
    CloseFrame::new(CloseCode::NORMAL, "bye").ok()
}

fn states(pair: &Pair) -> (State, State) {
    (pair.client.connection.state(), pair.server.connection.state())
}

#[test]
fn a_connection_is_open_at_first() {
    let mut pair = Pair::new();
    assert_eq!(states(&pair), (State::Open, State::Open));
    pair.run_for(SECOND);
    assert_eq!(states(&pair), (State::Open, State::Open));
}

#[test]
fn a_client_closes_and_the_server_answers() {
    let mut pair = Pair::new();
    pair.client.connection.close(bye(), pair.now);
    assert_eq!(states(&pair), (State::CloseSent, State::Open));
    pair.run_for(pair.latency);
    assert_eq!(states(&pair), (State::CloseSent, State::Closed));
    pair.run_for(pair.latency);
    assert_eq!(states(&pair), (State::Closed, State::Closed));
    assert_eq!(pair.server.events, [closed(1000, "bye")]);
    assert_eq!(pair.client.events, [closed(1000, "bye")]);
}

#[test]
fn a_server_closes_and_the_client_answers() {
    let mut pair = Pair::new();
    pair.server.connection.close(None, pair.now);
    pair.settle();
    assert_eq!(states(&pair), (State::Closed, State::Closed));
    assert_eq!(
        (pair.client.events, pair.server.events),
        (vec![closed_empty()], vec![closed_empty()])
    );
}

#[test]
fn both_sides_close_at_once() {
    let mut pair = Pair::new();
    pair.client.connection.close(CloseFrame::new(CloseCode::NORMAL, "c").ok(), pair.now);
    pair.server.connection.close(CloseFrame::new(CloseCode::GOING_AWAY, "s").ok(), pair.now);
    pair.settle();
    assert_eq!(states(&pair), (State::Closed, State::Closed));
    // Each hears the other, and neither answers what is itself an answer.
    assert_eq!(pair.client.events, [closed(1001, "s")]);
    assert_eq!(pair.server.events, [closed(1000, "c")]);
    assert_eq!((pair.client.written, pair.server.written), (9, 5));
}

#[test]
fn only_the_first_close_acts() {
    let mut pair = Pair::new();
    pair.client.connection.close(bye(), pair.now);
    pair.client.connection.close(None, pair.now);
    pair.settle();
    pair.client.connection.close(None, pair.now);
    pair.server.connection.close(None, pair.now);
    pair.settle();
    assert_eq!(pair.server.events, [closed(1000, "bye")]);
    assert_eq!(pair.client.events, [closed(1000, "bye")]);
}

#[test]
fn what_was_sent_before_a_close_arrives_before_it() {
    let mut pair = Pair::new();
    pair.client.connection.send("a").unwrap();
    pair.client.connection.send(vec![7; 10_000]).unwrap();
    pair.client.connection.close(None, pair.now);
    assert_eq!(pair.client.connection.send("b"), Err(SendError::Closed));
    pair.settle();
    assert_eq!(pair.server.events, [text("a"), binary(&[7; 10_000]), closed_empty()]);
}

#[test]
fn what_the_peer_had_sent_arrives_after_our_close() {
    let mut pair = Pair::new();
    pair.server.connection.send("late").unwrap();
    pair.client.connection.close(None, pair.now);
    pair.settle();
    assert_eq!(pair.client.events, [text("late"), closed_empty()]);
}

#[test]
fn a_close_may_come_within_a_message() {
    let mut pair = Pair::new();
    let text = towline_proto::MessageKind::Text;
    pair.client.connection.send_fragment(text, b"half", false).unwrap();
    pair.client.connection.close(bye(), pair.now);
    pair.settle();
    assert_eq!(pair.server.events, [closed(1000, "bye")]);
    assert_eq!(states(&pair), (State::Closed, State::Closed));
}

#[test]
fn an_answer_that_waits_for_an_open_frame_follows_it() {
    let mut pair = Pair::new();
    let sender = pair.server.connection.sender();
    sender.start_frame(towline_proto::MessageKind::Binary, 2, true).unwrap();
    pair.client.connection.close(None, pair.now);
    pair.settle();
    assert_eq!(states(&pair), (State::CloseSent, State::Closed));
    pair.server.connection.sender().continue_frame(b"ab").unwrap();
    pair.settle();
    assert_eq!(pair.client.events, [binary(b"ab"), closed_empty()]);
    assert_eq!(states(&pair), (State::Closed, State::Closed));
}

#[test]
fn a_peer_that_never_answers_our_close_is_cut_after_the_deadline() {
    let mut pair = Pair::new();
    pair.cut();
    pair.client.connection.close(None, pair.now);
    pair.run_for(SECOND * 9);
    assert_eq!((pair.client.expired.len(), states(&pair).0), (0, State::CloseSent));
    pair.run_for(SECOND * 20);
    assert_eq!(pair.client.expired, [(SECOND * 10, Expired::ClosingTooSlow)]);
    assert_eq!(states(&pair).0, State::Failed);
    assert_eq!(pair.client.connection.poll_timeout(), None);
}

#[test]
fn a_peer_that_sends_for_ever_does_not_put_off_the_cut() {
    let mut pair = Pair::new();
    pair.client.connection.close(None, pair.now);
    pair.server.connection.send("a").unwrap();
    pair.server.arrives = false;
    for _ in 0..20 {
        pair.server.connection.send("more").unwrap();
        pair.run_for(SECOND);
    }
    assert_eq!(pair.client.expired, [(SECOND * 10, Expired::ClosingTooSlow)]);
}

#[test]
fn a_large_message_before_a_close_is_not_cut_while_the_peer_takes_it() {
    let config = Config::default().close_timeout(SECOND * 10);
    let now = Instant::now();
    let mut client = Connection::new(Role::Client, config, [0; 32], now);
    client.send(vec![7; 100_000]).unwrap();
    client.close(None, now);
    for second in 1..=50 {
        bytes::Buf::advance(client.outbox(), 1000);
        assert_eq!(client.handle_timeout(now + SECOND * second), None, "after {second} s");
    }
    // It stops reading, and is cut after so long without progress.
    let stopped = now + SECOND * 50;
    let expired = (51..100).find(|second| client.handle_timeout(now + SECOND * *second).is_some());
    assert!(expired.is_some_and(|at| now + SECOND * at <= stopped + SECOND * 20), "{expired:?}");
    assert!(client.outbox().is_empty());
}

#[test]
fn a_protocol_error_closes_with_its_code_and_fails_the_connection() {
    let now = Instant::now();
    let mut server = Connection::new(Role::Server, Config::default(), [0; 32], now);
    let error = server.receive(&mut hex("83"), now).map(|_| ()).unwrap_err();
    assert_eq!(error, ProtocolError::ReservedOpcode(3));
    assert_eq!(server.state(), State::Failed);
    assert_eq!(server.send("a"), Err(SendError::Closed));
    assert_eq!(show(&drain(&mut server)), "88 02 03 ea");
    server.close(None, now);
    assert!(server.outbox().is_empty());
}

#[test]
fn a_protocol_error_after_our_close_adds_nothing() {
    let now = Instant::now();
    let mut server = Connection::new(Role::Server, Config::default(), [0; 32], now);
    server.close(bye(), now);
    server.receive(&mut hex("83"), now).map(|_| ()).unwrap_err();
    assert_eq!(server.state(), State::Failed);
    assert_eq!(show(&drain(&mut server)), "88 05 03 e8 62 79 65");
}

#[test]
fn a_failed_connection_is_cut_after_the_deadline() {
    let now = Instant::now();
    let mut server = Connection::new(Role::Server, Config::default(), [0; 32], now);
    server.receive(&mut hex("83"), now).map(|_| ()).unwrap_err();
    assert_eq!(server.poll_timeout(), Some(now + SECOND * 10));
    assert_eq!(server.handle_timeout(now + SECOND * 10), Some(Expired::ClosingTooSlow));
    assert_eq!(server.handle_timeout(now + SECOND * 20), None);
    assert!(server.outbox().is_empty());
}

#[test]
fn what_was_sent_before_a_failure_goes_out_before_the_closing_frame() {
    let now = Instant::now();
    let mut server = Connection::new(Role::Server, Config::default(), [0; 32], now);
    server.send("a").unwrap();
    server.receive(&mut hex("83"), now).map(|_| ()).unwrap_err();
    assert_eq!(show(&drain(&mut server)), "81 01 61 88 02 03 ea");
}

#[test]
fn a_peer_hears_why_it_failed() {
    let mut pair = Pair::new();
    // A client that sends text which is not UTF-8 has to be made by hand.
    let mut bad = masked(&hex("81 01 ff"));
    let now = pair.now;
    pair.server.connection.receive(&mut bad, now).map(|_| ()).unwrap_err();
    pair.settle();
    assert_eq!(pair.client.events, [closed(1007, "")]);
    assert_eq!(states(&pair), (State::Closed, State::Failed));
}

#[test]
fn a_lost_byte_stream_leaves_nothing_to_send() {
    let now = Instant::now();
    let mut client = Connection::new(Role::Client, Config::default(), [0; 32], now);
    client.send("a").unwrap();
    client.sender().abort();
    assert_eq!(client.state(), State::Failed);
    assert!(client.outbox().is_empty());
    assert_eq!(client.send("b"), Err(SendError::Closed));
    client.close(None, now);
    assert!(client.outbox().is_empty());
    assert_eq!(client.poll_timeout(), None);
}

#[test]
fn pings_in_a_closing_connection_are_events_without_an_answer() {
    let mut pair = Pair::new();
    pair.server.connection.ping(b"p", pair.now).unwrap();
    pair.client.connection.close(None, pair.now);
    pair.settle();
    assert_eq!(pair.client.events, [ping(b"p"), closed_empty()]);
    assert_eq!(pair.server.events, [closed_empty()]);
}

/// The drawing at `State`, arrow by arrow.
#[test]
fn every_state_goes_where_the_drawing_says() {
    type Command = fn(&mut Connection, Instant);
    let commands: [(&str, Command); 4] = [
        ("we close", |connection, now| connection.close(None, now)),
        ("closing frame received", |connection, now| {
            let _ = connection.receive(&mut masked(&hex("88 00")), now);
        }),
        ("the peer broke the protocol", |connection, now| {
            let _ = connection.receive(&mut hex("83"), now);
        }),
        ("the byte stream is gone", |connection, _| connection.sender().abort()),
    ];
    let arrows = [
        (State::Open, [State::CloseSent, State::Closed, State::Failed, State::Failed]),
        (State::CloseSent, [State::CloseSent, State::Closed, State::Failed, State::Failed]),
        (State::Closed, [State::Closed, State::Closed, State::Closed, State::Failed]),
        (State::Failed, [State::Failed, State::Failed, State::Failed, State::Failed]),
    ];
    let now = Instant::now();
    for (from, to) in arrows {
        for ((what, command), to) in commands.iter().zip(to) {
            let mut server = Connection::new(Role::Server, Config::default(), [0; 32], now);
            match from {
                State::Open => {}
                State::CloseSent => commands[0].1(&mut server, now),
                State::Closed => commands[1].1(&mut server, now),
                State::Failed => commands[2].1(&mut server, now),
            }
            assert_eq!(server.state(), from);
            command(&mut server, now);
            assert_eq!(server.state(), to, "{from:?}, {what}");
        }
    }
}
