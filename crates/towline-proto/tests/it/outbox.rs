//! Bytes come out of the outbox in the order in which they went in, however they are written.

use std::io::IoSlice;
use std::time::Instant;

use bytes::{Buf, Bytes};
use proptest::prelude::proptest;
use towline_proto::{Config, Connection, MessageKind, Role};

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
