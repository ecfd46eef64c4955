//! What a client makes of the answer (RFC 6455 §4.1).
#![expect(clippy::unwrap_used, reason = "in the helpers of tests a panic is a failed test")]

use proptest::prelude::{any, prop, proptest};
use towline_proto::handshake::http1::HeadError;
use towline_proto::handshake::{ClientHandshake, HandshakeError, HeadLimits, MAX_HEAD_BYTES};

use super::{request_to, start};

/// The answer that belongs to the key of RFC 6455 §1.3.
const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// What a client that offered `a` and `b` makes of an answer, fed in these pieces.
fn outcome(pieces: &[&[u8]]) -> String {
    let request = request_to("ws://h/").subprotocol("a").unwrap().subprotocol("b").unwrap();
    let mut handshake = start(request);
    let mut before = 0;
    for piece in pieces {
        match handshake.receive(piece) {
            Ok(None) => before += piece.len(),
            Ok(Some((consumed, response, negotiated))) => {
                let protocol = negotiated.subprotocol.unwrap_or_default();
                return format!("{} after {}: {protocol}", response.status(), before + consumed);
            }
            Err(HandshakeError::Status { response, consumed }) => {
                return format!("refused {} after {}", response.status(), before + consumed);
            }
            Err(error) => return format!("{error:?}"),
        }
    }
    "more".to_owned()
}

/// The same for an answer fed whole, byte by byte, and at every cut.
#[track_caller]
fn answer(text: &str) -> String {
    let bytes = text.as_bytes();
    let whole = outcome(&[bytes]);
    assert_eq!(outcome(&bytes.chunks(1).collect::<Vec<_>>()), whole);
    for cut in 0..=bytes.len() {
        let (a, b) = bytes.split_at(cut);
        assert_eq!(outcome(&[a, b]), whole, "cut at {cut}");
    }
    whole
}

fn switching(headers: &str) -> String {
    format!("HTTP/1.1 101 Switching Protocols\r\n{headers}\r\n")
}

const RIGHT: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n";

#[test]
fn right_answers() {
    let right = switching(&format!("{RIGHT}{ACCEPT}"));
    let len = right.len();
    assert_eq!(answer(&right), format!("101 Switching Protocols after {len}: "));
    assert_eq!(answer(&format!("{right}\u{1}frames")), answer(&right));
    for (headers, protocol) in [
        (format!("UPGRADE: WebSocket\r\nconnection: x, uPGRADE\r\n{ACCEPT}"), ""),
        (format!("Connection: x\r\nConnection: upgrade\r\nUpgrade:websocket\r\n{ACCEPT}"), ""),
        (format!("{RIGHT}{ACCEPT}Sec-WebSocket-Protocol: b\r\n"), "b"),
        (format!("{RIGHT}{ACCEPT}Sec-WebSocket-Protocol: a,\r\n"), "a"),
        (format!("{RIGHT}{ACCEPT}Content-Length: 5\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"), ""),
        (format!("{RIGHT}{}", ACCEPT.replace(": ", ": \t ").replace("\r", " \r")), ""),
    ] {
        let told = answer(&switching(&headers));
        assert!(told.starts_with("101 "), "{headers}: {told}");
        assert!(told.ends_with(&format!(": {protocol}")), "{headers}: {told}");
    }
}

#[test]
fn wrong_answers() {
    let with = |headers: &str| switching(&format!("{RIGHT}{ACCEPT}{headers}"));
    for (text, error) in [
        (switching(&format!("Connection: Upgrade\r\n{ACCEPT}")), "Upgrade"),
        (switching(&format!("Connection: Upgrade\r\nUpgrade: h2c\r\n{ACCEPT}")), "Upgrade"),
        (switching(&format!("Connection: Upgrade\r\nUpgrade: websockets\r\n{ACCEPT}")), "Upgrade"),
        (with("Upgrade: h2c\r\n"), "Upgrade"),
        (with("Upgrade: websocket\r\n"), "Upgrade"),
        (switching(&format!("Upgrade: websocket\r\n{ACCEPT}")), "Connection"),
        (
            switching(&format!("Upgrade: websocket\r\nConnection: notupgrade\r\n{ACCEPT}")),
            "Connection",
        ),
        (switching(RIGHT), "Accept"),
        (with(ACCEPT), "Accept"),
        (switching(&format!("{RIGHT}Sec-WebSocket-Accept:\r\n")), "Accept"),
        (switching(&format!("{RIGHT}{}", ACCEPT.to_lowercase())), "Accept"),
        (switching(&format!("{RIGHT}{}", ACCEPT.replace("=\r", "\r"))), "Accept"),
        (
            with("Sec-WebSocket-Extensions: permessage-deflate; a=1\r\n"),
            "ExtensionNotOffered(\"permessage-deflate\")",
        ),
        (with("Sec-WebSocket-Extensions:\r\n"), "Extensions(Empty)"),
        (with("Sec-WebSocket-Extensions: a;b=\"\r\n"), "Extensions(UnclosedQuote)"),
        (with("Sec-WebSocket-Protocol: c\r\n"), "SubprotocolNotOffered(\"c\")"),
        (with("Sec-WebSocket-Protocol: A\r\n"), "SubprotocolNotOffered(\"A\")"),
        (with("Sec-WebSocket-Protocol: a, b\r\n"), "SeveralSubprotocols"),
        (with("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n"), "SeveralSubprotocols"),
        (with("Sec-WebSocket-Protocol: a, a\r\n"), "Subprotocols(Duplicate)"),
        (with("Sec-WebSocket-Protocol:\r\n"), "Subprotocols(Empty)"),
        (with("").replace("HTTP/1.1", "HTTP/1.0"), "HttpVersion"),
        (with("A: b\r\n c\r\n"), "Head(Folded)"),
        (with("").replace("\r\n", "\n"), "Head(LineEnd)"),
        ("\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{28}".to_owned(), "Head(NotHttp)"),
    ] {
        assert_eq!(answer(&text), error, "{text}");
    }
}

#[test]
fn a_subprotocol_nobody_offered_is_refused() {
    let text = switching(&format!("{RIGHT}{ACCEPT}Sec-WebSocket-Protocol: a\r\n"));
    let error = start(request_to("ws://h/")).receive(text.as_bytes()).unwrap_err();
    assert!(matches!(error, HandshakeError::SubprotocolNotOffered(name) if name == "a"));
}

#[test]
fn any_other_status_is_handed_on_with_its_body_unread() {
    for status in ["200 OK", "204 No Content", "302 Found", "401 Unauthorized", "404 Not Found"] {
        let head = format!("HTTP/1.1 {status}\r\nLocation: /x\r\nContent-Length: 4\r\n\r\n");
        assert_eq!(
            answer(&format!("{head}body")),
            format!("refused {status} after {}", head.len())
        );
    }
    assert_eq!(answer("HTTP/1.0 503 No\r\n\r\n"), "refused 503 Service Unavailable after 19");
    let error = start(request_to("ws://h/")).receive(b"HTTP/1.1 404 No\r\n\r\n").unwrap_err();
    assert!(error.to_string().contains("404 Not Found"), "{error}");
}

#[test]
fn answers_before_the_answer_are_passed_over_within_the_limit() {
    let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    let right = switching(&format!("{RIGHT}{ACCEPT}"));
    let told = answer(&format!("{early}{right}frames"));
    assert_eq!(told, format!("101 Switching Protocols after {}: ", early.len() + right.len()));
    assert_eq!(answer(early), "more");
    let endless = early.repeat(MAX_HEAD_BYTES);
    let error = start(request_to("ws://h/")).receive(endless.as_bytes()).unwrap_err();
    let limit =
        matches!(error, HandshakeError::Head(HeadError::TooLarge | HeadError::TooManyHeaders));
    assert!(limit, "{error:?}");
}

proptest! {
    #[test]
    fn no_answer_panics_and_cuts_never_matter(
        lines in prop::collection::vec(prop::sample::select(vec![
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Protocol: a",
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "A: b", "Sec-WebSocket-Key", "",
        ]), 0..6),
        noise in "\\PC{0,10}",
        status in 99_u16..600,
    ) {
        let _ = answer(&format!("HTTP/1.1 {status} X\r\n{}\r\n{noise}\r\n\r\n", lines.join("\r\n")));
    }

    #[test]
    fn no_bytes_panic(input: Vec<u8>, key in any::<[u8; 16]>()) {
        let request = request_to("ws://h/");
        let _ = ClientHandshake::new(request, key, HeadLimits::default()).receive(&input);
    }
}
