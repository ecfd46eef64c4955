//! UTF-8 as it streams, against std's checker, at every cut.

use proptest::prelude::{Strategy, any, proptest};
use towline_proto::{ProtocolError, Utf8Validator};

use crate::check::{
    Random, check, check_bytes, check_fails, check_fails_at_last_byte, frame, hex, show, text,
};

/// Bytes before the first that can never become part of UTF-8, by std's word.
fn good_len(bytes: &[u8]) -> usize {
    let viable = |end: &usize| match str::from_utf8(&bytes[..*end]) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    (0..=bytes.len()).take_while(viable).last().unwrap_or(0)
}

/// Pushes pieces; gives the whole characters, or at which piece it failed.
fn push_all(pieces: &[&[u8]]) -> Result<String, usize> {
    let mut utf8 = Utf8Validator::default();
    let mut text = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        let checked = utf8.push(piece).map_err(|_| at)?;
        text.extend(checked.first);
        text.push_str(checked.rest);
    }
    utf8.finish().map_err(|_| pieces.len())?;
    Ok(text)
}

fn one_by_one(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.chunks(1).collect()
}

#[track_caller]
fn agrees_with_std(bytes: &[u8]) {
    let good = good_len(bytes);
    let expected = str::from_utf8(bytes).map(str::to_owned);
    match push_all(&one_by_one(bytes)) {
        Ok(text) => assert_eq!(Ok(text), expected, "{bytes:02x?}"),
        Err(at) => {
            assert!(expected.is_err(), "{bytes:02x?} is UTF-8");
            assert_eq!(at, good, "{bytes:02x?} fails at its first bad byte");
        }
    }
    for cut in 0..=bytes.len() {
        let (first, second) = bytes.split_at(cut);
        match push_all(&[first, second]) {
            Ok(text) => assert_eq!(Ok(text), expected, "{bytes:02x?} cut at {cut}"),
            Err(0) => assert!(good < cut, "{bytes:02x?} cut at {cut} fails too early"),
            Err(1) => assert!((cut..bytes.len()).contains(&good), "{bytes:02x?} cut at {cut}"),
            Err(_) => assert!(good == bytes.len() && expected.is_err(), "{bytes:02x?} is cut"),
        }
    }
}

#[test]
fn every_one_and_two_bytes() {
    for first in 0..=u8::MAX {
        agrees_with_std(&[first]);
        for second in 0..=u8::MAX {
            agrees_with_std(&[first, second]);
        }
    }
}

#[test]
fn every_edge_of_three_and_four_bytes() {
    let edges = [
        0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1,
        0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xfb, 0xfd, 0xfe, 0xff,
    ];
    for a in edges {
        for b in edges {
            for c in edges {
                agrees_with_std(&[a, b, c]);
                for d in [0x41, 0x80, 0xbf, 0xc2, 0xff] {
                    agrees_with_std(&[a, b, c, d]);
                    agrees_with_std(&[b'x', a, b, c, d, b'y']);
                }
            }
        }
    }
}

#[test]
fn every_scalar_value_cut_everywhere() {
    let mut buffer = [0; 4];
    for scalar in (0..=0x0011_0000).filter_map(char::from_u32) {
        let bytes = scalar.encode_utf8(&mut buffer).as_bytes();
        for cut in 0..=bytes.len() {
            let (first, second) = bytes.split_at(cut);
            assert_eq!(push_all(&[first, second]).as_deref(), Ok(&*scalar.to_string()));
        }
    }
}

#[test]
fn a_bad_byte_is_found_wherever_it_lies_in_a_long_text() {
    for len in [60, 63, 64, 65, 127, 128, 200] {
        for at in 0..len {
            for bad in [0x80, 0xc0, 0xff, 0xed] {
                let mut bytes = vec![b'a'; len];
                bytes[at] = bad;
                let mut utf8 = Utf8Validator::default();
                let failed = utf8.push(&bytes).is_err() || utf8.finish().is_err();
                assert!(failed, "{bad:02x} at {at} of {len}");
            }
        }
    }
}

#[test]
fn a_character_cut_at_the_end_of_a_long_piece_waits_for_its_end() {
    for len in 55..140 {
        let long = "κ".repeat(len);
        let whole = long.as_bytes();
        let (first, second) = whole.split_at(whole.len() - 1);
        assert_eq!(push_all(&[first, second]).as_deref(), Ok(&*long));
        assert_eq!(push_all(&[first]), Err(1), "the text ends within a character");
    }
}

#[test]
fn finishing_makes_the_checker_new() {
    let mut utf8 = Utf8Validator::default();
    utf8.push(&[0xe2, 0x82]).unwrap();
    utf8.finish().unwrap_err();
    utf8.finish().unwrap();
    assert_eq!(utf8.push(b"ok").unwrap().rest, "ok");
}

#[test]
fn nothing_is_text() {
    assert_eq!(push_all(&[]).as_deref(), Ok(""));
    assert_eq!(push_all(&[b"", b"", b""]).as_deref(), Ok(""));
    assert_eq!(push_all(&[b"\xe2", b"", b"\x82", b"", b"\xac"]).as_deref(), Ok("€"));
}

// Whole messages.

#[test]
fn text_of_every_width_arrives() {
    for letters in ["κόσμε", "Hello-µ@ßöäüàá-UTF-8!!", "日本語", "𝒳𐍈😀", "\u{0}\u{7f}\u{80}\u{7ff}"]
    {
        check_bytes(&frame(0x81, letters.as_bytes()), &[text(letters)]);
    }
    for edge in ["\u{800}", "\u{ffff}", "\u{10000}", "\u{10ffff}", "\u{fffe}", "\u{d7ff}\u{e000}"] {
        check_bytes(&frame(0x81, edge.as_bytes()), &[text(edge)]);
    }
}

#[test]
fn a_character_may_be_cut_by_frames() {
    let letters = "Hello-µ@ßöäüàá-UTF-8!!";
    let bytes = letters.as_bytes();
    for cut in 0..=bytes.len() {
        let transcript = [frame(0x01, &bytes[..cut]), frame(0x80, &bytes[cut..])].concat();
        check_bytes(&transcript, &[text(letters)]);
    }
    let single: Vec<u8> = bytes.iter().flat_map(|byte| frame(0x00, &[*byte])).collect();
    check_bytes(&[frame(0x01, &[]), single, frame(0x80, &[])].concat(), &[text(letters)]);
}

#[test]
fn a_ping_may_stand_within_a_character() {
    check("01 01 ce 89 01 21 80 01 ba", &[crate::check::ping(b"!"), text("κ")]);
}

#[test]
fn bad_text_fails_in_whatever_frame_it_comes() {
    let bad = "ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80 65 64 69 74 65 64";
    let error = ProtocolError::InvalidUtf8;
    check_fails(&format!("81 14 {bad}"), error);
    check_fails(&format!("01 14 {bad} 80 00"), error);
    let single: String = hex(bad).iter().map(|byte| format!("00 01 {byte:02x}")).collect();
    check_fails(&format!("01 00 {single} 80 00"), error);
}

#[test]
fn bad_text_fails_at_its_first_bad_byte() {
    let error = ProtocolError::InvalidUtf8;
    // Within a frame whose end has not come.
    check_fails_at_last_byte("81 14 ce ba e1 bd b9 cf 83 ce bc ce b5 f4 90", error);
    check_fails_at_last_byte("01 0b ce ba e1 bd b9 cf 83 ce bc ce b5 00 04 f4 90", error);
    check_fails_at_last_byte("81 05 61 62 ff", error);
    check_fails_at_last_byte("81 05 c0", error);
    check_fails_at_last_byte("81 05 ed a0", error);
    check_fails_at_last_byte("81 05 e0 9f", error);
    check_fails_at_last_byte("81 05 f0 8f", error);
    check_fails_at_last_byte("81 05 f5", error);
    check_fails_at_last_byte("81 05 e2 82 41", error);
    check_fails_at_last_byte("81 05 80", error);
    // The message's end is the bad byte.
    check_fails_at_last_byte("81 01 c3", error);
    check_fails_at_last_byte("81 03 f0 9f 98", error);
    check_fails_at_last_byte("01 01 c3 80 00", error);
}

#[test]
fn every_known_kind_of_bad_text_is_refused() {
    for bad in [
        "80",
        "bf",
        "80 bf",
        "c0 80",
        "c0 af",
        "c1 bf",
        "c2",
        "c2 41",
        "df",
        "e0 80 80",
        "e0 80 af",
        "e0 9f bf",
        "e1 80",
        "ed a0 80",
        "ed ad bf",
        "ed ae 80",
        "ed af bf",
        "ed b0 80",
        "ed be 80",
        "ed bf bf",
        "ed a0 80 ed b0 80",
        "ef bf",
        "f0 80 80 80",
        "f0 80 80 af",
        "f0 8f bf bf",
        "f4 90 80 80",
        "f5 80 80 80",
        "f7 bf bf bf",
        "f8 80 80 80 80",
        "f8 88 80 80 80",
        "fb bf bf bf bf",
        "fc 84 80 80 80 80",
        "fd bf bf bf bf bf",
        "fe",
        "ff",
        "fe fe ff ff",
    ] {
        let payload = hex(bad);
        check_fails(&show(&frame(0x81, &payload)), ProtocolError::InvalidUtf8);
        let within = [b"good ".as_slice(), &payload, b" good"].concat();
        check_fails(&show(&frame(0x81, &within)), ProtocolError::InvalidUtf8);
        // The same bytes are a binary message like any other.
        check_bytes(&frame(0x82, &payload), &[crate::check::binary(&payload)]);
    }
}

#[test]
fn good_text_after_bad_text_is_not_read() {
    check_fails("81 01 ff 81 02 68 69", ProtocolError::InvalidUtf8);
}

#[test]
fn random_cuts_of_a_long_text_never_matter() {
    let letters: String = "aé日😀".chars().cycle().take(2000).collect();
    let mut random = Random(1);
    for _ in 0..200 {
        let mut rest = letters.as_bytes();
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            let (piece, tail) = rest.split_at(rest.len().min(random.next() % 150));
            pieces.push(piece);
            rest = tail;
        }
        assert_eq!(push_all(&pieces).as_deref(), Ok(&*letters));
    }
}

fn nearly_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = proptest::prop_oneof![
        8 => ".{0,30}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 1..3),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_at_any_cut(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
        agrees_with_std(&bytes);
    }

    #[test]
    fn nearly_text_at_any_cut(bytes in nearly_text()) {
        agrees_with_std(&bytes);
    }

    #[test]
    fn text_in_any_pieces(letters in "\\PC{0,80}", sizes in proptest::collection::vec(0..9usize, 0..60)) {
        let mut rest = letters.as_bytes();
        let mut pieces = Vec::new();
        for size in sizes {
            let (piece, tail) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        pieces.push(rest);
        proptest::prop_assert_eq!(push_all(&pieces), Ok(letters));
    }
}
