//! Messages as they go out compressed (RFC 7692 §6.1, §7.2.1).

use std::time::Instant;

use bytes::Buf;
use proptest::prelude::{any, prop, proptest};
use towline_proto::{Config, Connection, Deflate, Message, MessageKind, Role, SendError, State};

use super::{agree, carry, connect, connection, noise, pair};
use crate::check::{Joined, drain, hex, receive_all, show, text};

use MessageKind::{Binary, Text};

/// Nothing is too small.
fn eager() -> Deflate {
    Deflate::default().threshold(0)
}

#[track_caller]
fn check_written(connection: &mut Connection, digits: &str) {
    assert_eq!(show(&drain(connection)), show(&hex(digits)));
}

fn json(number: usize) -> String {
    (0..12)
        .map(|at| format!("{{\"id\":{},\"side\":\"sell\",\"size\":{at}}},", number * 7 + at))
        .collect()
}

#[test]
fn the_examples_of_rfc_7692_sections_7_2_3_1_and_7_2_3_2() {
    let (_, mut server) = pair(&eager().level(6));
    server.send("Hello").unwrap();
    server.send("Hello").unwrap();
    check_written(&mut server, "c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00");
    let (_, mut server) = pair(&eager().level(6).server_no_context_takeover(true));
    server.send("Hello Hello Hello").unwrap();
    server.send("Hello Hello Hello").unwrap();
    let bytes = drain(&mut server);
    let (first, second) = bytes.split_at(bytes.len() / 2);
    assert_eq!(first, second, "without takeover the second is like the first");
}

#[test]
fn an_empty_message_is_one_octet() {
    // RFC 7692 §7.2.3.6
    let (_, mut server) = pair(&eager());
    server.send("").unwrap();
    server.send("").unwrap();
    check_written(&mut server, "c1 01 00 c1 01 00");
}

#[test]
fn the_last_fragment_may_be_empty() {
    // As Dart once did not know (its issue 35540).
    let (mut client, mut server) = pair(&eager().level(6));
    server.send_fragment(Text, b"Hello", false).unwrap();
    server.send_fragment(Text, b"", false).unwrap();
    server.send_fragment(Text, b"", true).unwrap();
    check_written(&mut server, "41 0b f2 48 cd c9 c9 07 00 00 00 ff ff 00 00 80 01 00");
    let (mut client2, mut server2) = pair(&eager());
    for _ in 0..3 {
        server2.send_fragment(Text, b"Hello", false).unwrap();
        server2.send_fragment(Text, b"", true).unwrap();
    }
    let (_, messages) = carry(&mut server2, &mut client2);
    assert_eq!(messages, [Message::text("Hello"), Message::text("Hello"), Message::text("Hello")]);
    let (_, none) = carry(&mut server, &mut client);
    assert!(none.is_empty());
}

#[test]
fn what_is_small_goes_as_it_is() {
    let mut server = connection(Role::Server);
    server.send("a".repeat(63)).unwrap();
    assert_eq!(drain(&mut server)[0], 0x81);
    server.send("a".repeat(64)).unwrap();
    assert_eq!(drain(&mut server)[0], 0xc1);
    server.send_fragment(Text, b"a", true).unwrap();
    assert_eq!(drain(&mut server)[0], 0x81);
    // What a message's first part is no part of a judgement on the whole.
    server.send_fragment(Text, b"a", false).unwrap();
    assert_eq!(drain(&mut server)[0], 0x41);
}

#[test]
fn what_gets_no_smaller_goes_as_it_is_where_nothing_refers_to_it() {
    let noise = noise(4000);
    let (_, mut server) = pair(&Deflate::default().server_no_context_takeover(true));
    server.send(noise.clone()).unwrap();
    assert_eq!(drain(&mut server)[0], 0x82);
    let (mut client, mut server) = pair(&Deflate::default());
    server.send(noise.clone()).unwrap();
    server.send(noise.clone()).unwrap();
    let (written, messages) = carry(&mut server, &mut client);
    assert_eq!(messages, [Message::from(noise.clone()), Message::from(noise)]);
    assert!(written < 4400, "the second refers to the first: {written}");
}

#[test]
fn each_message_can_be_left_uncompressed() {
    let (mut client, mut server) = pair(&Deflate::default());
    let message = json(1);
    server.send(message.clone()).unwrap();
    server.sender().compress(false);
    server.send(message.clone()).unwrap();
    server.send_fragment(Text, message.as_bytes(), false).unwrap();
    // A message that was begun so goes on so.
    server.sender().compress(true);
    server.send_fragment(Text, message.as_bytes(), true).unwrap();
    server.send(message.clone()).unwrap();
    let mut bytes = drain(&mut server);
    let mut firsts = Vec::new();
    let mut rest = &bytes[..];
    while let Some((header, len)) =
        towline_proto::FrameHeader::parse_with(rest, Role::Client, true).unwrap()
    {
        firsts.push(rest[0]);
        rest = &rest[len + usize::try_from(header.len).unwrap()..];
    }
    assert_eq!(firsts, [0xc1, 0x81, 0x01, 0x80, 0xc1]);
    let mut events = Vec::new();
    receive_all(&mut client, &mut bytes, Instant::now(), &mut Joined::default(), &mut events)
        .unwrap();
    assert_eq!(events.len(), 4);
    assert_eq!(events[3], text(&message));
}

#[test]
fn a_frame_of_a_declared_length_is_not_compressed() {
    let (mut client, mut server) = pair(&eager());
    server.send("before before before").unwrap();
    server.sender().start_frame(Text, 5, true).unwrap();
    server.sender().continue_frame(b"Hello").unwrap();
    server.send("before before before").unwrap();
    let (_, messages) = carry(&mut server, &mut client);
    assert_eq!(messages[1], Message::text("Hello"));
    assert_eq!(messages[2], messages[0]);
    // It cannot go on with a message that is compressed, and harms it not.
    server.send_fragment(Text, b"one, ", false).unwrap();
    let error = server.sender().start_frame(Text, 5, true).unwrap_err();
    assert_eq!(error, SendError::MessageCompressed);
    server.send_fragment(Text, b"two", true).unwrap();
    assert_eq!(carry(&mut server, &mut client).1, [Message::text("one, two")]);
}

#[test]
fn a_refused_call_leaves_the_context_as_it_was() {
    let (mut client, mut server) = pair(&eager());
    server.send(json(1)).unwrap();
    assert_eq!(server.send_fragment(Text, b"\xff", true), Err(SendError::InvalidUtf8));
    assert_eq!(server.send_fragment(Text, b"\xc3", true), Err(SendError::InvalidUtf8));
    server.send_fragment(Text, b"\xc3", false).unwrap();
    assert_eq!(server.send_fragment(Text, b"\xc3", false), Err(SendError::InvalidUtf8));
    assert_eq!(server.send_fragment(Binary, b"x", false), Err(SendError::KindChanged));
    assert_eq!(server.send("between"), Err(SendError::MessageOpen));
    server.send_fragment(Text, b"\xa9 after", true).unwrap();
    server.send(json(1)).unwrap();
    let (_, messages) = carry(&mut server, &mut client);
    let expected = [Message::text(json(1)), Message::text("é after"), Message::text(json(1))];
    assert_eq!(messages, expected);
}

#[test]
fn every_window_works_and_that_of_8_bits_goes_uncompressed() {
    let message = json(3).repeat(50);
    for bits in 8..=15 {
        let offer = format!(
            "permessage-deflate; server_max_window_bits={bits}; client_max_window_bits={bits}"
        );
        for level in 0..=9 {
            let settings = Deflate::default().level(level);
            let terms = settings.accept(&super::header(&offer)).unwrap();
            assert_eq!(terms.to_string(), offer.trim_end_matches("; client_max_window_bits=15"));
            let mut server = connect(Role::Server, Config::default(), &terms);
            let mut client = connect(Role::Client, Config::default(), &terms);
            for _ in 0..2 {
                check_exchange(&mut server, &mut client, &message, bits > 8);
                check_exchange(&mut client, &mut server, &message, bits > 8);
            }
        }
    }
}

#[track_caller]
fn check_exchange(from: &mut Connection, to: &mut Connection, message: &str, compressed: bool) {
    from.send(message).unwrap();
    assert_eq!(from.outbox().chunk()[0] & 0x40 != 0, compressed);
    assert_eq!(carry(from, to).1, [Message::text(message)]);
}

#[test]
fn takeover_or_not_on_each_side() {
    let message = json(9);
    for (server_no, client_no) in [(false, false), (false, true), (true, false), (true, true)] {
        let settings = Deflate::default()
            .server_no_context_takeover(server_no)
            .client_no_context_takeover(client_no);
        let (mut client, mut server) = pair(&settings);
        let mut lens = Vec::new();
        for _ in 0..3 {
            server.send(message.clone()).unwrap();
            let (down, messages) = carry(&mut server, &mut client);
            assert_eq!(messages, [Message::text(message.clone())]);
            client.send(message.clone()).unwrap();
            let (up, messages) = carry(&mut client, &mut server);
            assert_eq!(messages, [Message::text(message.clone())]);
            lens.push((down, up));
        }
        // soketto's issue 49 was about the second message, as a browser sends it.
        assert_eq!(lens[1].0 == lens[0].0, server_no, "{lens:?}");
        assert_eq!(lens[1].1 == lens[0].1, client_no, "{lens:?}");
        assert!(server_no || lens[1].0 * 3 < lens[0].0, "{lens:?}");
    }
}

#[test]
fn what_a_browser_sent_in_soketto_49() {
    // `aaa` twice, with takeover: Firefox's own bytes for the two.
    let (mut client, mut server) = pair(&eager().level(6));
    for _ in 0..4 {
        client.send("aaa").unwrap();
        assert_eq!(carry(&mut client, &mut server).1, [Message::text("aaa")]);
        server.send("aaa").unwrap();
        assert_eq!(carry(&mut server, &mut client).1, [Message::text("aaa")]);
    }
}

#[test]
fn the_same_long_message_again_and_again_as_in_yawc_7() {
    let line = "1,2,3,4,5,6,7,8,9,,,,,7\n";
    for len in [1, 7, 60, 400, 3000] {
        let message = format!("abc,def,gh,ad,fe,ga,sg,h,as,h\n{}", line.repeat(len));
        for level in 0..=9 {
            let (mut client, mut server) = pair(&eager().level(level));
            for _ in 0..20 {
                server.send(message.clone()).unwrap();
                assert_eq!(carry(&mut server, &mut client).1, [Message::text(message.clone())]);
            }
        }
    }
}

#[test]
fn a_large_message_is_compressed_as_there_is_room() {
    let noise = noise(4_000_000);
    let (for_client, for_server) = agree(&eager(), &eager());
    let mut client = connect(Role::Client, Config::default(), &for_client);
    let config = Config::default().max_outbox(100_000);
    let mut server = connect(Role::Server, config, &for_server);
    server.send(noise.clone()).unwrap();
    assert!(!server.sender().has_room(), "there is more to come");
    server.ping_and_close();
    let now = Instant::now();
    let (mut received, mut most) = (Vec::new(), 0);
    let mut joined = Joined::default();
    let mut firsts = Vec::new();
    loop {
        most = most.max(server.outbox().len());
        let mut bytes = server.outbox().chunk().to_vec();
        if bytes.is_empty() {
            break;
        }
        firsts.push(bytes[0]);
        let len = bytes.len();
        server.outbox().advance(len);
        receive_all(&mut client, &mut bytes, now, &mut joined, &mut received).unwrap();
    }
    assert!(most < 100_000 + 2 * 66_000, "{most} bytes waited");
    assert_eq!(received[0], crate::check::ping(b"are you there"));
    assert_eq!(received[1], crate::check::binary(&noise));
    assert_eq!(received[2], crate::check::closed(1000, ""), "what was sent before goes out before");
    assert_eq!(server.state(), State::CloseSent);
}

/// As Autobahn's cases 12.x.1 and 13.x.1.
#[test]
fn a_thousand_small_messages_are_echoed_on_all_terms() {
    let of = |no_takeover, bits| {
        Deflate::default()
            .client_no_context_takeover(no_takeover)
            .server_no_context_takeover(no_takeover)
            .client_max_window_bits(bits)
            .server_max_window_bits(bits)
    };
    for settings in [of(false, 15), of(true, 15), of(false, 9), of(true, 9)] {
        for threshold in [0, 64] {
            let (mut client, mut server) = pair(&settings.clone().threshold(threshold));
            let data = json(5).repeat(50);
            for at in 0..1000 {
                let message = Message::text(&data[at..at + 16]);
                client.send(message.clone()).unwrap();
                let (_, got) = carry(&mut client, &mut server);
                assert_eq!(got, std::slice::from_ref(&message));
                server.sender().send_part(&got[0]).unwrap();
                assert_eq!(carry(&mut server, &mut client).1, [message]);
            }
        }
    }
}

trait PingAndClose {
    fn ping_and_close(&mut self);
}

impl PingAndClose for Connection {
    fn ping_and_close(&mut self) {
        let now = Instant::now();
        self.ping(b"are you there", now).unwrap();
        let normal = towline_proto::CloseFrame::new(towline_proto::CloseCode::NORMAL, "");
        self.close(normal.ok(), now);
    }
}

#[test]
fn messages_keep_their_order_behind_a_large_one() {
    let large = json(2).repeat(2000);
    let (mut client, mut server) = pair(&eager());
    server.send(large.clone()).unwrap();
    server.send("second").unwrap();
    server.send(large.clone()).unwrap();
    server.send_fragment(Text, b"third", true).unwrap();
    server.send(large.clone()).unwrap();
    server.sender().start_frame(Text, 6, true).unwrap();
    server.sender().continue_frame(b"fourth").unwrap();
    let (_, messages) = carry(&mut server, &mut client);
    let expected = [&large, "second", &large, "third", &large, "fourth"].map(Message::text);
    assert_eq!(messages, expected);
    assert_eq!(server.sender().counts().messages, 6);
}

#[test]
fn a_failure_leaves_a_large_message_where_it_stands() {
    let mut server = connection(Role::Server);
    server.send(noise(2_000_000)).unwrap();
    let mut broken = crate::check::masked(&hex("83 00"));
    assert!(server.receive(&mut broken, Instant::now()).is_err());
    let bytes = drain(&mut server);
    assert!(bytes.len() < 200_000);
    assert!(bytes.ends_with(&hex("88 02 03 ea")), "the closing frame, 1002");
}

proptest! {
    #[test]
    fn whatever_is_sent_in_whatever_parts_arrives(
        messages in prop::collection::vec(
            (prop::collection::vec(prop::collection::vec(0..20_u8, 0..3000), 1..5), any::<bool>()),
            1..8,
        ),
        level in 0..=9_u8,
        memory_level in 1..=9_u8,
        window_bits in 9..=15_u8,
        no_takeover in any::<bool>(),
    ) {
        let settings = eager()
            .level(level)
            .memory_level(memory_level)
            .client_max_window_bits(window_bits)
            .server_max_window_bits(window_bits)
            .server_no_context_takeover(no_takeover);
        let (mut client, mut server) = pair(&settings);
        let mut expected = Vec::new();
        for (parts, compress) in messages {
            server.sender().compress(compress);
            let (last, before) = parts.split_last().unwrap();
            for part in before {
                server.send_fragment(Binary, part, false).unwrap();
            }
            server.send_fragment(Binary, last, true).unwrap();
            expected.push(Message::from(parts.concat()));
        }
        let (_, got) = carry(&mut server, &mut client);
        assert_eq!(got, expected);
    }
}
