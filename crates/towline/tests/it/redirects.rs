//! Redirects and cookies: off at first, and kept to where they belong.

use std::sync::Arc;

use towline::{Client, ClientBuilder, CookieJar, Cookies, Credentials, ErrorKind, WebSocket};

use crate::raw::{Answering, OPEN, within};

fn moved(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
}

async fn connect(builder: ClientBuilder, url: &str) -> towline::Result<WebSocket> {
    within(builder.build().unwrap().connect(url)).await
}

/// A server that lets everybody in.
async fn open() -> Answering {
    Answering::new(|_, _| OPEN.to_owned()).await
}

/// A server that sends everybody there.
async fn leading(to: &str) -> Answering {
    let answer = moved(302, to);
    Answering::new(move |_, _| answer.clone()).await
}

#[tokio::test]
async fn a_redirect_is_an_error_unless_it_may_be_followed() {
    let end = open().await;
    let start = leading(&end.url("/chat")).await;
    let error = connect(Client::builder(), &start.url("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Handshake);
    assert_eq!(error.response().unwrap().status(), 302);
    assert!(error.advice().contains("Location"), "{error}");
    let socket = connect(Client::builder().redirects(1), &start.url("/")).await.unwrap();
    assert_eq!(socket.info().peer_addr(), Some(end.addr));
    assert_eq!(end.said("Host"), [end.addr.to_string()]);
    assert!(end.asked()[0].1.starts_with("GET /chat HTTP/1.1\r\n"));
}

#[tokio::test]
async fn every_kind_of_redirect_leads_on() {
    for status in [301, 302, 303, 307, 308] {
        let server = Answering::new(move |number, _| match number {
            0 => moved(status, "../b/?x=1#y"),
            _ => OPEN.to_owned(),
        })
        .await;
        connect(Client::builder().redirects(3), &server.url("/a/c")).await.unwrap();
        assert!(server.asked()[1].1.starts_with("GET /b/?x=1 HTTP/1.1\r\n"));
    }
    // Others do not.
    for status in [300, 304, 305, 306] {
        let answer = moved(status, "/b");
        let server = Answering::new(move |_, _| answer.clone()).await;
        connect(Client::builder().redirects(3), &server.url("/")).await.unwrap_err();
        assert_eq!(server.asked().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn there_is_a_limit() {
    let server = leading("/").await;
    let error = connect(Client::builder().redirects(4), &server.url("/")).await.unwrap_err();
    assert_eq!(server.asked().len(), 5);
    assert!(error.to_string().contains("there are more than 4 redirects"), "{error}");
    assert_eq!(error.response().unwrap().status(), 302);
}

#[tokio::test]
async fn some_lead_nowhere() {
    for (to, words) in [
        ("ftp://a.example/", "leads nowhere"),
        ("ws://ada:hunter2@127.0.0.1/", "leads nowhere"),
        ("", "does not say where to"),
    ] {
        let answer = match to {
            "" => moved(302, "x").replace("Location: x\r\n", ""),
            to => moved(302, to),
        };
        let server = Answering::new(move |_, _| answer.clone()).await;
        let error = connect(Client::builder().redirects(4), &server.url("/")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Handshake);
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert_eq!(server.asked().len(), 1);
    }
}

fn laden() -> ClientBuilder {
    Client::builder()
        .redirects(3)
        .header("X-Api-Key", "hunter2")
        .header("Cookie", "id=7")
        .header("User-Agent", "test")
        .origin("https://app.example")
        .subprotocol("chat")
}

#[tokio::test]
async fn what_is_meant_for_one_server_is_not_brought_to_another() {
    let end = Answering::new(|_, head| match head.contains("\r\nAuthorization: ") {
        true => OPEN.to_owned(),
        false => "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\n\
                  Content-Length: 0\r\n\r\n"
            .to_owned(),
    })
    .await;
    let start = leading(&end.url("/")).await;
    for credentials in [
        Credentials::password("ada", "hunter2"),
        Credentials::password("ada", "hunter2").unasked(),
        Credentials::bearer("hunter2"),
    ] {
        let before = end.asked().len();
        let builder = laden().credentials(credentials);
        let error = connect(builder, &start.url("/")).await.unwrap_err();
        assert_eq!(error.response().unwrap().status(), 401);
        assert_eq!(end.asked().len(), before + 1, "{error}");
        assert!(error.advice().contains("do not go along"), "{error}");
    }
    let error = connect(laden(), &start.url("/").replace("ws://", "ws://ada:hunter2@")).await;
    assert_eq!(error.unwrap_err().response().unwrap().status(), 401);
    for (_, head) in end.asked() {
        for absent in ["authorization:", "x-api-key:", "cookie:", "hunter2"] {
            assert!(!head.to_lowercase().contains(absent), "{head}");
        }
        for present in
            ["User-Agent: test", "Origin: https://app.example", "Sec-WebSocket-Protocol: chat"]
        {
            assert!(head.contains(present), "{head}");
        }
    }
}

#[tokio::test]
async fn what_is_meant_for_a_server_is_brought_to_its_other_pages() {
    let server = Answering::new(|number, _| match number {
        0 => moved(307, "/b"),
        1 => "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\n\
              Content-Length: 0\r\n\r\n"
            .to_owned(),
        _ => OPEN.replace("{accept}\r\n", "{accept}\r\nSec-WebSocket-Protocol: chat\r\n"),
    })
    .await;
    let builder = laden().credentials(Credentials::password("ada", "hunter2"));
    connect(builder, &server.url("/a")).await.unwrap();
    assert_eq!(server.said("X-Api-Key"), ["hunter2"; 3]);
    assert_eq!(server.said("Authorization"), ["", "", "Basic YWRhOmh1bnRlcjI="]);
}

#[tokio::test]
async fn a_jar_keeps_cookies_and_sends_them_where_they_belong() {
    let jar = Arc::new(Cookies::new());
    let set = |answer: &str, cookie: &str| {
        answer.replacen("\r\n", &format!("\r\nSet-Cookie: {cookie}\r\n"), 1)
    };
    let server = Answering::new(move |number, _| match number {
        0 => set(&moved(302, "/chat/room"), "a=1; Path=/"),
        1 => set(OPEN, "b=2"),
        _ => OPEN.to_owned(),
    })
    .await;
    let builder = || Client::builder().redirects(1).cookies(jar.clone());
    connect(builder(), &server.url("/login")).await.unwrap();
    connect(builder(), &server.url("/chat/room")).await.unwrap();
    connect(builder().header("Cookie", "own=3"), &server.url("/chat/room")).await.unwrap();
    connect(builder(), &server.url("/")).await.unwrap();
    let sent = ["", "a=1", "b=2; a=1", "own=3; b=2; a=1", "a=1"];
    assert_eq!(server.said("Cookie"), sent);
    // Cookies know no ports, but hosts.
    let other = open().await;
    connect(builder(), &other.url("/").replace("127.0.0.1", "localhost")).await.unwrap();
    assert_eq!(other.said("Cookie"), [""]);
    assert_eq!(format!("{:?}", builder()).matches("=1").count(), 0);
}

/// A jar that an application has anyway.
#[derive(Default)]
struct Shared(std::sync::Mutex<Vec<String>>);

impl CookieJar for Shared {
    fn cookies(&self, address: &http::Uri) -> Option<http::HeaderValue> {
        self.0.lock().unwrap().push(format!("to {address}"));
        Some(http::HeaderValue::from_static("shared=1"))
    }

    fn set_cookies(
        &self,
        address: &http::Uri,
        cookies: &mut dyn Iterator<Item = &http::HeaderValue>,
    ) {
        for cookie in cookies {
            self.0.lock().unwrap().push(format!("{} from {address}", cookie.to_str().unwrap()));
        }
    }
}

#[tokio::test]
async fn a_jar_of_ones_own_is_asked() {
    let jar = Arc::new(Shared::default());
    let server = Answering::new(|_, _| {
        OPEN.replacen("\r\n", "\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n", 1)
    })
    .await;
    connect(Client::builder().cookies(jar.clone()), &server.url("/chat?x=1")).await.unwrap();
    let address = format!("http://{}/chat?x=1", server.addr);
    assert_eq!(
        *jar.0.lock().unwrap(),
        [format!("to {address}"), format!("a=1 from {address}"), format!("b=2 from {address}")]
    );
    assert_eq!(server.said("Cookie"), ["shared=1"]);
}
