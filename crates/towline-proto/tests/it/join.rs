//! Fragments that came together are one piece.

use std::sync::Arc;
use std::time::Instant;

use towline_proto::{Config, Incoming, MessageKind, ProtocolError, Receiver, Role};

use crate::check::{frame, masked};

/// Feeds a receiver all at once: each piece with its kind, and whether it begins and ends a message.
fn pieces(role: Role, config: &Config, hold: bool, bytes: &[u8]) -> (Vec<Seen>, Receiver) {
    let now = Instant::now();
    let mut receiver = Receiver::new(role, Arc::new(config.clone()), now);
    receiver.hold_messages(hold);
    let mut input = bytes.to_vec();
    let (mut used, mut seen) = (0, Vec::new());
    while used < input.len() {
        let received = receiver.receive(&mut input[used..], now).expect("it is good");
        if let Some(Incoming::Data(data)) = received.event {
            let piece = receiver.lend(&data, &input[used..]).expect("it is good");
            seen.push((piece.kind, piece.payload.to_vec(), piece.start, piece.end));
        }
        used += received.consumed;
    }
    (seen, receiver)
}

type Seen = (MessageKind, Vec<u8>, bool, bool);

fn whole(kind: MessageKind, payload: &[u8]) -> Seen {
    (kind, payload.to_vec(), true, true)
}

/// A message in so many frames, as a server sends it.
fn fragments(kind: MessageKind, payload: &[u8], count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let len = payload.len().div_ceil(count).max(1);
    for (i, part) in payload.chunks(len).enumerate() {
        let fin = if (i + 1) * len >= payload.len() { 0x80 } else { 0 };
        let opcode = match (i, kind) {
            (0, MessageKind::Text) => 1,
            (0, MessageKind::Binary) => 2,
            _ => 0,
        };
        bytes.extend(frame(fin | opcode, part));
    }
    bytes
}

#[test]
fn masked_or_not_short_or_long() {
    let payload: Vec<u8> = (0..=u8::MAX).cycle().take(9000).collect();
    for len in [2, 3, 16, 33, 200, 1000, 9000] {
        for count in [2, 3, 4, 16] {
            let payload = &payload[..len];
            let bytes = fragments(MessageKind::Binary, payload, count.min(len));
            let expected = [whole(MessageKind::Binary, payload)];
            let (seen, mut client) = pieces(Role::Client, &Config::default(), true, &bytes);
            assert_eq!(seen, expected);
            let counts = client.counts();
            assert_eq!(counts.messages, 1);
            assert_eq!(counts.bytes, u64::try_from(bytes.len()).unwrap());
            let (seen, server) = pieces(Role::Server, &Config::default(), false, &masked(&bytes));
            assert_eq!(seen, expected);
            assert_eq!(server.counts().frames, counts.frames);
            // What follows is taken as ever.
            let mut next = frame(0x82, b"next");
            assert!(client.receive_whole(&mut next).is_some());
        }
    }
}

#[test]
fn a_character_that_was_cut_is_whole_again() {
    let text = "aé€𝄞".repeat(30);
    let bytes = fragments(MessageKind::Text, text.as_bytes(), 7);
    let (seen, _) = pieces(Role::Client, &Config::default(), true, &bytes);
    assert_eq!(seen, [whole(MessageKind::Text, text.as_bytes())]);
}

#[test]
fn messages_behind_each_other_stay_apart() {
    let one = fragments(MessageKind::Text, b"one", 3);
    let two = fragments(MessageKind::Binary, b"second", 2);
    let bytes = [one.clone(), frame(0x81, b"x"), two, one].concat();
    let (seen, _) = pieces(Role::Server, &Config::default(), true, &masked(&bytes));
    let text = |text: &str| whole(MessageKind::Text, text.as_bytes());
    assert_eq!(seen, [text("one"), text("x"), whole(MessageKind::Binary, b"second"), text("one")]);
}

/// Each of these goes the long way, fragment by fragment.
#[test]
fn what_is_not_there_or_not_plain_is_not_joined() {
    let apart = |bytes: &[u8], count: usize| {
        let (seen, _) = pieces(Role::Client, &Config::default(), true, bytes);
        assert_eq!(seen.len(), count, "{bytes:?}");
        assert!(!seen[0].3, "the first is not the last");
    };
    let [start, end] = [frame(0x02, b"start"), frame(0x80, b"end")];
    apart(&[start.clone(), end[..end.len() - 1].to_vec()].concat(), 2);
    apart(&start, 1);
    apart(&[start.clone(), frame(0x89, b"ping"), end.clone()].concat(), 2);
    apart(&[start, frame(0x00, b""), end].concat(), 2);
    apart(&fragments(MessageKind::Binary, &[7; 17], 17), 17);
}

#[test]
fn limits_hold_as_for_one_by_one() {
    let bytes = fragments(MessageKind::Binary, &[1; 100], 4);
    let fails = |config: Config| {
        let now = Instant::now();
        let mut receiver = Receiver::new(Role::Client, Arc::new(config), now);
        let mut input = bytes.clone();
        let mut used = 0;
        loop {
            match receiver.receive(&mut input[used..], now) {
                Ok(received) => used += received.consumed,
                Err(error) => return error,
            }
            assert!(used < input.len(), "it was taken");
        }
    };
    let limit = 99;
    let error = fails(Config::default().max_message_size(limit));
    assert_eq!(error, ProtocolError::MessageTooBig { limit });
    let error = fails(Config::default().max_frame_size(24));
    assert_eq!(error, ProtocolError::FrameTooBig { limit: 24, declared: 25 });
    let error = fails(Config::default().max_fragments(3));
    assert_eq!(error, ProtocolError::TooManyFragments { limit: 3 });
    // Of a stream only the frames have limits.
    let config = Config::default().max_message_size(99).max_fragments(3);
    assert_eq!(pieces(Role::Client, &config, false, &bytes).0.len(), 1);
}
