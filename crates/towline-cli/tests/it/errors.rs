//! What goes wrong is told in one phrase that a person can act on, with an exit code for scripts.

use std::net::TcpListener;

use crate::harness::{Folder, answering, run, serve};

/// Checks the exit code and that the one line on standard error holds these words.
#[track_caller]
fn check(args: &[&str], code: i32, words: &[&str]) {
    let ran = run(args).ended(code);
    assert!(ran.err.starts_with("towline: ") && ran.err.ends_with('\n'), "{:?}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    for word in words {
        assert!(ran.err.contains(word), "{word:?} is not in {:?}", ran.err);
    }
    assert_eq!(ran.out(), "");
}

#[test]
fn an_address_that_is_none() {
    check(&["connect", "echo.example"], 2, &["\"echo.example\"", "ws://"]);
    check(&["ping", "http://127.0.0.1/"], 2, &["ws"]);
    check(&["connect", "ws://127.0.0.1:99999"], 2, &["99999"]);
}

#[test]
fn a_port_where_nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    check(&["connect", &format!("ws://127.0.0.1:{port}")], 7, &[&port.to_string(), "refused"]);
}

#[test]
fn a_host_that_is_not_known() {
    // Never registered (RFC 6761 §6.4).
    check(&["connect", "ws://towline.invalid"], 6, &["towline.invalid", "spelt"]);
}

#[test]
fn a_server_that_is_no_websocket_server() {
    let port = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
    check(&["connect", &format!("ws://127.0.0.1:{port}")], 22, &["200"]);
    let port = answering(b"220 mail.example ESMTP\r\n\r\n");
    check(&["connect", &format!("ws://127.0.0.1:{port}")], 8, &[&port.to_string()]);
    let port = answering(b"SSH-2.0-OpenSSH_9.9\r\n");
    let words = [&*port.to_string(), "does that port speak WebSocket"];
    check(&["connect", &format!("ws://127.0.0.1:{port}")], 56, &words);
}

#[test]
fn a_server_that_refuses() {
    let server = serve(&["serve"]);
    check(&["connect", &server.at("/nothing")], 22, &["404"]);
    let origin = ["connect", &server.at("/echo"), "-o", "https://elsewhere.example"];
    check(&origin, 22, &["403"]);
}

#[test]
fn a_server_that_does_not_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", silent.local_addr().unwrap());
    check(&["connect", &url, "--connect-timeout", "100ms"], 28, &["did not answer in time"]);
}

#[test]
fn a_certificate_that_is_not_to_be_trusted() {
    let (folder, keys) = certificate();
    let echo = serve(&[&["echo"], &keys.iter().map(|key| &**key).collect::<Vec<_>>()[..]].concat());
    assert!(echo.url.starts_with("wss://"));
    check(&["connect", &echo.url], 60, &["127.0.0.1", "--cacert"]);
    let trust = ["connect", &echo.url, "--expect", "0", "--cacert", &folder.path("cert.pem")];
    run(&trust).ended(0);

    // A certificate for another name, and TLS where there is none.
    let renamed = echo.url.replace("127.0.0.1", "[::ffff:127.0.0.1]");
    check(&["connect", &renamed, "--cacert", &folder.path("cert.pem")], 60, &["name"]);
    let plain = serve(&["echo"]);
    check(&["connect", &plain.url.replace("ws:", "wss:")], 35, &["does not"]);
}

#[test]
fn files_that_are_not_there_or_not_right() {
    let folder = Folder::new();
    let absent = folder.path("absent");
    let echo = serve(&["echo"]);
    check(&["send", &echo.url, &absent], 26, &["absent", "No such file"]);
    check(&["send", &echo.url, &folder.path("")], 26, &["folder"]);
    check(&["recv", &echo.url, &format!("{absent}/x")], 23, &["absent", "No such file"]);
    check(&["recv", &echo.url, &folder.path("")], 23, &["folder"]);
    check(&["connect", &echo.url, "--cacert", &absent], 26, &["absent"]);
    check(&["connect", &echo.url, "-H", &format!("@{absent}")], 26, &["absent"]);
    let not_pem = folder.write("not.pem", "hello");
    check(&["connect", &echo.url, "--cacert", &not_pem], 2, &["BEGIN CERTIFICATE"]);
    check(&["serve", "--dir", &absent], 26, &["absent"]);
    check(&["demo", &absent], 26, &["absent"]);
}

#[test]
fn headers_that_are_not_right_are_not_repeated() {
    let ran = run(&["connect", "ws://127.0.0.1:1", "-H", "Bearer s3cret"]).ended(2);
    assert!(ran.err.contains("colon") && !ran.err.contains("s3cret"), "{}", ran.err);
    let ran = run(&["connect", "ws://127.0.0.1:1", "-H", "Cookie: s3cret\n"]);
    assert!(!ran.err.contains("s3cret"), "{}", ran.err);
    check(&["connect", "ws://127.0.0.1:1", "-H", "Upgrade: h2c"], 2, &["upgrade"]);
    check(&["connect", "ws://127.0.0.1:1", "-s", "two words"], 2, &["two words"]);
}

#[test]
fn what_follows_the_question_mark_is_not_repeated() {
    let server = serve(&["serve"]);
    for address in [&server.at("/?token=s3cret"), "ws://127.0.0.1:x/?token=s3cret"] {
        let ran = run(&["connect", address]);
        assert!(ran.err.starts_with("towline: ") && !ran.err.contains("s3cret"), "{}", ran.err);
    }
}

#[test]
fn an_address_that_is_taken() {
    let echo = serve(&["echo"]);
    let address = echo.url.replace("ws://", "");
    check(&["serve", "--listen", &address], 1, &[&address, "another port"]);
    check(&["echo", "--listen", "nonsense"], 2, &["nonsense", "127.0.0.1:8080"]);
}

/// A certificate for 127.0.0.1 alone, and the arguments that make a server use it.
fn certificate() -> (Folder, [String; 4]) {
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let cert = folder.write("cert.pem", made.cert.pem());
    let key = folder.write("key.pem", made.signing_key.serialize_pem());
    (folder, ["--cert".to_owned(), cert, "--key".to_owned(), key])
}
