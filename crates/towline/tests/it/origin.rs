//! Which web pages may connect.

use towline::{ErrorKind, Server, ServerBuilder};

use crate::raw::{Answer, Echo, Raw, opening, within};

/// Whether a request with these headers gets in; if not, what it is told.
async fn enters(echo: &mut Echo, host: &str, origin: Option<&str>) -> Result<(), String> {
    let mut raw = Raw::connect(echo.addr).await;
    raw.put(opening(&[("Host", Some(host)), ("Origin", origin)]).as_bytes()).await;
    let head = raw.head().await;
    if head.starts_with("HTTP/1.1 101 ") {
        raw.put(&[0x88, 0x80, 0, 0, 0, 0]).await;
        raw.expect(&[0x88, 0]).await;
        assert!(echo.end_of(raw.addr()).await.errors.is_empty());
        return Ok(());
    }
    let body = raw.rest().await;
    let answer = Answer::parse(&[head.as_bytes(), &body].concat());
    assert_eq!(answer.status, 403, "{answer:?}");
    assert_eq!(answer.header("Connection"), Some("close"));
    assert_eq!(answer.header("Content-Length"), Some(&*body.len().to_string()));
    let from = raw.addr();
    drop(raw);
    let error = echo.error_of(from).await;
    assert_eq!(error.kind(), ErrorKind::Handshake);
    assert!(error.to_string().contains(answer.text().trim_end()), "{error}");
    Err(answer.text().to_owned())
}

/// Tries each host and origin; true means that it should get in.
async fn check(builder: ServerBuilder, cases: &[(&str, Option<&str>, bool)]) {
    let mut echo = Echo::new(builder).await;
    for (host, origin, expected) in cases {
        let entered = within(enters(&mut echo, host, *origin)).await;
        assert_eq!(entered.is_ok(), *expected, "host {host}, origin {origin:?}: {entered:?}");
        if let (Err(told), Some(origin)) = (entered, origin) {
            assert!(told.contains(origin) || told.contains(host), "{told}");
            assert!(told.contains("allow_"), "it says what to do: {told}");
        }
    }
}

#[tokio::test]
async fn pages_of_the_servers_own_host_and_port_are_let_in_and_no_others() {
    check(
        Server::builder(),
        &[
            ("localhost:8080", Some("http://localhost:8080"), true),
            ("LocalHost:8080", Some("HTTP://LOCALHOST:8080"), true),
            ("127.0.0.1:8080", Some("http://127.0.0.1:8080"), true),
            ("[::1]:8080", Some("http://[::1]:8080"), true),
            ("app.localhost", Some("http://app.localhost"), true),
            ("localhost:8080", Some("http://localhost:8081"), false),
            ("localhost:8080", Some("http://localhost"), false),
            ("localhost", Some("http://localhost:8080"), false),
            ("localhost:8080", Some("http://127.0.0.1:8080"), false),
            ("localhost", Some("http://evil.example"), false),
            ("localhost", Some("http://localhost.evil.example"), false),
            ("localhost", Some("http://localhost@evil.example"), false),
            ("localhost", Some("http://evil.example@localhost"), false),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_schemes_own_port_may_be_written_or_left_out() {
    check(
        Server::builder(),
        &[
            ("localhost", Some("http://localhost:80"), true),
            ("localhost:80", Some("http://localhost"), true),
            // TLS may end in front of the server.
            ("localhost", Some("https://localhost"), true),
            ("localhost:443", Some("https://localhost"), true),
            ("localhost:443", Some("http://localhost"), false),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_client_that_is_no_browser_names_no_origin_and_is_let_in() {
    check(
        Server::builder(),
        &[("localhost", None, true), ("attacker.example", None, true), ("10.0.0.1:9", None, true)],
    )
    .await;
}

#[tokio::test]
async fn what_is_nobodys_origin_is_refused() {
    check(
        Server::builder().allow_origin("https://example.com"),
        &[
            ("localhost", Some("null"), false),
            ("localhost", Some("localhost"), false),
            ("localhost", Some("http://localhost/path"), false),
            ("localhost", Some("http://localhost?q"), false),
            ("localhost", Some("file://"), false),
            ("localhost", Some("*"), false),
        ],
    )
    .await;
}

#[tokio::test]
async fn listed_origins_are_let_in_beside_the_servers_own() {
    let builder = Server::builder()
        .allow_origin("https://example.com")
        .allow_origin("http://localhost:3000")
        .allow_origin("chrome-extension://abcdef");
    check(
        builder,
        &[
            ("localhost:8080", Some("https://example.com"), true),
            ("localhost:8080", Some("https://EXAMPLE.com:443"), true),
            ("localhost:8080", Some("http://localhost:3000"), true),
            ("localhost:8080", Some("chrome-extension://abcdef"), true),
            ("localhost:8080", Some("http://localhost:8080"), true),
            ("localhost:8080", Some("http://example.com"), false),
            ("localhost:8080", Some("https://example.com:8443"), false),
            ("localhost:8080", Some("https://www.example.com"), false),
            ("localhost:8080", Some("https://example.com.evil.example"), false),
            ("localhost:8080", Some("chrome-extension://ABCDEFG"), false),
            ("localhost:8080", Some("null"), false),
        ],
    )
    .await;
}

#[tokio::test]
async fn every_page_is_let_in_where_any_may() {
    check(
        Server::builder().allow_any_origin(),
        &[
            ("localhost", Some("https://anybody.example"), true),
            ("localhost", Some("null"), true),
            // There is nothing left that a name which points here could gain.
            ("name.example", Some("http://name.example"), true),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_name_that_was_made_to_point_here_is_refused() {
    // DNS rebinding: to the browser the page is of the server's own origin.
    check(
        Server::builder(),
        &[
            ("attacker.example", Some("http://attacker.example"), false),
            ("attacker.example:8080", Some("http://attacker.example:8080"), false),
            ("localhost.attacker.example", Some("http://localhost.attacker.example"), false),
            ("127.0.0.1.attacker.example", Some("http://127.0.0.1.attacker.example"), false),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_name_of_the_servers_own_can_be_allowed_on_loopback() {
    check(
        Server::builder().allow_host("Dev.Example"),
        &[
            ("dev.example:8080", Some("http://dev.example:8080"), true),
            ("DEV.example", Some("http://dev.EXAMPLE"), true),
            ("dev.example", Some("http://other.example"), false),
            ("other.example", Some("http://other.example"), false),
            ("sub.dev.example", Some("http://sub.dev.example"), false),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_listed_origin_is_let_in_by_whatever_name_it_called_the_server() {
    // As behind a proxy that passes the public name on: nobody can forge a page's origin.
    check(
        Server::builder().allow_origin("https://example.com"),
        &[
            ("example.com", Some("https://example.com"), true),
            ("attacker.example", Some("https://example.com"), true),
            ("attacker.example", Some("https://attacker.example"), false),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_origin_that_is_none_cannot_be_allowed() {
    for bad in ["example.com", "https://example.com/path", "https://a@example.com", "null", ""] {
        let error = Server::builder().allow_origin(bad).bind("127.0.0.1:0").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{bad}");
        assert!(error.to_string().contains("scheme://host"), "{error}");
    }
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn a_server_that_speaks_tls_lets_in_no_page_that_came_without_it() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let identity = towline::ServerTls::from_pem(cert.pem(), signing_key.serialize_pem()).unwrap();
    let builder = Server::builder().tls(identity).allow_origin("http://localhost:3000");
    let mut echo = Echo::new(builder).await;
    let port = echo.addr.port();
    let roots = towline::TlsConfig::roots_pem(cert.pem()).unwrap();
    for (origin, expected) in [
        (format!("https://localhost:{port}"), true),
        (format!("HTTPS://LOCALHOST:{port}"), true),
        (format!("http://localhost:{port}"), false),
        (format!("ws://localhost:{port}"), false),
        (format!("wss://localhost:{port}"), false),
        ("https://localhost".to_owned(), false),
        // Whoever lists an origin means it.
        ("http://localhost:3000".to_owned(), true),
    ] {
        let client = towline::Client::builder().tls(roots.clone()).origin(&origin);
        let connecting = client.build().unwrap();
        let connected = within(connecting.connect(format!("wss://localhost:{port}/"))).await;
        assert_eq!(connected.is_ok(), expected, "{origin}: {connected:?}");
        let at_server = match connected {
            Ok(socket) => {
                drop(socket);
                ErrorKind::Disconnected
            }
            Err(error) => {
                assert_eq!(error.response().unwrap().status(), 403, "{error}");
                ErrorKind::Handshake
            }
        };
        assert_eq!(echo.any_end().await.errors[0].kind(), at_server, "{origin}");
    }
}
