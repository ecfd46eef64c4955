//! A client: what it asks for, and what it takes for an answer.

use std::net::SocketAddr;
use std::time::Duration;

use base64_len::decoded_len;
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::time::Instant;
use towline::proto::handshake::HeadLimits;
use towline::{Client, CloseCode, Error, ErrorKind, Message, MessageWebSocket, Proxies, Server};

use crate::raw::{Answering, Echo, OPEN, Raw, Step, header_of, script, send, within};

/// Just enough of base64 to count what it stands for.
mod base64_len {
    pub(super) fn decoded_len(text: &str) -> usize {
        assert_eq!(text.len() % 4, 0);
        text.len() / 4 * 3 - text.bytes().filter(|byte| *byte == b'=').count()
    }
}

/// The error of connecting to a server that answers so, and its request.
async fn fails(steps: impl Into<Vec<Step>>) -> (Error, String) {
    let (url, server) = script(steps).await;
    let error = within(MessageWebSocket::connect(&url)).await.unwrap_err();
    (error, within(server).await.unwrap())
}

fn opened() -> Vec<Step> {
    vec![Step::Head, send(OPEN), Step::End]
}

#[tokio::test]
async fn the_request_is_what_the_rfc_asks_for_and_nothing_else() {
    let (url, server) = script(opened()).await;
    let url = format!("{url}path/%C3%A9?q=1&r=%20");
    let socket = within(MessageWebSocket::connect(&url)).await.unwrap();
    let info = socket.info().clone();
    drop(socket);
    let head = within(server).await.unwrap();
    assert!(head.starts_with("GET /path/%C3%A9?q=1&r=%20 HTTP/1.1\r\n"), "{head}");
    let host = url.strip_prefix("ws://").unwrap().split('/').next().unwrap();
    assert_eq!(header_of(&head, "Host"), [host]);
    assert_eq!(header_of(&head, "Upgrade"), ["websocket"]);
    assert_eq!(header_of(&head, "Connection"), ["Upgrade"]);
    assert_eq!(header_of(&head, "Sec-WebSocket-Version"), ["13"]);
    assert_eq!(decoded_len(header_of(&head, "Sec-WebSocket-Key")[0]), 16);
    assert_eq!(head.lines().count(), 7, "and no Origin, Extensions or Protocol: {head}");

    assert_eq!(info.peer_addr().unwrap().to_string(), host);
    assert_eq!(info.subprotocol(), None);
    assert_eq!(info.tls_version(), None);
    assert_eq!(info.request().unwrap().uri(), "/path/%C3%A9?q=1&r=%20");
    assert_eq!(info.response().unwrap().status(), 101);
}

#[test]
fn what_is_printed_of_a_client_holds_no_secret() {
    let builder = Client::builder()
        .header("Authorization", "Bearer hunter2")
        .header("X-Token", "hunter2")
        .header("Cookie", "id=hunter2");
    assert!(!format!("{builder:?}").contains("hunter2"), "{builder:?}");
    let client = builder.build().unwrap();
    assert!(!format!("{client:?}").contains("hunter2"), "{client:?}");
}

#[tokio::test]
async fn what_is_printed_of_a_connection_holds_no_secret() {
    let answer = OPEN.replace("\r\n\r\n", "\r\nSet-Cookie: id=hunter2\r\n\r\n");
    let (url, server) = script([Step::Head, send(&answer), Step::End]).await;
    let client = Client::builder().header("Authorization", "Bearer hunter2").build().unwrap();
    let socket = within(client.connect(format!("{url}?token=hunter2"))).await.unwrap();
    // As text, and as the list of numbers that bytes are printed as.
    let numbers = "104, 117, 110, 116, 101, 114, 50";
    for printed in [format!("{:?}", socket.info()), format!("{socket:?}")] {
        assert!(!printed.contains("hunter2") && !printed.contains(numbers), "{printed}");
    }
    drop(socket);
    let head = within(server).await.unwrap();
    assert_eq!(header_of(&head, "Authorization"), ["Bearer hunter2"]);
}

#[tokio::test]
async fn every_attempt_has_a_key_of_its_own() {
    let client = Client::new();
    let mut keys = std::collections::BTreeSet::new();
    for _ in 0..10 {
        let (url, server) = script(opened()).await;
        drop(within(client.connect(&url)).await.unwrap());
        let head = within(server).await.unwrap();
        keys.insert(header_of(&head, "Sec-WebSocket-Key")[0].to_owned());
    }
    assert_eq!(keys.len(), 10);
}

#[tokio::test]
async fn headers_of_ones_own_are_sent_once() {
    let client = Client::builder()
        .header("X-A", "1")
        .header("Authorization", "Bearer secret")
        .header("User-Agent", "test")
        .header("x-a", "2")
        .origin("https://example.com")
        .build()
        .unwrap();
    let (url, server) = script(opened()).await;
    within(client.connect(&url)).await.unwrap();
    let head = within(server).await.unwrap();
    assert_eq!(header_of(&head, "X-A"), ["2"], "the later value replaces the earlier: {head}");
    assert_eq!(header_of(&head, "Authorization"), ["Bearer secret"]);
    assert_eq!(header_of(&head, "User-Agent"), ["test"]);
    assert_eq!(header_of(&head, "Origin"), ["https://example.com"]);
    // The same client's next connection has them too.
    let (url, server) = script(opened()).await;
    within(client.connect(&url)).await.unwrap();
    assert_eq!(header_of(&within(server).await.unwrap(), "X-A"), ["2"]);

    let client = Client::builder().header("Host", "virtual.example").build().unwrap();
    let (url, server) = script(opened()).await;
    within(client.connect(&url)).await.unwrap();
    assert_eq!(header_of(&within(server).await.unwrap(), "Host"), ["virtual.example"]);
}

#[tokio::test]
async fn what_is_set_holds_for_every_attempt() {
    let server = Answering::new(|number, _| match number {
        0 => "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
        _ => OPEN.to_owned(),
    })
    .await;
    let client = Client::builder().header("X-A", "1").subprotocol("a").build().unwrap();
    within(client.connect(server.url("/"))).await.unwrap_err();
    within(client.connect(server.url("/"))).await.unwrap();
    assert_eq!(server.said("X-A"), ["1", "1"]);
    assert_eq!(server.said("Sec-WebSocket-Protocol"), ["a", "a"]);
}

#[tokio::test]
async fn headers_that_make_the_handshake_cannot_be_set() {
    for (name, advice) in [
        ("Sec-WebSocket-Protocol", "subprotocol()"),
        ("sec-websocket-extensions", "leave it out"),
        ("Sec-WebSocket-Key", "leave it out"),
        ("Sec-WebSocket-Accept", "leave it out"),
        ("Sec-WebSocket-Version", "leave it out"),
        ("UPGRADE", "leave it out"),
        ("Connection", "leave it out"),
        ("Content-Length", "no body"),
        ("Transfer-Encoding", "no body"),
    ] {
        let error = Client::builder().header(name, "x").build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(name) && error.to_string().contains(advice), "{error}");
    }
}

#[tokio::test]
async fn nothing_that_a_caller_sets_can_break_out_of_its_line() {
    for value in ["a\r\nX-B: 2", "a\nb", "a\rb", "a\0b", "\u{7f}", "naïve"] {
        let error = Client::builder().header("X-Token", value).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{value:?}");
        assert!(error.to_string().to_lowercase().contains("x-token"), "{error}");
        assert!(!error.to_string().contains(value), "values may be secret: {error}");
        let error = Client::builder().origin(value).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{value:?}");
    }
    for name in ["X\r\nY", "X Y", "X:", "", "Ä"] {
        let error = Client::builder().header(name, "x").build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name:?}");
        assert!(error.to_string().contains("is not a header name"), "{error}");
    }
    for name in ["a,b", "a b", "", "a\r\nX: y", "\"a\""] {
        let error = Client::builder().subprotocol(name).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name:?}");
        assert!(error.to_string().contains("is not a subprotocol"), "{error}");
    }
    let error = Client::builder().subprotocol("a").subprotocol("a").build().unwrap_err();
    assert!(error.to_string().contains("twice"), "{error}");
}

#[tokio::test]
async fn the_first_bad_setting_is_the_one_that_is_told() {
    let error = Client::builder().header("", "").subprotocol("").build().unwrap_err();
    assert!(error.to_string().contains("header name"), "{error}");
}

#[tokio::test]
async fn a_bad_address_is_told_with_its_cure_and_nothing_is_sent() {
    // Whoever is connected to by mistake would be seen here.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for (url, cure) in [
        ("http://127.0.0.1:{port}/", "use ws://"),
        ("https://127.0.0.1:{port}/", "use wss://"),
        ("ftp://127.0.0.1:{port}/", "use ws:// or wss://"),
        ("127.0.0.1:{port}", "begin it with ws:// or wss://"),
        ("//127.0.0.1:{port}/", "begin it with ws:// or wss://"),
        ("/path", "begin it with ws:// or wss://"),
        ("", "begin it with ws:// or wss://"),
        ("ws:127.0.0.1:{port}", "write it as ws://host/path"),
        ("ws://", "write it as ws://host/path"),
        ("ws://:{port}/", "write it as ws://host/path"),
        ("ws://127.0.0.1:{port}/#x", "leave out '#'"),
        ("ws://127.0.0.1:{port}/#", "leave out '#'"),
        ("ws://127.0.0.1:{port}#x", "leave out '#'"),
        ("ws://@127.0.0.1:{port}/", "the user name is empty"),
        ("ws://user:se@cret@127.0.0.1:{port}/", "such as %40 for @"),
        ("ws://127.0.0.1:0/", "use 1 to 65535"),
        ("ws://127.0.0.1:65536/", "use 1 to 65535"),
        ("ws://127.0.0.1:+80/", "use 1 to 65535"),
        ("ws://127.0.0.1:eighty/", "use 1 to 65535"),
        ("ws://[127.0.0.1]:{port}/", "an IPv6 address in brackets"),
        ("ws://::1:{port}/", "an IPv6 address in brackets"),
        ("ws://127.1:{port}/", "use a name, an IPv4 address"),
        ("ws://2130706433:{port}/", "use a name, an IPv4 address"),
        ("ws://local_host!:{port}/", "use a name, an IPv4 address"),
        ("ws://127.0.0.1:{port}/a b", "write it as %20"),
        ("ws://127.0.0.1:{port}/é", "write it as %C3%A9"),
        ("ws://127.0.0.1:{port}/\r\nX: y", "write it as %0D"),
        ("ws://127.0.0.1:{port}\\@evil.example/", "write it as %5C"),
        ("ws://evil.example\\@127.0.0.1:{port}/", "write it as %5C"),
    ] {
        let url = url.replace("{port}", &port.to_string());
        let error = within(MessageWebSocket::connect(&url)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{url}: {error}");
        assert!(error.to_string().contains(cure), "{url}: {error}");
    }
    // What was refused never came: the next to arrive is this one.
    let late = Raw::connect(listener.local_addr().unwrap()).await;
    let (_, from) = within(listener.accept()).await.unwrap();
    assert_eq!(from, late.addr());
}

#[tokio::test]
async fn a_secret_in_a_bad_address_is_not_repeated() {
    let error = MessageWebSocket::connect("ws://me:hunter2@localhost/").await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
}

#[tokio::test]
async fn scheme_and_host_may_be_in_capitals() {
    let (url, server) = script(opened()).await;
    let url = url.replace("ws://127.0.0.1", "WS://LOCALHOST");
    within(MessageWebSocket::connect(&url)).await.unwrap();
    let head = within(server).await.unwrap();
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap();
    assert_eq!(header_of(&head, "Host"), [format!("localhost:{port}")]);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let error = within(MessageWebSocket::connect(format!("ws://{addr}/"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    let text = error.to_string();
    assert!(text.contains(&addr.to_string()) && text.contains("is a server listening"), "{text}");
    let cause = error.get_ref().unwrap().downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(cause.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_host_that_nobody_knows_is_named() {
    // RFC 2606 §2: this one never exists.
    let client = Client::builder().proxies(Proxies::none()).build().unwrap();
    let error = within(client.connect("ws://no-such-host.invalid/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve, "{error}");
    assert!(error.to_string().contains("no-such-host.invalid"), "{error}");
    assert!(error.advice().contains("spelt"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_after_half_a_minute() {
    // It accepts, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let begun = Instant::now();
    let error = MessageWebSocket::connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let took = begun.elapsed();
    assert!((30..31).contains(&took.as_secs()), "{took:?}");
    assert!(error.to_string().contains("did not answer in time"), "{error}");
    assert!(error.to_string().contains("ws rather than wss"), "{error}");
}

#[tokio::test]
async fn so_is_one_that_stops_half_way() {
    let client = Client::builder().handshake_timeout(Duration::from_millis(200)).build().unwrap();
    for part in ["HTTP/1.1 101 Swit", &OPEN[..OPEN.len() - 2]] {
        let (url, _server) = script([Step::Head, send(part), Step::End]).await;
        let error = within(client.connect(&url)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    }
}

#[tokio::test]
async fn a_refusal_comes_with_its_answer() {
    for (status, headers, body, advice) in [
        ("404 Not Found", "", "no such page", "path of the address"),
        ("401 Unauthorized", "WWW-Authenticate: Basic\r\n", "who?", "wants credentials"),
        ("403 Forbidden", "", "go away", "Origin"),
        ("403 Forbidden", "Content-Type: Text/HTML; charset=x\r\n", "<html>", "a web filter"),
        ("403 Forbidden", "Via: 1.1 gate (squid)\r\n", "<html>", "what passed the request on"),
        ("511 Network Authentication Required", "", "", "captive portal"),
        ("302 Found", "Location: /login\r\nContent-Type: text/html\r\n", "<a>", "captive portal"),
        ("301 Moved Permanently", "Location: ws://other.example/\r\n", "", "Location"),
        ("426 Upgrade Required", "Sec-WebSocket-Version: 8\r\n", "", "another version"),
        ("500 Internal Server Error", "", "oops", "try again later"),
        ("503 Service Unavailable", "Retry-After: 5\r\n", "full", "try again later"),
        ("200 OK", "Content-Type: text/html\r\n", "<!doctype html>", "HTTP, but not WebSocket"),
        ("200 OK", "Content-Type: text/html\r\n", "<html>", "captive portal"),
        ("418 I'm a teapot", "", "short and stout", "Error::response"),
    ] {
        let answer =
            format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len());
        for step in [send(&answer), Step::Bytewise(answer.clone().into_bytes())] {
            let (error, _) = fails([Step::Head, step, Step::End]).await;
            assert_eq!(error.kind(), ErrorKind::Handshake, "{error}");
            let response = error.response().expect("the answer");
            assert_eq!(response.status().as_str(), &status[..3]);
            assert_eq!(response.body(), body);
            for header in headers.lines() {
                let (name, value) = header.split_once(": ").unwrap();
                assert_eq!(response.headers()[name], value);
            }
            assert!(error.to_string().contains(&status[..3]), "{error}");
            assert!(error.advice().contains(advice), "{error}");
        }
    }
}

#[tokio::test]
async fn a_refusal_of_what_stands_between_is_told_as_such() {
    let answer = |headers: &str| {
        send(&format!("HTTP/1.1 403 Forbidden\r\n{headers}Content-Length: 0\r\n\r\n"))
    };
    for (headers, cause) in [
        ("", "the server answered 403 Forbidden; "),
        ("Content-Type: text/html\r\n", "answered 403 Forbidden, with a web page; "),
        ("Via: 1.1 gate (squid)\r\n", "answered 403 Forbidden by way of 1.1 gate (squid); "),
        (
            "Via: 1.1 gate\r\nContent-Type: text/html;charset=utf-8\r\n",
            "answered 403 Forbidden by way of 1.1 gate, with a web page; ",
        ),
        // Too long to be repeated.
        (&format!("Via: 1.1 {}\r\n", "a".repeat(200)), "the server answered 403 Forbidden; "),
    ] {
        let (error, _) = fails([Step::Head, answer(headers), Step::End]).await;
        assert!(error.to_string().contains(cause), "{error}");
    }
}

#[tokio::test]
async fn a_refusals_body_may_come_late_or_never() {
    // It lasts to the end of the connection.
    let answer = "HTTP/1.0 404 Not Found\r\n\r\nno such page";
    let (error, _) = fails([Step::Head, send(answer)]).await;
    assert_eq!(error.response().unwrap().status(), 404);
    // Less of it comes than was said.
    let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\nno such";
    let (error, _) = fails([Step::Head, send(answer)]).await;
    assert_eq!(error.response().unwrap().body(), "no such");
    // The rest never comes: that is no reason to forget what did.
    let (url, _server) = script([Step::Head, send(answer), Step::End]).await;
    let error = within(MessageWebSocket::connect(&url)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Handshake, "{error}");
    assert_eq!(error.response().unwrap().status(), 404);
    assert_eq!(error.response().unwrap().body(), "no such");
    // A length that is none.
    for length in ["-1", "x", "18446744073709551616", "9223372036854775807"] {
        let answer = format!("HTTP/1.1 404 Not Found\r\nContent-Length: {length}\r\n\r\nno");
        let (error, _) = fails([Step::Head, send(&answer)]).await;
        assert_eq!(error.response().unwrap().status(), 404, "{length}");
    }
}

#[tokio::test]
async fn an_answer_that_is_wrong_in_one_thing_is_refused() {
    let with = |from: &str, to: &str| {
        let answer = OPEN.replace(from, to);
        assert_ne!(answer, OPEN);
        answer
    };
    let and = |line: &str| with("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"));
    for (answer, why) in [
        (with("{accept}", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "Sec-WebSocket-Accept"),
        (with("{accept}", ""), "Sec-WebSocket-Accept"),
        (with("{accept}", "{accept}x"), "Sec-WebSocket-Accept"),
        (with("Sec-WebSocket-Accept: {accept}\r\n", ""), "Sec-WebSocket-Accept"),
        (and("Sec-WebSocket-Accept: x"), "Sec-WebSocket-Accept"),
        (with("Upgrade: websocket\r\n", ""), "Upgrade"),
        (with("Upgrade: websocket", "Upgrade: websockets"), "Upgrade"),
        (with("Upgrade: websocket", "Upgrade: websocket, h2c"), "Upgrade"),
        (with("Connection: Upgrade\r\n", ""), "Connection"),
        (with("Connection: Upgrade", "Connection: notupgrade"), "Connection"),
        (with("Connection: Upgrade", "Connection: keep-alive"), "Connection"),
        (with("HTTP/1.1", "HTTP/1.0"), "HTTP/1.1"),
        (with("HTTP/1.1", "HTTP/2.0"), "HTTP version"),
        (and("Sec-WebSocket-Extensions: permessage-deflate"), "\"permessage-deflate\""),
        (and("Sec-WebSocket-Extensions: \"\""), "Sec-WebSocket-Extensions"),
        (and("Sec-WebSocket-Protocol: c"), "\"c\""),
        (and("Sec-WebSocket-Protocol: a, b"), "more than one"),
        (and("Sec-WebSocket-Protocol: "), "Sec-WebSocket-Protocol"),
        (and("Folded: a\r\n b"), "folded"),
        (with("\r\nUpgrade", "\nUpgrade"), "CR LF"),
        (with(" Switching Protocols", "x"), "first line"),
    ] {
        let (error, _) = fails([Step::Head, send(&answer), Step::End]).await;
        assert_eq!(error.kind(), ErrorKind::Handshake, "{answer:?}: {error}");
        assert!(error.to_string().contains(why), "{answer:?}: {error}");
        assert!(error.advice().contains("a WebSocket server"), "{error}");
        assert!(error.response().is_none(), "101 is no refusal");
    }
}

#[tokio::test]
async fn the_subprotocol_is_one_of_those_offered_or_none() {
    let client = Client::builder().subprotocol("a").subprotocol("b").build().unwrap();
    let choosing = |name: &str| OPEN.replace("\r\n\r\n", &format!("\r\n{name}\r\n\r\n"));
    for (answer, expected) in [
        (OPEN.to_owned(), Ok(None)),
        (choosing("Sec-WebSocket-Protocol: b"), Ok(Some("b"))),
        (choosing("sec-websocket-protocol:a"), Ok(Some("a"))),
        (choosing("Sec-WebSocket-Protocol: c"), Err("\"c\", which was not offered")),
        (choosing("Sec-WebSocket-Protocol: A"), Err("\"A\", which was not offered")),
        (choosing("Sec-WebSocket-Protocol: a, b"), Err("more than one")),
    ] {
        let (url, server) = script([Step::Head, send(&answer), Step::End]).await;
        match (within(client.connect(&url)).await, expected) {
            (Ok(socket), Ok(name)) => assert_eq!(socket.info().subprotocol(), name),
            (Err(error), Err(why)) => assert!(error.to_string().contains(why), "{error}"),
            (got, expected) => panic!("{got:?} instead of {expected:?}"),
        }
        let head = within(server).await.unwrap();
        assert_eq!(header_of(&head, "Sec-WebSocket-Protocol"), ["a, b"]);
    }
}

#[tokio::test]
async fn a_failed_attempt_can_be_made_again_with_other_settings() {
    let refuse = OPEN.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: c\r\n\r\n");
    let (url, server) = script([Step::Head, send(&refuse), Step::End]).await;
    let client = Client::builder().subprotocol("a");
    within(client.build().unwrap().connect(&url)).await.unwrap_err();
    assert_eq!(header_of(&within(server).await.unwrap(), "Sec-WebSocket-Protocol"), ["a"]);
    let (url, server) = script([Step::Head, send(&refuse), Step::End]).await;
    let client = Client::builder().subprotocol("a").subprotocol("c").build().unwrap();
    let socket = within(client.connect(&url)).await.unwrap();
    assert_eq!(socket.info().subprotocol(), Some("c"));
    drop(socket);
    assert_eq!(header_of(&within(server).await.unwrap(), "Sec-WebSocket-Protocol"), ["a, c"]);
}

#[tokio::test]
async fn frames_right_behind_the_answer_are_not_lost() {
    let mut answer = OPEN.as_bytes().to_vec();
    answer.extend(b"\x81\x05first\x01\x03sec\x80\x03ond\x82\x7E\x10\x00");
    answer.extend(vec![3; 4096]);
    answer.extend(b"\x88\x02\x03\xE8");
    for step in [Step::Send(answer.clone()), Step::Bytewise(answer)] {
        let close = vec![0x88, 0x82];
        let (url, server) = script([Step::Head, step, Step::Expect(close), Step::End]).await;
        let mut socket = within(MessageWebSocket::connect(&url)).await.unwrap();
        assert_eq!(within(socket.recv()).await.unwrap(), Some(Message::text("first")));
        assert_eq!(within(socket.recv()).await.unwrap(), Some(Message::text("second")));
        assert_eq!(within(socket.recv()).await.unwrap(), Some(Message::binary(vec![3; 4096])));
        let end = tokio::spawn(async move { (socket.recv().await, socket) });
        // It has answered the closing frame, and waits for the server to end TCP first.
        let (end, socket) = within(end).await.unwrap();
        assert_eq!(end.unwrap(), None);
        assert_eq!(socket.close_frame().unwrap().code, CloseCode::NORMAL);
        drop(socket);
        within(server).await.unwrap();
    }
}

#[tokio::test]
async fn answers_before_the_answer_are_passed_over() {
    let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n";
    for step in [send(&format!("{early}{OPEN}")), Step::Bytewise(format!("{early}{OPEN}").into())] {
        let (url, server) = script([Step::Head, step, Step::End]).await;
        let socket = within(MessageWebSocket::connect(&url)).await.unwrap();
        let response = socket.info().response().unwrap();
        assert_eq!(response.status(), 101);
        assert!(!response.headers().contains_key("link"));
        drop(socket);
        within(server).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_leaves_before_it_answers_is_a_lost_connection() {
    for part in ["", "HTTP/1.1 101 Switching", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let (error, _) = fails([Step::Head, send(part)]).await;
        assert_eq!(error.kind(), ErrorKind::Disconnected, "{part:?}: {error}");
        assert!(error.to_string().contains("shaking hands with ws://127.0.0.1:"), "{error}");
    }
    // Before it has read anything, with a reset.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    });
    let error = within(MessageWebSocket::connect(&url)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
    within(server).await.unwrap();
}

#[tokio::test]
async fn what_is_not_http_is_told_as_such() {
    for garbage in ["\x15\x03\x01\x00\x02\x02\x46", "\0\0\0\0", " HTTP/1.1 101\r\n\r\n", "\r\n\r\n"]
    {
        let (error, _) = fails([Step::Head, send(garbage), Step::End]).await;
        assert_eq!(error.kind(), ErrorKind::Handshake, "{error}");
        assert!(error.to_string().contains("not HTTP"), "{error}");
    }
    // A mail server, a shell, and one that likes to talk.
    for garbage in ["220 mail.example ESMTP\r\n\r\n", "SSH-2.0-OpenSSH_9.6\r\n", "hello\n"] {
        let (error, _) = fails([Step::Head, send(garbage), send("\r\n\r\n"), Step::End]).await;
        assert_eq!(error.kind(), ErrorKind::Handshake, "{garbage:?}: {error}");
        assert!(error.to_string().contains("HTTP"), "{error}");
    }
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_refused() {
    assert_eq!(HeadLimits::default().bytes, 16 * 1024);
    let long = format!("HTTP/1.1 101 Yes\r\nX: {}", "x".repeat(20 * 1024));
    let (error, _) = fails([Step::Head, send(&long), Step::End]).await;
    assert_eq!(error.kind(), ErrorKind::Handshake);
    assert!(error.to_string().contains("larger than the limit"), "{error}");
}

#[tokio::test]
async fn options_of_the_socket_show() {
    for (nodelay, size) in [(true, None), (false, Some(30_000_u32)), (true, Some(60_000))] {
        let mut builder = Client::builder().nodelay(nodelay);
        if let Some(size) = size {
            builder = builder.send_buffer_size(size);
        }
        let (url, server) = script(opened()).await;
        let socket = within(builder.build().unwrap().connect(&url)).await.unwrap();
        let tcp = socket.get_ref().as_tcp().unwrap();
        assert_eq!(tcp.nodelay().unwrap(), nodelay);
        if let Some(size) = size {
            let actual = u32::try_from(SockRef::from(tcp).send_buffer_size().unwrap()).unwrap();
            assert!((size..=2 * size).contains(&actual), "{actual} for {size}");
        }
        drop(socket);
        within(server).await.unwrap();
    }
    let (url, server) = script(opened()).await;
    let socket = within(Client::new().connect(&url)).await.unwrap();
    assert!(socket.get_ref().as_tcp().unwrap().nodelay().unwrap(), "on by default");
    drop(socket);
    within(server).await.unwrap();
}

#[tokio::test]
async fn a_connect_that_is_cancelled_leaves_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr: SocketAddr = listener.local_addr().unwrap();
    let connecting = tokio::spawn(MessageWebSocket::connect(format!("ws://{addr}/")));
    let (stream, _) = within(listener.accept()).await.unwrap();
    let mut raw = Raw(stream);
    raw.head().await;
    connecting.abort();
    assert!(within(connecting).await.unwrap_err().is_cancelled());
    assert_eq!(raw.rest().await, b"", "the server sees the end");
}

#[tokio::test]
async fn a_connect_that_was_given_up_can_be_made_again() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", silent.local_addr().unwrap());
    let echo = Echo::new(Server::builder()).await;
    let client = Client::new();
    let soon = Duration::from_millis(50);
    tokio::time::timeout(soon, client.connect(url)).await.unwrap_err();
    let mut again = MessageWebSocket::from(within(client.connect(echo.url())).await.unwrap());
    talk(&mut again).await;
}

#[tokio::test]
async fn a_client_connects_as_often_as_one_likes() {
    let echo = Echo::new(Server::builder()).await;
    let client = Client::new();
    let connect =
        async || MessageWebSocket::from(within(client.connect(echo.url())).await.unwrap());
    let (mut first, mut second) = (connect().await, connect().await);
    talk(&mut first).await;
    within(first.close(CloseCode::NORMAL, "")).await.unwrap();
    let mut third = connect().await;
    talk(&mut second).await;
    talk(&mut third).await;
}

/// Sends a message and gets it back.
async fn talk(socket: &mut MessageWebSocket) {
    within(socket.send("hello")).await.unwrap();
    assert_eq!(within(socket.recv()).await.unwrap(), Some(Message::text("hello")));
}
