//! Messages to bytes: what may be sent when, and what goes out.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use bytes::Buf;
use proptest::prelude::{any, proptest};
use towline_proto::{
    CloseCode, CloseFrame, Config, Connection, FrameHeader, MessageKind, Role, SendError, Sender,
    State,
};

use crate::check::{Joined, binary, drain, frame, hex, receive_all, show, text, unmasked};

use MessageKind::{Binary, Text};

fn connection(role: Role) -> Connection {
    Connection::new(role, Config::default(), [1; 32], Instant::now())
}

fn server() -> Connection {
    connection(Role::Server)
}

#[track_caller]
fn check_written(connection: &mut Connection, digits: &str) {
    assert_eq!(show(&drain(connection)), show(&hex(digits)));
}

#[test]
fn a_message_goes_out_as_one_frame() {
    let mut server = server();
    server.send("a").unwrap();
    server.send(vec![0xff]).unwrap();
    server.send("").unwrap();
    check_written(&mut server, "81 01 61 82 01 ff 81 00");
}

#[test]
fn fragments_go_out_as_frames_of_one_message() {
    let mut server = server();
    server.send_fragment(Binary, b"a", false).unwrap();
    server.send_fragment(Binary, b"", false).unwrap();
    server.send_fragment(Binary, b"b", true).unwrap();
    server.send("c").unwrap();
    check_written(&mut server, "02 01 61 00 00 80 01 62 81 01 63");
}

#[test]
fn a_first_fragment_that_is_the_last_is_a_message() {
    let mut server = server();
    server.send_fragment(Text, b"", true).unwrap();
    server.send_fragment(Text, b"a", true).unwrap();
    check_written(&mut server, "81 00 81 01 61");
}

#[test]
fn a_message_may_not_be_sent_within_another() {
    let mut server = server();
    server.send_fragment(Text, b"a", false).unwrap();
    assert_eq!(server.send("b"), Err(SendError::MessageOpen));
    assert_eq!(server.send_fragment(Binary, b"b", true), Err(SendError::KindChanged));
    assert!(server.sender().in_message());
    server.send_fragment(Text, b"c", true).unwrap();
    assert!(!server.sender().in_message());
    check_written(&mut server, "01 01 61 80 01 63");
}

#[test]
fn pings_and_pongs_may_be_sent_between_fragments() {
    let mut server = server();
    server.send_fragment(Text, b"a", false).unwrap();
    server.ping(b"p", Instant::now()).unwrap();
    server.sender().pong(b"q").unwrap();
    server.send_fragment(Text, b"b", true).unwrap();
    check_written(&mut server, "01 01 61 89 01 70 8a 01 71 80 01 62");
}

#[test]
fn a_character_may_be_cut_between_fragments_but_not_by_the_end() {
    let mut server = server();
    server.send_fragment(Text, b"\xe2", false).unwrap();
    assert_eq!(server.send_fragment(Text, b"\x82", true), Err(SendError::InvalidUtf8));
    assert_eq!(server.send_fragment(Text, b"", true), Err(SendError::InvalidUtf8));
    assert_eq!(server.send_fragment(Text, b"a", false), Err(SendError::InvalidUtf8));
    server.send_fragment(Text, b"\x82", false).unwrap();
    server.send_fragment(Text, b"\xac", true).unwrap();
    check_written(&mut server, "01 01 e2 00 01 82 80 01 ac");
}

#[test]
fn bad_text_is_not_sent_and_begins_nothing() {
    let mut server = server();
    assert_eq!(server.send_fragment(Text, b"\xff", false), Err(SendError::InvalidUtf8));
    assert_eq!(server.send_fragment(Text, b"\xc3", true), Err(SendError::InvalidUtf8));
    assert!(!server.sender().in_message());
    server.send("a").unwrap();
    check_written(&mut server, "81 01 61");
}

#[test]
fn pings_and_pongs_carry_at_most_125_bytes() {
    let mut server = server();
    let now = Instant::now();
    assert_eq!(server.ping(&[0; 126], now), Err(SendError::ControlTooLong));
    assert_eq!(server.sender().pong(&[0; 126]), Err(SendError::ControlTooLong));
    server.ping(&[0; 125], now).unwrap();
    assert_eq!(drain(&mut server), frame(0x89, &[0; 125]));
}

#[test]
fn nothing_is_sent_after_our_closing_frame() {
    let mut server = server();
    let now = Instant::now();
    server.send("last").unwrap();
    server.close(CloseFrame::new(CloseCode::NORMAL, "bye").ok(), now);
    assert_eq!(server.send("a"), Err(SendError::Closed));
    assert_eq!(server.send_fragment(Text, b"a", true), Err(SendError::Closed));
    assert_eq!(server.sender().start_frame(Text, 1, true), Err(SendError::Closed));
    assert_eq!(server.ping(b"", now), Err(SendError::Closed));
    assert_eq!(server.sender().pong(b""), Err(SendError::Closed));
    check_written(&mut server, "81 04 6c 61 73 74 88 05 03 e8 62 79 65");
}

#[test]
fn what_was_sent_is_counted() {
    let mut server = server();
    server.send("abc").unwrap();
    server.send_fragment(Text, b"d", false).unwrap();
    server.send_fragment(Text, b"e", true).unwrap();
    server.ping(b"", Instant::now()).unwrap();
    server.sender().start_frame(Binary, 2, true).unwrap();
    server.sender().continue_frame(b"fg").unwrap();
    let counts = server.sender().counts();
    assert_eq!((counts.bytes, counts.frames, counts.messages), (17, 5, 3));
    assert_eq!(drain(&mut server).len(), 17);
}

// One frame whose payload comes bit by bit.

#[test]
fn a_frame_may_be_sent_bit_by_bit() {
    let mut server = server();
    server.sender().start_frame(Text, 5, true).unwrap();
    assert_eq!(server.sender().frame_remaining(), 5);
    for bit in [&b"He"[..], b"", b"l", b"lo"] {
        server.sender().continue_frame(bit).unwrap();
    }
    assert_eq!(server.sender().frame_remaining(), 0);
    check_written(&mut server, "81 05 48 65 6c 6c 6f");
}

#[test]
fn a_fragmented_message_may_mix_open_and_whole_frames() {
    let mut server = server();
    server.sender().start_frame(Binary, 1, false).unwrap();
    server.sender().continue_frame(b"a").unwrap();
    server.send_fragment(Binary, b"b", false).unwrap();
    server.sender().start_frame(Binary, 0, false).unwrap();
    server.sender().start_frame(Binary, 1, true).unwrap();
    server.sender().continue_frame(b"c").unwrap();
    server.send("d").unwrap();
    check_written(&mut server, "02 01 61 00 01 62 00 00 80 01 63 81 01 64");
}

#[test]
fn nothing_is_sent_inside_an_open_frame() {
    let mut server = server();
    let now = Instant::now();
    server.sender().start_frame(Binary, 2, true).unwrap();
    server.sender().continue_frame(b"a").unwrap();
    assert_eq!(server.send("x"), Err(SendError::FrameOpen));
    assert_eq!(server.send_fragment(Binary, b"x", true), Err(SendError::FrameOpen));
    assert_eq!(server.sender().start_frame(Binary, 1, true), Err(SendError::FrameOpen));
    assert_eq!(server.ping(b"", now), Err(SendError::FrameOpen));
    // A ping is answered when the frame has ended, and a closing frame waits, too.
    receive(&mut server, "89 01 70");
    assert_eq!(server.outbox().len(), 3);
    server.sender().continue_frame(b"b").unwrap();
    check_written(&mut server, "82 02 61 62 8a 01 70");
}

#[test]
fn a_closing_frame_waits_for_the_open_frames_end() {
    let mut server = server();
    server.sender().start_frame(Binary, 2, true).unwrap();
    server.close(None, Instant::now());
    assert_eq!(server.state(), State::CloseSent);
    check_written(&mut server, "82 02");
    server.sender().continue_frame(b"ab").unwrap();
    assert_eq!(server.sender().start_frame(Binary, 1, true), Err(SendError::Closed));
    check_written(&mut server, "61 62 88 00");
}

#[test]
fn no_more_is_sent_than_the_open_frame_declared() {
    let mut server = server();
    assert_eq!(server.sender().continue_frame(b"a"), Err(SendError::FrameOverrun));
    assert_eq!(server.sender().continue_frame(b""), Err(SendError::FrameOverrun));
    server.sender().start_frame(Binary, 2, true).unwrap();
    assert_eq!(server.sender().continue_frame(b"abc"), Err(SendError::FrameOverrun));
    server.sender().continue_frame(b"ab").unwrap();
    assert_eq!(server.sender().continue_frame(b"c"), Err(SendError::FrameOverrun));
    check_written(&mut server, "82 02 61 62");
}

#[test]
fn the_text_of_an_open_frame_is_checked() {
    let mut server = server();
    server.sender().start_frame(Text, 3, true).unwrap();
    server.sender().continue_frame(b"\xe2\x82").unwrap();
    assert_eq!(server.sender().continue_frame(b"a"), Err(SendError::InvalidUtf8));
    server.sender().continue_frame(b"\xac").unwrap();
    check_written(&mut server, "81 03 e2 82 ac");
}

#[test]
fn an_empty_open_frame_does_not_end_a_text_within_a_character() {
    let mut server = server();
    server.send_fragment(Text, b"\xc3", false).unwrap();
    assert_eq!(server.sender().start_frame(Text, 0, true), Err(SendError::InvalidUtf8));
    server.sender().start_frame(Text, 0, false).unwrap();
    server.send_fragment(Text, b"\xa9", true).unwrap();
    check_written(&mut server, "01 01 c3 00 00 80 01 a9");
}

#[test]
fn a_frame_of_two_to_the_sixty_third_is_refused() {
    let mut server = server();
    assert_eq!(server.sender().start_frame(Binary, 1 << 63, true), Err(SendError::FrameTooLong));
    assert_eq!(server.sender().start_frame(Binary, u64::MAX, true), Err(SendError::FrameTooLong));
    server.sender().start_frame(Binary, (1 << 63) - 1, true).unwrap();
    check_written(&mut server, "82 7f 7f ff ff ff ff ff ff ff");
}

#[test]
fn after_a_failure_an_open_frame_cannot_go_on() {
    let mut server = server();
    server.sender().start_frame(Binary, 2, true).unwrap();
    receive(&mut server, "80 00");
    assert_eq!(server.state(), State::Failed);
    assert_eq!(server.sender().continue_frame(b"a"), Err(SendError::Closed));
    // Half a frame is out: a closing frame would be read as its payload.
    check_written(&mut server, "82 02");
}

// Pongs, and the room for them.

#[test]
fn an_unread_ping_flood_leaves_one_pong_waiting_the_newest() {
    let mut server =
        Connection::new(Role::Server, Config::default().max_outbox(4), [0; 32], Instant::now());
    for n in 0..9 {
        receive(&mut server, &format!("89 01 {n:02x}"));
    }
    assert_eq!(server.outbox().len(), 6);
    check_written(&mut server, "8a 01 00 8a 01 01 8a 01 08");
}

#[test]
fn an_older_pong_never_follows_a_newer_one() {
    let config = Config::default().max_outbox(1);
    let mut server = Connection::new(Role::Server, config, [0; 32], Instant::now());
    server.send("x").unwrap();
    receive(&mut server, "89 01 01");
    let len = server.outbox().len();
    server.outbox().advance(len);
    receive(&mut server, "89 01 02");
    check_written(&mut server, "8a 01 02");
}

#[test]
fn a_waiting_pong_is_dropped_when_the_connection_closes() {
    let config = Config::default().max_outbox(1);
    let mut server = Connection::new(Role::Server, config, [0; 32], Instant::now());
    server.send("x").unwrap();
    receive(&mut server, "89 01 01 88 00");
    check_written(&mut server, "81 01 78 88 00");
}

#[test]
fn there_is_room_until_the_outbox_is_full() {
    let config = Config::default().max_outbox(6);
    let mut server = Connection::new(Role::Server, config, [0; 32], Instant::now());
    assert!(server.sender().has_room());
    server.send("abc").unwrap();
    assert!(server.sender().has_room());
    server.send("abc").unwrap();
    assert!(!server.sender().has_room());
    drain(&mut server);
    assert!(server.sender().has_room());
}

// Masks.

#[test]
fn a_client_masks_every_frame_and_a_server_none() {
    for role in [Role::Client, Role::Server] {
        let mut connection = connection(role);
        let now = Instant::now();
        connection.send("a").unwrap();
        connection.send(vec![0; 5000]).unwrap();
        connection.send_fragment(Text, b"b", false).unwrap();
        connection.ping(b"p", now).unwrap();
        connection.sender().pong(b"").unwrap();
        connection.sender().start_frame(Text, 1, true).unwrap();
        connection.sender().continue_frame(b"c").unwrap();
        connection.close(None, now);
        let written = drain(&mut connection);
        let to = if role == Role::Client { Role::Server } else { Role::Client };
        let mut rest = &written[..];
        let mut frames = 0;
        while let Some((header, len)) = FrameHeader::parse(rest, to).unwrap() {
            assert_eq!(header.mask.is_some(), role == Role::Client);
            rest = &rest[len + usize::try_from(header.len).unwrap()..];
            frames += 1;
        }
        assert_eq!((frames, rest.len()), (7, 0));
    }
}

#[test]
fn the_masks_of_a_hundred_thousand_frames_do_not_repeat() {
    let mut client = connection(Role::Client);
    let mut keys = Vec::new();
    for _ in 0..100_000 {
        client.send("").unwrap();
        keys.push(drain(&mut client)[2..].to_vec());
    }
    let different: HashSet<_> = keys.iter().collect();
    // Of so many random keys about one pair is equal; a pattern would show as many.
    assert!(different.len() > keys.len() - 20, "{} keys differ", different.len());
    let follow: HashSet<_> = keys.windows(2).collect();
    assert_eq!(follow.len(), keys.len() - 1, "no two frames follow each other alike twice");
    for bit in 0..32 {
        let ones = keys.iter().filter(|key| key[bit / 8] >> (bit % 8) & 1 == 1).count();
        assert!((49_000..51_000).contains(&ones), "bit {bit} is set in {ones} keys");
    }
}

#[test]
fn other_seeds_give_other_masks() {
    let key = |seed| {
        let mut client = Connection::new(Role::Client, Config::default(), seed, Instant::now());
        client.send("").unwrap();
        drain(&mut client)
    };
    assert_ne!(key([1; 32]), key([2; 32]));
    assert_eq!(key([1; 32]), key([1; 32]));
}

#[test]
fn the_halves_work_apart() {
    let now = Instant::now();
    let (mut receiver, mut sender) = server().into_parts();
    sender.send("a".into()).unwrap();
    let mut input = crate::check::masked(&hex("89 01 70"));
    receiver.receive(&mut input, now).unwrap();
    sender.handle_ping(receiver.control_payload());
    let outbox = sender.outbox();
    assert_eq!(outbox.copy_to_bytes(outbox.len()), hex("81 01 61 8a 01 70"));
    assert_eq!(sender.config().get_max_outbox(), receiver_config().get_max_outbox());
}

fn receiver_config() -> Arc<Config> {
    Arc::new(Config::default())
}

/// Gives a connection a transcript as its peer would send it.
fn receive(connection: &mut Connection, digits: &str) {
    let mut bytes = crate::check::masked(&hex(digits));
    // An error shows in the connection's state.
    let _ = receive_all(
        connection,
        &mut bytes,
        Instant::now(),
        &mut Joined::default(),
        &mut Vec::new(),
    );
}

proptest! {
    #[test]
    fn what_is_sent_arrives(
        messages in proptest::collection::vec(
            proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..5), 0..10),
        client: bool,
        open: bool,
    ) {
        let (from, to) =
            if client { (Role::Client, Role::Server) } else { (Role::Server, Role::Client) };
        let mut sender = connection(from);
        let mut expected = Vec::new();
        for message in &messages {
            let (last, rest) = message.split_last().unwrap();
            for part in rest {
                send_part(sender.sender(), part, false, open);
            }
            send_part(sender.sender(), last, true, open);
            expected.push(binary(&message.concat()));
        }
        let mut receiver = connection(to);
        let mut events = Vec::new();
        let mut bytes = drain(&mut sender);
        let joined = &mut Joined::default();
        receive_all(&mut receiver, &mut bytes, Instant::now(), joined, &mut events).unwrap();
        proptest::prop_assert_eq!(events, expected);
    }
}

fn send_part(sender: &mut Sender, part: &[u8], fin: bool, open: bool) {
    if open {
        let len = u64::try_from(part.len()).expect("a length fits");
        sender.start_frame(Binary, len, fin).expect("no frame is open");
        for bit in part.chunks(7) {
            sender.continue_frame(bit).expect("the frame is open");
        }
    } else {
        sender.send_fragment(Binary, part, fin).expect("no frame is open");
    }
}

#[test]
fn a_masked_frame_says_what_was_meant() {
    let mut client = connection(Role::Client);
    client.send("Hello").unwrap();
    client.sender().start_frame(Text, 5, true).unwrap();
    for bit in ["H", "el", "lo"] {
        client.sender().continue_frame(bit.as_bytes()).unwrap();
    }
    let written = drain(&mut client);
    assert_eq!(unmasked(&written), hex("81 05 48 65 6c 6c 6f 81 05 48 65 6c 6c 6f"));
    let mut server = server();
    let mut events = Vec::new();
    receive_all(
        &mut server,
        &mut written.clone(),
        Instant::now(),
        &mut Joined::default(),
        &mut events,
    )
    .unwrap();
    assert_eq!(events, [text("Hello"), text("Hello")]);
}
