//! What a client sends (RFC 6455 §4.1).
#![expect(clippy::unwrap_used, reason = "in the helpers of tests a panic is a failed test")]

use towline_proto::WsUri;
use towline_proto::handshake::{ClientHandshake, ClientRequest, HeadLimits, RequestError};

use super::{request_to, start};

fn printed(request: ClientRequest) -> String {
    String::from_utf8(start(request).request().to_vec()).unwrap()
}

#[test]
fn the_request_of_rfc_6455_section_1_2() {
    assert_eq!(
        printed(request_to("ws://server.example.com/chat")),
        "GET /chat HTTP/1.1\r\n\
         Host: server.example.com\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\r\n"
    );
}

#[test]
fn what_is_sent_again_can_be_less_and_more() {
    use http::header::{AUTHORIZATION, COOKIE, HeaderValue, UPGRADE};
    let request = request_to("ws://a.example/").header("X-One", "1").unwrap();
    let request = request.header("Cookie", "id=7").unwrap();
    assert_eq!(request.own_header(&COOKIE).unwrap(), "id=7");
    let request = request.retain_headers(|name| name != COOKIE);
    assert!(request.own_header(&COOKIE).is_none());
    // In whatever letters a server speaks, and never shown.
    let value = HeaderValue::from_bytes(b"Digest realm=\"\xe4\"").unwrap();
    let request = request.set_header(AUTHORIZATION, value.clone()).unwrap();
    assert_eq!(request.own_header(&AUTHORIZATION), Some(&value));
    assert!(!format!("{request:?}").contains("realm"), "{request:?}");
    let head = start(request.clone()).request().to_vec();
    let line = b"X-One: 1\r\nAuthorization: Digest realm=\"\xe4\"\r\n\r\n";
    assert!(head.ends_with(line), "{:?}", head.escape_ascii().to_string());
    let error = request.set_header(UPGRADE, HeaderValue::from_static("x")).unwrap_err();
    assert!(matches!(error, RequestError::Reserved { .. }), "{error}");
}

#[test]
fn everything_has_its_place_in_the_request() {
    let request = request_to("wss://[::1]:444/?q=1")
        .header("X-One", "1")
        .and_then(|request| request.origin("https://example.com"))
        .and_then(|request| request.subprotocol("chat.v2"))
        .and_then(|request| request.header("cookie", "a=b"))
        .and_then(|request| request.subprotocol("chat"))
        .unwrap();
    assert_eq!(request.subprotocols(), ["chat.v2", "chat"]);
    assert_eq!(
        printed(request),
        "GET /?q=1 HTTP/1.1\r\n\
         Host: [::1]:444\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: chat.v2, chat\r\n\
         Origin: https://example.com\r\n\
         X-One: 1\r\n\
         Cookie: a=b\r\n\r\n"
    );
}

#[test]
fn the_last_value_of_a_header_replaces_the_others() {
    let request = request_to("ws://h/").header("X-A", "1").unwrap();
    let head = printed(request.header("B", "2").unwrap().header("x-a", "3").unwrap());
    assert!(head.ends_with("X-A: 3\r\nB: 2\r\n\r\n"), "{head}");
    let twice = request_to("ws://h/").origin("http://a").unwrap().header("ORIGIN", "http://b");
    assert_eq!(printed(twice.unwrap()).matches("Origin:").count(), 1);
}

#[test]
fn host_can_be_overridden_and_stays_first() {
    let head = printed(request_to("ws://h/").header("host", "other").unwrap());
    assert!(head.starts_with("GET / HTTP/1.1\r\nHost: other\r\nUpgrade"), "{head}");
    assert_eq!(head.matches("Host:").count(), 1);
}

#[test]
fn a_request_can_be_kept_for_another_address() {
    let request = request_to("ws://a/1").header("X-A", "1").unwrap().subprotocol("p").unwrap();
    let head = printed(request.with_uri(&WsUri::parse("ws://b:81/2").unwrap()));
    assert!(head.starts_with("GET /2 HTTP/1.1\r\nHost: b:81\r\n"), "{head}");
    assert!(head.contains("Sec-WebSocket-Protocol: p\r\n") && head.contains("X-A: 1\r\n"));
}

#[test]
fn reserved_headers_are_refused_with_advice() {
    for (name, advice) in [
        ("Sec-WebSocket-Protocol", "subprotocol()"),
        ("sec-websocket-extensions", "offered with deflate()"),
        ("Upgrade", "always the same"),
        ("CONNECTION", "always the same"),
        ("Sec-WebSocket-Version", "always the same"),
        ("Sec-WebSocket-Key", "new for every connection"),
        ("Sec-WebSocket-Accept", "new for every connection"),
        ("Content-Length", "no body"),
        ("Transfer-Encoding", "no body"),
    ] {
        let error = request_to("ws://h/").header(name, "x").unwrap_err();
        assert!(matches!(error, RequestError::Reserved { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains(advice), "{name}: {error}");
    }
}

#[test]
fn no_user_set_string_can_inject_a_header() {
    for bad in ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\u{7f}", "é"] {
        let request = request_to("ws://h/");
        let name = RequestError::HeaderName(bad.to_owned());
        assert_eq!(request.clone().header(bad, "v").unwrap_err(), name);
        let value = request.clone().header("X-A", bad).unwrap_err();
        assert!(matches!(value, RequestError::HeaderValue(_)), "{bad:?}");
        assert!(matches!(request.clone().origin(bad), Err(RequestError::HeaderValue(_))));
        assert!(matches!(request.clone().header("Host", bad), Err(RequestError::HeaderValue(_))));
        assert!(matches!(request.subprotocol(bad), Err(RequestError::Subprotocol(_))));
        assert!(WsUri::parse(&format!("ws://h/{bad}")).is_err());
        assert!(WsUri::parse(&format!("ws://h/?{bad}")).is_err());
        #[cfg(not(feature = "idn"))]
        assert!(WsUri::parse(&format!("ws://{bad}/")).is_err());
    }
    for bad in ["", " ", "a b", "a:b", "a(b)"] {
        assert!(matches!(request_to("ws://h/").header(bad, "v"), Err(RequestError::HeaderName(_))));
    }
    for bad in ["", " ", "a b", "a,b", "a;b", "\"a\""] {
        assert!(matches!(
            request_to("ws://h/").subprotocol(bad),
            Err(RequestError::Subprotocol(_))
        ));
    }
}

#[test]
fn errors_keep_secrets_and_say_what_to_do() {
    let error = request_to("ws://h/").header("Authorization", "hunter2\n").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let error = request_to("ws://h/").subprotocol("a, b").unwrap_err();
    assert!(error.to_string().contains("one call for each"), "{error}");
    let twice = request_to("ws://h/").subprotocol("a").unwrap().subprotocol("a").unwrap_err();
    assert_eq!(twice, RequestError::DuplicateSubprotocol("a".to_owned()));
}

#[test]
fn what_is_printed_of_a_request_holds_no_secret_but_what_is_sent_does() {
    let request = request_to("ws://h/")
        .header("Authorization", "Bearer hunter2")
        .and_then(|request| request.header("X-Token", "hunter2"))
        .and_then(|request| request.origin("https://hunter2.example"))
        .unwrap();
    assert!(!format!("{request:?}").contains("hunter2"), "{request:?}");
    let head = printed(request);
    assert!(head.contains("\r\nAuthorization: Bearer hunter2\r\n"), "{head}");
    assert!(head.contains("\r\nX-Token: hunter2\r\n"), "{head}");
    assert!(head.contains("\r\nOrigin: https://hunter2.example\r\n"), "{head}");
}

#[test]
fn a_handshake_shows_no_secret() {
    let uri = WsUri::parse("ws://localhost/").unwrap();
    let request = ClientRequest::new(&uri).header("Authorization", "sesame").unwrap();
    let handshake = ClientHandshake::new(request, [0; 16], HeadLimits::default());
    assert!(handshake.request().windows(6).any(|window| window == b"sesame"));
    let shown = format!("{handshake:?}");
    assert!(!shown.contains("sesame") && !shown.contains("115, 101, 115"), "{shown}");
}
