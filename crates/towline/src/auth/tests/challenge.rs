//! What a server or a proxy asks for, in whatever form.

use http::HeaderMap;

use super::{Challenge, Party, Scheme, challenges, headers};
use crate::auth::offered;

/// Schemes and tokens, one after another.
fn shown(line: &str) -> String {
    let all = challenges(&[line.as_bytes()]);
    let one = |one: &Challenge| match &one.token {
        None => one.scheme.clone(),
        Some(token) => format!("{} {token}", one.scheme),
    };
    all.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn several_challenges_stand_in_one_header_or_in_several() {
    for (line, expected) in [
        ("Basic realm=\"a\"", "Basic"),
        ("NTLM", "NTLM"),
        ("Negotiate YII=, NTLM TlRM", "Negotiate YII=, NTLM TlRM"),
        ("Basic realm=\"a, Digest b\", Digest realm=x, nonce=y", "Basic, Digest"),
        ("Digest realm=\"a\" ,nonce = \"b\", Negotiate", "Digest, Negotiate"),
        (", ,Basic , ,NTLM,,", "Basic, NTLM"),
        (
            "Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\"",
            "Newauth, Basic",
        ),
        // What cannot be read takes away what follows it, and itself.
        ("Basic realm=\"a\", Digest realm=\"b", "Basic"),
        ("Basic realm=\"a\" nonce=b, NTLM", ""),
        ("NTLM, Basic a b c, Digest", "NTLM"),
        ("NTLM, \"Basic\"", "NTLM"),
        ("Basic realm=, NTLM", "Basic realm=, NTLM"),
        ("Digest realm=a, realm=b, NTLM", "NTLM"),
        ("Digest =a", ""),
        ("", ""),
        ("=", ""),
        ("\u{e4}", ""),
    ] {
        assert_eq!(shown(line), expected, "{line}");
    }
    let both = challenges(&[b"Basic realm=\"a\"", b"Digest realm=\"b\", nonce=\"c\\\"d\""]);
    assert_eq!((both.len(), both[1].known()), (2, Some(Scheme::Digest)));
    assert_eq!(both[1].param("nonce"), Some(&b"c\"d"[..]));
    assert_eq!(both[0].word("realm"), Some("a"));
}

#[test]
fn whoever_asks_for_much_is_not_heard_to_the_end() {
    let line = "Basic realm=a, ".repeat(1000);
    assert_eq!(challenges(&[line.as_bytes()]).len(), 16);
    let params: Vec<String> = (0..1000).map(|number| format!("p{number}=1")).collect();
    let line = format!("Digest {}, NTLM", params.join(","));
    assert_eq!(shown(&line), "NTLM");
    // Any bytes that a header may hold, cut anywhere.
    let line = b"Digest realm=\"\xe4\\\"\", qop=\"auth,auth-int\", nonce=\"a\", opaque=, Basic a==";
    for start in 0..line.len() {
        for end in start..line.len() {
            challenges(&[&line[start..end]]);
        }
    }
}

#[test]
fn what_is_offered_is_told_by_name() {
    let told = |lines: &[&[u8]]| offered(&headers(lines), Party::Server);
    assert_eq!(
        told(&[b"Digest realm=a, nonce=hunter2, basic realm=b", b"NTLM abc, Basic"]),
        " and offers Digest, basic, NTLM"
    );
    let long = "x".repeat(21);
    assert_eq!(told(&[long.as_bytes(), b"Basic"]), " and offers Basic");
    let many: Vec<String> = (0..20).map(|number| format!("s{number}")).collect();
    assert_eq!(told(&[many.join(", ").as_bytes()]).matches(", ").count(), 7);
    assert_eq!(offered(&HeaderMap::new(), Party::Proxy), "");
}
