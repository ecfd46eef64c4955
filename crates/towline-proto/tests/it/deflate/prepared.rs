//! Messages that are compressed once and sent to many.

use bytes::Buf;
use towline_proto::{Config, Deflate, Message, Prepared, Role, SendError};

use super::{carry, connect, header, noise, pair};
use crate::check::{drain, hex, show};

fn story() -> String {
    "once upon a time there was a window; ".repeat(40)
}

#[test]
fn it_is_compressed_once_and_the_same_everywhere() {
    let settings = Deflate::default();
    let prepared = Prepared::new(story(), &settings);
    assert!(prepared.compressed_len().unwrap() < 100);
    let mut seen = None;
    for _ in 0..3 {
        let (mut client, mut server) = pair(&settings);
        server.sender().send_prepared(&prepared).unwrap();
        let bytes = server.outbox().chunk().to_vec();
        assert_eq!(*seen.get_or_insert_with(|| bytes.clone()), bytes);
        assert_eq!(bytes[0], 0xc1);
        assert_eq!(carry(&mut server, &mut client).1, [Message::text(story())]);
        client.sender().send_prepared(&prepared).unwrap();
        assert_eq!(carry(&mut client, &mut server).1, [Message::text(story())]);
    }
}

#[test]
fn messages_around_it_do_not_reach_across() {
    for no_takeover in [false, true] {
        let settings = Deflate::default().server_no_context_takeover(no_takeover).threshold(0);
        let (mut client, mut server) = pair(&settings);
        let prepared = Prepared::new(story(), &settings);
        // Each refers to what came before it if it may; what is 30 KiB back would be out of reach
        // for a window that another message has moved on.
        let around = Message::binary(noise(2000));
        for _ in 0..20 {
            server.send(around.clone()).unwrap();
            server.sender().send_prepared(&prepared).unwrap();
            server.send("once upon a time").unwrap();
            server.send(around.clone()).unwrap();
            let (_, messages) = carry(&mut server, &mut client);
            assert_eq!(
                messages,
                [
                    around.clone(),
                    Message::text(story()),
                    Message::text("once upon a time"),
                    around.clone()
                ]
            );
        }
    }
}

#[test]
fn it_goes_as_it_is_where_its_compressed_form_does_not_fit() {
    let settings = Deflate::default();
    let prepared = Prepared::new(story(), &settings);
    // Nothing was agreed on.
    let now = std::time::Instant::now();
    let mut plain = towline_proto::Connection::new(Role::Server, Config::default(), [0; 32], now);
    plain.sender().send_prepared(&prepared).unwrap();
    assert_eq!(drain(&mut plain)[0], 0x81);
    // The peer's window is smaller.
    let terms = settings.accept(&header("permessage-deflate; server_max_window_bits=14")).unwrap();
    let mut server = connect(Role::Server, Config::default(), &terms);
    server.sender().send_prepared(&prepared).unwrap();
    assert_eq!(drain(&mut server)[0], 0x81);
    let small = Prepared::new(story(), &Deflate::default().server_max_window_bits(14));
    server.sender().send_prepared(&small).unwrap();
    assert_eq!(drain(&mut server)[0], 0xc1);
    // Whoever wants no compression gets none.
    server.sender().compress(false);
    server.sender().send_prepared(&small).unwrap();
    assert_eq!(drain(&mut server)[0], 0x81);
    // It is too small, or does not become smaller.
    assert_eq!(Prepared::new("tiny", &settings).compressed_len(), None);
    assert_eq!(Prepared::new(noise(1000), &settings).compressed_len(), None);
    let (mut client, mut server) = pair(&settings);
    server.sender().send_prepared(&Prepared::new("tiny", &settings)).unwrap();
    assert_eq!(show(server.outbox().chunk()), show(&hex("81 04 74 69 6e 79")));
    assert_eq!(carry(&mut server, &mut client).1, [Message::text("tiny")]);
}

#[test]
fn it_is_a_message_like_others() {
    let settings = Deflate::default();
    let prepared = Prepared::new(story(), &settings);
    let (_, mut server) = pair(&settings);
    server.send_fragment(towline_proto::MessageKind::Text, b"open", false).unwrap();
    assert_eq!(server.sender().send_prepared(&prepared), Err(SendError::MessageOpen));
    assert_eq!(prepared.message().as_text(), Some(&*story()));
}
