//! The examples of RFC 6455 §5.7, byte for byte.

use std::time::Instant;

use towline_proto::{Config, Connection, MessageKind, Role};

use crate::check::{binary, check, check_answer, drain, feed, hex, ping, show, text};

#[test]
fn a_single_frame_unmasked_text_message() {
    check("81 05 48 65 6c 6c 6f", &[text("Hello")]);
}

#[test]
fn a_single_frame_masked_text_message() {
    let bytes = hex("81 85 37 fa 21 3d 7f 9f 4d 51 58");
    for cut in 1..bytes.len() {
        let outcome = feed(Role::Server, &Config::default(), &bytes, &[cut]);
        assert_eq!((outcome.events, outcome.error), (vec![text("Hello")], None), "cut at {cut}");
    }
}

#[test]
fn a_fragmented_unmasked_text_message() {
    check("01 03 48 65 6c  80 02 6c 6f", &[text("Hello")]);
}

#[test]
fn an_unmasked_ping_and_its_answer() {
    check("89 05 48 65 6c 6c 6f", &[ping(b"Hello")]);
    check_answer("89 05 48 65 6c 6c 6f", "8a 05 48 65 6c 6c 6f");
}

#[test]
fn a_masked_pong() {
    let bytes = hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58");
    let outcome = feed(Role::Server, &Config::default(), &bytes, &[]);
    assert_eq!(outcome.events, [crate::check::pong(b"Hello")]);
}

#[test]
fn binary_of_256_bytes_in_a_single_unmasked_frame() {
    let mut transcript = hex("82 7e 01 00");
    transcript.extend([0xa5; 256]);
    check(&show(&transcript), &[binary(&[0xa5; 256])]);
}

#[test]
fn binary_of_64_kib_in_a_single_unmasked_frame() {
    let mut transcript = hex("82 7f 00 00 00 00 00 01 00 00");
    transcript.extend([0xa5; 65536]);
    check(&show(&transcript), &[binary(&[0xa5; 65536])]);
}

#[test]
fn our_own_frames_are_the_examples() {
    let now = Instant::now();
    let mut server = Connection::new(Role::Server, Config::default(), [0; 32], now);
    server.send("Hello").unwrap();
    assert_eq!(drain(&mut server), hex("81 05 48 65 6c 6c 6f"));
    server.send_fragment(MessageKind::Text, b"Hel", false).unwrap();
    server.send_fragment(MessageKind::Text, b"lo", true).unwrap();
    assert_eq!(drain(&mut server), hex("01 03 48 65 6c  80 02 6c 6f"));
    server.ping(b"Hello", now).unwrap();
    assert_eq!(drain(&mut server), hex("89 05 48 65 6c 6c 6f"));
    server.send(vec![0; 256]).unwrap();
    assert_eq!(drain(&mut server)[..4], hex("82 7e 01 00"));
    server.send(vec![0; 65536]).unwrap();
    assert_eq!(drain(&mut server)[..10], hex("82 7f 00 00 00 00 00 01 00 00"));
}
