//! Credentials to a server: asked for, shown once, and never seen anywhere else.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use towline::{Client, ClientBuilder, Credentials, Error, ErrorKind, Scheme, WebSocket};

use crate::raw::{Answering, OPEN, within};

/// `ada:hunter2`
const BASIC: &str = "Basic YWRhOmh1bnRlcjI=";

fn ada() -> Credentials {
    Credentials::password("ada", "hunter2")
}

fn unauthorized(challenge: &str, more: &str) -> String {
    format!(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\n{more}\
         Content-Length: 4\r\n\r\nwho?"
    )
}

/// Lets in who says this; asks everybody else.
async fn server(challenge: &'static str, more: &'static str, expected: &'static str) -> Answering {
    Answering::new(move |_, head| {
        let said = head.lines().find_map(|line| line.strip_prefix("Authorization: "));
        match said.is_some_and(|said| said.starts_with(expected)) {
            true => OPEN.to_owned(),
            false => unauthorized(challenge, more),
        }
    })
    .await
}

async fn connect(builder: ClientBuilder, url: &str) -> towline::Result<WebSocket> {
    within(builder.build().unwrap().connect(url)).await
}

fn with(credentials: Credentials) -> ClientBuilder {
    Client::builder().credentials(credentials)
}

#[track_caller]
fn shows_no_secret(error: &Error) {
    let shown = format!("{error} {error:?} {:?} {:?}", error.response(), error.get_ref());
    for secret in ["hunter2", "aHVudGVyMg", "YWRhOmh1bnRlcjI"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn who_is_asked_answers_on_the_same_connection() {
    let server = server("Basic realm=\"a\"", "", BASIC).await;
    let socket = connect(with(ada()), &server.url("/chat?room=1")).await.unwrap();
    assert_eq!(server.said("Authorization"), ["", BASIC]);
    let asked = server.asked();
    assert_eq!((asked[0].0, asked[1].0), (0, 0));
    assert!(asked[1].1.starts_with("GET /chat?room=1 HTTP/1.1\r\n"), "{}", asked[1].1);
    // RFC 6455 §4.1: a fresh random key for every attempt.
    let keys = server.said("Sec-WebSocket-Key");
    assert_ne!(keys[0], keys[1]);
    // How it was said can be seen, and not what.
    let request = socket.info().request().unwrap();
    assert_eq!(request.headers()["authorization"], "Basic");
}

#[tokio::test]
async fn who_is_asked_and_sent_away_comes_back() {
    for more in ["Connection: close\r\n", "Content-Length: 5\r\n"] {
        let server = server("Basic realm=\"a\"", more, BASIC).await;
        connect(with(ada()), &server.url("/")).await.unwrap();
        assert_eq!(server.asked().iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 1]);
    }
}

#[tokio::test]
async fn who_is_left_without_a_word_comes_back_once() {
    // The harness ends the connection, which the client cannot know.
    let server = server("Basic realm=\"a\"", "X-Connection: close\r\n", BASIC).await;
    connect(with(ada()), &server.url("/")).await.unwrap();
    assert_eq!(server.said("Authorization"), ["", BASIC]);
    assert_eq!(server.asked().iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn an_answer_in_chunks_ends_where_it_says() {
    let server = Answering::new(|number, _| match number {
        0 => "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=a\r\n\
              Transfer-Encoding: chunked\r\n\r\n4\r\nwho?\r\n0\r\n\r\n"
            .to_owned(),
        _ => OPEN.to_owned(),
    })
    .await;
    connect(with(ada()), &server.url("/")).await.unwrap();
    assert_eq!(server.asked()[1].0, 0);
}

#[tokio::test]
async fn a_wrong_password_ends_after_one_retry() {
    for (challenge, scheme) in
        [("Basic realm=\"a\"", "Basic"), ("Digest realm=a, nonce=b, qop=auth, Basic", "Digest")]
    {
        for more in ["", "Connection: close\r\n"] {
            let server = server(challenge, more, "nothing").await;
            let error = connect(with(ada()), &server.url("/")).await.unwrap_err();
            assert_eq!(server.asked().len(), 2, "{error}");
            assert_eq!(error.kind(), ErrorKind::Handshake);
            assert_eq!(error.response().unwrap().status(), 401);
            assert_eq!(error.response().unwrap().body(), "who?");
            let words =
                format!("401 Unauthorized to credentials sent by {scheme}; are the user name");
            assert!(error.to_string().contains(&words), "{error}");
            shows_no_secret(&error);
        }
    }
}

#[tokio::test]
async fn who_has_nothing_to_say_is_not_asked_twice() {
    let server = server("Basic realm=\"a\"", "Set-Cookie: id=hunter2\r\n", BASIC).await;
    for builder in [
        Client::builder(),
        with(Credentials::bearer("hunter2")),
        with(ada().only([Scheme::Digest])),
    ] {
        let before = server.asked().len();
        let error = connect(builder, &server.url("/")).await.unwrap_err();
        assert_eq!(server.asked().len(), before + 1, "{error}");
        assert_eq!(error.response().unwrap().status(), 401);
        assert!(error.advice().contains("credentials"), "{error}");
        assert!(error.to_string().contains("answered 401 Unauthorized"), "{error}");
        shows_no_secret(&error);
    }
    // 403 is no question, and a proxy's is not a server's.
    for status in ["403 Forbidden", "407 Proxy Authentication Required"] {
        let answer = unauthorized("Basic", "Proxy-Authenticate: Basic\r\n");
        let answer = answer.replace("401 Unauthorized", status);
        let server = Answering::new(move |_, _| answer.clone()).await;
        let error = connect(with(ada()), &server.url("/")).await.unwrap_err();
        assert_eq!((server.asked().len(), error.kind()), (1, ErrorKind::Handshake));
    }
}

#[tokio::test]
async fn digest_names_what_is_asked_for() {
    let challenge = "Basic realm=\"a\", Digest realm=\"a\", nonce=\"n\", qop=\"auth\", \
        algorithm=MD5, Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
    let server = server(challenge, "", "Digest").await;
    connect(with(ada()), &server.url("/chat?room=1")).await.unwrap();
    let said = &server.said("Authorization")[1];
    for part in ["username=\"ada\"", "uri=\"/chat?room=1\"", "algorithm=SHA-256", "nc=00000001"] {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn a_nonce_that_is_too_old_is_no_wrong_password() {
    let server = Answering::new(|number, _| match number {
        0 => unauthorized("Digest realm=a, nonce=one, qop=auth", ""),
        1 => unauthorized("Digest realm=a, nonce=two, qop=auth, stale=true", ""),
        _ => OPEN.to_owned(),
    })
    .await;
    connect(with(ada()), &server.url("/")).await.unwrap();
    assert!(server.said("Authorization")[2].contains("nonce=\"two\""));
    let server = Answering::new(|number, _| {
        unauthorized(&format!("Digest realm=a, nonce=n{number}, qop=auth, stale=true"), "")
    })
    .await;
    connect(with(ada()), &server.url("/")).await.unwrap_err();
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn the_address_may_say_who_it_is() {
    let server = server("Basic realm=\"a\"", "", "Basic ").await;
    let authority = server.addr.to_string();
    for (user_info, expected) in [
        ("ada:hunter2", BASIC),
        ("ada:", "Basic YWRhOg=="),
        ("ada", "Basic YWRhOg=="),
        ("a%64a:hunter%32", BASIC),
    ] {
        // It goes before what is set.
        let builder = with(Credentials::password("eve", "secret"));
        let url = format!("ws://{user_info}@{authority}/");
        connect(builder, &url).await.unwrap();
        assert_eq!(server.said("Authorization").last().unwrap(), expected);
        assert_eq!(server.said("Host").last().unwrap(), &authority);
    }
    let refusing = self::server("Basic realm=\"a\"", "", "nothing").await;
    let url = refusing.url("/").replace("ws://", "ws://ada:hunter2@");
    shows_no_secret(&connect(Client::builder(), &url).await.unwrap_err());
}

#[tokio::test]
async fn a_password_can_be_sent_before_anybody_asks() {
    let server = server("Basic realm=\"a\"", "", BASIC).await;
    connect(with(ada().unasked()), &server.url("/")).await.unwrap();
    assert_eq!(server.said("Authorization"), [BASIC]);
}

#[tokio::test]
async fn a_token_is_asked_for_before_each_connection_and_renewed_once() {
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    let credentials = Credentials::bearer_with(move |request| {
        let number = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            assert_eq!(request.host, "127.0.0.1");
            Ok(format!("{}-{number}", if request.refused { "renewed" } else { "first" }).into())
        }
    });
    let open = server("Bearer realm=\"a\", error=\"invalid_token\"", "", "Bearer renewed").await;
    connect(with(credentials.clone()), &open.url("/")).await.unwrap();
    assert_eq!(open.said("Authorization"), ["Bearer first-0", "Bearer renewed-1"]);
    let shut = server("Bearer realm=\"a\"", "", "nothing").await;
    let error = connect(with(credentials), &shut.url("/")).await.unwrap_err();
    assert_eq!((shut.asked().len(), count.load(Ordering::Relaxed)), (2, 4));
    assert!(error.to_string().contains("sent by Bearer"), "{error}");
    // Nobody knows one: nothing is sent.
    let none = Credentials::bearer_with(|_| async { Err(io::Error::other("logged out")) });
    let error = connect(with(none), &shut.url("/")).await.unwrap_err();
    assert_eq!((shut.asked().len(), error.kind()), (2, ErrorKind::Io));
    assert!(error.to_string().contains("getting a token for 127.0.0.1: logged out"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_not_waited_for_longer_than_a_connection() {
    let never = Credentials::bearer_with(|_| std::future::pending());
    let builder = with(never).total_timeout(Duration::from_secs(5));
    let error = connect(builder, "ws://127.0.0.1:1/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.to_string().contains("getting a token for 127.0.0.1"), "{error}");
}

#[tokio::test]
async fn rounds_stay_on_one_connection() {
    let tickets =
        || Credentials::negotiate_with(|_: &str| Ok(|token: &[u8]| Ok([token, b"!"].concat())));
    let rounds = |more: &'static str| {
        Answering::new(move |number, _| match number {
            0 => unauthorized("Negotiate", "Connection: close\r\n"),
            1 => unauthorized("Negotiate YQ==", more),
            _ => OPEN.to_owned(),
        })
    };
    let server = rounds("").await;
    connect(with(tickets()), &server.url("/")).await.unwrap();
    assert_eq!(server.asked().iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 1, 1]);
    assert_eq!(server.said("Authorization"), ["", "Negotiate IQ==", "Negotiate YSE="]);
    let server = rounds("Connection: close\r\n").await;
    let error = connect(with(tickets()), &server.url("/")).await.unwrap_err();
    assert!(error.to_string().contains("asked for Negotiate and ended the connection"), "{error}");
    assert_eq!(server.asked().len(), 2);
}

#[cfg(feature = "ntlm")]
#[tokio::test]
async fn ntlm_takes_two_rounds() {
    // MS-NLMP §4.2.4, as base64: what the peer says of itself is not in it.
    let challenge =
        "NTLM TlRMTVNTUAACAAAAAAAAADgAAAAFgggAASNFZ4mrze8AAAAAAAAAAAAAAAA4AAAABgBwFwAAAA8=";
    let server = Answering::new(move |number, _| match number {
        0 => unauthorized("NTLM, Basic realm=\"a\"", ""),
        1 => unauthorized(challenge, ""),
        _ => OPEN.to_owned(),
    })
    .await;
    connect(with(Credentials::password(r"LAB\ada", "hunter2")), &server.url("/")).await.unwrap();
    let said = server.said("Authorization");
    assert_eq!(said[0], "");
    // The signature, and the number of the message.
    assert!(said[1].starts_with("NTLM TlRMTVNTUAABAAAA"), "{}", said[1]);
    assert!(said[2].starts_with("NTLM TlRMTVNTUAADAAAA"), "{}", said[2]);
    assert!(server.asked().iter().all(|(connection, _)| *connection == 0));
}

#[tokio::test]
async fn a_byte_stream_of_ones_own_is_the_only_one() {
    let server = server("Basic realm=\"a\"", "", BASIC).await;
    let client = with(ada()).build().unwrap();
    let stream = tokio::net::TcpStream::connect(server.addr).await.unwrap();
    within(client.connect_over(stream, "ws://a.example/")).await.unwrap();
    let closing = self::server("Basic realm=\"a\"", "Connection: close\r\n", BASIC).await;
    let stream = tokio::net::TcpStream::connect(closing.addr).await.unwrap();
    let error = within(client.connect_over(stream, "ws://a.example/")).await.unwrap_err();
    assert!(error.to_string().contains("ended the connection"), "{error}");
}

#[tokio::test]
async fn credentials_that_cannot_be_used_are_bad_settings() {
    for credentials in [Credentials::password("", "hunter2"), Credentials::bearer("hunter2\n")] {
        let error = with(credentials).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().starts_with("setting credentials: "), "{error}");
        shows_no_secret(&error);
    }
    let builder = with(ada());
    assert!(!format!("{builder:?}").contains("hunter2"), "{builder:?}");
}
