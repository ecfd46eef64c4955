//! One question after another, and what is answered.

use std::io;

use http::header::PROXY_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, Method};

use super::{ada, headers};
use crate::auth::{Credentials, Negotiation, Party, Scheme, Secret};
use crate::error::ErrorKind;

/// Answers one challenge after another; what was sent, and whether anything more is tried.
async fn talk(credentials: &Credentials, lines: &[&str]) -> Vec<Option<String>> {
    let mut negotiation = Negotiation::new(credentials, Party::Server, "a.example");
    let text = |value: HeaderValue| {
        assert!(value.is_sensitive());
        value.to_str().unwrap().to_owned()
    };
    let mut sent = vec![negotiation.first().unwrap().map(text)];
    for line in lines {
        let answer = negotiation.answer(&headers(&[line.as_bytes()]), &Method::GET, "/chat").await;
        sent.push(answer.unwrap().map(text));
    }
    sent
}

#[tokio::test]
async fn the_strongest_scheme_is_answered_once() {
    let digests = "Digest realm=a, nonce=b, qop=auth, algorithm=MD5, \
        Digest realm=a, nonce=c, qop=auth, algorithm=SHA-256";
    for (line, expected) in [
        ("Basic realm=\"a\"".to_owned(), "Basic YWRhOmh1bnRlcjI="),
        (
            format!("Basic realm=a, {digests}"),
            "Digest username=\"ada\", realm=\"a\", uri=\"/chat\", algorithm=SHA-256, nonce=\"c\"",
        ),
        (
            format!("{digests}, Bearer, Basic realm=a"),
            "Digest username=\"ada\", realm=\"a\", uri=\"/chat\", algorithm=SHA-256, nonce=\"c\"",
        ),
        ("Digest realm=a, nonce=b, algorithm=XYZ, Basic".to_owned(), "Basic "),
    ] {
        let sent = talk(&ada(), &[&line, &line, &line]).await;
        assert_eq!((&sent[0], &sent[2], &sent[3]), (&None, &None, &None), "{line}");
        let answer = sent[1].as_ref().unwrap();
        assert!(answer.starts_with(expected), "{answer}");
    }
    for line in ["", "Bearer realm=a", "Hoba, Mutual", "basics"] {
        assert_eq!(talk(&ada(), &[line]).await, [None, None], "{line}");
    }
}

#[tokio::test]
async fn schemes_can_be_ruled_out() {
    let line = "Basic realm=a, Digest realm=a, nonce=b";
    let basic = talk(&ada().only([Scheme::Basic]), &[line]).await;
    assert!(basic[1].as_ref().unwrap().starts_with("Basic "));
    assert_eq!(talk(&ada().only([Scheme::Digest]), &["Basic realm=a"]).await, [None, None]);
    // A name with a colon would be cut by it.
    let colon = Credentials::password("a:b", "c");
    assert_eq!(talk(&colon, &["Basic realm=a"]).await, [None, None]);
    assert!(talk(&colon, &[line]).await[1].as_ref().unwrap().starts_with("Digest "));
}

#[tokio::test]
async fn a_nonce_that_was_too_old_is_answered_anew_and_once() {
    let first = "Digest realm=a, nonce=b, qop=auth";
    let stale = "Digest realm=a, nonce=c, qop=auth, stale=TRUE";
    let sent = talk(&ada(), &[first, stale, "Digest realm=a, nonce=d, qop=auth, stale=true"]).await;
    assert!(sent[2].as_ref().unwrap().contains("nonce=\"c\", nc=00000001"), "{sent:?}");
    assert_eq!(sent[3], None);
    for refused in [
        "Digest realm=a, nonce=c, qop=auth",
        "Digest realm=a, nonce=b, qop=auth, stale=true",
        "Digest realm=z, nonce=c, qop=auth, stale=true",
        "Basic realm=a",
    ] {
        assert_eq!(talk(&ada(), &[first, refused]).await[2], None, "{refused}");
    }
}

#[tokio::test]
async fn a_password_may_be_sent_unasked() {
    let unasked = ada().unasked();
    let line = "Basic realm=a, Digest realm=a, nonce=b";
    let sent = talk(&unasked, &["Basic realm=a"]).await;
    assert_eq!(sent, [Some("Basic YWRhOmh1bnRlcjI=".to_owned()), None]);
    assert!(talk(&unasked, &[line]).await[1].as_ref().unwrap().starts_with("Digest "));
    assert_eq!(talk(&unasked.only([Scheme::Digest]), &[]).await[0], None);
}

#[tokio::test]
async fn a_token_is_sent_at_once_and_renewed_once() {
    let line = "Bearer realm=\"a\", scope=\"chat write\", error=\"invalid_token\"";
    let fixed = Credentials::bearer("abc.def");
    assert_eq!(talk(&fixed, &[line]).await, [Some("Bearer abc.def".to_owned()), None]);
    let asked = Credentials::bearer_with(|request| async move {
        assert_eq!(request.host, "a.example");
        match request.refused {
            false => Ok(Secret::from("old")),
            true => {
                Ok(format!("new-{}", request.scope.unwrap_or_default().replace(' ', "-")).into())
            }
        }
    });
    let mut negotiation = Negotiation::new(&asked, Party::Server, "a.example");
    negotiation.prepare(None).await.unwrap();
    assert_eq!(negotiation.first().unwrap().unwrap(), "Bearer old");
    let refused = headers(&[line.as_bytes()]);
    negotiation.prepare(Some(&refused)).await.unwrap();
    let answer = negotiation.answer(&refused, &Method::GET, "/").await.unwrap();
    assert_eq!(answer.unwrap(), "Bearer new-chat-write");
    negotiation.prepare(Some(&refused)).await.unwrap();
    assert_eq!(negotiation.answer(&refused, &Method::GET, "/").await.unwrap(), None);
    // Nobody has one, or it is none.
    for token in [Err(io::Error::other("the vault is shut")), Ok("a b")] {
        let token = std::sync::Mutex::new(Some(token));
        let asked = Credentials::bearer_with(move |_| {
            let token = token.lock().unwrap().take().unwrap();
            async move { token.map(Secret::from) }
        });
        let mut negotiation = Negotiation::new(&asked, Party::Server, "a.example");
        let error = negotiation.prepare(None).await.unwrap_err().to_string();
        assert!(error.starts_with("getting a token for a.example: "), "{error}");
        assert!(!error.contains("a b"), "{error}");
    }
}

#[tokio::test]
async fn tickets_go_round_after_round_and_not_for_ever() {
    let tickets = Credentials::negotiate_with(|service: &str| {
        assert_eq!(service, "HTTP@a.example");
        Ok(|token: &[u8]| Ok([token, b"!"].concat()))
    });
    let mut lines = vec!["Basic, Negotiate"];
    lines.extend(["Negotiate YQ=="; 10]);
    let sent = talk(&tickets, &lines).await;
    assert_eq!(sent[1].as_deref(), Some("Negotiate IQ=="));
    assert_eq!(sent[2].as_deref(), Some("Negotiate YSE="));
    assert_eq!(sent.iter().flatten().count(), 6);
    // It is refused, or the other side makes no sense.
    assert_eq!(talk(&tickets, &["Negotiate", "Negotiate"]).await[2], None);
    let mut negotiation = Negotiation::new(&tickets, Party::Proxy, "a.example");
    let mut asked = HeaderMap::new();
    asked.insert(PROXY_AUTHENTICATE, HeaderValue::from_static("Negotiate"));
    negotiation.answer(&asked, &Method::CONNECT, "a.example:443").await.unwrap().unwrap();
    assert!(!negotiation.needs_same_connection());
    asked.insert(PROXY_AUTHENTICATE, HeaderValue::from_static("Negotiate YQ=="));
    negotiation.answer(&asked, &Method::CONNECT, "a.example:443").await.unwrap().unwrap();
    assert!(negotiation.needs_same_connection());
    asked.insert(PROXY_AUTHENTICATE, HeaderValue::from_static("Negotiate a"));
    let error = negotiation.answer(&asked, &Method::CONNECT, "a.example:443").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Proxy);
    assert!(error.to_string().starts_with("answering a.example by Negotiate: "), "{error}");
}

#[tokio::test]
async fn who_lets_us_in_may_prove_who_it_is_and_then_has_to() {
    let tickets = Credentials::negotiate_with(|_: &str| {
        Ok(|token: &[u8]| match token {
            b"" | b"true" => Ok(Vec::new()),
            _ => Err(io::Error::other("that is somebody else")),
        })
    });
    // Without a proof, with a right one, and with wrong ones.
    for (line, right) in [
        ("Negotiate", true),
        ("Basic realm=a", true),
        ("Negotiate dHJ1ZQ==", true),
        ("Negotiate ZmFsc2U=", false),
        ("Negotiate x", false),
    ] {
        let mut negotiation = Negotiation::new(&tickets, Party::Server, "a.example");
        let asked = headers(&[b"Negotiate"]);
        negotiation.answer(&asked, &Method::GET, "/").await.unwrap().unwrap();
        let confirmed = negotiation.confirm(&headers(&[line.as_bytes()])).await;
        assert_eq!(confirmed.is_ok(), right, "{line}");
        if let Err(error) = confirmed {
            let words = "answering a.example by Negotiate: it";
            assert!(error.to_string().starts_with(words), "{error}");
        }
    }
    // Nobody was asked for it.
    let mut negotiation = Negotiation::new(&tickets, Party::Server, "a.example");
    negotiation.confirm(&headers(&[b"Negotiate ZmFsc2U="])).await.unwrap();
}
