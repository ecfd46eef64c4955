//! Codes that may travel, reasons that fit, and closing frames that are wrong.

use towline_proto::{CloseCode, CloseError, CloseFrame, MAX_REASON_LEN, ProtocolError};

use crate::check::{
    check, check_answer, check_bytes, check_fails, closed, closed_empty, frame, hex, show,
};

fn payload(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(0x88, &[&code.to_be_bytes(), reason].concat())
}

fn may_travel(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[test]
fn every_code_is_judged_alike_both_ways() {
    for code in 0..=u16::MAX {
        if may_travel(code) {
            assert_eq!(CloseCode::new(code).map(CloseCode::get), Ok(code));
            assert_eq!(u16::from(CloseCode::try_from(code).unwrap()), code);
        } else {
            assert_eq!(CloseCode::new(code), Err(CloseError::InvalidCode(code)));
        }
    }
}

#[test]
fn every_code_that_may_travel_arrives() {
    for code in (1000..=1014).chain([2999, 3000, 3999, 4000, 4999]).filter(|code| may_travel(*code))
    {
        check_bytes(&payload(code, b""), &[closed(code, "")]);
        check_bytes(&payload(code, b"why"), &[closed(code, "why")]);
    }
}

#[test]
fn every_code_that_may_not_travel_is_refused() {
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 10000, 65535] {
        check_fails(&show(&payload(code, b"")), ProtocolError::InvalidCloseCode(code));
        check_fails(&show(&payload(code, b"why")), ProtocolError::InvalidCloseCode(code));
    }
}

#[test]
fn an_empty_closing_frame_has_no_code() {
    check("88 00", &[closed_empty()]);
    check_answer("88 00", "88 00");
}

#[test]
fn a_closing_frame_of_one_byte_is_refused() {
    check_fails("88 01 03", ProtocolError::ClosePayloadTooShort);
    check_answer("88 01 03", "88 02 03 ea");
}

#[test]
fn the_answer_names_the_code() {
    check_answer("88 02 03 e8", "88 02 03 e8");
    check_answer("88 02 0f a0", "88 02 0f a0");
}

#[test]
fn reasons_of_every_length_arrive_and_are_sent_unchanged() {
    for len in 0..=MAX_REASON_LEN {
        let reason: String = ('a'..='z').cycle().take(len).collect();
        check_bytes(&payload(1000, reason.as_bytes()), &[closed(1000, &reason)]);
        let sent = CloseFrame::new(CloseCode::NORMAL, reason.as_str()).unwrap();
        assert_eq!(sent.reason, *reason);
    }
}

#[test]
fn a_reason_of_124_bytes_is_refused() {
    let refused = CloseFrame::new(CloseCode::NORMAL, "x".repeat(124));
    assert_eq!(refused, Err(CloseError::ReasonTooLong(124)));
    // Bytes count, not characters.
    let refused = CloseFrame::new(CloseCode::NORMAL, "é".repeat(62));
    assert_eq!(refused, Err(CloseError::ReasonTooLong(124)));
    CloseFrame::new(CloseCode::NORMAL, "é".repeat(61)).unwrap();
    check_fails(&show(&payload(1000, &[b'x'; 124])[..2]), ProtocolError::ControlFrameTooLong);
}

#[test]
fn a_reason_must_be_utf8() {
    for bad in ["ff", "c3", "ed a0 80", "ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80 65 64"] {
        check_fails(&show(&payload(1000, &hex(bad))), ProtocolError::InvalidCloseReason);
    }
    check_bytes(&payload(1000, "κόσμε".as_bytes()), &[closed(1000, "κόσμε")]);
}

#[test]
fn the_code_is_judged_before_the_reason() {
    check_fails(&show(&payload(1005, &[0xff])), ProtocolError::InvalidCloseCode(1005));
}

#[test]
fn every_error_tells_the_peer_the_code_that_the_rfc_names() {
    for (transcript, code) in [
        ("c1", 1002),
        ("83", 1002),
        ("82 7e 00 01", 1002),
        ("82 7f 80 00 00 00 00 00 00 00", 1002),
        ("09 00", 1002),
        ("89 7e", 1002),
        ("80 00", 1002),
        ("01 00 81 00", 1002),
        ("88 01 00", 1002),
        ("88 02 03 ed", 1002),
        ("88 03 03 e8 ff", 1007),
        ("81 01 ff", 1007),
        ("82 7f 00 00 00 00 80 00 00 00", 1009),
    ] {
        check_answer(transcript, &show(&payload(code, b"")));
    }
}

#[test]
fn a_mask_on_the_wrong_side_is_told_1002() {
    assert_eq!(ProtocolError::MaskedFrame.close_code(), CloseCode::PROTOCOL_ERROR);
    assert_eq!(ProtocolError::UnmaskedFrame.close_code(), CloseCode::PROTOCOL_ERROR);
}

#[test]
fn limits_without_a_code_of_their_own_are_told_1008() {
    for error in [
        ProtocolError::TooManyFragments { limit: 1 },
        ProtocolError::TooManyEmptyFragments { limit: 1 },
        ProtocolError::TooManyControlFrames { limit: 1 },
    ] {
        assert_eq!(error.close_code(), CloseCode::POLICY_VIOLATION);
    }
}

#[test]
fn a_closing_frame_reads_well() {
    let frame = CloseFrame::new(CloseCode::GOING_AWAY, "").unwrap();
    assert_eq!(frame.to_string(), "1001");
    let frame = CloseFrame::new(CloseCode::GOING_AWAY, "restart").unwrap();
    assert_eq!(frame.to_string(), "1001 (restart)");
    let advice = CloseCode::new(1005).unwrap_err().to_string();
    assert!(advice.contains("use 1000 to 1003"), "{advice}");
}
