//! HTTP proxies.

use super::*;

const ASKED: &[u8] = b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n";

/// The same by ann, whose password is s3cret.
const ASKED_BY_ANN: &[u8] = b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\
    Proxy-Authorization: Basic YW5uOnMzY3JldA==\r\n\r\n";

const ANNS: &str = "http://ann:s3cret@p.example";

#[test]
fn connect_leads_on() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\n\r\n"[..],
        b"HTTP/1.0 200 Connection established\r\nProxy-agent: tinyproxy/1.11\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        // RFC 9110 §9.3.6: what is said of a body is ignored.
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        leads_on(By::Connect, "http://p.example", "wss://a.example", &[(ASKED, answer)]);
    }
    let asked = b"CONNECT [2001:db8::1]:81 HTTP/1.1\r\nHost: [2001:db8::1]:81\r\n\r\n";
    let answer = b"HTTP/1.1 200 OK\r\n\r\n";
    leads_on(By::Connect, "http://p.example", "ws://[2001:db8::1]:81", &[(asked, answer)]);
}

#[test]
fn a_proxy_that_wants_to_know_is_told_on_the_same_connection() {
    for refusal in [
        &b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"[..],
        b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 5\r\n\r\nwho??",
        b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\nTransfer-Encoding: chunked\r\n\r\n\
          5\r\nwho??\r\n0\r\n\r\n",
        b"HTTP/1.0 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\nProxy-Connection: keep-alive\r\n\
          Content-Length: 1\r\n\r\n?",
    ] {
        let turns: &[Turn<'_>] = &[(ASKED, refusal), (ASKED_BY_ANN, b"HTTP/1.1 200 OK\r\n\r\n")];
        leads_on(By::Connect, ANNS, "wss://a.example", turns);
    }
}

#[test]
fn a_proxy_that_ends_the_connection_is_told_on_another_one() {
    for refusal in [
        &b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"[..],
        b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\nConnection: close\r\n\
          Content-Length: 5\r\n\r\nwho??",
        b"HTTP/1.0 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 1\r\n\r\n?",
        // It says that it stays, and goes.
        b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 5\r\n\r\nwho",
    ] {
        let error = fails(By::Connect, ANNS, "wss://a.example", &[(ASKED, refusal)], &[]);
        assert!(error.to_string().starts_with("again, "), "{error}");
    }
}

#[test]
fn a_proxy_that_does_not_take_it_is_told_once() {
    let refusal =
        b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n";
    let words = [
        "asking the proxy http://p.example:80 for a.example:443: the proxy answered 407",
        "and offers Basic; the proxy does not take that user name and password",
    ];
    let turns: &[Turn<'_>] = &[(ASKED, refusal), (ASKED_BY_ANN, refusal)];
    let error = fails(By::Connect, ANNS, "wss://a.example", turns, &words);
    assert_eq!(error.kind(), ErrorKind::Proxy);
    assert_eq!(error.proxy(), Some("http://p.example:80"));
    assert_eq!(error.response().unwrap().status(), 407);
    let other = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    let words = ["answered 401 Unauthorized; the proxy does not take that user name and password"];
    let turns: &[Turn<'_>] = &[(ASKED, refusal), (ASKED_BY_ANN, other)];
    fails(By::Connect, ANNS, "wss://a.example", turns, &words);
    let words = ["wants to know who you are: Proxy::credentials", "--proxy-user"];
    fails(By::Connect, "http://p.example", "wss://a.example", &[(ASKED, refusal)], &words);
    let refusal = b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Sphinx riddle=x\r\n\r\n";
    let words = ["and offers Sphinx; ", "in a way that is not known here"];
    fails(By::Connect, ANNS, "wss://a.example", &[(ASKED, refusal)], &words);
}

#[test]
fn a_proxy_that_refuses_is_told_of() {
    for (answer, words) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", &["answered 403 Forbidden; ", "443 alone"][..]),
        (
            "HTTP/1.1 403 Forbidden\r\nVia: 1.1 gate (squid)\r\nContent-Type: text/html\r\n\r\n",
            &["403 Forbidden by way of 1.1 gate (squid), with a web page; "],
        ),
        ("HTTP/1.1 500 Internal Server Error\r\n\r\n", &["500", "could not reach that server"]),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", &["503", "could not reach that server"]),
        ("HTTP/1.1 405 Method Not Allowed\r\n\r\n", &["405", "is it a proxy"]),
        ("HTTP/1.1 511 Network Authentication Required\r\n\r\n", &["511", "captive portal"]),
        ("HTTP/1.1 302 Found\r\nLocation: http://login.example\r\n\r\n", &["302", "log in"]),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<a/>",
            &["a web page came instead of a connection"],
        ),
        ("HTTP/1.1 418 I'm a teapot\r\n\r\n", &["418", "Error::response"]),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", &[]),
        ("220 mail.example ESMTP\r\n\r\n", &["is that an HTTP proxy"]),
        ("\x15\x03\x01\0\x02\x02\x28", &["this is not HTTP", "https://"]),
        ("", &["ended the connection instead of answering", "does that port speak HTTP"]),
        ("HTTP/1.1 200 OK\r\n", &["ended the connection instead of answering"]),
    ] {
        let turns: &[Turn<'_>] = &[(ASKED, answer.as_bytes())];
        let error = fails(By::Connect, "http://p.example", "wss://a.example", turns, words);
        assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
        assert!(error.to_string().starts_with("asking the proxy http://p.example:80 for "));
        // Of an answer the status tells.
        let garbled = error.to_string().contains("is that an HTTP proxy");
        assert!(error.is_lasting() == garbled, "{error}");
    }
}

#[test]
fn a_head_without_end_is_not_read_for_ever() {
    let answer = [b"HTTP/1.1 200 OK\r\nA: ".as_slice(), &[b'a'; 17 * 1024]].concat();
    let turns: &[Turn<'_>] = &[(ASKED, &answer)];
    let error = block_on(once(By::Connect, "http://p.example", "wss://a.example", turns, 0));
    assert!(error.unwrap_err().to_string().contains("larger than the limit"));
    let answer = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(9);
    let turns: &[Turn<'_>] = &[(ASKED, &answer)];
    let error = block_on(once(By::Connect, "http://p.example", "wss://a.example", turns, 0));
    assert!(error.unwrap_err().to_string().contains("larger than the limit"));
}
