//! What makes a request right, and the status that answers each wrong one (RFC 6455 §4.2.1).
#![expect(clippy::unwrap_used, reason = "in the helpers of tests a panic is a failed test")]

use http::StatusCode;

use super::{KEY, check, instead, receive, right, with};

/// Checks the error, its status, and that its answer is a whole HTTP response that closes.
#[track_caller]
fn check_fails(text: &str, error: &str, status: u16) {
    let failed = check(text).expect_err(text);
    assert_eq!(format!("{failed:?}"), error, "{text}");
    assert_eq!(failed.status().as_u16(), status, "{text}");
    let response = String::from_utf8(failed.response()).unwrap();
    assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("\r\nContent-Length: {}", body.len())), "{response}");
    assert!(head.contains("\r\nConnection: close"), "{response}");
    assert_eq!(body, format!("{failed}\n"));
}

#[test]
fn right_requests() {
    for text in [
        right(),
        instead("Upgrade", "UPGRADE: WebSocket\r\n"),
        instead("Upgrade", "Upgrade: h2c, websocket\r\n"),
        instead("Connection", "Connection: keep-alive, Upgrade\r\n"),
        instead("Connection", "Connection: keep-alive\r\nConnection: upgrade\r\n"),
        instead("Connection", &format!("Connection: {}upgrade\r\n", ", \t".repeat(300))),
        instead("Host", "Host: [::1]:9001\r\n"),
        instead("Host", "Host: LOCALHOST:80\r\n"),
        with("Origin: null\r\n"),
        with("Content-Length: 0\r\n"),
        with("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b, c\r\n"),
        with("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"),
        with("Sec-WebSocket-Extensions: __proto__; a=\"b\", __proto__\r\n"),
        right().replace("/chat", "//chat?x=1"),
        right().replace("/chat", "http://server.example.com/chat"),
        right().replace("/chat", "https://server.example.com"),
    ] {
        check(&text).unwrap_or_else(|error| panic!("{text}{error}"));
    }
}

#[test]
fn method_version_target_and_host() {
    for method in ["POST", "HEAD", "OPTIONS", "get", "CONNECT"] {
        let text = right().replace("GET /chat", &format!("{method} /chat"));
        let text = if method == "CONNECT" { text.replace("/chat", "h:80") } else { text };
        let failed = check(&text).unwrap_err();
        assert_eq!(failed.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        let response = String::from_utf8(failed.response()).unwrap();
        assert!(response.contains("\r\nAllow: GET\r\n"), "{response}");
        assert_eq!(response.ends_with("\r\n\r\n"), method == "HEAD", "{response}");
    }
    check_fails(&right().replace("HTTP/1.1", "HTTP/1.0"), "HttpVersion", 505);
    check_fails(&right().replace("HTTP/1.1", "HTTP/2.0"), "Head(Version)", 505);
    check_fails(&right().replace("/chat", "*"), "Target", 400);
    check_fails(&right().replace("/chat", "h:80"), "Target", 400);
    check_fails(&right().replace("/chat", "ftp://h/"), "Target", 400);
    check_fails(&right().replace("/chat", "http://user@h/"), "Host", 400);
    for host in [
        "",
        "Host:\r\n",
        "Host: a\r\nHost: a\r\n",
        "Host: a, b\r\n",
        "Host: a b\r\n",
        "Host: u@a\r\n",
        "Host: a/b\r\n",
        "Host: a:b\r\n",
        "Host: é\r\n",
        "Host: ::1\r\n",
    ] {
        check_fails(&instead("Host", host), "Host", 400);
    }
}

#[test]
fn upgrade_and_connection() {
    for upgrade in ["", "Upgrade:\r\n", "Upgrade: h2c\r\n", "Upgrade: websockets\r\n"] {
        check_fails(&instead("Upgrade", upgrade), "Upgrade", 426);
    }
    for connection in ["", "Connection:\r\n", "Connection: close\r\n", "Connection: notupgrade\r\n"]
    {
        check_fails(&instead("Connection", connection), "Connection", 400);
    }
    let refused = check(&instead("Upgrade", "")).unwrap_err().response();
    let refused = String::from_utf8(refused).unwrap();
    assert!(refused.contains("\r\nUpgrade: websocket\r\n"), "{refused}");
    assert!(refused.contains("\r\nConnection: close, Upgrade\r\n"), "{refused}");
}

#[test]
fn version_and_key() {
    let version = "Sec-WebSocket-Version";
    check_fails(&instead(version, ""), "NoVersion", 400);
    check_fails(&with("Sec-WebSocket-Version: 13\r\n"), "NoVersion", 400);
    for other in ["", "8", "14", "013", "13, 8", "13.0", "thirteen", "é"] {
        check_fails(&instead(version, &format!("{version}: {other}\r\n")), "Version", 426);
    }
    let refused = check(&instead(version, &format!("{version}: 8\r\n"))).unwrap_err().response();
    let refused = String::from_utf8(refused).unwrap();
    assert!(refused.contains("\r\nSec-WebSocket-Version: 13\r\n"), "{refused}");

    check_fails(&instead("Sec-WebSocket-Key", ""), "Key", 400);
    check_fails(&with(KEY), "Key", 400);
    for key in [
        "",
        "x",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25j",
        "dGhlIHNhbXBsZSBub25jZWE=",
        "dGhlIHNhbXBsZSBub25jZWFi",
        "dGhlIHNhbXBsZSBu b25jZQ==",
        "dGhlIHNhbXBsZSBub25jZ-==",
        "é",
    ] {
        check_fails(
            &instead("Sec-WebSocket-Key", &format!("Sec-WebSocket-Key: {key}\r\n")),
            "Key",
            400,
        );
    }
}

#[test]
fn bodies_origins_and_lists() {
    for body in [
        "Content-Length: 1\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n",
        "Content-Length: 0, 5\r\n",
        "Content-Length: x\r\n",
        "Content-Length:\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n",
    ] {
        check_fails(&with(body), "Body", 400);
    }
    check_fails(&with("Origin: http://a\r\nOrigin: http://b\r\n"), "Origin", 400);
    check_fails(&with("Origin: http://é\r\n"), "Origin", 400);
    for (list, error) in [
        ("Sec-WebSocket-Protocol:\r\n", "Subprotocols(Empty)"),
        ("Sec-WebSocket-Protocol: a b\r\n", "Subprotocols(NotAToken)"),
        ("Sec-WebSocket-Protocol: a, a\r\n", "Subprotocols(Duplicate)"),
        ("Sec-WebSocket-Extensions: ,\r\n", "Extensions(Empty)"),
        ("Sec-WebSocket-Extensions: a;\r\n", "Extensions(NotAToken)"),
        ("Sec-WebSocket-Extensions: a;b=\"\\\\\\\\\r\n", "Extensions(NotAToken)"),
        ("Sec-WebSocket-Extensions: a;b=\"c\r\n", "Extensions(UnclosedQuote)"),
    ] {
        check_fails(&with(list), error, 400);
    }
}

#[test]
fn heads_that_are_not_http() {
    check_fails(&right().replace("\r\n", "\n"), "Head(LineEnd)", 400);
    check_fails(&right().replace("Upgrade\r\n", "Upgrade\r"), "Head(LineEnd)", 400);
    check_fails(&with("A: b\r\n c\r\n"), "Head(Folded)", 400);
    check_fails(&with("A: \0\r\n"), "Head(HeaderLine)", 400);
    check_fails("\u{16}\u{3}\u{1}\u{2}\0", "Head(NotHttp)", 400);
    let many = with(&"A: b\r\n".repeat(3000));
    let failed = receive(&[many.as_bytes()]).unwrap_err();
    assert_eq!(failed.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    let large = with(&format!("A: {}\r\n", "b".repeat(16 * 1024)));
    let failed = receive(&large.as_bytes().chunks(1).collect::<Vec<_>>()).unwrap_err();
    assert_eq!(failed.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
}

#[test]
fn what_measured_peers_let_through_is_refused() {
    // tokio-websockets 0.13 and tungstenite 0.29 answered these with 101.
    check_fails(&instead("Connection", "Connection: notupgrade\r\n"), "Connection", 400);
    let post = right().replace("GET", "POST").replace("HTTP/1.1", "HTTP/1.0");
    check_fails(&post, "Method(POST)", 405);
    check_fails(&instead("Sec-WebSocket-Key", "Sec-WebSocket-Key: x\r\n"), "Key", 400);
    check_fails(&instead("Host", ""), "Host", 400);
}

#[test]
fn a_handshake_that_takes_too_long_is_given_up() {
    use std::time::{Duration, Instant};
    use towline_proto::handshake::{HandshakeError, HeadLimits, ServerHandshake};

    let begin = Instant::now();
    let deadline = begin + Duration::from_secs(10);
    let mut handshake = ServerHandshake::new(HeadLimits::default()).expire_at(deadline);
    assert_eq!(handshake.poll_timeout(), Some(deadline));
    assert!(handshake.receive(b"GET / HTTP/1.1\r\n").unwrap().is_none());
    assert!(handshake.handle_timeout(deadline - Duration::from_nanos(1)).is_ok());
    let error = handshake.handle_timeout(deadline).unwrap_err();
    assert!(matches!(error, HandshakeError::TimedOut));
    assert!(error.response().starts_with(b"HTTP/1.1 408 "));
    assert_eq!(ServerHandshake::new(HeadLimits::default()).poll_timeout(), None);
}
