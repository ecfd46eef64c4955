//! The vectors of RFC 7616, and challenges that are none.

use super::challenges;
use crate::auth::digest::{Asked, Digest};

fn digest(challenge: &str, user: &str, password: &str, target: &str, cnonce: &str) -> String {
    let challenge = challenges(&[challenge.as_bytes()]).remove(0);
    let asked = Asked { method: "GET", target, cnonce };
    let mut digest = Digest::read(&challenge).unwrap();
    String::from_utf8(digest.answer(user, &password.into(), asked)).unwrap()
}

const NONCE: &str = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

/// RFC 7616 §3.9.1, with one algorithm or quality or another.
fn mufasa(more: &str) -> String {
    let challenge = format!(
        "Digest realm=\"http-auth@example.org\", {more}nonce=\"{NONCE}\", \
         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
    );
    digest(&challenge, "Mufasa", "Circle of Life", "/dir/index.html", CNONCE)
}

#[test]
fn the_vectors_of_digest() {
    let sent = |algorithm: &str, response: &str| {
        format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
             algorithm={algorithm}, nonce=\"{NONCE}\", nc=00000001, cnonce=\"{CNONCE}\", qop=auth, \
             response=\"{response}\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        )
    };
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        // Computed beside this code: the RFC has none of these.
        ("SHA-512-256", "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0"),
        ("MD5-sess", "e783283f46242139c486a698fec7211d"),
        ("SHA-256-sess", "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7"),
        ("SHA-512-256-sess", "3f2a34f923c38b0fb26dce2fdfc2ce326c23cecf86fbb1444f3e51fbbc2cb92e"),
    ] {
        let more = format!("qop=\"auth, auth-int\", algorithm={algorithm}, ");
        assert_eq!(mufasa(&more), sent(algorithm, response));
        assert_eq!(
            mufasa(&more.replace(algorithm, &algorithm.to_lowercase())),
            sent(algorithm, response)
        );
    }
    let whole = mufasa("qop=auth-int, ");
    assert!(
        whole.contains("qop=auth-int, response=\"8804a53d3640a40a4f73cea12c5ba451\""),
        "{whole}"
    );
    assert!(!whole.contains("algorithm"), "{whole}");
    // RFC 2069: neither a quality nor a count.
    let old = mufasa("");
    assert!(old.contains("response=\"7b2cc3b30e75b4777ea31027084363fd\""), "{old}");
    assert!(!old.contains("nc=") && !old.contains("qop"), "{old}");
}

/// RFC 7616 §3.9.2 as its erratum 4897 has it: the RFC's own figures are not of that hash.
#[test]
fn the_vector_of_digest_with_a_user_in_a_hash() {
    let challenge = |userhash: &str| {
        format!(
            "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
             nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
             opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8{userhash}"
        )
    };
    let cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v";
    let sent = |userhash| {
        digest(&challenge(userhash), "J\u{e4}s\u{f8}n Doe", "Secret, or not?", "/doe.json", cnonce)
    };
    let response = "response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\"";
    let hashed = sent(", userhash=true");
    let name = "username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\"";
    assert!(hashed.starts_with(&format!("Digest {name}, ")), "{hashed}");
    assert!(hashed.contains(response) && hashed.ends_with(", userhash=true"), "{hashed}");
    let plain = sent("");
    assert!(plain.starts_with("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, "), "{plain}");
    assert!(plain.contains(response) && !plain.contains("userhash"), "{plain}");
}

#[test]
fn quotation_marks_are_marked() {
    let sent = digest("Digest realm=\"a \\\"b\\\\\", nonce=c", "d\"e", "", "/", "f");
    assert!(sent.starts_with("Digest username=\"d\\\"e\", realm=\"a \\\"b\\\\\", "), "{sent}");
}

#[test]
fn a_digest_that_is_not_understood_is_not_answered() {
    for challenge in [
        "Digest realm=a",
        "Digest nonce=a",
        "Digest realm=a, nonce=b, algorithm=MD6",
        "Digest realm=a, nonce=b, algorithm=SHA-512",
        "Digest realm=a, nonce=b, algorithm=MD5-sess-sess, qop=auth",
        "Digest realm=a, nonce=b, algorithm=MD5-sess",
        "Digest realm=a, nonce=b, qop=\"\"",
        "Digest realm=a, nonce=b, qop=\"auth-conf\"",
    ] {
        assert!(Digest::read(&challenges(&[challenge.as_bytes()])[0]).is_none(), "{challenge}");
    }
}
