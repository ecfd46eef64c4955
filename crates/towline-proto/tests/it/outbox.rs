//! Bytes come out of the outbox in the order in which they went in, however they are written.

use std::io::IoSlice;
use std::time::Instant;

use bytes::{Buf, Bytes};
use proptest::prelude::proptest;
use towline_proto::{Config, Connection, Event, MessageKind, Part, Role, SendError};

use crate::check::{Random, drain, frame, hex};

fn server() -> Connection {
    Connection::new(Role::Server, Config::default(), [0; 32], Instant::now())
}

#[test]
fn a_new_outbox_is_empty() {
    let mut server = server();
    assert!(server.outbox().is_empty());
    assert_eq!((server.outbox().len(), server.outbox().remaining()), (0, 0));
    assert!(server.outbox().chunk().is_empty());
    assert_eq!(server.outbox().chunks_vectored(&mut [IoSlice::new(&[])]), 0);
}

#[test]
fn small_messages_leave_in_one_piece() {
    let mut server = server();
    for letters in ["a", "b", "c"] {
        server.send(letters).unwrap();
    }
    assert_eq!(server.outbox().chunk(), hex("81 01 61 81 01 62 81 01 63"));
}

#[test]
fn large_messages_are_queued_without_a_copy() {
    let mut server = server();
    let payload = Bytes::from(vec![7; 100_000]);
    server.send("a").unwrap();
    server.send(payload.clone()).unwrap();
    server.send("b").unwrap();
    let outbox = server.outbox();
    let mut slices = [IoSlice::new(&[]); 8];
    assert_eq!(outbox.chunks_vectored(&mut slices), 3);
    assert_eq!(&*slices[0], [&hex("81 01 61")[..], &frame(0x82, &payload)[..10]].concat());
    assert_eq!(slices[1].as_ptr(), payload.as_ptr());
    assert_eq!(&*slices[2], hex("81 01 62"));
}

#[test]
fn a_short_list_of_slices_is_filled_and_no_more() {
    let mut server = server();
    for _ in 0..5 {
        server.send(Bytes::from(vec![7; 5000])).unwrap();
    }
    let outbox = server.outbox();
    assert_eq!(outbox.chunks_vectored(&mut [IoSlice::new(&[]); 3]), 3);
    assert_eq!(outbox.chunks_vectored(&mut []), 0);
}

#[test]
fn many_messages_queued_at_once_leave_in_order() {
    let mut server = server();
    let mut expected = Vec::new();
    let mut random = Random(3);
    for n in 0..=u8::MAX {
        let payload = vec![n; random.next() % 9000];
        expected.extend(frame(0x82, &payload));
        server.send(payload).unwrap();
    }
    assert_eq!(server.outbox().len(), expected.len());
    assert!(drain(&mut server) == expected);
}

#[test]
#[should_panic(expected = "no more can be written than waits")]
fn more_than_waits_cannot_be_written() {
    let mut server = server();
    server.send("a").unwrap();
    server.outbox().advance(4);
}

#[test]
fn nothing_may_be_written_at_any_time() {
    let mut server = server();
    server.outbox().advance(0);
    server.send(vec![1; 5000]).unwrap();
    server.outbox().advance(0);
    assert_eq!(server.outbox().len(), 5004);
}

proptest! {
    #[test]
    fn any_writes_between_any_messages(
        steps in proptest::collection::vec(
            (proptest::prop_oneof![0..20usize, 4090..4100usize, 0..20000usize], 0..12000usize, 1..4usize),
            0..40,
        ),
    ) {
        let mut server = server();
        let mut expected = Vec::new();
        let mut written = Vec::new();
        for (n, (len, take, slices)) in steps.into_iter().enumerate() {
            let payload = vec![u8::try_from(n).unwrap(); len];
            if n % 3 == 0 {
                server.send_fragment(MessageKind::Binary, &payload, true).unwrap();
            } else {
                server.send(payload.clone()).unwrap();
            }
            expected.extend(frame(0x82, &payload));
            let outbox = server.outbox();
            let mut list = vec![IoSlice::new(&[]); slices];
            let count = outbox.chunks_vectored(&mut list);
            let waits = list[..count].iter().map(|slice| &**slice).collect::<Vec<_>>().concat();
            let take = take.min(waits.len());
            written.extend_from_slice(&waits[..take]);
            outbox.advance(take);
            proptest::prop_assert_eq!(outbox.len(), expected.len() - written.len());
        }
        written.extend(drain(&mut server));
        proptest::prop_assert!(written == expected);
    }
}

/// Borrowed payloads go out in the same order, whatever the byte stream takes of them at once.
#[test]
fn what_is_written_through_follows_what_waits() {
    let large = vec![9; 5000];
    for queued in [false, true] {
        for taken in [0, 1, 3, 4, 7, 11, 4000, 5006, 5010, 5011, 10_020, usize::MAX] {
            let (mut server, mut plain) = (server(), server());
            for server in [&mut server, &mut plain] {
                server.send("abc").unwrap();
                if queued {
                    server.send(Bytes::from(vec![8; 5000])).unwrap();
                }
            }
            plain.sender().send_part(&large[..]).unwrap();
            let expected = drain(&mut plain);

            let mut out = Vec::new();
            let write = |slices: &[IoSlice<'_>]| {
                out.extend(slices.iter().flat_map(|slice| slice.iter()).take(taken));
                out.len()
            };
            server.sender().send_part_through(&large[..], write).unwrap();
            out.extend(drain(&mut server));
            assert!(out == expected, "{taken} taken at once, queued: {queued}");
            assert_eq!(server.sender().counts(), plain.sender().counts());
        }
    }
}

/// A client masks 1 MiB at a time, and writes as long as all that it offers is taken.
#[test]
fn a_client_masks_what_it_writes_through() {
    const PART: usize = 1024 * 1024;
    let large: Vec<u8> = (0..3 * PART + 5).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let client = || Connection::new(Role::Client, Config::default(), [7; 32], Instant::now());
    let mut plain = client();
    plain.send("abc").unwrap();
    plain.send(Bytes::from(large.clone())).unwrap();
    let expected = drain(&mut plain);

    // How much each call takes, and how many are made.
    let all = usize::MAX;
    for (takes, calls) in [
        (&[0][..], 1),
        (&[5], 1),
        (&[PART], 1),
        (&[all, 0], 2),
        (&[all, all, PART - 1], 3),
        (&[all, all, all], 3),
    ] {
        for owned in [false, true] {
            let mut client = client();
            client.send("abc").unwrap();
            let (mut out, mut called) = (Vec::new(), 0);
            let write = |slices: &[IoSlice<'_>]| {
                let before = out.len();
                let offered = slices.iter().flat_map(|slice| slice.iter());
                out.extend(offered.take(takes[called]));
                called += 1;
                out.len() - before
            };
            if owned {
                client.sender().send_through(large.clone().into(), write).unwrap();
            } else {
                client.sender().send_part_through(&large[..], write).unwrap();
            }
            out.extend(drain(&mut client));
            assert!(out == expected, "{takes:?} taken, owned: {owned}");
            assert_eq!(called, calls, "{takes:?} taken, owned: {owned}");
            assert_eq!(client.sender().counts(), plain.sender().counts());
        }
    }
}

#[test]
fn too_many_pieces_for_one_write_are_not_overtaken() {
    let mut server = server();
    let mut plain = self::server();
    for server in [&mut server, &mut plain] {
        for number in 0..20 {
            server.send(Bytes::from(vec![number; 5000])).unwrap();
        }
    }
    plain.sender().send_part(&[9; 5000][..]).unwrap();
    server.sender().send_part_through(&[9; 5000][..], |_| panic!("it has no place")).unwrap();
    assert!(drain(&mut server) == drain(&mut plain));
}

#[test]
fn memory_that_was_lent_is_used_and_comes_back() {
    let mut server = server();
    let memory = Vec::with_capacity(1000);
    let place = memory.as_ptr();
    server.sender().lend_memory(memory);
    server.send("a").unwrap();
    assert_eq!(server.outbox().chunk().as_ptr(), place);
    assert!(server.sender().take_back_memory().is_none(), "it is still in use");
    server.outbox().advance(3);
    assert!(server.sender().has_memory());
    let memory = server.sender().take_back_memory().unwrap();
    assert_eq!((memory.as_ptr(), memory.len()), (place, 0));
    assert!(!server.sender().has_memory());
    assert!(server.sender().take_back_memory().is_none());
    // Its own memory it gives back by itself.
    server.send("a").unwrap();
    server.sender().lend_memory(memory);
    assert_ne!(server.outbox().chunk().as_ptr(), place);
    server.outbox().advance(3);
    assert!(!server.sender().has_memory());
}

#[test]
fn what_is_known_to_be_text_is_not_let_into_a_character() {
    let mut server = server();
    server.send_fragment(MessageKind::Text, "é".as_bytes().split_at(1).0, false).unwrap();
    let mut peer = self::server();
    let mut start = [0x01, 0x81, 0, 0, 0, 0, b'a'];
    assert!(peer.receive(&mut start, Instant::now()).unwrap().1.is_some());
    let mut end = [0x80, 0x81, 0, 0, 0, 0, b'b'];
    let (_, event) = peer.receive(&mut end, Instant::now()).unwrap();
    let Some(Event::Piece(last)) = event else { panic!("{event:?}") };
    assert!(!last.start);
    assert_eq!(server.sender().send_part(last), Err(SendError::InvalidUtf8));
    assert_eq!(server.sender().send_part("whole"), Err(SendError::MessageOpen));
}

/// What goes quickly and what does not are the same bytes, and the same bound holds.
#[test]
fn quick_sends_keep_the_bound() {
    let config = Config::default().max_outbox(100);
    let mut server = Connection::new(Role::Server, config, [0; 32], Instant::now());
    let part = Part::from("0123456789");
    assert!(!server.sender().send_quick(&part), "there is no memory yet");
    server.sender().lend_memory(Vec::with_capacity(10_000));
    let memory = server.sender().take_back_memory().unwrap();
    assert!(!server.sender().send_quick(&part), "the memory is gone");
    server.sender().lend_memory(memory);
    let mut quick = 0;
    while server.sender().send_quick(&part) {
        quick += 1;
    }
    assert_eq!((quick, server.outbox().len()), (8, 96));
    assert!(server.sender().has_room());
    server.outbox().advance(1);
    assert!(!server.sender().send_quick(&part), "what was written is in the way");
    let expected = hex("81 0A 30 31 32 33 34 35 36 37 38 39").repeat(8);
    assert_eq!(drain(&mut server), expected[1..]);
}

/// A client's quick sends are masked, each with a key of its own, and counted like all others.
#[test]
fn quick_sends_of_a_client_are_masked() {
    let config = Config::default().max_outbox(200);
    let mut client = Connection::new(Role::Client, config, [7; 32], Instant::now());
    client.sender().lend_memory(Vec::with_capacity(10_000));
    let part = Part::from("0123456789");
    let mut quick = 0;
    while client.sender().send_quick(&part) {
        quick += 1;
    }
    // Of 16 bytes each: the thirteenth would go beyond the 200.
    assert_eq!((quick, client.outbox().len()), (12, 192));
    assert!(client.sender().send_part(Part::from("")).is_ok());
    let counts = client.sender().counts();
    assert_eq!((counts.frames, counts.messages, counts.bytes), (13, 13, 198));
    let mut wire = drain(&mut client);
    let keys: std::collections::HashSet<_> =
        wire.chunks(16).map(|frame| frame[2..6].to_vec()).collect();
    assert_eq!(keys.len(), 13, "a key is used once");
    let mut server = server();
    let mut used = 0;
    for _ in 0..12 {
        let (consumed, event) = server.receive(&mut wire[used..], Instant::now()).unwrap();
        let Some(Event::Piece(piece)) = event else { panic!("{event:?}") };
        assert_eq!(piece.as_text(), Some("0123456789"));
        used += consumed;
    }
}
