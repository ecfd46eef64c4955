//! Bytes to events: messages, fragments, control frames between them, limits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::{any, proptest};
use towline_proto::{
    Config, Connection, Event, Incoming, MessageKind, ProtocolError, Receiver, Role,
};

use crate::check::{
    binary, check, check_answer, check_bytes, check_fails, check_fails_after, check_outcome,
    closed_empty, feed, frame, header, hex, masked, ping, pong, text,
};

// Messages and fragments (RFC 6455 §5.4).

#[test]
fn messages_follow_each_other() {
    check("81 01 61 82 01 62 81 01 63", &[text("a"), binary(b"b"), text("c")]);
}

#[test]
fn fragments_are_joined() {
    check("02 01 61 80 01 62", &[binary(b"ab")]);
    check("01 01 61 00 01 62 00 01 63 80 01 64", &[text("abcd")]);
}

#[test]
fn fragments_may_be_empty() {
    check("01 00 80 00", &[text("")]);
    check("01 00 00 00 80 00", &[text("")]);
    check("01 00 00 01 61 80 00", &[text("a")]);
    check("02 00 00 00 80 01 62", &[binary(b"b")]);
}

#[test]
fn a_kind_does_not_outlive_its_message() {
    check("01 01 61 80 01 62 02 01 ff 80 01 fe", &[text("ab"), binary(&[0xff, 0xfe])]);
}

#[test]
fn a_message_in_a_thousand_fragments_arrives() {
    let data: Vec<u8> = (0..=u8::MAX).cycle().take(65536).collect();
    for size in [64, 256, 1300, 4096] {
        let mut transcript = frame(0x02, &[]);
        for piece in data.chunks(size) {
            transcript.extend(frame(0x00, piece));
        }
        transcript.extend(frame(0x80, &[]));
        check_bytes(&transcript, &[binary(&data)]);
    }
}

#[test]
fn a_continuation_needs_a_message() {
    let error = ProtocolError::UnexpectedContinuation;
    check_fails("80 00", error);
    check_fails("00 00", error);
    check_fails("80 01 61 81 01 62", error);
    check_fails_after("81 01 61 80 01 62", &[text("a")], error);
    check_fails_after("01 01 61 80 01 62 00 01 63", &[text("ab")], error);
}

#[test]
fn a_message_may_not_begin_within_another() {
    let error = ProtocolError::ExpectedContinuation;
    check_fails("01 01 61 81 01 62", error);
    check_fails("01 01 61 82 01 62", error);
    check_fails("02 00 02 00", error);
    check_fails_after("01 01 61 89 00 01 01 62", &[ping(b"")], error);
}

// Control frames (RFC 6455 §5.5).

#[test]
fn a_ping_between_fragments_is_answered_at_once() {
    check("01 01 61 89 01 70 80 01 62", &[ping(b"p"), text("ab")]);
    check_answer("01 01 61 89 01 70", "8a 01 70");
}

#[test]
fn control_frames_may_stand_between_all_fragments() {
    check(
        "89 00 01 01 61 8a 01 31 00 00 89 01 32 00 01 62 8a 00 80 00 89 00",
        &[ping(b""), pong(b"1"), ping(b"2"), pong(b""), text("ab"), ping(b"")],
    );
}

#[test]
fn a_close_between_fragments_ends_all() {
    check("01 01 61 88 00 80 01 62", &[closed_empty()]);
}

#[test]
fn a_ping_of_every_length_is_answered_with_its_own_bytes() {
    for len in 0..=125 {
        let payload = vec![0xfe; len];
        check_bytes(&frame(0x89, &payload), &[ping(&payload)]);
    }
    check_answer("89 00", "8a 00");
    check_answer("89 06 00 ff fe fd fc fb", "8a 06 00 ff fe fd fc fb");
}

#[test]
fn ten_pings_are_answered_in_order() {
    let pings: String = (0..10).map(|n| format!("89 01 {n:02x}")).collect();
    let pongs: String = (0..10).map(|n| format!("8a 01 {n:02x}")).collect();
    check_answer(&pings, &pongs);
}

#[test]
fn a_pong_is_not_answered() {
    check("8a 00 8a 03 61 62 63", &[pong(b""), pong(b"abc")]);
    check_answer("8a 00 8a 03 61 62 63", "");
    check_answer("8a 01 61 89 01 62", "8a 01 62");
}

#[test]
fn control_payloads_are_not_text() {
    check("89 02 c3 28 8a 01 ff", &[ping(&[0xc3, 0x28]), pong(&[0xff])]);
}

// Pieces.

#[test]
fn pieces_are_handed_on_as_they_arrive() {
    let mut connection = Connection::new(Role::Client, Config::default(), [0; 32], Instant::now());
    let now = Instant::now();
    let mut input = hex("02 05 61 62");
    let (consumed, event) = connection.receive(&mut input, now).unwrap();
    let Some(Event::Piece(piece)) = event else { panic!("no piece: {event:?}") };
    assert_eq!((consumed, piece.payload, piece.start, piece.end), (4, &b"ab"[..], true, false));
    let mut input = b"c".to_vec();
    let (_, event) = connection.receive(&mut input, now).unwrap();
    let Some(Event::Piece(piece)) = event else { panic!("no piece: {event:?}") };
    assert_eq!((piece.payload, piece.start, piece.end), (&b"c"[..], false, false));
    let mut input = hex("64 65 80 00");
    let (consumed, event) = connection.receive(&mut input, now).unwrap();
    let Some(Event::Piece(piece)) = event else { panic!("no piece: {event:?}") };
    assert_eq!((consumed, piece.payload, piece.end), (2, &b"de"[..], false));
    let (consumed, event) = connection.receive(&mut input[2..], now).unwrap();
    let Some(Event::Piece(piece)) = event else { panic!("no piece: {event:?}") };
    assert_eq!((consumed, piece.payload, piece.start, piece.end), (2, &b""[..], false, true));
}

#[test]
fn a_message_that_came_whole_is_one_piece() {
    let outcome = feed(Role::Client, &Config::default(), &hex("81 03 61 62 63 82 00"), &[]);
    assert_eq!(outcome.joined.pieces, 2);
}

#[test]
fn a_header_without_payload_is_no_piece() {
    let outcome = feed(Role::Client, &Config::default(), &hex("81 03"), &[]);
    assert_eq!((outcome.joined.pieces, outcome.events.len()), (0, 0));
}

#[test]
fn what_came_of_a_message_before_an_error_was_handed_on() {
    let outcome = feed(Role::Client, &Config::default(), &hex("01 02 61 62 81 01 63"), &[]);
    assert_eq!(outcome.error, Some(ProtocolError::ExpectedContinuation));
    assert_eq!(outcome.joined.unfinished(), b"ab");
}

#[test]
fn an_input_of_nothing_is_nothing() {
    let mut connection = Connection::new(Role::Server, Config::default(), [0; 32], Instant::now());
    for _ in 0..3 {
        assert_eq!(connection.receive(&mut [], Instant::now()), Ok((0, None)));
    }
}

#[test]
fn after_an_error_everything_is_discarded() {
    let now = Instant::now();
    let mut outcome = feed(Role::Client, &Config::default(), &hex("83"), &[]);
    let mut input = hex("81 01 61 88 00");
    assert_eq!(outcome.connection.receive(&mut input, now), Ok((5, None)));
    let mut input = hex("83");
    assert_eq!(outcome.connection.receive(&mut input, now), Ok((1, None)));
}

#[test]
fn after_the_closing_frame_everything_is_discarded() {
    check("88 00 81 01 61", &[closed_empty()]);
    check("88 00 89 00 88 00", &[closed_empty()]);
    check("88 00 ff ff ff", &[closed_empty()]);
    check_answer("88 00 89 01 61", "88 00");
}

// Limits.

#[test]
fn a_message_may_have_its_largest_size_and_not_one_byte_more() {
    let config = Config::default().max_message_size(4);
    let error = Some(ProtocolError::MessageTooBig { limit: 4 });
    check_outcome(&hex("82 04 61 62 63 64"), &config, &[binary(b"abcd")], None);
    check_outcome(&hex("02 02 61 62 80 02 63 64"), &config, &[binary(b"abcd")], None);
    check_outcome(&hex("82 05"), &config, &[], error);
    check_outcome(&hex("02 02 61 62 80 03"), &config, &[], error);
    check_outcome(&hex("82 01 61 82 04"), &config, &[binary(b"a")], None);
    check_outcome(&hex("01 04 61 62 63 64 00 01"), &config, &[], error);
}

#[test]
fn a_frame_may_have_its_largest_size_and_not_one_byte_more() {
    let config = Config::default().max_frame_size(2);
    let error = Some(ProtocolError::FrameTooBig { limit: 2, declared: 3 });
    check_outcome(&hex("02 02 61 62 80 02 63 64"), &config, &[binary(b"abcd")], None);
    check_outcome(&hex("82 03"), &config, &[], error);
    check_outcome(&hex("02 02 61 62 80 03"), &config, &[], error);
    // Control frames have a limit of their own.
    check_outcome(&hex("89 03 61 62 63"), &config, &[ping(b"abc")], None);
}

#[test]
fn a_message_may_have_so_many_fragments_and_not_one_more() {
    let config = Config::default().max_fragments(3);
    let error = Some(ProtocolError::TooManyFragments { limit: 3 });
    check_outcome(&hex("02 01 61 00 01 62 80 01 63"), &config, &[binary(b"abc")], None);
    check_outcome(&hex("02 01 61 00 01 62 00 01 63 80 00"), &config, &[], error);
    // Control frames are no fragments.
    let events = [ping(b""), ping(b""), ping(b""), binary(b"")];
    check_outcome(&hex("02 00 89 00 00 00 89 00 89 00 80 00"), &config, &events, None);
}

#[test]
fn so_many_empty_fragments_may_stand_in_a_row_and_not_one_more() {
    let config = Config::default().max_empty_fragments(2);
    let error = Some(ProtocolError::TooManyEmptyFragments { limit: 2 });
    check_outcome(&hex("02 00 00 00 80 00"), &config, &[binary(b"")], None);
    check_outcome(&hex("02 00 00 00 00 01 61 00 00 00 00 80 00"), &config, &[binary(b"a")], None);
    check_outcome(&hex("02 00 00 00 00 00"), &config, &[], error);
    check_outcome(&hex("02 01 61 00 00 00 00 00 00"), &config, &[], error);
    // Each message is counted for itself.
    let empty = "02 00 00 00 80 00";
    let events = [binary(b""), binary(b"")];
    check_outcome(&hex(&[empty, empty].concat()), &config, &events, None);
}

#[test]
fn limits_hold_for_the_declared_length_before_any_payload() {
    let config = Config::default().max_message_size(1000);
    let error = Some(ProtocolError::MessageTooBig { limit: 1000 });
    check_outcome(&header(0x82, 1 << 62), &config, &[], error);
}

#[test]
fn a_streamed_message_has_no_largest_size() {
    let config = Arc::new(Config::default().max_message_size(2).max_fragments(2));
    let now = Instant::now();
    let mut receiver = Receiver::new(Role::Client, config, now);
    receiver.hold_messages(false);
    let mut bytes = 0;
    for (first, last) in [(0x02, false), (0x00, false), (0x00, false), (0x80, true)] {
        let mut input = frame(first, &[7; 100]);
        let received = receiver.receive(&mut input, now).unwrap();
        let Some(Incoming::Data(data)) = received.event else { panic!("no data") };
        let piece = receiver.lend(&data, &input).unwrap();
        assert_eq!(piece.end, last);
        bytes += piece.payload.len();
    }
    assert_eq!(bytes, 400);
    assert!(!receiver.in_message());
}

#[test]
fn control_frames_have_a_rate() {
    let config = Config::default().max_control_frames_per_second(3);
    let now = Instant::now();
    let mut connection = Connection::new(Role::Client, config, [0; 32], now);
    for second in 0..5 {
        let now = now + Duration::from_secs(second);
        for _ in 0..3 {
            let (_, event) = connection.receive(&mut hex("8a 00"), now).map(own).unwrap();
            assert_eq!(event, Some(pong(b"")));
        }
    }
    let now = now + Duration::from_millis(4999);
    let error = connection.receive(&mut hex("8a 00"), now).map(own).unwrap_err();
    assert_eq!(error, ProtocolError::TooManyControlFrames { limit: 3 });
}

// The halves.

#[test]
fn what_was_received_is_counted() {
    let mut outcome = feed(Role::Client, &Config::default(), &hex("01 01 61 89 00 80 01 62"), &[]);
    let counts = outcome.connection.receiver().counts();
    assert_eq!((counts.bytes, counts.frames, counts.messages), (8, 3, 1));
}

#[test]
fn a_message_is_open_until_its_last_piece() {
    let mut outcome = feed(Role::Client, &Config::default(), &hex("01 01 61"), &[]);
    assert!(outcome.connection.receiver().in_message());
    outcome.connection.receive(&mut hex("80 00"), Instant::now()).unwrap();
    assert!(!outcome.connection.receiver().in_message());
}

#[test]
fn input_is_unmasked_in_place() {
    let mut receiver = Receiver::new(Role::Server, Arc::new(Config::default()), Instant::now());
    let mut input = masked(&frame(0x82, b"abc"));
    let received = receiver.receive(&mut input, Instant::now()).unwrap();
    let Some(Incoming::Data(data)) = received.event else { panic!("no data") };
    assert_eq!((data.kind, data.start, data.end), (MessageKind::Binary, true, true));
    assert_eq!(&input[data.payload.clone()], b"abc");
    assert_eq!(received.consumed, input.len());
}

fn own((consumed, event): (usize, Option<Event<'_>>)) -> (usize, Option<crate::check::Got>) {
    let mut joined = crate::check::Joined::default();
    (consumed, event.and_then(|event| joined.push(&event)))
}

/// Frames that mostly obey the rules, with noise between.
fn traffic() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
    use proptest::collection::vec;
    use proptest::strategy::Strategy;
    let firsts = vec![0x81, 0x82, 0x01, 0x02, 0x00, 0x00, 0x80, 0x80, 0x89, 0x8a, 0x88];
    let payload = proptest::prop_oneof![
        "\\PC{0,10}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..20),
        vec(any::<u8>(), 120..140),
    ];
    let good = (proptest::sample::select(firsts), payload)
        .prop_map(|(first, payload)| frame(first, &payload));
    let piece = proptest::prop_oneof![
        20 => good,
        1 => vec(any::<u8>(), 1..6),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_give_the_same_events_at_any_cut(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        cuts in proptest::collection::vec(0..200usize, 0..10),
        client: bool,
    ) {
        same_events(&bytes, cuts, client);
    }

    #[test]
    fn frames_give_the_same_events_at_any_cut(
        bytes in traffic(),
        cuts in proptest::collection::vec(0..2000usize, 0..20),
        client: bool,
    ) {
        let bytes = if client { bytes } else { masked(&bytes) };
        same_events(&bytes, cuts, client);
    }
}

fn same_events(bytes: &[u8], mut cuts: Vec<usize>, client: bool) {
    let role = if client { Role::Client } else { Role::Server };
    let config = Config::default().max_message_size(300).max_empty_fragments(3);
    cuts.retain(|cut| *cut <= bytes.len());
    cuts.sort_unstable();
    let mut whole = feed(role, &config, bytes, &[]);
    let mut cut = feed(role, &config, bytes, &cuts);
    assert_eq!(whole.events, cut.events);
    assert_eq!(whole.error, cut.error);
    assert_eq!(whole.connection.state(), cut.connection.state());
    assert_eq!(
        crate::check::drain(&mut whole.connection),
        crate::check::drain(&mut cut.connection)
    );
    let [whole, cut] = [whole, cut].map(|mut fed| (fed.connection.receiver().counts(), fed.error));
    assert_eq!(whole.0.messages, cut.0.messages);
    if whole.1.is_none() {
        // After an error it depends on whether fragments behind the bad one came with it.
        assert_eq!(whole.0.frames, cut.0.frames);
    }
}
