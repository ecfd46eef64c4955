//! `towline serve`: what is where.

use crate::harness::{run_with, serve};

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\nHost: 127.0.0.1\n\n")
}

#[test]
fn the_page_is_served_with_a_policy_of_its_own() {
    let mut server = serve(&["serve"]);
    let page = server.url.replace("ws://", "http://");
    assert_eq!(server.running.line(), format!("open {page}/ in a browser"));
    let answer = server.http(&get("/"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("Content-Type: text/html; charset=utf-8"), "{head}");
    assert!(head.contains("default-src 'none'; script-src 'sha256-"), "{head}");
    assert!(body.starts_with("<!doctype html>") && body.ends_with("</html>\n"));

    let answer = server.http(&get("/").replace("GET", "HEAD"));
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn what_is_not_there_or_not_allowed_is_said_in_http() {
    let server = serve(&["serve"]);
    let status = |request: &str| {
        let answer = server.http(request);
        answer.split(' ').nth(1).unwrap_or("none").to_owned()
    };
    assert_eq!(status(&get("/nothing")), "404");
    assert_eq!(status(&get("/download/film")), "404");
    assert_eq!(status(&get("/echo")), "426");
    assert_eq!(status("POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n"), "405");
    assert_eq!(status("POST /echo HTTP/1.1\nHost: a\nContent-Length: 0\n\n"), "405");
}

#[test]
fn without_a_folder_uploads_are_counted() {
    let server = serve(&["serve"]);
    let args = ["connect", &server.at("/upload"), "--binary", "--expect", "1"];
    // SHA-256 of "abc" (FIPS 180-4, first example).
    let answer = r#"{"bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}"#;
    assert_eq!(run_with(&args, b"abc").ended(0).out().trim_end(), answer);
}

#[test]
fn the_echo_is_for_pages_of_its_own_only() {
    let server = serve(&["serve"]);
    let origin = server.url.replace("ws://", "http://");
    let args = ["connect", &server.at("/echo"), "--expect", "1", "-o", &origin];
    assert_eq!(run_with(&args, b"from home\n").ended(0).out(), "from home\n");
    let args = ["connect", &server.at("/echo"), "-o", "https://elsewhere.example"];
    run_with(&args, b"").ended(22);
}

#[test]
#[cfg(unix)]
fn it_logs_a_line_a_connection_without_the_query() {
    let server = serve(&["serve"]);
    let args = ["connect", &server.at("/echo?token=s3cret"), "--expect", "1"];
    run_with(&args, b"hello\n").ended(0);
    server.running.interrupt();
    let ran = server.running.wait().ended(0);
    assert!(ran.err.contains(" /echo closed with 1000; in: 1 message"), "{}", ran.err);
    assert!(!ran.err.contains("s3cret"), "{}", ran.err);

    let server = serve(&["serve", "-q"]);
    run_with(&["connect", &server.at("/echo"), "--expect", "0"], b"").ended(0);
    server.running.interrupt();
    assert_eq!(server.running.wait().ended(0).err, "");
}
