//! What is asked, what is answered, and what is never shown.

mod challenge;
mod digest;
mod negotiation;

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, Method};

use super::challenge::Challenge;
use super::{Credentials, Negotiation, Party, Scheme, Secret, basic, hide};

fn headers(lines: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(line).unwrap());
    }
    headers
}

fn challenges(lines: &[&[u8]]) -> Vec<Challenge> {
    Challenge::all(&headers(lines), &WWW_AUTHENTICATE)
}

fn ada() -> Credentials {
    Credentials::password("ada", "hunter2")
}

/// RFC 7617 §2, §2.1
#[test]
fn the_vectors_of_basic() {
    let of = |user, password: &str| {
        String::from_utf8(basic::answer(user, &password.into()).to_vec()).unwrap()
    };
    assert_eq!(of("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(of("test", "123\u{a3}"), "Basic dGVzdDoxMjPCow==");
    assert_eq!(of("ada", ""), "Basic YWRhOg==");
}

#[test]
fn credentials_that_cannot_be_used_are_told() {
    for (credentials, words) in [
        (Credentials::password("", "hunter2"), "user name is empty"),
        (Credentials::password("ada\n", "hunter2"), "control characters"),
        (Credentials::password("ada", "hunter2\0"), "control characters"),
        (Credentials::bearer("hunter2 "), "without blanks"),
        (Credentials::bearer(""), "without blanks"),
        (ada().only([]), "no scheme is left"),
        (ada().only([Scheme::Bearer]), "no scheme is left"),
        (Credentials::password("a:b", "hunter2").only([Scheme::Basic]), "colon"),
        (Credentials::bearer("hunter2").only([Scheme::Basic]), "Bearer alone"),
        #[cfg(not(feature = "ntlm"))]
        (ada().only([Scheme::Ntlm]), "turn on the feature `ntlm`"),
    ] {
        let error = credentials.check().unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains("hunter2"), "{error}");
    }
    for credentials in [ada(), Credentials::password("ada", ""), Credentials::bearer("a.b~c+/=")] {
        credentials.check().unwrap();
    }
}

#[tokio::test]
async fn nothing_shows_a_secret() {
    let credentials = ada();
    let mut negotiation = Negotiation::new(&credentials, Party::Server, "a.example");
    let sent = negotiation.answer(&headers(&[b"Basic realm=a"]), &Method::GET, "/").await.unwrap();
    let shown = format!(
        "{credentials:?} {:?} {negotiation:?} {sent:?} {:?}",
        Credentials::bearer("hunter2"),
        Secret::from("hunter2"),
    );
    for secret in ["hunter2", "ada", "YWRhOmh1bnRlcjI="] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let head =
        b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YWRhOmh1bnRlcjI=\r\nX: y z\r\n\r\n";
    let kept = b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic\r\nX: y z\r\n\r\n";
    assert_eq!(hide(head), kept);
}
