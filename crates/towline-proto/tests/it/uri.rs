//! Addresses (RFC 6455 §3).

use std::net::IpAddr;

use proptest::prelude::{any, proptest};
use towline_proto::{UriError, WsUri};

fn parse(text: &str) -> WsUri {
    WsUri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_canonical_form() {
    for (written, canonical) in [
        ("ws://example.com", "ws://example.com/"),
        ("wss://example.com", "wss://example.com/"),
        ("WS://EXAMPLE.com/Path", "ws://example.com/Path"),
        ("wSs://example.com/", "wss://example.com/"),
        ("ws://example.com:80/", "ws://example.com/"),
        ("wss://example.com:443/", "wss://example.com/"),
        ("ws://example.com:443/", "ws://example.com:443/"),
        ("wss://example.com:80/", "wss://example.com:80/"),
        ("ws://example.com:/", "ws://example.com/"),
        ("ws://example.com:0080/", "ws://example.com/"),
        ("ws://example.com:65535/", "ws://example.com:65535/"),
        ("ws://example.com?q", "ws://example.com/?q"),
        ("ws://example.com/?", "ws://example.com/?"),
        ("ws://example.com/a//b/../c?x=1&y=%20?z", "ws://example.com/a//b/../c?x=1&y=%20?z"),
        ("ws://example.com/@:?@:", "ws://example.com/@:?@:"),
        ("ws://example.com/?to=ws://other/", "ws://example.com/?to=ws://other/"),
        ("ws://example.com/%zz?{\"a\":[1]}", "ws://example.com/%zz?{\"a\":[1]}"),
        ("ws://localhost:8080", "ws://localhost:8080/"),
        ("ws://example.com./", "ws://example.com./"),
        ("ws://foo_bar/", "ws://foo_bar/"),
        ("ws://xn--bcher-kva.example/", "ws://xn--bcher-kva.example/"),
        ("ws://127.0.0.1/", "ws://127.0.0.1/"),
        ("ws://[::1]/", "ws://[::1]/"),
        ("ws://[::1]:9001/a", "ws://[::1]:9001/a"),
        ("ws://[2001:DB8:0:0:0:0:0:1]/", "ws://[2001:db8::1]/"),
        ("ws://[::ffff:1.2.3.4]/", "ws://[::ffff:1.2.3.4]/"),
    ] {
        let uri = parse(written);
        assert_eq!(uri.to_string(), canonical, "{written}");
        assert_eq!(parse(canonical), uri, "{written}");
    }
}

#[test]
fn the_parts() {
    let uri = parse("wss://Example.com:8443/chat?room=1");
    assert!(uri.is_secure());
    assert_eq!((uri.scheme(), uri.host(), uri.port()), ("wss", "example.com", 8443));
    assert_eq!((uri.authority().as_str(), uri.resource()), ("example.com:8443", "/chat?room=1"));
    assert_eq!((uri.is_ip(), uri.ip()), (false, None));

    let uri = parse("ws://[::1]:81");
    assert!(!uri.is_secure());
    assert_eq!((uri.scheme(), uri.host(), uri.port()), ("ws", "::1", 81));
    assert_eq!((uri.authority().as_str(), uri.resource()), ("[::1]:81", "/"));
    assert_eq!(uri.ip(), Some("::1".parse::<IpAddr>().unwrap()));
    assert_eq!(parse("ws://10.0.0.1").ip(), Some("10.0.0.1".parse::<IpAddr>().unwrap()));
    assert_eq!("ws://a".parse(), Ok(parse("ws://a")));
}

#[test]
fn what_is_refused_and_why() {
    let scheme = |name: &str| UriError::Scheme(name.to_owned());
    let host = |text: &str| UriError::Host(text.to_owned());
    let port = |text: &str| UriError::Port(text.to_owned());
    let long_label = "a".repeat(64);
    let long_name = ["a".repeat(62).as_str(); 5].join(".");
    for (text, error) in [
        ("", scheme("")),
        ("example.com", scheme("")),
        ("/chat", scheme("")),
        ("//example.com/", scheme("")),
        ("://example.com/", scheme("")),
        ("localhost:8080", scheme("")),
        ("example.com/?u=ws://x", scheme("")),
        (" ws://example.com", scheme("")),
        ("1ws://example.com", scheme("")),
        ("http://example.com", scheme("http")),
        ("HTTPS://example.com", scheme("https")),
        ("ftp://example.com", scheme("ftp")),
        ("wsss://example.com", scheme("wsss")),
        ("ws+unix://x", scheme("ws+unix")),
        ("ws:example.com", UriError::NoHost),
        ("wss:/example.com", UriError::NoHost),
        ("ws://", UriError::NoHost),
        ("ws:///chat", UriError::NoHost),
        ("ws://?q", UriError::NoHost),
        ("ws://:80/", UriError::NoHost),
        ("ws://a/#x", UriError::Fragment),
        ("ws://a/#", UriError::Fragment),
        ("ws://a#", UriError::Fragment),
        ("ws://a/?q#f", UriError::Fragment),
        ("ws://user@a/", UriError::UserInfo),
        ("ws://user:secret@a/", UriError::UserInfo),
        ("ws://@a/", UriError::UserInfo),
        ("ws://a:0/", port("0")),
        ("ws://a:65536/", port("65536")),
        ("ws://a:+80/", port("+80")),
        ("ws://a:-1/", port("-1")),
        ("ws://a:http/", port("http")),
        ("ws://a:99999999999999999999/", port("99999999999999999999")),
        ("ws://::1/", host("::1")),
        ("ws://a:1:2/", host("a:1:2")),
        ("ws://[::1/", host("[::1")),
        ("ws://[::1]x/", host("[::1]x")),
        ("ws://[]/", host("[]")),
        ("ws://[1.2.3.4]/", host("[1.2.3.4]")),
        ("ws://[fe80::1%25eth0]/", host("[fe80::1%25eth0]")),
        ("ws://a..b/", host("a..b")),
        ("ws://.a/", host(".a")),
        ("ws://./", host(".")),
        ("ws://a%20b/", host("a%20b")),
        ("ws://a,b/", host("a,b")),
        ("ws://<a>/", host("<a>")),
        ("ws://127.1/", host("127.1")),
        ("ws://2130706433/", host("2130706433")),
        ("ws://0x7f.0.0.0x1/", host("0x7f.0.0.0x1")),
        ("ws://256.0.0.1/", host("256.0.0.1")),
        ("ws://127.0.0.1./", host("127.0.0.1.")),
        ("ws://a b/", UriError::Character(' ')),
        ("ws://a/b c", UriError::Character(' ')),
        ("ws://a/\r\nX-Evil: 1", UriError::Character('\r')),
        ("ws://a\r\nX-Evil: 1/", UriError::Character('\r')),
        ("ws://a/?q=\n", UriError::Character('\n')),
        ("ws://a/\t", UriError::Character('\t')),
        ("ws://a/\0", UriError::Character('\0')),
        ("ws://a/\u{7f}", UriError::Character('\u{7f}')),
        ("ws://a\\b/", UriError::Character('\\')),
        ("ws://a/\\b", UriError::Character('\\')),
        ("ws://a/é", UriError::Character('é')),
        ("ws://a/?q=日", UriError::Character('日')),
        (&format!("ws://{long_label}/"), host(&long_label)),
        (&format!("ws://{long_name}/"), host(&long_name)),
    ] {
        assert_eq!(WsUri::parse(text), Err(error), "{text}");
    }
}

#[test]
fn errors_say_what_to_do() {
    for (text, advice) in [
        ("http://a", "use ws://"),
        ("https://a", "use wss://"),
        ("ftp://a", "use ws:// or wss://"),
        ("a.example", "begin it with ws:// or wss://"),
        ("ws://a/#", "%23"),
        ("ws://u@a/", "Authorization"),
        ("ws://a/ ", "%20"),
        ("ws://a/é", "%C3%A9"),
        ("ws://a:0", "1 to 65535"),
        ("ws://::1", "in brackets"),
        ("ws://", "ws://host/path"),
    ] {
        let told = WsUri::parse(text).unwrap_err().to_string();
        assert!(told.contains(advice), "{text}: {told}");
    }
}

#[test]
fn a_password_is_not_repeated() {
    let error = WsUri::parse("ws://me:hunter2@a/").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[cfg(feature = "idn")]
#[test]
fn hosts_outside_ascii_become_punycode() {
    assert_eq!(parse("wss://BÜCHER.example/").host(), "xn--bcher-kva.example");
    // Full-width digits and dots are an IPv4 address in disguise.
    assert_eq!(parse("ws://127。0。0。1/").host(), "127.0.0.1");
    assert!(parse("ws://１２７.0.0.1/").is_ip());
    assert!(WsUri::parse("ws://\u{ad}/").is_err());
}

#[cfg(not(feature = "idn"))]
#[test]
fn hosts_outside_ascii_need_punycode() {
    let error = WsUri::parse("wss://bücher.example/").unwrap_err();
    assert_eq!(error, UriError::NonAsciiHost("bücher.example".to_owned()));
    assert!(error.to_string().contains("Punycode"));
}

proptest! {
    #[test]
    fn whatever_is_accepted_is_canonical_and_safe(text in "(ws|wss|WS|http)?(://|:|//)?.{0,40}") {
        if let Ok(uri) = WsUri::parse(&text) {
            assert_eq!(WsUri::parse(&uri.to_string()), Ok(uri.clone()));
            let printed = uri.to_string();
            assert!(printed.bytes().all(|b| b.is_ascii_graphic()), "{printed}");
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = WsUri::parse(&text);
    }
}
