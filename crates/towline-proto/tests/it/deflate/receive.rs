//! Compressed messages as they come (RFC 7692 §6.2, §7.2.2, §7.2.3).

use std::time::Instant;

use towline_proto::{Event, ProtocolError, Role};

use super::connection;
use crate::check::{Got, check_fails, check_on, feed_to, frame, hex, masked, ping, text};

/// The transcript, received where the defaults were agreed on, gives these events.
#[track_caller]
fn check(transcript: &str, events: &[Got]) {
    check_on(connection, &hex(transcript), events, None);
}

#[track_caller]
fn check_refused(transcript: &str, events: &[Got], error: ProtocolError) {
    check_on(connection, &hex(transcript), events, Some(error));
}

#[test]
fn rfc_7692_section_7_2_3_1_a_message_in_one_block() {
    check("c1 07 f2 48 cd c9 c9 07 00", &[text("Hello")]);
    check("41 03 f2 48 cd 80 04 c9 c9 07 00", &[text("Hello")]);
}

#[test]
fn rfc_7692_section_7_2_3_2_sharing_the_window() {
    check("c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00", &[text("Hello"), text("Hello")]);
}

#[test]
fn rfc_7692_section_7_2_3_3_a_block_without_compression() {
    check("c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00", &[text("Hello")]);
}

#[test]
fn rfc_7692_section_7_2_3_4_a_block_marked_as_the_last() {
    check("c1 08 f3 48 cd c9 c9 07 00 00", &[text("Hello")]);
    // Twice: the stream has ended in between.
    check(
        "c1 08 f3 48 cd c9 c9 07 00 00 c1 08 f3 48 cd c9 c9 07 00 00",
        &[text("Hello"), text("Hello")],
    );
    // The octet behind it forgotten.
    check("c1 07 f3 48 cd c9 c9 07 00 c1 07 f2 48 cd c9 c9 07 00", &[text("Hello"), text("Hello")]);
}

#[test]
fn rfc_7692_section_7_2_3_5_two_blocks_in_a_message() {
    check("c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00", &[text("Hello")]);
}

#[test]
fn rfc_7692_section_7_2_3_6_an_empty_fragment() {
    check("41 00 80 01 00", &[text("")]);
    check("c1 01 00", &[text("")]);
    check("41 07 f2 48 cd c9 c9 07 00 00 00 80 00", &[text("Hello")]);
    // A payload of nothing at all is nobody's form of it, and harms nothing.
    check(
        "c1 00 c1 07 f2 48 cd c9 c9 07 00 c1 00 c1 05 f2 00 11 00 00",
        &[text(""), text("Hello"), text(""), text("Hello")],
    );
}

#[test]
fn an_uncompressed_message_is_none_of_the_decompressors_business() {
    check(
        "c1 07 f2 48 cd c9 c9 07 00 81 02 48 69 c1 05 f2 00 11 00 00",
        &[text("Hello"), text("Hi"), text("Hello")],
    );
}

#[test]
fn control_frames_come_between() {
    check("41 03 f2 48 cd 89 01 70 80 04 c9 c9 07 00", &[ping(b"p"), text("Hello")]);
}

#[test]
fn the_bit_is_for_a_first_frame_where_it_was_agreed_on() {
    check_fails("c1 07 f2 48 cd c9 c9 07 00", ProtocolError::ReservedBits);
    for wrong in ["c9 00", "ca 00", "c8 00", "a1 00", "91 00", "e1 00", "d1 00", "c0 00"] {
        check_refused(wrong, &[], ProtocolError::ReservedBits);
    }
    // RFC 7692 §6.1: not on the frames that follow.
    check_refused("41 03 f2 48 cd c0 04 c9 c9 07 00", &[], ProtocolError::ReservedBits);
    check_refused("01 01 61 c0 01 00", &[], ProtocolError::ReservedBits);
    // The opcodes' own rule comes after.
    check_refused("c3 00", &[], ProtocolError::ReservedOpcode(3));
}

#[test]
fn what_cannot_be_inflated_fails_with_1007() {
    assert_eq!(ProtocolError::InvalidDeflate.close_code().get(), 1007);
    for payload in [
        "07 00",                // a block of the type that there is not
        "00 05 00 fa fe 48 65", // a length and its complement that differ
        "f2 00 11 00 00",       // before the beginning
        "fc ff ff",             // more codes than there are
    ] {
        let transcript = frame(0xc2, &hex(payload));
        check_on(connection, &transcript, &[], Some(ProtocolError::InvalidDeflate));
    }
    let good = "c1 07 f2 48 cd c9 c9 07 00";
    check_refused(&format!("{good} c1 02 07 00"), &[text("Hello")], ProtocolError::InvalidDeflate);
}

#[test]
fn text_is_checked_when_it_is_inflated() {
    // A stored block with a byte that is no text.
    check_refused("c1 07 00 01 00 fe ff ff 00", &[], ProtocolError::InvalidUtf8);
    // A character that the end cuts.
    check_refused("c1 07 00 01 00 fe ff c3 00", &[], ProtocolError::InvalidUtf8);
    // A character in two blocks, two frames.
    check("41 06 00 01 00 fe ff c3 80 07 00 01 00 fe ff a9 00", &[text("é")]);
}

#[test]
fn bytes_are_unmasked_once_however_much_of_them_is_used_up() {
    // 1 MiB of zeros: every piece is full, and the payload is used up slowly.
    let mut sender = connection(Role::Client);
    sender.send(vec![0; 1024 * 1024]).unwrap();
    let mut bytes = crate::check::drain(&mut sender);
    assert!(bytes.len() < 16 * 1024);
    let mut receiver = connection(Role::Server);
    let (mut input, mut total, mut pieces) = (&mut bytes[..], 0, 0);
    while !input.is_empty() {
        let (consumed, event) = receiver.receive(input, Instant::now()).unwrap();
        if let Some(Event::Piece(piece)) = event {
            assert!(piece.payload.len() <= 32 * 1024);
            assert!(piece.payload.iter().all(|byte| *byte == 0));
            total += piece.payload.len();
            pieces += 1;
        }
        input = &mut input[consumed..];
    }
    assert_eq!((total, pieces >= 32), (1024 * 1024, true));
}

#[test]
fn a_connection_that_has_failed_inflates_nothing_more() {
    let bytes = masked(&hex("c1 02 07 00 c1 07 f2 48 cd c9 c9 07 00"));
    let outcome = feed_to(connection(Role::Server), &bytes, &[]);
    assert_eq!(outcome.error, Some(ProtocolError::InvalidDeflate));
    assert!(outcome.events.is_empty());
}
