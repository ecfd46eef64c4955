//! Unix sockets and names.

use towline_isolate::Capability::InternetClient;

use super::{code, declaring};

#[test]
fn unix_sockets_are_refused_that_no_manifest_names() {
    let denied = declaring(&[]).judge_unix(b"/run/other.sock\0").unwrap_err();
    assert_eq!(
        denied.to_string(),
        "chat may not use the Unix socket /run/other.sock. Its manifest does not name that socket (allow \
         under [unix]). Add `allow = [\"/run/other.sock\"]` under [unix]."
    );
    assert_eq!(code(declaring(&[]).judge_unix(b"\0abstract")), "unix_socket");
}

#[cfg(feature = "manifest")]
#[test]
fn unix_sockets_are_compared_as_they_are_written() {
    let manifest = "[app]\nname = 'chat'\n[unix]\nallow = ['/run/a.sock', '@b', '$TOWLINE_NOT_SET/c', '$HOME/d']";
    let policy = super::policy(manifest, "");
    let judge = |path: &[u8]| code(policy.judge_unix(path));
    assert_eq!(judge(b"/run/a.sock"), "ok");
    assert_eq!(judge(b"/run/a.sock\0\0"), "ok");
    assert_eq!(judge(b"\0b"), "ok");
    let home = std::env::var("HOME").unwrap();
    assert_eq!(judge(format!("{home}/d").as_bytes()), "ok");
    for path in [
        &b"/run/../run/a.sock"[..],
        b"/run/a.sock/",
        b"/run/a.sockx",
        b"run/a.sock",
        b"@b",
        b"\0/run/a.sock",
        b"\0b\0",
        b"/c",
        b"$TOWLINE_NOT_SET/c",
        b"",
        b"\0",
    ] {
        assert_eq!(judge(path), "unix_socket", "{}", String::from_utf8_lossy(path));
    }
}

#[test]
fn names_are_looked_up_only_for_who_reaches_a_network() {
    let denied = declaring(&[]).judge_name("a.example").unwrap_err();
    assert_eq!((denied.code().word(), denied.missing()), ("dns_off", Some(InternetClient)));
    assert!(!declaring(&[]).reaches_anything());
    assert_eq!(code(declaring(&[]).judge_name("LocalHost.")), "ok");
    assert_eq!(code(declaring(&[]).judge_name("a.localhost")), "ok");
    assert_eq!(code(declaring(&[InternetClient]).judge_name("a.example")), "ok");
}

#[cfg(feature = "manifest")]
#[test]
fn names_can_be_turned_off_or_listed() {
    let app = "[app]\nname = 'chat'\ncapabilities = ['internetClient']\n[dns]\n";
    let off = super::policy(&format!("{app}mode = 'off'"), "");
    assert_eq!(code(off.judge_name("a.example")), "dns_off");
    let names = super::policy(&format!("{app}names = ['corp.example']"), "");
    for (name, expected) in [
        ("corp.example", "ok"),
        ("A.Corp.Example.", "ok"),
        ("acorp.example", "dns_off"),
        ("example", "dns_off"),
        ("corp.example.evil", "dns_off"),
    ] {
        assert_eq!(code(names.judge_name(name)), expected, "{name}");
    }
}

#[test]
fn kinds_of_sockets_that_cannot_be_judged_have_their_sentence() {
    let denied = declaring(&[]).refuse_family("open a raw socket");
    assert_eq!(
        denied.to_string(),
        "chat may not open a raw socket. No policy can judge where such a socket leads, so nothing grants it."
    );
}
