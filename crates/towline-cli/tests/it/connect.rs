//! `towline connect`, in a pipe.

use std::process::Stdio;

use towline::{CloseCode, Message, MessageWebSocket, Result};

use crate::harness::{Running, peer, run, run_with, serve, towline};

async fn echo(mut socket: MessageWebSocket) -> Result<()> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

#[test]
fn it_keeps_reading_after_the_end_of_input_until_the_server_closes() {
    let url = peer(async |mut socket: MessageWebSocket| {
        let question = socket.recv().await?.unwrap();
        // Long after the end of the client's input.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        socket.send(format!("late answer to {}", question.as_text().unwrap())).await?;
        socket.close(CloseCode::NORMAL, "done").await
    });
    let ran = run_with(&["connect", &url], b"question\n").ended(0);
    assert_eq!((ran.out(), &*ran.err), ("late answer to question\n", ""));
}

#[test]
fn the_last_line_needs_no_end() {
    let url = peer(echo);
    let ran = run_with(&["connect", &url, "--expect", "3"], b"a\n\nb").ended(0);
    assert_eq!(ran.out(), "a\n\nb\n");
}

#[test]
fn wait_ends_it_with_1000() {
    let (sender, closed) = std::sync::mpsc::channel();
    let url = peer(move |mut socket: MessageWebSocket| {
        let sender = sender.clone();
        async move {
            while socket.recv().await?.is_some() {}
            sender.send(socket.close_frame().cloned()).unwrap();
            Ok(())
        }
    });
    run_with(&["connect", &url, "--wait", "50ms"], b"x\n").ended(0);
    assert_eq!(closed.recv().unwrap().unwrap().code, CloseCode::NORMAL);
    let ran = run_with(&["connect", &url, "--expect", "2", "--wait", "50ms"], b"x\n").ended(28);
    assert_eq!(ran.err, "towline: 0 of 2 messages came in time\n");
}

#[test]
fn what_the_server_closes_with_is_told() {
    let url = peer(async |mut socket: MessageWebSocket| {
        socket.close(CloseCode::new(4321).unwrap(), "tired of\x1b[31m it").await
    });
    let ran = run(&["connect", &url]).ended(100);
    let told = "towline: the server closed the connection with 4321: tired of\\u{1b}[31m it\n";
    assert_eq!(ran.err, told);
    let ran = run(&["connect", &url, "--json"]).ended(100);
    let close = r#"{"code":4321,"reason":"tired of\u001b[31m it","type":"close","v":1}"#;
    assert!(ran.out().contains(close), "{}", ran.out());

    let url = peer(async |mut socket: MessageWebSocket| socket.close_without_code().await);
    run(&["connect", &url]).ended(0);
    let ran = run(&["connect", &url, "--expect", "1"]).ended(18);
    assert_eq!(ran.err, "towline: the server closed after 0 of 1 messages\n");
}

#[test]
fn json_is_one_object_a_line() {
    let url = peer(echo);
    let ran = run_with(&["connect", &url, "--json", "--expect", "1"], b"find \"me\"\n").ended(0);
    let lines: Vec<&str> = ran.out().lines().collect();
    assert!(lines[0].contains(r#""type":"open""#) && lines[0].contains(r#""v":1"#), "{lines:?}");
    assert_eq!(lines[1], r#"{"text":"find \"me\"","type":"text","v":1}"#);
    assert_eq!(lines[2], r#"{"code":1000,"reason":"","type":"close","v":1}"#);
    assert_eq!(lines.len(), 3);

    let args = ["connect", &url, "--json", "--binary", "--expect", "1"];
    let ran = run_with(&args, b"\x00\xff").ended(0);
    assert!(ran.out().contains(r#"{"base64":"AP8=","bytes":2,"type":"binary","v":1}"#));
}

#[test]
fn verbose_shows_the_handshake_and_no_secret() {
    let server = serve(&["serve"]);
    let args = ["connect", &server.at("/echo"), "-v", "--expect", "0"];
    let origin = server.url.replace("ws", "http");
    let more = ["-H", "Authorization: Bearer s3cret", "-H", "X-Team: blue", "-o", &origin];
    let ran = run(&[&args[..], &more].concat()).ended(0);
    assert!(ran.err.contains("> GET /echo HTTP/1.1\n"), "{}", ran.err);
    assert!(ran.err.contains("> x-team: blue\n"), "{}", ran.err);
    assert!(ran.err.contains("> authorization: [not shown]\n"), "{}", ran.err);
    assert!(ran.err.contains("< HTTP/1.1 101 Switching Protocols\n"), "{}", ran.err);
    assert!(!ran.err.contains("s3cret") && ran.out.is_empty());
}

#[test]
fn headers_come_from_a_file_too() {
    let folder = crate::harness::Folder::new();
    let file = folder.write("headers", "X-One: 1\n\nX-Two: 2\n");
    let url = crate::harness::upgrades(async |upgrade: towline::Upgrade| {
        let value = |name| upgrade.request().headers()[name].to_str().unwrap().to_owned();
        let (one, two) = (value("x-one"), value("x-two"));
        let subprotocol = upgrade.subprotocols().last().unwrap().clone();
        let mut socket = upgrade.subprotocol(subprotocol).accept_message().await.unwrap();
        socket.send(format!("{one} {two}")).await.unwrap();
        socket.close(CloseCode::NORMAL, "").await.unwrap();
    });
    let at = format!("@{file}");
    let ran = run(&["connect", &url, "-H", &at, "-s", "rope", "-s", "chain", "--json"]).ended(0);
    assert!(ran.out().contains(r#""subprotocol":"chain""#), "{}", ran.out());
    assert!(ran.out().contains(r#""text":"1 2""#), "{}", ran.out());
}

#[test]
fn input_that_is_not_text_is_named_with_its_line() {
    let url = peer(echo);
    let ran = run_with(&["connect", &url], b"fine\nnot \xff fine\n").ended(2);
    assert!(ran.err.contains("line 2 of the input is not UTF-8"), "{}", ran.err);
}

#[test]
fn output_that_nobody_reads_ends_it_quietly() {
    let url = peer(async |mut socket: MessageWebSocket| {
        while socket.send("more").await.is_ok() {}
        while socket.recv().await?.is_some() {}
        Ok(())
    });
    let mut client = Running::start(&mut towline(&["connect", &url]));
    assert_eq!(client.line(), "more");
    drop(client.out.take());
    let ran = client.wait().ended(0);
    assert_eq!(ran.err, "");
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_is_full_is_an_error() {
    let url = peer(async |mut socket: MessageWebSocket| {
        socket.send("x").await?;
        while socket.recv().await?.is_some() {}
        Ok(())
    });
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut client = towline(&["connect", &url]);
    let client = Running::start(client.stdin(Stdio::piped()).stdout(full));
    let ran = client.wait().ended(23);
    assert!(ran.err.starts_with("towline: writing standard output: No space left"), "{}", ran.err);
}

#[test]
#[cfg(unix)]
fn an_interrupt_closes_with_1000_and_is_130() {
    let (sender, closed) = std::sync::mpsc::channel();
    let url = peer(move |mut socket: MessageWebSocket| {
        let sender = sender.clone();
        async move {
            socket.send("ready").await?;
            let message = socket.recv().await?;
            sender.send((message, socket.close_frame().cloned())).unwrap();
            Ok(())
        }
    });
    let mut client = towline(&["connect", &url]);
    let mut client = Running::start(client.stdin(Stdio::piped()));
    assert_eq!(client.line(), "ready");
    client.interrupt();
    client.wait().ended(130);
    let (message, frame) = closed.recv().unwrap();
    assert_eq!((message, frame.unwrap().code), (None::<Message>, CloseCode::NORMAL));
}
