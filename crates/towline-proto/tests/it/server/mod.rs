//! The server's half of the opening handshake (RFC 6455 §4.2).
#![expect(clippy::unwrap_used, reason = "in the helpers of tests a panic is a failed test")]

mod answer;
mod check;

use proptest::prelude::{prop, proptest};
use towline_proto::handshake::{HandshakeError, HeadLimits, ServerHandshake, ServerRequest};

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Headers, one a line, that make a right request; tests take lines out and put others in.
const RIGHT: [&str; 5] = [
    "Host: server.example.com\r\n",
    "Upgrade: websocket\r\n",
    "Connection: Upgrade\r\n",
    KEY,
    "Sec-WebSocket-Version: 13\r\n",
];

fn get(headers: &str) -> String {
    format!("GET /chat HTTP/1.1\r\n{headers}\r\n")
}

fn right() -> String {
    get(&RIGHT.concat())
}

/// The right request with more headers.
fn with(headers: &str) -> String {
    get(&format!("{}{headers}", RIGHT.concat()))
}

/// The right request with one of its headers in another form, or without it.
fn instead(header: &str, other: &str) -> String {
    let lines = RIGHT.map(|line| if line.starts_with(header) { other } else { line });
    assert_ne!(lines, RIGHT);
    get(&lines.concat())
}

fn receive(pieces: &[&[u8]]) -> Result<Option<(usize, ServerRequest)>, HandshakeError> {
    let mut handshake = ServerHandshake::new(HeadLimits::default());
    let mut before = 0;
    for piece in pieces {
        if let Some((consumed, request)) = handshake.receive(piece)? {
            return Ok(Some((before + consumed, request)));
        }
        before += piece.len();
    }
    Ok(None)
}

fn parse(text: &str) -> ServerRequest {
    receive(&[text.as_bytes()]).unwrap().unwrap().1
}

/// What a server makes of a request fed whole, byte by byte, and at every cut.
#[track_caller]
fn check(text: &str) -> Result<(), HandshakeError> {
    let outcome = |pieces: &[&[u8]]| match receive(pieces) {
        Ok(None) => Ok(None),
        Ok(Some((consumed, request))) => request.check().map(|()| Some(consumed)),
        Err(error) => Err(error),
    };
    let bytes = text.as_bytes();
    let whole = outcome(&[bytes]);
    let told = format!("{whole:?}");
    assert_eq!(format!("{:?}", outcome(&bytes.chunks(1).collect::<Vec<_>>())), told);
    for cut in 0..=bytes.len() {
        let (a, b) = bytes.split_at(cut);
        assert_eq!(format!("{:?}", outcome(&[a, b])), told, "cut at {cut}");
    }
    whole.map(drop)
}

#[test]
fn what_the_request_says() {
    let request = parse(&with(
        "Origin: https://a\r\nSec-WebSocket-Protocol: b, a\r\nCookie: x\r\nCookie: y\r\n",
    ));
    assert!(request.is_upgrade());
    assert_eq!(request.subprotocols(), ["b", "a"]);
    assert_eq!((request.origin(), request.host()), (Some("https://a"), Some("server.example.com")));
    assert_eq!(request.request().uri(), "/chat");
    assert_eq!(request.request().headers().get_all("cookie").iter().count(), 2);

    let page = parse(&get("Host: a:81\r\n"));
    assert!(!page.is_upgrade());
    assert_eq!((page.origin(), page.host()), (None, Some("a:81")));
    assert!(page.subprotocols().is_empty());
    assert!(matches!(page.check(), Err(HandshakeError::Upgrade)));
    assert!(!parse(&get("Upgrade: h2c\r\n")).is_upgrade());
    assert!(parse(&get("Sec-WebSocket-Version: 8\r\n")).is_upgrade());
    assert!(parse(&get("Upgrade: WEBSOCKET\r\n")).is_upgrade());

    // RFC 9112 §3.2.2: the host of an absolute target goes before the header.
    let absolute = parse(&right().replace("/chat", "http://other:82/chat"));
    assert_eq!(absolute.host(), Some("other:82"));
    assert_eq!(parse(&get("Host: a\r\nHost: b\r\n")).host(), None);
    assert_eq!(parse(&get("Origin: a\r\nOrigin: b\r\n")).origin(), None);
}

proptest! {
    #[test]
    fn no_request_panics_and_cuts_never_matter(
        target in prop::sample::select(vec!["/", "*", "h:1", "http://h/", "http://h", "//", "/\u{1}"]),
        lines in prop::collection::vec(prop::sample::select(vec![
            "Host: h", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Extensions: a;b=\"",
            "Sec-WebSocket-Protocol: a,a", "Origin: x", "A", " b", "",
        ]), 0..8),
        noise in "\\PC{0,10}",
    ) {
        let _ = check(&format!("GET {target} HTTP/1.1\r\n{}\r\n{noise}\r\n\r\n", lines.join("\r\n")));
    }

    #[test]
    fn no_bytes_panic(input: Vec<u8>) {
        if let Ok(Some((_, request))) = receive(&[&input]) {
            let _ = (request.check(), request.host(), request.is_upgrade());
        }
    }
}
