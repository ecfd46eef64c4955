//! `towline connect --reconnect`.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;

use towline::{CloseCode, MessageWebSocket};

use crate::harness::{Running, peer, run, towline};

#[test]
fn a_connection_that_is_lost_comes_back_and_the_talk_goes_on() {
    let url = peer(async |mut socket: MessageWebSocket| {
        let message = socket.recv().await?.unwrap();
        let is_last = message.as_text() == Some("two");
        socket.send(message).await?;
        // From the first one it goes away without a word.
        while is_last && socket.recv().await?.is_some() {}
        Ok(())
    });
    let args = ["connect", &url, "--json", "--reconnect", "--retry-delay", "10ms", "--expect", "2"];
    let mut client = Running::start(towline(&args).stdin(Stdio::piped()));
    let mut stdin = client.stdin.take().unwrap();
    assert!(client.line().contains(r#""type":"open""#));
    writeln!(stdin, "one").unwrap();
    assert_eq!(client.line(), r#"{"text":"one","type":"text","v":1}"#);
    let mut lines = vec![client.line()];
    while !lines.last().unwrap().contains(r#""type":"open""#) {
        lines.push(client.line());
    }
    // What was sent may have arrived: nobody has said so.
    assert!(lines.contains(&r#"{"perhaps":1,"type":"lost","v":1}"#.to_owned()), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains(r#""type":"waiting""#)), "{lines:?}");
    writeln!(stdin, "two").unwrap();
    drop(stdin);
    assert_eq!(client.line(), r#"{"text":"two","type":"text","v":1}"#);
    client.wait().ended(0);
}

#[test]
fn it_gives_up_after_so_many_attempts_or_so_long() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    let ran =
        run(&["connect", &url, "--reconnect", "--retry", "2", "--retry-delay", "1ms"]).ended(7);
    assert_eq!(ran.err.matches("; again in ").count(), 2, "{}", ran.err);
    assert!(ran.err.contains("towline: giving up after 3 attempts: "), "{}", ran.err);

    let args = ["connect", &url, "--reconnect", "--retry-max-time", "1ms", "--retry-delay", "1m"];
    let ran = run(&args).ended(7);
    assert!(!ran.err.contains("; again in "), "{}", ran.err);
}

#[test]
fn what_would_fail_again_is_not_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        stream.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let ran = run(&["connect", &url, "--reconnect"]).ended(22);
    assert!(!ran.err.contains("; again in "), "{}", ran.err);

    let url = peer(async |mut socket: MessageWebSocket| {
        socket.close(CloseCode::POLICY_VIOLATION, "not you").await
    });
    let ran = run(&["connect", &url, "--reconnect"]).ended(100);
    assert!(ran.err.contains("1008: not you"), "{}", ran.err);
}

#[test]
fn retrying_is_of_reconnecting_and_not_of_one_long_message() {
    for args in [&["--retry", "1"][..], &["--retry-delay", "1s"], &["--reconnect", "--binary"]] {
        run(&[&["connect", "ws://127.0.0.1:1/"][..], args].concat()).ended(2);
    }
}
