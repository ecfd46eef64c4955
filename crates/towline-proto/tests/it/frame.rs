//! Headers: every form of length, both roles, every rule of RFC 6455 §5.2.

use proptest::prelude::{Strategy, any, proptest};
use towline_proto::{FrameHeader, MaskKey, Opcode, ProtocolError, Role};

use crate::check::{binary, check, check_bytes, check_fails, check_fails_after, frame, hex, text};

fn parse(digits: &str) -> Result<Option<(FrameHeader, usize)>, ProtocolError> {
    FrameHeader::parse(&hex(digits), Role::Client)
}

#[track_caller]
fn check_header(digits: &str, header: FrameHeader) {
    let bytes = hex(digits);
    let role = if header.mask.is_some() { Role::Server } else { Role::Client };
    assert_eq!(FrameHeader::parse(&bytes, role), Ok(Some((header, bytes.len()))));
    assert_eq!(header.encode().as_ref(), bytes);
    for cut in 0..bytes.len() {
        assert_eq!(FrameHeader::parse(&bytes[..cut], role), Ok(None), "cut at {cut}");
    }
}

#[test]
fn a_length_up_to_125_takes_no_byte() {
    check_header("82 00", FrameHeader::new(true, Opcode::Binary, None, 0));
    check_header("01 7d", FrameHeader::new(false, Opcode::Text, None, 125));
}

#[test]
fn a_length_from_126_takes_two_bytes() {
    check_header("82 7e 00 7e", FrameHeader::new(true, Opcode::Binary, None, 126));
    check_header("00 7e ff ff", FrameHeader::new(false, Opcode::Continuation, None, 65535));
}

#[test]
fn a_length_from_65536_takes_eight_bytes() {
    check_header(
        "82 7f 00 00 00 00 00 01 00 00",
        FrameHeader::new(true, Opcode::Binary, None, 65536),
    );
    check_header(
        "82 7f 7f ff ff ff ff ff ff ff",
        FrameHeader::new(true, Opcode::Binary, None, (1 << 63) - 1),
    );
}

#[test]
fn a_mask_follows_the_length() {
    let key = Some(MaskKey::new([1, 2, 3, 4]));
    check_header("82 80 01 02 03 04", FrameHeader::new(true, Opcode::Binary, key, 0));
    check_header("82 fe 01 00 01 02 03 04", FrameHeader::new(true, Opcode::Binary, key, 256));
    check_header(
        "82 ff 00 00 00 00 00 01 00 00 01 02 03 04",
        FrameHeader::new(true, Opcode::Binary, key, 65536),
    );
}

#[test]
fn every_opcode_has_its_number() {
    for (digits, opcode) in [
        ("80 00", Opcode::Continuation),
        ("81 00", Opcode::Text),
        ("82 00", Opcode::Binary),
        ("88 00", Opcode::Close),
        ("89 00", Opcode::Ping),
        ("8a 00", Opcode::Pong),
    ] {
        check_header(digits, FrameHeader::new(true, opcode, None, 0));
    }
}

#[test]
fn a_length_must_be_in_its_shortest_form() {
    check_fails("82 7e 00 00", ProtocolError::LengthNotMinimal);
    check_fails("82 7e 00 7d", ProtocolError::LengthNotMinimal);
    check_fails("82 7f 00 00 00 00 00 00 00 00", ProtocolError::LengthNotMinimal);
    check_fails("82 7f 00 00 00 00 00 00 00 7d", ProtocolError::LengthNotMinimal);
    check_fails("82 7f 00 00 00 00 00 00 00 7e", ProtocolError::LengthNotMinimal);
    check_fails("82 7f 00 00 00 00 00 00 ff ff", ProtocolError::LengthNotMinimal);
}

#[test]
fn a_length_may_not_have_its_top_bit() {
    check_fails("82 7f 80 00 00 00 00 00 00 00", ProtocolError::LengthTopBit);
    check_fails("82 7f 80 00 00 00 00 00 00 01", ProtocolError::LengthTopBit);
    check_fails("82 7f ff ff ff ff ff ff ff ff", ProtocolError::LengthTopBit);
}

#[test]
fn every_single_frame_at_the_edges_of_the_length_forms_arrives() {
    for len in [0, 1, 124, 125, 126, 127, 128, 65535, 65536, 65537] {
        let payload = vec![0xfe; len];
        check_bytes(&frame(0x82, &payload), &[binary(&payload)]);
        let letters = "*".repeat(len);
        check_bytes(&frame(0x81, letters.as_bytes()), &[text(&letters)]);
    }
}

#[test]
fn each_reserved_bit_is_refused_on_each_kind_of_frame() {
    for rsv in ["1", "2", "3", "4", "5", "6", "7"] {
        let bits = rsv.parse::<u8>().unwrap() << 4;
        for opcode in [0x0, 0x1, 0x2, 0x8, 0x9, 0xa] {
            let first = 0x80 | bits | opcode;
            check_fails(&format!("{first:02x} 00"), ProtocolError::ReservedBits);
        }
    }
}

#[test]
fn a_reserved_bit_is_refused_after_good_frames() {
    let error = ProtocolError::ReservedBits;
    check_fails_after("81 02 68 69 a1 02 68 69", &[text("hi")], error);
    check_fails_after("81 02 68 69 f1 00 89 00", &[text("hi")], error);
    check_fails("41 01 68", error);
}

#[test]
fn every_reserved_opcode_is_refused() {
    for opcode in [3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf] {
        let error = ProtocolError::ReservedOpcode(opcode);
        check_fails(&format!("8{opcode:x}"), error);
        check_fails(&format!("8{opcode:x} 00"), error);
        check_fails(&format!("8{opcode:x} 05 48 65 6c 6c 6f 81 00"), error);
        check_fails(&format!("0{opcode:x} 00"), error);
        check_fails_after(&format!("82 01 00 8{opcode:x} 00"), &[binary(&[0])], error);
    }
}

#[test]
fn what_one_byte_shows_to_be_wrong_is_wrong_at_once() {
    assert_eq!(parse("c1"), Err(ProtocolError::ReservedBits));
    assert_eq!(parse("83"), Err(ProtocolError::ReservedOpcode(3)));
    assert_eq!(parse("09"), Ok(None));
    assert_eq!(parse(""), Ok(None));
}

#[test]
fn what_two_bytes_show_to_be_wrong_is_wrong_at_once() {
    assert_eq!(parse("89 7e"), Err(ProtocolError::ControlFrameTooLong));
    assert_eq!(parse("8a 7f"), Err(ProtocolError::ControlFrameTooLong));
    assert_eq!(parse("09 00"), Err(ProtocolError::FragmentedControlFrame));
    assert_eq!(parse("82 ff"), Err(ProtocolError::MaskedFrame));
    assert_eq!(FrameHeader::parse(&[0x82, 0x7f], Role::Server), Err(ProtocolError::UnmaskedFrame));
}

#[test]
fn control_frames_are_short_and_whole() {
    for opcode in [0x8, 0x9, 0xa] {
        check_fails(&format!("8{opcode:x} 7e 00 7e"), ProtocolError::ControlFrameTooLong);
        check_fails(
            &format!("8{opcode:x} 7f 00 00 00 00 00 01 00 00"),
            ProtocolError::ControlFrameTooLong,
        );
        check_fails(&format!("0{opcode:x} 00"), ProtocolError::FragmentedControlFrame);
        check_fails(&format!("0{opcode:x} 01 00"), ProtocolError::FragmentedControlFrame);
    }
}

#[test]
fn only_clients_mask() {
    for first in [0x81, 0x82, 0x88, 0x89, 0x8a, 0x01] {
        let refused = FrameHeader::parse(&[first, 0x00], Role::Server);
        assert_eq!(refused, Err(ProtocolError::UnmaskedFrame));
        let refused = FrameHeader::parse(&[first, 0x80, 1, 2, 3, 4], Role::Client);
        assert_eq!(refused, Err(ProtocolError::MaskedFrame));
    }
}

#[test]
fn a_mask_of_zeros_is_a_mask() {
    let bytes = hex("82 82 00 00 00 00 61 62");
    let outcome = crate::check::feed(Role::Server, &towline_proto::Config::default(), &bytes, &[]);
    assert_eq!(outcome.events, [binary(b"ab")]);
}

#[test]
fn empty_messages_are_messages() {
    check("81 00", &[text("")]);
    check("82 00", &[binary(&[])]);
    check("81 00 82 00 81 00", &[text(""), binary(&[]), text("")]);
}

fn opcodes() -> impl Strategy<Value = Opcode> {
    use towline_proto::Opcode::{Binary, Close, Continuation, Ping, Pong, Text};
    proptest::sample::select(vec![Continuation, Text, Binary, Close, Ping, Pong])
}

proptest! {
    #[test]
    fn what_is_encoded_is_parsed(
        fin: bool, opcode in opcodes(), key: Option<[u8; 4]>,
        len in proptest::prop_oneof![0..300u64, 65000..66000u64, 0..1u64 << 63],
        tail: Vec<u8>,
    ) {
        let (fin, len) =
            if opcode.is_control() { (true, len.min(125)) } else { (fin, len) };
        let header = FrameHeader::new(fin, opcode, key.map(MaskKey::new), len);
        let role = if key.is_some() { Role::Server } else { Role::Client };
        let mut bytes = header.encode().as_ref().to_vec();
        let encoded = bytes.len();
        bytes.extend(tail);
        proptest::prop_assert_eq!(FrameHeader::parse(&bytes, role), Ok(Some((header, encoded))));
    }

    #[test]
    fn what_is_parsed_is_encoded_to_the_same_bytes(
        bytes in proptest::collection::vec(any::<u8>(), 0..20), client: bool
    ) {
        let role = if client { Role::Client } else { Role::Server };
        if let Ok(Some((header, len))) = FrameHeader::parse(&bytes, role) {
            proptest::prop_assert!(len <= FrameHeader::MAX_LEN);
            let encoded = header.encode();
            proptest::prop_assert_eq!(encoded.as_ref(), &bytes[..len]);
        }
    }

    #[test]
    fn more_bytes_never_change_a_verdict(
        bytes in proptest::collection::vec(any::<u8>(), 0..20), client: bool
    ) {
        let role = if client { Role::Client } else { Role::Server };
        let whole = FrameHeader::parse(&bytes, role);
        for cut in 0..bytes.len() {
            let part = FrameHeader::parse(&bytes[..cut], role);
            proptest::prop_assert!(part == Ok(None) || part == whole);
        }
    }
}
