//! Proxies that ask who we are by other schemes than Basic.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use towline::{Client, Credentials, ErrorKind, Proxies, Proxy, Scheme};

use super::fake::{Fake, Manners};
use super::{by_name, connect, echo, fails, talk};

fn ann() -> Credentials {
    Credentials::password("ann", "s3cret")
}

/// What each request said of who we are; nothing for one that said nothing.
fn said(fake: &Fake) -> Vec<String> {
    let said = |head: &String| {
        let mut lines = head.lines();
        lines.find_map(|line| line.strip_prefix("Proxy-Authorization: ")).map(str::to_owned)
    };
    fake.heads().iter().map(|head| said(head).unwrap_or_default()).collect()
}

/// A proxy that asks so, once each.
async fn asking(asks: &'static [&'static str], impatient: bool) -> Fake {
    Fake::http(Manners { asks, impatient, ..Manners::default() }).await
}

#[tokio::test]
async fn a_proxy_is_answered_by_the_strongest_scheme() {
    let echo = echo().await;
    let asks =
        &["Basic realm=\"p\", Digest realm=\"p\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256"];
    for impatient in [false, true] {
        let fake = asking(asks, impatient).await;
        let builder = Client::builder().proxy(fake.proxy().credentials(ann()));
        talk(&mut connect(builder, &by_name(&echo)).await.unwrap()).await;
        let said = said(&fake);
        assert_eq!((said.len(), &*said[0]), (2, ""));
        let target = format!("uri=\"app.example:{}\"", echo.addr.port());
        for part in ["Digest username=\"ann\"", &target, "algorithm=SHA-256", "qop=auth"] {
            assert!(said[1].contains(part), "{said:?}");
        }
    }
}

#[tokio::test]
async fn a_nonce_that_was_too_old_is_answered_anew() {
    let echo = echo().await;
    const ASKS: &[&str] = &[
        "Digest realm=p, nonce=one, qop=auth",
        "Digest realm=p, nonce=two, qop=auth, stale=true",
        "Digest realm=p, nonce=three, qop=auth, stale=true",
    ];
    let fake = asking(&ASKS[..2], false).await;
    let builder = Client::builder().proxy(fake.proxy().credentials(ann()));
    talk(&mut connect(builder, &by_name(&echo)).await.unwrap()).await;
    assert!(said(&fake)[2].contains("nonce=\"two\", nc=00000001"));
    // Who says so again and again is not believed.
    let fake = asking(ASKS, false).await;
    let builder = Client::builder().proxy(fake.proxy().credentials(ann()));
    let error = fails(builder, &by_name(&echo)).await;
    assert_eq!((fake.heads().len(), error.kind()), (3, ErrorKind::Proxy));
    assert!(error.to_string().contains("offers Digest; the proxy does not take"), "{error}");
    assert!(!format!("{error} {error:?} {:?}", error.response()).contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_asks_for_what_we_lack_is_told_of() {
    let echo = echo().await;
    for (asks, credentials) in [
        // With the feature `ntlm` a password is an answer to Negotiate, too.
        (&["Negotiate"][..], ann().only([Scheme::Basic])),
        (&["Basic realm=p, Negotiate"], ann().only([Scheme::Digest])),
        (&["Basic realm=p"], Credentials::password("an:n", "s3cret")),
    ] {
        let fake = asking(asks, false).await;
        let builder = Client::builder().proxy(fake.proxy().credentials(credentials));
        let error = fails(builder, &by_name(&echo)).await;
        assert_eq!(fake.heads().len(), 1);
        assert!(error.to_string().contains("in a way that is not known here"), "{error}");
    }
}

#[tokio::test]
async fn rounds_with_a_proxy_stay_on_one_connection() {
    let echo = echo().await;
    let tickets = || {
        Credentials::negotiate_with(|service: &str| {
            assert_eq!(service, "HTTP@127.0.0.1");
            Ok(|token: &[u8]| Ok([token, b"!"].concat()))
        })
    };
    let asks = &["Negotiate", "Negotiate YQ=="];
    let fake = asking(asks, false).await;
    let builder = Client::builder().proxy(fake.proxy().credentials(tickets()));
    talk(&mut connect(builder, &by_name(&echo)).await.unwrap()).await;
    assert_eq!(said(&fake), ["", "Negotiate IQ==", "Negotiate YSE="]);
    // It cannot be answered on another one.
    let fake = asking(asks, true).await;
    let builder = Client::builder().proxy(fake.proxy().credentials(tickets()));
    let error = fails(builder, &by_name(&echo)).await;
    assert!(error.to_string().contains("before it had heard who we are"), "{error}");
    assert_eq!(fake.heads().len(), 2);
}

#[test]
fn credentials_that_cannot_be_used_are_bad_settings() {
    let proxy = || Proxy::new("http://p.example").unwrap();
    for (credentials, words) in [
        (Credentials::bearer("tok en\n"), "token"),
        (Credentials::password("a:n", "s3cret").only([Scheme::Basic]), "colon"),
        (Credentials::password("", "s3cret"), "user name is empty"),
    ] {
        for proxies in [
            Proxies::all([proxy().credentials(credentials.clone())]),
            Proxies::all([proxy()]).credentials(&credentials),
            #[cfg(feature = "pac")]
            Proxies::script(towline::PacScript::text("")).credentials(&credentials),
        ] {
            let error = Client::builder().proxies(proxies).build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let told = error.to_string();
            assert!(told.starts_with("choosing proxies: ") && told.contains(words), "{told}");
            assert!(!told.contains("s3cret") && !told.contains("tok en"), "{told}");
        }
    }
}

/// A proxy that says this to whatever comes, and what came.
async fn recording(answer: &'static [u8]) -> (u16, oneshot::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(answer).await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.ok();
        tell.send(all).unwrap();
    });
    (port, told)
}

#[tokio::test]
async fn socks_is_told_only_what_may_be_told_in_the_clear() {
    let strict = || ann().only([Scheme::Digest]);
    for (scheme, answer, credentials, expected, words) in [
        (
            "socks5h",
            &b"\x05\x02\x01\x01"[..],
            ann(),
            &b"\x05\x02\0\x02\x01\x03ann\x06s3cret"[..],
            "does not take",
        ),
        // It wants a password, asked for or not.
        ("socks5h", b"\x05\x02", strict(), b"\x05\x01\0", "was not offered"),
        ("socks5h", b"\x05\xff", strict(), b"\x05\x01\0", "where Credentials::only allows Basic"),
        (
            "socks4a",
            b"\0\x5b\0\0\0\0\0\0",
            ann(),
            b"\x04\x01\0\x50\0\0\0\x01ann\0app.example\0",
            "91",
        ),
        (
            "socks4a",
            b"\0\x5b\0\0\0\0\0\0",
            strict(),
            b"\x04\x01\0\x50\0\0\0\x01\0app.example\0",
            "91",
        ),
    ] {
        let (port, told) = recording(answer).await;
        let proxy = Proxy::new(format!("{scheme}://127.0.0.1:{port}")).unwrap();
        let builder = Client::builder().proxy(proxy.credentials(credentials));
        let error = fails(builder, "ws://app.example/").await.to_string();
        assert_eq!(
            told.await.unwrap().escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
        assert!(error.contains(words), "{error}");
    }
}

#[cfg(feature = "ntlm")]
#[tokio::test]
async fn ntlm_takes_two_rounds_with_a_proxy() {
    const CHALLENGE: &str =
        "NTLM TlRMTVNTUAACAAAAAAAAADgAAAAFgggAASNFZ4mrze8AAAAAAAAAAAAAAAA4AAAABgBwFwAAAA8=";
    let echo = echo().await;
    let fake = asking(&["NTLM", CHALLENGE], false).await;
    // Another one behind it has us begin anew, and the rounds with it.
    let next = Manners { locked: true, impatient: true, ..Manners::default() };
    let next = Fake::http(next).await;
    let chain = Proxies::all([fake.proxy(), next.proxy()]).credentials(&ann());
    talk(&mut connect(Client::builder().proxies(chain), &by_name(&echo)).await.unwrap()).await;
    let said = said(&fake);
    // The signature, and the number of the message.
    assert!(said[1].starts_with("NTLM TlRMTVNTUAABAAAA"), "{said:?}");
    assert!(said[2].starts_with("NTLM TlRMTVNTUAADAAAA"), "{said:?}");
    assert_eq!((said.len(), next.heads().len()), (4, 2));
    // A wrong password: it asks from the beginning.
    let fake = asking(&["NTLM", CHALLENGE, "NTLM", "NTLM"], false).await;
    let builder = Client::builder().proxy(fake.proxy().credentials(ann()));
    let error = fails(builder, &by_name(&echo)).await;
    assert_eq!(fake.heads().len(), 3);
    assert!(error.to_string().contains("does not take that user name"), "{error}");
}
