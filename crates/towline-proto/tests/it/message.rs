//! Messages, text that is shared, fragments, and joining them.

use std::time::Instant;

use bytes::Bytes;
use towline_proto::{
    Assembly, Config, Connection, Event, Fragment, Message, MessageKind, Role, Utf8Bytes,
};

use crate::check::{frame, hex};

/// Feeds a client and lets `visit` see each piece.
fn pieces(inputs: &[&str], mut visit: impl FnMut(towline_proto::Piece<'_>)) {
    let now = Instant::now();
    let mut client = Connection::new(Role::Client, Config::default(), [0; 32], now);
    for input in inputs {
        let mut bytes = hex(input);
        let mut rest = &mut bytes[..];
        while !rest.is_empty() {
            let (consumed, event) = client.receive(rest, now).expect("the frames are good");
            if let Some(Event::Piece(piece)) = event {
                visit(piece);
            }
            rest = &mut rest[consumed..];
        }
    }
}

#[test]
fn a_message_knows_its_kind_and_its_bytes() {
    let text = Message::text("héllo");
    assert_eq!((text.kind(), text.len(), text.is_empty()), (MessageKind::Text, 6, false));
    assert_eq!((text.as_text(), text.as_bytes()), (Some("héllo"), "héllo".as_bytes()));
    let data = Message::binary(vec![0xff]);
    assert_eq!((data.kind(), data.len(), data.as_text()), (MessageKind::Binary, 1, None));
    assert!(Message::binary(Bytes::new()).is_empty());
    assert_eq!(text.into_bytes(), "héllo".as_bytes());
}

#[test]
fn whatever_is_text_or_bytes_becomes_a_message() {
    assert_eq!(Message::from("a"), Message::text("a"));
    assert_eq!(Message::from(String::from("a")), Message::text("a"));
    assert_eq!(Message::from(Utf8Bytes::from_static("a")), Message::text("a"));
    assert_eq!(Message::from(vec![1]), Message::binary(vec![1]));
    assert_eq!(Message::from(&[1][..]), Message::binary(vec![1]));
    assert_eq!(Message::from(Bytes::from_static(&[1])), Message::binary(vec![1]));
    assert_ne!(Message::text("a"), Message::binary(b"a".to_vec()));
}

#[test]
fn shared_text_is_text() {
    let text = Utf8Bytes::try_from(Bytes::from_static("κ".as_bytes())).unwrap();
    assert_eq!(text, "κ");
    assert_eq!(text, *"κ");
    assert_eq!((text.as_str(), text.as_ref(), &*text), ("κ", "κ", "κ"));
    assert_eq!((format!("{text}"), format!("{text:?}")), ("κ".to_owned(), "\"κ\"".to_owned()));
    Utf8Bytes::try_from(Bytes::from_static(&[0xff])).unwrap_err();
    assert_eq!(Utf8Bytes::default(), "");
}

#[test]
fn cloning_shared_text_shares_it() {
    let text = Utf8Bytes::from("x".repeat(100));
    assert_eq!(text.clone().into_bytes().as_ptr(), text.into_bytes().as_ptr());
}

#[test]
fn a_piece_that_is_whole_lends_its_text() {
    pieces(&["81 03 61 c3 a9"], |piece| {
        assert!(piece.is_whole());
        assert_eq!(piece.as_text(), Some("aé"));
    });
    pieces(&["82 01 61"], |piece| assert_eq!(piece.as_text(), None));
    pieces(&["01 01 61", "80 01 62"], |piece| assert_eq!(piece.as_text(), None));
    // Fragments that came together are one piece.
    pieces(&["01 01 61 80 01 62"], |piece| assert_eq!(piece.as_text(), Some("ab")));
    // Empty fragments do not count: nothing was handed out before.
    pieces(&["01 00 80 02 61 62"], |piece| assert_eq!(piece.as_text(), Some("ab")));
}

#[test]
fn a_fragment_of_text_holds_whole_characters() {
    let mut fragments = Vec::new();
    // "aéb" and "€", cut within both characters.
    pieces(&["81 07 61 c3", "a9 62 e2", "82", "ac"], |piece| {
        fragments.push(piece.to_fragment());
    });
    let expected =
        [("a", true, false), ("éb", false, false), ("", false, false), ("€", false, true)];
    let expected = expected.map(|(text, start, end)| {
        Fragment::new(MessageKind::Text, Bytes::from_static(text.as_bytes()), start, end)
    });
    assert_eq!(fragments, expected);
}

#[test]
fn an_assembly_gives_each_message_with_its_last_piece() {
    let mut assembly = Assembly::default();
    let mut messages = Vec::new();
    let mut held = Vec::new();
    pieces(&["01 02 61", "c3", "80 02 a9 62 02 01 ff", "00 01 fe 80 00 81 01 63"], |piece| {
        messages.extend(assembly.push(&piece));
        held.push(assembly.len());
    });
    let expected = [Message::text("aéb"), Message::binary(vec![0xff, 0xfe]), Message::text("c")];
    assert_eq!(messages, expected);
    assert_eq!(held, [1, 1, 0, 1, 2, 0, 0]);
    assert!(assembly.is_empty());
}

#[test]
fn what_an_assembly_holds_can_be_taken() {
    for (first, expected) in [("01", &b"ab"[..]), ("02", &b"ab\xc3"[..])] {
        let mut assembly = Assembly::default();
        pieces(&[&format!("{first} 03 61 62 c3")], |piece| {
            assert_eq!(assembly.push(&piece), None);
        });
        assert_eq!(assembly.take().unwrap(), expected);
        assert!(assembly.is_empty());
        assert_eq!(assembly.take(), None);
    }
}

#[test]
fn a_fragment_has_its_own_copy_of_the_bytes() {
    let mut bytes = frame(0x82, b"abc");
    let now = Instant::now();
    let mut client = Connection::new(Role::Client, Config::default(), [0; 32], now);
    let Ok((_, Some(Event::Piece(piece)))) = client.receive(&mut bytes, now) else {
        panic!("no piece")
    };
    let fragment = piece.to_fragment();
    bytes.fill(0);
    assert_eq!(fragment.payload, &b"abc"[..]);
}
