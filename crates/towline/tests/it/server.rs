//! A server: what it refuses and how, whom it lets wait, and how it ends.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode, header};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use towline::proto::handshake::HeadLimits;
use towline::{
    Client, CloseCode, Config, ErrorKind, Message, MessageWebSocket, Server, StreamWebSocket,
    Upgrade,
};

use crate::harness::masked;
use crate::raw::{
    Answer, Echo, Headers, Raw, ask, close_code, header_of, opening, opening_by, until, within,
};

/// The server refuses this request with that status, says why, and ends the connection well.
async fn refuses(echo: &mut Echo, request: &str, status: u16, why: &str) -> Answer {
    let mut raw = Raw::connect(echo.addr).await;
    raw.put(request.as_bytes()).await;
    let answer = Answer::parse(&raw.rest().await);
    assert_eq!(answer.status, status, "{request:?}: {answer:?}");
    assert!(answer.text().contains(why), "{request:?}: {answer:?}");
    assert_eq!(answer.header("Connection").unwrap().split(", ").next(), Some("close"));
    assert_eq!(answer.header("Content-Length"), Some(&*answer.body.len().to_string()));
    assert_eq!(answer.header("Content-Type"), Some("text/plain; charset=utf-8"));
    let from = raw.addr();
    drop(raw);
    let error = echo.error_of(from).await;
    assert_eq!(error.kind(), ErrorKind::Handshake, "{error}");
    assert!(error.to_string().contains(answer.text().trim_end()), "{error}");
    answer
}

#[tokio::test]
async fn a_request_that_breaks_a_rule_is_refused_with_400_and_the_reason() {
    let mut echo = Echo::new(Server::builder()).await;
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let cases: &[(Headers<'_>, &str)] = &[
        (&[("Host", None)], "Host"),
        (&[("Host", Some("one")), ("host", Some("two"))], "Host"),
        (&[("Host", Some("a b"))], "Host"),
        (&[("Connection", None)], "Connection"),
        (&[("Connection", Some("notupgrade"))], "Connection"),
        (&[("Connection", Some("keep-alive"))], "Connection"),
        (&[("Sec-WebSocket-Key", None)], "Sec-WebSocket-Key"),
        (&[("Sec-WebSocket-Key", Some("x"))], "Sec-WebSocket-Key"),
        (&[("Sec-WebSocket-Key", Some(""))], "Sec-WebSocket-Key"),
        (&[("Sec-WebSocket-Key", Some("dGhlIHNhbXBsZSBub25j"))], "16 bytes"),
        (&[("sec-websocket-key", Some(key))], "Sec-WebSocket-Key"),
        (&[("Sec-WebSocket-Version", None)], "Sec-WebSocket-Version"),
        (&[("sec-websocket-version", Some("13"))], "Sec-WebSocket-Version"),
        (&[("Content-Length", Some("5"))], "body"),
        (&[("Transfer-Encoding", Some("chunked"))], "body"),
        (&[("Origin", Some("http://localhost")), ("origin", Some("null"))], "Origin"),
        (&[("Sec-WebSocket-Protocol", Some("a b"))], "Sec-WebSocket-Protocol"),
        (&[("Sec-WebSocket-Protocol", Some("a, a"))], "twice"),
        (&[("Sec-WebSocket-Extensions", Some("a; b=\"c"))], "quoted string"),
        (&[("X", Some("folded\r\n over"))], "folded"),
        (&[("X y", Some("z"))], "malformed"),
        (&[("X", Some("a\0b"))], "malformed"),
        (&[("X", Some("a\nY: b"))], "CR LF"),
    ];
    for (changes, why) in cases {
        refuses(&mut echo, &opening(changes), 400, why).await;
    }
    for garbage in ["\r\nGET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02", "{\"hello\": 1}", "\0\0\0"] {
        refuses(&mut echo, garbage, 400, "HTTP").await;
    }
    refuses(&mut echo, &opening_by("GET * HTTP/1.1", &[]), 400, "path").await;
    refuses(&mut echo, &opening_by("GET /#a HTTP/1.1", &[]), 400, "first line").await;
    refuses(&mut echo, &opening_by("GET HTTP/1.1", &[]), 400, "first line").await;
}

#[tokio::test]
async fn what_others_let_pass_is_refused() {
    // Measured on two servers of others: each of these was answered with 101.
    let mut echo = Echo::new(Server::builder()).await;
    refuses(&mut echo, &opening(&[("Connection", Some("notupgrade"))]), 400, "Connection").await;
    let request = opening_by("POST / HTTP/1.0", &[("Sec-WebSocket-Key", Some("x"))]);
    let answer = refuses(&mut echo, &request, 405, "GET, not POST").await;
    assert_eq!(answer.header("Allow"), Some("GET"));
    let request = opening(&[("Host", None), ("Sec-WebSocket-Key", Some("x"))]);
    refuses(&mut echo, &request, 400, "Host").await;
}

#[tokio::test]
async fn another_method_is_refused_with_405_and_the_one_that_would_do() {
    let mut echo = Echo::new(Server::builder()).await;
    for method in ["POST", "PUT", "OPTIONS", "CONNECT", "get", "BREW"] {
        let request = opening_by(&format!("{method} /chat HTTP/1.1"), &[]);
        if method == "CONNECT" {
            continue; // Its target is no path, which is another matter.
        }
        let answer = refuses(&mut echo, &request, 405, &format!("GET, not {method}")).await;
        assert_eq!(answer.header("Allow"), Some("GET"));
    }
    // The answer to HEAD has no body.
    let answer = ask(echo.addr, &opening_by("HEAD /chat HTTP/1.1", &[])).await;
    assert_eq!((answer.status, &*answer.body), (405, &b""[..]));
    assert_ne!(answer.header("Content-Length"), Some("0"));
}

#[tokio::test]
async fn another_version_is_refused_with_426_and_ours() {
    let mut echo = Echo::new(Server::builder()).await;
    let versions: &[Headers<'_>] = &[
        &[("Sec-WebSocket-Version", Some("8"))],
        &[("Sec-WebSocket-Version", Some("0"))],
        &[("Sec-WebSocket-Version", Some("14"))],
        &[("Sec-WebSocket-Version", Some("13, 8"))],
        &[("Sec-WebSocket-Version", Some("013"))],
        &[("Sec-WebSocket-Version", Some("xiii"))],
    ];
    for changes in versions {
        let answer = refuses(&mut echo, &opening(changes), 426, "is not 13").await;
        assert_eq!(answer.header("Sec-WebSocket-Version"), Some("13"));
        assert_eq!(answer.header("Upgrade"), Some("websocket"));
    }
    let not_websocket: &[Headers<'_>] =
        &[&[("Upgrade", None)], &[("Upgrade", Some("h2c"))], &[("Upgrade", Some("websockets"))]];
    for changes in not_websocket {
        let answer = refuses(&mut echo, &opening(changes), 426, "Upgrade").await;
        assert_eq!(answer.header("Sec-WebSocket-Version"), Some("13"));
    }
    // A browser that opens a WebSocket's address in a tab.
    let answer = refuses(&mut echo, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 426, "").await;
    assert_eq!(answer.header("Upgrade"), Some("websocket"));
}

#[tokio::test]
async fn another_http_is_refused_with_505() {
    let mut echo = Echo::new(Server::builder()).await;
    for version in ["HTTP/1.0", "HTTP/2.0", "HTTP/1.2"] {
        let request = opening_by(&format!("GET /chat {version}"), &[]);
        refuses(&mut echo, &request, 505, "1.1").await;
    }
    refuses(&mut echo, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "1.1").await;
}

#[tokio::test]
async fn a_head_beyond_the_limits_is_refused_with_431() {
    let mut echo = Echo::new(Server::builder()).await;
    let long = "x".repeat(20 * 1024);
    refuses(&mut echo, &opening(&[("X-Long", Some(&long))]), 431, "larger than the limit").await;
    let many = vec![("X", Some("y")); 96];
    refuses(&mut echo, &opening(&many), 431, "more headers than the limit").await;
    let request = format!("GET /{long}");
    refuses(&mut echo, &request, 431, "larger than the limit").await;
    // One fewer, and one byte fewer, are taken.
    let mut raw = Raw::connect(echo.addr).await;
    raw.put(opening(&many[1..]).as_bytes()).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 101 "));
    let bare = opening(&[("X", Some(""))]).len();
    let fits = opening(&[("X", Some(&"x".repeat(16 * 1024 - bare)))]);
    assert_eq!(fits.len(), 16 * 1024);
    let mut raw = Raw::connect(echo.addr).await;
    raw.put(fits.as_bytes()).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 101 "));
    let over = opening(&[("X", Some(&"x".repeat(16 * 1024 - bare + 1)))]);
    refuses(&mut echo, &over, 431, "larger than the limit").await;

    let limits = HeadLimits { bytes: 300, headers: 6 };
    let mut echo = Echo::new(Server::builder().head_limits(limits)).await;
    let request = opening(&[("X", Some(&"x".repeat(200)))]);
    refuses(&mut echo, &request, 431, "larger").await;
    refuses(&mut echo, &opening(&[("X", Some("1")), ("Y", Some("2"))]), 431, "more headers").await;
}

#[tokio::test]
async fn a_head_without_end_is_cut_at_the_limit() {
    let mut echo = Echo::new(Server::builder()).await;
    let (mut read, mut write) = Raw::connect(echo.addr).await.0.into_split();
    let from = write.local_addr().unwrap();
    let sending = tokio::spawn(async move {
        write.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        // 64 MiB, unless the server ends it.
        for n in 0..1024 {
            let header = format!("X-{n}: {}\r\n", "y".repeat(64 * 1024));
            if write.write_all(header.as_bytes()).await.is_err() {
                return n;
            }
        }
        1024
    });
    let mut answer = Vec::new();
    within(read.read_to_end(&mut answer)).await.ok();
    assert_eq!(Answer::parse(&answer).status, 431);
    assert!(within(sending).await.unwrap() < 1024, "the server read it all");
    assert_eq!(echo.error_of(from).await.kind(), ErrorKind::Handshake);
}

#[tokio::test]
async fn a_head_may_come_byte_by_byte() {
    let echo = Echo::new(Server::builder()).await;
    let mut raw = Raw::connect(echo.addr).await;
    let cookie = "c".repeat(2000);
    raw.put_bytewise(opening(&[("Cookie", Some(&cookie))]).as_bytes()).await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
    assert_eq!(header_of(&head, "Sec-WebSocket-Accept"), ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]);
    assert_eq!(header_of(&head, "Upgrade"), ["websocket"]);
    assert_eq!(header_of(&head, "Connection"), ["Upgrade"]);
    assert!(header_of(&head, "Sec-WebSocket-Protocol").is_empty());
    raw.put_bytewise(&masked(0x81, b"slow")).await;
    raw.expect(b"\x81\x04slow").await;
}

#[tokio::test]
async fn frames_that_come_right_behind_the_request_are_not_lost() {
    let mut echo = Echo::new(Server::builder()).await;
    let mut raw = Raw::connect(echo.addr).await;
    let mut bytes = opening(&[("Connection", Some("keep-alive, upgrade"))]).into_bytes();
    bytes.extend(masked(0x81, b"one"));
    bytes.extend(masked(0x82, &[2; 1000]));
    bytes.extend(masked(0x88, &1000u16.to_be_bytes()));
    raw.put(&bytes).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 101 "));
    raw.expect(b"\x81\x03one\x82\x7E\x03\xE8").await;
    raw.expect(&[2; 1000]).await;
    raw.expect(b"\x88\x02\x03\xE8").await;
    assert_eq!(raw.rest().await, b"");
    assert!(echo.end_of(raw.addr()).await.errors.is_empty());
}

/// That this connection is told 503, at once, and ends without a reset.
async fn is_turned_away(addr: SocketAddr) {
    let mut raw = Raw::connect(addr).await;
    raw.put(opening(&[]).as_bytes()).await;
    let answer = Answer::parse(&raw.rest().await);
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("Retry-After"), Some("5"));
    assert_eq!(answer.header("Connection"), Some("close"));
}

#[tokio::test]
async fn connections_beyond_the_limit_are_turned_away_with_503() {
    let mut echo = Echo::new(Server::builder().max_connections(2)).await;
    let mut one = MessageWebSocket::connect(echo.url()).await.unwrap();
    let silent = Raw::connect(echo.addr).await;
    until(|| echo.server.connections() == 2).await;
    is_turned_away(echo.addr).await;
    let error = MessageWebSocket::connect(echo.url()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Handshake, "{error}");
    assert_eq!(error.response().unwrap().status(), 503);
    // Those that are in stay in, and the one that leaves makes room.
    one.send("still here").await.unwrap();
    assert_eq!(one.recv().await.unwrap(), Some(Message::text("still here")));
    let from = silent.addr();
    drop(silent);
    assert_eq!(echo.error_of(from).await.kind(), ErrorKind::Disconnected);
    until(|| echo.server.connections() == 1).await;
    MessageWebSocket::connect(echo.url()).await.unwrap();
}

#[tokio::test]
async fn handshakes_beyond_the_limit_are_turned_away_with_503() {
    let echo = Echo::new(Server::builder().max_handshakes(1)).await;
    // An open connection counts no more.
    let _one = MessageWebSocket::connect(echo.url()).await.unwrap();
    let silent = Raw::connect(echo.addr).await;
    until(|| echo.server.connections() == 2).await;
    is_turned_away(echo.addr).await;
    drop(silent);
    until(|| echo.server.connections() == 1).await;
    MessageWebSocket::connect(echo.url()).await.unwrap();
}

#[cfg(target_os = "linux")] // where all of 127.0.0.0/8 is there
#[tokio::test]
async fn connections_from_one_address_beyond_its_limit_are_turned_away_with_503() {
    let echo = Echo::new(Server::builder().max_connections_per_address(1)).await;
    let _one = MessageWebSocket::connect(echo.url()).await.unwrap();
    is_turned_away(echo.addr).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = Raw(within(socket.connect(echo.addr)).await.unwrap());
    other.put(opening(&[]).as_bytes()).await;
    assert!(other.head().await.starts_with("HTTP/1.1 101 "));
}

#[cfg(target_os = "linux")] // where all of 127.0.0.0/8 is there
#[tokio::test]
async fn handshakes_from_one_address_beyond_its_limit_lock_nobody_else_out() {
    let echo = Echo::new(Server::builder().max_handshakes_per_address(2)).await;
    // An open connection counts no more.
    let _open = [Raw::opened(echo.addr).await, Raw::opened(echo.addr).await];
    let silent = [Raw::connect(echo.addr).await, Raw::connect(echo.addr).await];
    until(|| echo.server.connections() == 4).await;
    is_turned_away(echo.addr).await;
    assert_eq!(echo.server.connections(), 4);
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = Raw(within(socket.connect(echo.addr)).await.unwrap());
    other.put(opening(&[]).as_bytes()).await;
    assert!(other.head().await.starts_with("HTTP/1.1 101 "));
    drop(silent);
    until(|| echo.server.connections() == 3).await;
    Raw::opened(echo.addr).await;
}

#[tokio::test]
async fn who_is_turned_away_can_read_why() {
    let echo = Echo::new(Server::builder().max_connections(0)).await;
    for n in 0..20 {
        let mut raw = Raw::connect(echo.addr).await;
        // The request is there when the answer comes, or comes after it.
        if n % 2 == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        raw.put(opening(&[]).as_bytes()).await;
        // A reset had time to come.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let answer = Answer::parse(&raw.rest().await);
        assert_eq!((answer.status, answer.text()), (503, ""));
    }
    assert_eq!(echo.server.connections(), 0);
}

#[tokio::test]
async fn slow_peers_delay_nobody() {
    let echo = Echo::new(Server::builder().handshake_timeout(Duration::from_secs(300))).await;
    let _nothing = Raw::connect(echo.addr).await;
    let mut half = Raw::connect(echo.addr).await;
    let request = opening(&[]);
    half.put(&request.as_bytes()[..50]).await;
    let mut silent = Raw::opened(echo.addr).await;
    silent.put(&masked(0x82, &[0; 100])[..20]).await;
    within(async {
        for _ in 0..10 {
            let mut socket = MessageWebSocket::connect(echo.url()).await.unwrap();
            socket.send("quick").await.unwrap();
            assert_eq!(socket.recv().await.unwrap(), Some(Message::text("quick")));
            socket.close(CloseCode::NORMAL, "").await.unwrap();
        }
    })
    .await;
    // They are still at it.
    until(|| echo.server.connections() == 3).await;
    half.put(&request.as_bytes()[50..]).await;
    assert!(half.head().await.starts_with("HTTP/1.1 101 "));
}

#[tokio::test]
async fn slow_handshakes_are_cut_in_time() {
    let mut echo = Echo::new(Server::builder().handshake_timeout(Duration::from_millis(100))).await;
    for part in ["", "GET /chat HT", &opening(&[])[..80]] {
        let mut raw = Raw::connect(echo.addr).await;
        raw.put(part.as_bytes()).await;
        assert_eq!(Answer::parse(&raw.rest().await).status, 408);
        let error = echo.error_of(raw.addr()).await;
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
        assert!(error.to_string().contains("took too long"), "{error}");
    }
    until(|| echo.server.connections() == 0).await;
}

#[tokio::test]
async fn a_refused_client_that_stays_is_a_refusal_and_no_timeout() {
    let mut echo = Echo::new(Server::builder()).await;
    let mut refused = Raw::connect(echo.addr).await;
    refused.put(b"garbage\n").await;
    assert_eq!(Answer::parse(&refused.rest().await).status, 400);
    // Its own direction it leaves open, until the server has had enough.
    let error = echo.error_of(refused.addr()).await;
    assert_eq!(error.kind(), ErrorKind::Handshake, "{error}");
    let mut refused = Raw::connect(echo.addr).await;
    refused.put(opening(&[("Host", None)]).as_bytes()).await;
    assert_eq!(Answer::parse(&refused.rest().await).status, 400);
    assert_eq!(echo.error_of(refused.addr()).await.kind(), ErrorKind::Handshake);
    until(|| echo.server.connections() == 0).await;
}

/// The next request to a server, sent by another task.
async fn next(server: &Server) -> Upgrade {
    within(server.accept()).await.unwrap().handshake().await.unwrap()
}

#[tokio::test]
async fn the_server_sees_the_subprotocols_in_order_and_chooses_one_or_none() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", server.local_addr());
    let client = Client::builder().subprotocol("a").subprotocol("b").build().unwrap();
    for choice in [Some("a"), Some("b"), None] {
        let (connected, accepted) = within(async {
            tokio::join!(client.connect(&url), async {
                let upgrade = next(&server).await;
                assert_eq!(upgrade.subprotocols(), ["a", "b"]);
                match choice {
                    Some(name) => upgrade.subprotocol(name).accept().await,
                    None => upgrade.accept().await,
                }
            })
        })
        .await;
        let (client, server) = (connected.unwrap(), accepted.unwrap());
        assert_eq!(client.info().subprotocol(), choice);
        assert_eq!(server.info().subprotocol(), choice);
    }
}

#[tokio::test]
async fn a_subprotocol_that_was_not_offered_cannot_be_chosen() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr();
    for offered in [None, Some("a, b"), Some("C")] {
        let request = opening(&[("Sec-WebSocket-Protocol", offered)]);
        let (answer, accepted) = within(async {
            tokio::join!(ask(addr, &request), async {
                next(&server).await.subprotocol("c").accept_message().await
            })
        })
        .await;
        // What is wrong with the server is the server's to know.
        assert_eq!((answer.status, answer.text()), (500, "the server could not answer\n"));
        let error = accepted.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("\"c\""), "{error}");
    }
}

#[tokio::test]
async fn the_answer_can_carry_headers_but_not_the_handshakes_own() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr();
    let mut raw = Raw::connect(addr).await;
    let incoming = within(server.accept()).await.unwrap();
    let accepted = tokio::spawn(async move {
        let cookie = http::HeaderValue::from_static("id=7");
        incoming.handshake().await?.header(header::SET_COOKIE, cookie).accept().await
    });
    raw.put(opening(&[]).as_bytes()).await;
    assert_eq!(header_of(&raw.head().await, "Set-Cookie"), ["id=7"]);
    let socket = within(accepted).await.unwrap().unwrap();
    assert_eq!(socket.info().response().unwrap().headers()["set-cookie"], "id=7");
    assert_eq!(socket.info().request().unwrap().uri(), "/chat");

    let request = opening(&[]);
    let (answer, accepted) = within(async {
        tokio::join!(ask(addr, &request), async {
            let value = http::HeaderValue::from_static("mine");
            next(&server).await.header(header::SEC_WEBSOCKET_ACCEPT, value).accept().await
        })
    })
    .await;
    assert_eq!(answer.status, 500);
    assert_eq!(accepted.unwrap_err().kind(), ErrorKind::InvalidInput);
}

/// A server that listens on all addresses has to ask for each connection which it came to.
#[tokio::test]
async fn the_address_that_a_connection_came_to_is_known() {
    for bound in ["127.0.0.1:0", "0.0.0.0:0"] {
        let server = Server::bind(bound).await.unwrap();
        let addr = ([127, 0, 0, 1], server.local_addr().port()).into();
        let request = opening(&[]);
        let (_, came_to) = within(async {
            tokio::join!(ask(addr, &request), async {
                next(&server).await.accept_message().await.unwrap().info().local_addr()
            })
        })
        .await;
        assert_eq!(came_to, Some(addr), "{bound}");
    }
}

#[tokio::test]
async fn plain_http_is_answered_on_the_same_port() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr();
    let serving = tokio::spawn(async move {
        loop {
            let upgrade = next(&server).await;
            assert!(!upgrade.is_websocket());
            let page = Response::builder().header("Content-Type", "text/html");
            match upgrade.path() {
                "/" => {
                    let page = page.body(Bytes::from_static(b"<p>hello")).unwrap();
                    upgrade.respond(page).await.unwrap();
                }
                "/stream" => {
                    let body = tokio::io::repeat(7).take(100_000);
                    upgrade.respond_stream(page.body(()).unwrap(), body).await.unwrap();
                }
                "/sized" => {
                    let page = page.header("Content-Length", "5").body(()).unwrap();
                    upgrade.respond_stream(page, &b"sized"[..]).await.unwrap();
                }
                "/end" => return upgrade.reject(StatusCode::GONE).await.unwrap(),
                _ => upgrade.reject(StatusCode::NOT_FOUND).await.unwrap(),
            }
        }
    });
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let head = |target: &str| format!("HEAD {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");

    let answer = ask(addr, &get("/?query")).await;
    assert_eq!((answer.status, answer.text()), (200, "<p>hello"));
    assert_eq!(answer.header("Content-Type"), Some("text/html"));
    assert_eq!(answer.header("Content-Length"), Some("8"));
    assert_eq!(answer.header("Connection"), Some("close"));
    let answer = ask(addr, &head("/")).await;
    assert_eq!((answer.status, answer.text()), (200, ""));
    assert_eq!(answer.header("Content-Length"), Some("8"));

    let answer = ask(addr, &get("/stream")).await;
    assert_eq!((answer.status, answer.body), (200, vec![7; 100_000]));
    let answer = ask(addr, &head("/stream")).await;
    assert_eq!((answer.status, answer.text()), (200, ""));
    let answer = ask(addr, &get("/sized")).await;
    assert_eq!((answer.header("Content-Length"), answer.text()), (Some("5"), "sized"));

    let answer = ask(addr, &get("/none")).await;
    assert_eq!((answer.status, answer.text()), (404, "404 Not Found\n"));
    // One of HTTP/1.0, and one with a body that nobody reads.
    let answer = ask(addr, "GET / HTTP/1.0\r\n\r\n").await;
    assert_eq!((answer.status, answer.text()), (200, "<p>hello"));
    let body = "b".repeat(10_000);
    let post = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n{body}");
    let answer = ask(addr, &post).await;
    assert_eq!((answer.status, answer.text()), (200, "<p>hello"));
    let answer = ask(addr, &get("/end")).await;
    assert_eq!((answer.status, answer.text()), (410, "410 Gone\n"));
    within(serving).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_can_have_no_body_gets_none() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr();
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED] {
        for streamed in [false, true] {
            let (answer, responded) = within(async {
                tokio::join!(ask(addr, request), async {
                    let upgrade = next(&server).await;
                    let response = Response::builder().status(status);
                    if streamed {
                        let response = response.body(()).unwrap();
                        upgrade.respond_stream(response, &b"body"[..]).await
                    } else {
                        let body = Bytes::from_static(b"body");
                        upgrade.respond(response.body(body).unwrap()).await
                    }
                })
            })
            .await;
            responded.unwrap();
            assert_eq!((answer.status, answer.text()), (status.as_u16(), ""));
        }
    }
    // A length of nothing would say that the page itself is empty.
    let (answer, responded) = within(async {
        tokio::join!(ask(addr, request), async {
            let response = Response::builder().status(304).header("Content-Length", "7");
            next(&server).await.respond(response.body(Bytes::new()).unwrap()).await
        })
    })
    .await;
    responded.unwrap();
    assert_eq!(answer.header("Content-Length"), Some("7"));
}

#[tokio::test]
async fn what_is_printed_of_a_request_holds_no_secret() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let mut raw = Raw::connect(server.local_addr()).await;
    let request = opening_by("GET /room?token=hunter2 HTTP/1.1", &[("Cookie", Some("id=hunter2"))]);
    raw.put(request.as_bytes()).await;
    let upgrade = next(&server)
        .await
        .header(header::SET_COOKIE, http::HeaderValue::from_static("id=hunter2"));
    let printed = format!("{upgrade:?}");
    assert!(printed.contains("GET") && printed.contains("/room"), "{printed}");
    let info = format!("{:?}", upgrade.info());
    let socket = within(upgrade.accept()).await.unwrap();
    // As text, and as the list of numbers that bytes are printed as.
    let numbers = "104, 117, 110, 116, 101, 114, 50";
    for printed in [printed, info, format!("{:?}", socket.info()), format!("{socket:?}")] {
        assert!(!printed.contains("hunter2") && !printed.contains(numbers), "{printed}");
    }
    // It is all there for those who ask.
    assert_eq!(socket.info().request().unwrap().headers()["cookie"], "id=hunter2");
}

#[tokio::test]
async fn a_websocket_on_a_route_that_has_none_is_refused_as_the_server_likes() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/page", server.local_addr());
    let (connected, rejected) = within(async {
        tokio::join!(MessageWebSocket::connect(&url), async {
            let upgrade = next(&server).await;
            assert!(upgrade.is_websocket());
            upgrade.reject(StatusCode::UNAUTHORIZED).await
        })
    })
    .await;
    rejected.unwrap();
    let error = connected.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Handshake);
    assert_eq!(error.response().unwrap().status(), 401);
    assert_eq!(&**error.response().unwrap().body(), b"401 Unauthorized\n");
}

#[tokio::test]
async fn a_page_whose_reader_leaves_is_a_lost_connection() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let mut raw = Raw::connect(server.local_addr()).await;
    raw.put(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let upgrade = next(&server).await;
    let endless = tokio::io::repeat(7);
    let responding = tokio::spawn(upgrade.respond_stream(Response::new(()), endless));
    raw.head().await;
    drop(raw);
    let error = within(responding).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_an_error_of_this_machine() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let mut raw = Raw::connect(server.local_addr()).await;
    raw.put(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let upgrade = next(&server).await;
    let unreadable = tokio_util::io::StreamReader::new(futures_util::stream::iter([
        Ok(Bytes::from_static(b"the beginning")),
        Err(std::io::Error::other("the disk is gone")),
    ]));
    let error = within(upgrade.respond_stream(Response::new(()), unreadable)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.to_string().contains("the disk is gone"), "{error}");
}

#[tokio::test]
async fn options_of_the_socket_show() {
    for (nodelay, size) in [(true, None), (false, Some(30_000)), (true, Some(60_000))] {
        let mut builder = Server::builder();
        if !nodelay {
            builder = builder.nodelay(false);
        }
        if let Some(size) = size {
            builder = builder.send_buffer_size(size);
        }
        let server = builder.bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", server.local_addr());
        let (client, accepted) = within(async {
            tokio::join!(StreamWebSocket::connect(&url), async {
                next(&server).await.accept().await
            })
        })
        .await;
        let accepted = accepted.unwrap();
        let tcp = accepted.get_ref().as_tcp().unwrap();
        assert_eq!(tcp.nodelay().unwrap(), nodelay);
        let actual = SockRef::from(tcp).send_buffer_size().unwrap();
        if let Some(size) = size {
            // Linux doubles what it is asked for.
            assert!((size..=2 * size).contains(&actual), "{actual} for {size}");
        }
        let mut stream = StreamWebSocket::from(accepted);
        stream.write_all(b"hello").await.unwrap();
        let mut got = [0; 5];
        within(client.unwrap().read_exact(&mut got)).await.unwrap();
        assert_eq!(&got, b"hello");
    }
}

#[tokio::test]
async fn shutting_down_closes_every_connection_with_1001() {
    let mut echo = Echo::new(Server::builder()).await;
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(MessageWebSocket::connect(echo.url()).await.unwrap());
    }
    until(|| echo.server.connections() == 5).await;
    let readers: Vec<_> = sockets
        .into_iter()
        .map(|mut socket| {
            tokio::spawn(async move {
                assert_eq!(socket.recv().await.unwrap(), None);
                (socket.close_frame().unwrap().code, socket.info().local_addr().unwrap())
            })
        })
        .collect();
    assert_eq!(within(echo.server.shutdown(Duration::from_secs(50))).await, 0);
    assert_eq!(echo.server.connections(), 0);
    for reader in readers {
        let (code, from) = within(reader).await.unwrap();
        assert_eq!(code, CloseCode::GOING_AWAY);
        assert!(echo.end_of(from).await.errors.is_empty(), "an orderly end is no error");
    }
    let (server, url) = (echo.server.clone(), echo.url());
    assert_eq!(echo.stopped().await.kind(), ErrorKind::Closed);
    assert_eq!(server.accept().await.unwrap_err().kind(), ErrorKind::Closed);
    drop(server);
    let error = MessageWebSocket::connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
}

#[tokio::test]
async fn shutting_down_cuts_those_who_do_not_answer_and_counts_them() {
    let mut echo = Echo::new(Server::builder()).await;
    let mut deaf = Raw::opened(echo.addr).await;
    let mut polite = MessageWebSocket::connect(echo.url()).await.unwrap();
    until(|| echo.server.connections() == 2).await;
    let polite = tokio::spawn(async move { polite.recv().await });
    assert_eq!(within(echo.server.shutdown(Duration::from_millis(300))).await, 1);
    assert_eq!(within(polite).await.unwrap().unwrap(), None);
    assert_eq!(close_code(&deaf.rest_however().await), Some(1001));
    let error = echo.error_of(deaf.addr()).await;
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    until(|| echo.server.connections() == 0).await;
    assert_eq!(within(echo.server.shutdown(Duration::ZERO)).await, 0);
}

#[tokio::test]
async fn shutting_down_cuts_those_who_are_still_shaking_hands() {
    let builder = Server::builder().handshake_timeout(Duration::from_secs(300));
    let mut echo = Echo::new(builder).await;
    let mut silent = Raw::connect(echo.addr).await;
    let mut half = Raw::connect(echo.addr).await;
    half.put(b"GET / HTTP/1.1\r\n").await;
    until(|| echo.server.connections() == 2).await;
    assert_eq!(within(echo.server.shutdown(Duration::from_millis(50))).await, 2);
    until(|| echo.server.connections() == 0).await;
    for raw in [&mut silent, &mut half] {
        assert_eq!(raw.rest_however().await, b"");
        assert_eq!(echo.error_of(raw.addr()).await.kind(), ErrorKind::TimedOut);
    }
}

#[tokio::test]
async fn shutting_down_cuts_those_who_take_their_answer_in_a_trickle() {
    let server = Server::builder()
        .handshake_timeout(Duration::from_secs(300))
        .send_buffer_size(4096)
        .bind("127.0.0.1:0")
        .await
        .unwrap();
    let big = Bytes::from(vec![7; 16 * 1024 * 1024]);
    let long = http::HeaderValue::from_bytes(&vec![b'x'; 16 * 1024 * 1024]).unwrap();
    let page = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let requests = [page.to_owned(), page.to_owned(), opening(&[])];
    let mut clients = Vec::new();
    let mut upgrades = Vec::new();
    for request in &requests {
        let mut raw = Raw::connect(server.local_addr()).await;
        raw.put(request.as_bytes()).await;
        clients.push(raw);
        upgrades.push(next(&server).await);
    }
    let [respond, stream, accept]: [Upgrade; 3] = upgrades.try_into().unwrap();
    let answering = [
        tokio::spawn(respond.respond(Response::new(big))),
        tokio::spawn(stream.respond_stream(Response::new(()), tokio::io::repeat(7))),
        tokio::spawn(async { accept.header(header::WARNING, long).accept().await.map(drop) }),
    ];
    // Each reads a byte at times, and is never still.
    let mut reading = Vec::new();
    for mut raw in clients {
        assert_eq!(within(raw.0.read_u8()).await.unwrap(), b'H');
        reading.push(tokio::spawn(async move {
            while raw.0.read_u8().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }));
    }
    assert_eq!(within(server.shutdown(Duration::from_millis(50))).await, 3);
    for answering in answering {
        let error = within(answering).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
        assert!(error.to_string().contains("the server has shut down"), "{error}");
    }
    until(|| server.connections() == 0).await;
    reading.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_connection_that_is_busy_while_the_server_shuts_down_is_told_when_it_next_waits() {
    let config = Config::default().close_timeout(Duration::from_secs(50));
    let server = Server::builder().config(config).bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", server.local_addr());
    let (client, busy) = within(async {
        tokio::join!(MessageWebSocket::connect(&url), async {
            next(&server).await.accept_message().await
        })
    })
    .await;
    let (mut client, mut busy) = (client.unwrap(), busy.unwrap());
    // Cancelled, it goes on all the same.
    tokio::select! {
        biased;
        left = server.shutdown(Duration::from_secs(50)) => panic!("{left} left"),
        () = tokio::task::yield_now() => {}
    }
    assert_eq!(server.connections(), 1);
    busy.send("last words").await.unwrap();
    let reading = tokio::spawn(async move { busy.recv().await });
    assert_eq!(within(client.recv()).await.unwrap(), Some(Message::text("last words")));
    assert_eq!(within(client.recv()).await.unwrap(), None);
    assert_eq!(client.close_frame().unwrap().code, CloseCode::GOING_AWAY);
    assert_eq!(within(reading).await.unwrap().unwrap(), None);
    until(|| server.connections() == 0).await;
}

#[tokio::test]
async fn connections_that_are_reset_before_they_are_accepted_do_no_harm() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    for _ in 0..20 {
        let raw = Raw::connect(server.local_addr()).await;
        SockRef::from(&raw.0).set_linger(Some(Duration::ZERO)).unwrap();
        drop(raw);
    }
    let url = format!("ws://{}/", server.local_addr());
    let client = tokio::spawn(async move { MessageWebSocket::connect(&url).await });
    let mut lost = 0;
    let _socket = within(async {
        loop {
            match server.accept().await.unwrap().handshake().await {
                Ok(upgrade) => break upgrade.accept_message().await.unwrap(),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
                    lost += 1;
                }
            }
        }
    })
    .await;
    assert!(lost <= 20);
    within(client).await.unwrap().unwrap();
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_accept_that_was_cancelled_loses_no_connection() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let mut clients = Vec::new();
    for n in 0..20 {
        tokio::select! {
            biased;
            _ = server.accept() => panic!("nobody has come"),
            () = tokio::task::yield_now() => {}
        }
        let mut raw = Raw::connect(server.local_addr()).await;
        raw.put(opening_by(&format!("GET /{n} HTTP/1.1"), &[]).as_bytes()).await;
        clients.push(raw);
        let upgrade = next(&server).await;
        assert_eq!(upgrade.path(), format!("/{n}"));
    }
}

#[tokio::test]
async fn an_address_that_cannot_be_listened_on_is_named_with_what_to_do() {
    let taken = Server::bind("127.0.0.1:0").await.unwrap().local_addr();
    let holder = Server::bind(taken.to_string()).await.unwrap();
    let error = Server::bind(holder.local_addr().to_string()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("another program listens there"), "{error}");
    assert!(error.to_string().contains(&taken.to_string()), "{error}");
    for bad in ["", "127.0.0.1", "localhost:http", "127.0.0.1:65536"] {
        let error = Server::bind(bad).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{bad}: {error}");
        assert!(error.to_string().contains("such as 127.0.0.1:8080"), "{error}");
    }
}

/// Of two runtimes in two threads: one accepts, the other does all the rest.
#[tokio::test]
async fn a_connection_can_move_to_another_runtime() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", server.local_addr());
    let (give, take) = std::sync::mpsc::channel::<towline::Detached>();
    let worker = std::thread::spawn(move || {
        let detached = take.recv().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let upgrade = detached.attach().unwrap().handshake().await.unwrap();
            let mut socket = upgrade.accept_message().await.unwrap();
            while let Some(message) = socket.recv().await.unwrap() {
                socket.send(message).await.unwrap();
            }
        });
    });
    let client = tokio::spawn(async move {
        let mut client = MessageWebSocket::connect(&url).await.unwrap();
        client.send("moved").await.unwrap();
        assert_eq!(client.recv().await.unwrap(), Some("moved".into()));
        client.close(CloseCode::NORMAL, "").await.unwrap();
    });
    let incoming = server.accept().await.unwrap();
    let peer = incoming.peer_addr();
    let detached = incoming.detach().unwrap();
    assert!(format!("{detached:?}").contains(&peer.to_string()));
    assert_eq!(server.connections(), 1);
    give.send(detached).unwrap();
    client.await.unwrap();
    worker.join().unwrap();
    // The server still counts it, and sees it go.
    within(server.shutdown(Duration::from_secs(5))).await;
}
