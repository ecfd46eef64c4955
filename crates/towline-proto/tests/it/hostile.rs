//! What hostile peers have done to other implementations, and may not do to this one.
//!
//! What concerns memory stands in `alloc.rs`.

use std::time::{Duration, Instant};

use proptest::prelude::{any, proptest};
use towline_proto::{Assembly, Config, Connection, Event, ProtocolError, Receiver, Role, State};

use crate::check::{
    Random, binary, check_answer, check_fails, check_outcome, closed, drain, feed, frame, header,
    hex, masked, ping, show, text,
};

fn client(config: &Config) -> (Connection, Instant) {
    let now = Instant::now();
    (Connection::new(Role::Client, config.clone(), [0; 32], now), now)
}

/// Gives a client the bytes until it fails.
fn pour(
    connection: &mut Connection,
    bytes: &[u8],
    now: Instant,
    mut visit: impl FnMut(&Event<'_>),
) -> Result<(), ProtocolError> {
    let mut bytes = bytes.to_vec();
    let mut rest = &mut bytes[..];
    while !rest.is_empty() {
        let (consumed, event) = connection.receive(rest, now)?;
        event.iter().for_each(&mut visit);
        rest = &mut rest[consumed..];
    }
    Ok(())
}

#[test]
fn a_declared_length_of_2_to_the_62_is_too_big() {
    let error = ProtocolError::MessageTooBig { limit: 64 * 1024 * 1024 };
    check_fails("82 7f 40 00 00 00 00 00 00 00", error);
    check_answer("82 7f 40 00 00 00 00 00 00 00", "88 02 03 f1");
}

#[test]
fn lengths_at_every_edge_of_the_integers_are_judged_and_never_wrap() {
    let config = Config::default().max_message_size(u64::MAX);
    for shift in [31, 32, 53, 62] {
        for len in [(1 << shift) - 1, 1 << shift, (1 << shift) + 1] {
            // Taken, and waiting for a payload that does not come.
            check_outcome(&header(0x82, len), &config, &[], None);
            let limit = len - 1;
            let config = Config::default().max_message_size(limit);
            let error = Some(ProtocolError::MessageTooBig { limit });
            check_outcome(&header(0x82, len), &config, &[], error);
        }
    }
    check_outcome(&header(0x82, (1 << 63) - 1), &config, &[], None);
    check_outcome(&header(0x82, 1 << 63), &config, &[], Some(ProtocolError::LengthTopBit));
    check_outcome(&header(0x82, u64::MAX), &config, &[], Some(ProtocolError::LengthTopBit));
}

#[test]
fn a_frame_of_2_to_the_62_is_handed_on_as_it_comes() {
    let now = Instant::now();
    let config = std::sync::Arc::new(Config::default());
    let mut receiver = Receiver::new(Role::Client, config, now);
    receiver.hold_messages(false);
    let mut head = header(0x82, 1 << 62);
    assert!(receiver.receive(&mut head, now).unwrap().event.is_none());
    let mut block = vec![7; 64 * 1024];
    for _ in 0..1000 {
        let received = receiver.receive(&mut block, now).unwrap();
        assert_eq!(received.consumed, block.len());
        assert!(received.event.is_some());
    }
    assert!(receiver.in_message());
}

#[test]
fn the_sum_of_fragments_near_the_end_of_the_integers_does_not_wrap() {
    // One frame cannot be that long in fact: its payload never comes. So each frame's length is
    // judged together with those before it, as soon as it is declared.
    let limit = 1 << 62;
    let config = Config::default().max_message_size(limit);
    let transcript = [frame(0x02, b"a"), header(0x80, limit)].concat();
    check_outcome(&transcript, &config, &[], Some(ProtocolError::MessageTooBig { limit }));
    let limit = (1 << 63) - 1;
    let config = Config::default().max_message_size(limit);
    let transcript = [frame(0x02, b"a"), header(0x80, limit)].concat();
    check_outcome(&transcript, &config, &[], Some(ProtocolError::MessageTooBig { limit }));
    let config = Config::default().max_message_size(u64::MAX).max_frame_size(u64::MAX);
    let transcript = [frame(0x02, b"a"), header(0x80, limit), vec![7; 10]].concat();
    check_outcome(&transcript, &config, &[], None);
}

#[test]
fn fragments_of_1_mib_are_summed_up() {
    let (mut client, now) = client(&Config::default());
    let mut assembly = Assembly::default();
    let mut largest = 0;
    pour(&mut client, &frame(0x02, b""), now, |_| {}).unwrap();
    let fragment = frame(0x00, &vec![7; 1024 * 1024]);
    let mut error = None;
    let poured = (0..100).position(|_| {
        let poured = pour(&mut client, &fragment, now, |event| {
            let Event::Piece(piece) = event else { panic!("no piece") };
            assert!(assembly.push(piece).is_none());
            largest = largest.max(assembly.len());
        });
        error = poured.err();
        error.is_some()
    });
    assert_eq!(error, Some(ProtocolError::MessageTooBig { limit: 64 * 1024 * 1024 }));
    assert_eq!((poured, largest), (Some(64), 64 * 1024 * 1024));
    assert_eq!(show(&super::check::unmasked(&drain(&mut client))), "88 02 03 f1");
}

#[test]
fn a_million_empty_fragments_are_not_borne() {
    let (mut client, now) = client(&Config::default());
    pour(&mut client, &frame(0x01, b""), now, |_| {}).unwrap();
    let sent = (0..1_000_000)
        .position(|_| pour(&mut client, &frame(0x00, b""), now, |_| panic!("an event")).is_err());
    assert_eq!(sent, Some(1023));
    assert_eq!(client.state(), State::Failed);
    assert_eq!(show(&super::check::unmasked(&drain(&mut client))), "88 02 03 f0");
}

#[test]
fn millions_of_tiny_fragments_are_not_borne() {
    let (mut client, now) = client(&Config::default());
    pour(&mut client, &frame(0x01, b""), now, |_| {}).unwrap();
    let sent =
        (0..3_000_000).position(|_| pour(&mut client, &frame(0x00, b"x"), now, |_| {}).is_err());
    assert_eq!(sent, Some(128 * 1024 - 1));
    assert_eq!(show(&super::check::unmasked(&drain(&mut client))), "88 02 03 f0");
}

#[test]
fn empty_fragments_between_tiny_ones_are_fragments_too() {
    let (mut client, now) = client(&Config::default());
    pour(&mut client, &frame(0x01, b""), now, |_| {}).unwrap();
    let both = [frame(0x00, b""), frame(0x00, b"x")].concat();
    let sent = (0..3_000_000).position(|_| pour(&mut client, &both, now, |_| {}).is_err());
    assert_eq!(sent, Some(64 * 1024 - 1));
}

#[test]
fn a_ping_flood_leaves_a_bounded_outbox_and_is_closed_with_1008() {
    let config = Config::default().max_outbox(1000);
    let now = Instant::now();
    let mut server = Connection::new(Role::Server, config, [0; 32], now);
    let ping = masked(&frame(0x89, &[7; 125]));
    let mut largest = 0;
    let sent = (0..2000).position(|_| {
        let poured = pour(&mut server, &ping, now, |_| {});
        largest = largest.max(server.outbox().len());
        poured.is_err()
    });
    assert_eq!(sent, Some(1000));
    assert!(largest <= 1000 + 127, "{largest} bytes");
    assert_eq!(server.state(), State::Failed);
    assert!(drain(&mut server).ends_with(&hex("88 02 03 f0")));
}

#[test]
fn a_slow_ping_flood_to_a_peer_that_never_reads_leaves_a_bounded_outbox() {
    let config = Config::default().max_outbox(1000);
    let start = Instant::now();
    let mut server = Connection::new(Role::Server, config, [0; 32], start);
    let ping = masked(&frame(0x89, &[7; 125]));
    for n in 0..100_000 {
        let now = start + Duration::from_millis(2) * n;
        pour(&mut server, &ping, now, |_| {}).unwrap();
        assert!(server.outbox().len() <= 1000 + 127);
    }
    assert_eq!(server.state(), State::Open);
}

#[test]
fn a_pong_flood_is_closed_with_1008() {
    let pongs = "8a 00".repeat(1001);
    let mut outcome = feed(Role::Client, &Config::default(), &hex(&pongs), &[]);
    assert_eq!(outcome.error, Some(ProtocolError::TooManyControlFrames { limit: 1000 }));
    assert_eq!(outcome.events.len(), 1000);
    assert_eq!(show(&super::check::unmasked(&drain(&mut outcome.connection))), "88 02 03 f0");
}

#[test]
fn a_flood_of_empty_messages_costs_nothing_but_its_bytes() {
    let (mut client, now) = client(&Config::default());
    let mut messages = 0;
    pour(&mut client, &frame(0x82, b"").repeat(100_000), now, |_| messages += 1).unwrap();
    assert_eq!(messages, 100_000);
    assert!(client.outbox().is_empty());
}

#[test]
fn a_pong_carries_the_pings_bytes_and_no_others() {
    for len in [0, 1, 9, 124, 125] {
        let payload: Vec<u8> = (1..=125).take(len).collect();
        check_answer(&show(&frame(0x89, &payload)), &show(&frame(0x8a, &payload)));
    }
    // A long ping before it leaves no trace in a short one's pong.
    let transcript = [frame(0x89, &[7; 125]), frame(0x89, b"")].concat();
    let answer = [frame(0x8a, &[7; 125]), frame(0x8a, b"")].concat();
    check_answer(&show(&transcript), &show(&answer));
}

#[test]
fn a_close_carries_its_reason_and_no_other_bytes() {
    let reason = "é".repeat(61);
    for len in (0..=122).step_by(2) {
        let now = Instant::now();
        let mut server = Connection::new(Role::Server, Config::default(), [0; 32], now);
        let frame =
            towline_proto::CloseFrame::new(towline_proto::CloseCode::NORMAL, &reason[..len]);
        server.close(frame.ok(), now);
        let payload = [&[0x03, 0xe8], &reason.as_bytes()[..len]].concat();
        assert_eq!(drain(&mut server), super::check::frame(0x88, &payload));
    }
}

#[test]
fn frames_that_make_no_progress_come_to_an_end() {
    // Each input makes one step at least, or is used up.
    let (mut client, now) = client(&Config::default());
    let mut bytes = [
        frame(0x01, b""),
        frame(0x00, b""),
        frame(0x89, b""),
        frame(0x00, b""),
        frame(0x80, b""),
        frame(0x82, b""),
    ]
    .concat();
    let mut rest = &mut bytes[..];
    let mut calls = 0;
    while !rest.is_empty() {
        let (consumed, _) = client.receive(rest, now).unwrap();
        assert!(consumed > 0, "a call that uses nothing up");
        rest = &mut rest[consumed..];
        calls += 1;
    }
    assert_eq!(calls, 3);
    for _ in 0..10 {
        assert_eq!(client.receive(&mut [], now), Ok((0, None)));
    }
}

#[test]
fn a_control_frame_inside_a_fragmented_message_does_not_break_it() {
    let mut transcript = frame(0x01, "κ".as_bytes().split_at(1).0);
    let mut events = Vec::new();
    for n in 0..50 {
        transcript.extend(frame(0x89, &[n]));
        events.push(ping(&[n]));
    }
    transcript.extend(frame(0x80, "κ".as_bytes().split_at(1).1));
    events.push(text("κ"));
    check_outcome(&transcript, &Config::default(), &events, None);
}

#[test]
fn a_second_upgrade_on_an_open_connection_is_no_frame() {
    let now = Instant::now();
    let mut server = Connection::new(Role::Server, Config::default(), [0; 32], now);
    let mut request = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n".to_vec();
    let error = server.receive(&mut request, now).map(|_| ()).unwrap_err();
    assert_eq!(error, ProtocolError::ReservedBits);
}

#[test]
fn data_that_came_with_the_closing_frame_is_not_read_as_more() {
    let mut transcript = frame(0x82, b"a");
    transcript.extend(frame(0x88, &[0x03, 0xe8]));
    transcript.extend([0xff; 100]);
    check_outcome(&transcript, &Config::default(), &[binary(b"a"), closed(1000, "")], None);
}

#[test]
fn random_bytes_never_harm() {
    let mut random = Random(9);
    for _ in 0..2000 {
        let bytes: Vec<u8> =
            (0..random.next() % 300).map(|_| random.next().to_le_bytes()[0]).collect();
        for role in [Role::Client, Role::Server] {
            feed(role, &Config::default(), &bytes, &[]);
        }
    }
}

proptest! {
    #[test]
    fn a_receiver_uses_up_input_or_gives_an_event(
        bytes in proptest::collection::vec(any::<u8>(), 0..300), client: bool
    ) {
        let role = if client { Role::Client } else { Role::Server };
        let now = Instant::now();
        let mut connection = Connection::new(role, Config::default(), [0; 32], now);
        let mut bytes = bytes;
        let mut rest = &mut bytes[..];
        while !rest.is_empty() {
            let len = rest.len();
            match connection.receive(rest, now) {
                Ok((consumed, event)) => {
                    proptest::prop_assert!(consumed == len || event.is_some());
                    proptest::prop_assert!(consumed > 0);
                    rest = &mut rest[consumed..];
                }
                Err(_) => break,
            }
        }
    }
}
