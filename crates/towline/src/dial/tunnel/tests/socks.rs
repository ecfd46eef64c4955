//! SOCKS4, SOCKS4a and SOCKS5.

use super::*;

#[test]
fn socks4_leads_on() {
    let granted: &[u8] = b"\0\x5a\x01\xbb\xc0\0\x02\x01";
    let asked = b"\x04\x01\x01\xbb\xc0\0\x02\x01\0";
    leads_on(By::Socks4(None), "socks4://p", "wss://192.0.2.1", &[(asked, granted)]);
    leads_on(By::Socks4(Some("192.0.2.1")), "socks4://p", "wss://a.example", &[(asked, granted)]);
    leads_on(By::Socks4(None), "socks4a://p", "wss://[::ffff:192.0.2.1]", &[(asked, granted)]);
    let asked = b"\x04\x01\0\x50\0\0\0\x01ann\0a.example\0";
    let proxy = "socks4a://ann:s3cret@p";
    leads_on(By::Socks4(None), proxy, "ws://a.example", &[(asked, granted)]);
    leads_on(By::Socks4(None), proxy, "ws://a.example", &[(asked, b"\x04\x5a\0\0\0\0\0\0")]);
}

#[test]
fn socks4_refuses() {
    let asked: &[u8] = b"\x04\x01\0\x50\0\0\0\x01\0a.example\0";
    for (answer, word) in [
        (&b"\0\x5b\0\0\0\0\0\0"[..], "SOCKS4 status 91"),
        (b"\0\x5c\0\0\0\0\0\0", "identd"),
        (b"\0\x5d\0\0\0\0\0\0", "identd"),
        (b"\0\x07\0\0\0\0\0\0", "unknown SOCKS4 status 7"),
        (b"HTTP/1.1 400 Bad Request\r\n", "does not speak SOCKS4"),
        (b"\0\x5a\0\0\0\0\0", "ended the connection instead of answering"),
        (b"", "does that port speak SOCKS4"),
    ] {
        let turns: &[Turn<'_>] = &[(asked, answer)];
        let words = [word, "socks4a://p:1080"];
        let error = fails(By::Socks4(None), "socks4a://p", "ws://a.example", turns, &words);
        let is_lasting = answer.starts_with(b"\0\x5d") || word == "does not speak SOCKS4";
        assert_eq!(error.is_lasting(), is_lasting, "{word}");
    }
    let words = ["no IPv6 address", "socks5h://"];
    fails(By::Socks4(None), "socks4a://p", "ws://[2001:db8::1]", &[], &words);
}

#[test]
fn socks5_leads_on() {
    let hello: Turn<'_> = (b"\x05\x01\0", b"\x05\0");
    let by_name = b"\x05\x01\0\x03\x09a.example\x01\xbb";
    for answer in [
        &b"\x05\0\0\x01\xc0\0\x02\x01\x04\x38"[..],
        b"\x05\0\0\x03\x03abc\x04\x38",
        b"\x05\0\0\x03\0\x04\x38",
        b"\x05\0\0\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x04\x38",
    ] {
        let turns: &[Turn<'_>] = &[hello, (by_name, answer)];
        leads_on(By::Socks5(None), "socks5h://p", "wss://a.example", turns);
    }
    let granted: &[u8] = b"\x05\0\0\x01\0\0\0\0\0\0";
    let by_v4 = b"\x05\x01\0\x01\xc0\0\x02\x01\x01\xbb";
    let turns: &[Turn<'_>] = &[hello, (by_v4, granted)];
    leads_on(By::Socks5(Some("192.0.2.1")), "socks5://p", "wss://a.example", turns);
    leads_on(By::Socks5(None), "socks5h://p", "wss://192.0.2.1", turns);
    let by_v6 = b"\x05\x01\0\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\x50";
    let turns: &[Turn<'_>] = &[hello, (by_v6, granted)];
    leads_on(By::Socks5(None), "socks5h://p", "ws://[2001:db8::1]", turns);
    // With a password, which not every proxy wants.
    let hello: Turn<'_> = (b"\x05\x02\0\x02", b"\x05\x02");
    let password: Turn<'_> = (b"\x01\x03ann\x06s3cret", b"\x01\0");
    let turns: &[Turn<'_>] = &[hello, password, (by_v4, granted)];
    leads_on(By::Socks5(None), "socks5h://ann:s3cret@p", "wss://192.0.2.1", turns);
    let turns: &[Turn<'_>] = &[(b"\x05\x02\0\x02", b"\x05\0"), (by_v4, granted)];
    leads_on(By::Socks5(None), "socks5h://ann:s3cret@p", "wss://192.0.2.1", turns);
}

#[test]
fn socks5_refuses() {
    let ann = "socks5h://ann:s3cret@p";
    let hello: &[u8] = b"\x05\x01\0";
    let anns: &[u8] = b"\x05\x02\0\x02";
    let password: &[u8] = b"\x01\x03ann\x06s3cret";
    let (server, asked) = ("wss://192.0.2.1", &b"\x05\x01\0\x01\xc0\0\x02\x01\x01\xbb"[..]);
    let cases: &[(&str, &[Turn<'_>], &str)] = &[
        ("socks5h://p", &[(hello, b"\x05\xff")], "--proxy-user"),
        (ann, &[(anns, b"\x05\xff")], "takes neither"),
        ("socks5h://p", &[(hello, b"\x05\x02")], "not offered"),
        (ann, &[(anns, b"\x05\x01")], "not offered"),
        ("socks5h://p", &[(hello, b"HT")], "does not speak SOCKS5"),
        ("socks5h://p", &[(hello, b"")], "ended the connection"),
        (ann, &[(anns, b"\x05\x02"), (password, b"\x01\x01")], "does not take that user name"),
        (ann, &[(anns, b"\x05\x02"), (password, b"\x01")], "ended the connection"),
        ("socks5h://p", &[(hello, b"\x05\0"), (asked, b"\x04\0\0\x01")], "does not speak SOCKS5"),
        ("socks5h://p", &[(hello, b"\x05\0"), (asked, b"\x05\0\0\x02")], "unknown kind"),
        ("socks5h://p", &[(hello, b"\x05\0"), (asked, b"\x05\0\0\x01\0")], "ended the connection"),
        ("socks5h://p", &[(hello, b"\x05\0"), (asked, b"")], "can the proxy reach that server?"),
        // Some send no more than this.
        ("socks5h://p", &[(hello, b"\x05\0"), (asked, b"\x05\x02\0\x01")], "rules forbid"),
        ("socks5h://p", &[(hello, b"\x05\0"), (asked, b"\x05\x04\0\x01\0\0\0\0\0\0")], "reach"),
        ("socks5h://p", &[(hello, b"\x05\0"), (asked, b"\x05\x05\0\x01\0\0\0\0\0\0")], "refused"),
        ("socks5h://p", &[(hello, b"\x05\0"), (asked, b"\x05\x63\0\x01")], "SOCKS5 status 99"),
    ];
    for (proxy, turns, word) in cases {
        let words = [*word, "asking the proxy socks5h://p:1080 for 192.0.2.1:443: "];
        let error = fails(By::Socks5(None), proxy, server, turns, &words);
        assert_eq!(error.kind(), ErrorKind::Proxy);
        // Who we are and what it speaks do not change by themselves; whom it reaches does.
        let lasting = ["--proxy-user", "takes", "take", "not offered", "speak", "unknown kind"];
        let is_lasting = lasting.iter().any(|lasting| word.contains(lasting));
        assert_eq!(error.is_lasting(), is_lasting, "{word}");
    }
    let long = format!("socks5h://{}@p", "a".repeat(256));
    let turns: &[Turn<'_>] = &[(anns, b"\x05\x02")];
    assert!(fails(By::Socks5(None), &long, server, turns, &["255 bytes"]).is_lasting());
}
