//! Servers that do not open a WebSocket.

use super::peers::{OPEN, answers, refuses};
use super::told;
use crate::harness::answering;

#[track_caller]
fn refused(name: &str, port: &str, args: &[&str], code: i32) -> String {
    let url = format!("ws://127.0.0.1:{port}/chat?token=hunter2");
    let shown = told(name, &[&[&*url], args].concat(), code, &[(port, "PORT")]);
    assert!(!shown.contains("hunter2"), "{shown}");
    shown
}

#[test]
fn a_status_that_says_why() {
    let page = "Content-Type: text/html\r\n";
    for (name, status, headers, body) in [
        ("http-401", "401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", ""),
        ("http-403", "403 Forbidden", "", "go away"),
        ("http-404", "404 Not Found", "", ""),
        ("http-407", "407 Who?", "Proxy-Authenticate: Basic realm=\"x\"\r\n", ""),
        ("http-426", "426 Upgrade Required", "", ""),
        ("http-400", "400 Bad Request", "", "no"),
        ("http-400-tls", "400 Bad Request", page, "The plain HTTP request was sent to HTTPS port"),
        ("http-302", "302 Found", "Location: ws://other.example/\r\n", ""),
        (
            "http-302-page",
            "302 Found",
            "Location: http://login.example/\r\nContent-Type: text/html\r\n",
            "<a>",
        ),
        ("http-200", "200 OK", "", "hello"),
        ("http-200-page", "200 OK", page, "<html>"),
        ("http-511", "511 Network Authentication Required", page, "<html>"),
        ("http-429", "429 Too Many Requests", "Retry-After: 7\r\n", ""),
        ("http-503", "503 Service Unavailable", "", ""),
        ("http-502", "502 Bad Gateway", "", ""),
        ("http-418", "418 I'm a teapot", "", ""),
    ] {
        refused(name, &refuses(status, headers, body), &[], 22);
    }
}

#[test]
fn credentials_that_the_server_does_not_take() {
    let port = answers(
        "HTTP/1.1 401 Who?\r\nWWW-Authenticate: Basic realm=\"x\"\r\nConnection: close\r\n\
         Content-Length: 0\r\n\r\n",
        drop,
    );
    refused("http-401-wrong", &port, &["--user", "ada:hunter2"], 22);
    let wrong = refused("http-401-header", &port, &["-H", "Authorization: Bearer hunter2"], 22);
    assert!(wrong.contains("token is wrong"), "{wrong}");
    // An @ may stand in a path.
    let ran = crate::harness::run(&["diagnose", &format!("ws://127.0.0.1:{port}/@room")]).ended(22);
    assert!(ran.out().contains("and nobody said"), "{}", ran.out());
}

#[test]
fn redirects_that_lead_nowhere() {
    let around =
        "HTTP/1.1 302 Found\r\nLocation: /chat\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    refused("http-redirects", &answers(around, drop), &["-L", "--max-redirs", "1"], 22);
}

#[test]
fn what_fails_behind_a_redirect_is_told_of_the_server_that_it_leads_to() {
    let to = |to: &str| {
        let head = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
        answers(head, drop)
    };
    let port = super::peers::closed();
    let start = to(&format!("wss://b.example:{port}/room?token=hunter2"));
    let there = "b.example:*:127.0.0.1";
    let url = format!("ws://127.0.0.1:{start}/");
    let hidden = [(&*start, "PORT-1"), (&*port, "PORT-2")];
    let shown = told("redirect-refused", &[&url, "-L", "--resolve", there], 7, &hidden);
    assert!(!shown.contains("hunter2"), "{shown}");
    // A name that nobody knows, with a flag that holds there.
    let start = to("wss://towline.invalid/");
    let ran =
        crate::harness::run(&["diagnose", &format!("ws://127.0.0.1:{start}/"), "-L"]).ended(6);
    assert!(ran.out().contains("--resolve towline.invalid:*:ADDRESS"), "{}", ran.out());
    // To a server that wants credentials, which are not for it.
    let port = refuses("401 Who?", "WWW-Authenticate: Basic realm=\"x\"\r\n", "");
    let start = to(&format!("ws://127.0.0.1:{port}/room"));
    let url = format!("ws://127.0.0.1:{start}/");
    let hidden = [(&*start, "PORT-1"), (&*port, "PORT-2")];
    told("redirect-401", &[&url, "-L", "--user", "ada:hunter2"], 22, &hidden);
}

#[test]
fn what_is_no_http() {
    let port = answering(b"\x15\x03\x01\x00\x02\x02\x46").to_string();
    refused("http-tls", &port, &[], 8);
    refused("http-mail", &answering(b"220 mail.example ESMTP\r\n\r\n").to_string(), &[], 8);
    let lost = answers("", drop);
    refused("http-ended", &lost, &[], 56);
}

#[test]
fn an_answer_that_is_wrong() {
    let change = |from: &str, to: &str| answers(OPEN.replace(from, to), drop);
    refused("http-accept", &change("{accept}", "nonsense"), &[], 8);
    let chosen = "\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
    refused("http-subprotocol", &change("\r\n\r\n", chosen), &[], 8);
    let extended = "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    refused("http-extension", &change("\r\n\r\n", extended), &[], 8);
}
