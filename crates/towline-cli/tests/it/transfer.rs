//! `towline send` and `towline recv`.

use std::fs;

use towline::{CloseCode, MessageWebSocket, Result};

use crate::harness::{Folder, bytes, peer, run, run_with, serve};

#[test]
fn a_file_goes_up_and_comes_down_unharmed() {
    let shared = Folder::new();
    let here = Folder::new();
    let server = serve(&["serve", "--dir", &shared.path("")]);
    let film = bytes(20_000_000);
    let file = here.write("film.bin", &film);

    let up = ["send", &server.at("/upload?name=film.bin"), &file, "--expect", "1"];
    let ran = run(&up).ended(0);
    let (_, sha256) = ran.err.trim_end().rsplit_once(' ').unwrap();
    let answer = format!(r#"{{"bytes":20000000,"name":"film.bin","sha256":"{sha256}"}}"#);
    assert_eq!(ran.out().trim_end(), answer);
    assert!(ran.err.starts_with("sent 19.07 MiB in "), "{}", ran.err);

    let back = here.path("back.bin");
    let ran = run(&["recv", &server.at("/download/film.bin"), &back]).ended(0);
    assert!(ran.err.starts_with("received 19.07 MiB in ") && ran.err.contains(sha256));
    assert!(fs::read(&back).unwrap() == film);
    assert_eq!(here.names(), ["back.bin", "film.bin"]);

    let ran = run(&["recv", &server.at("/download/film.bin"), "-"]).ended(0);
    assert!(ran.out == film && ran.err.contains(sha256));
    let ran = run(&["recv", &server.at("/download/film.bin"), &here.path("2"), "--json"]).ended(0);
    let json = r#"{"bytes":20000000,"seconds":"#;
    assert!(ran.out().starts_with(json) && ran.out().contains(sha256), "{}", ran.out());
}

#[test]
fn one_frame_fragments_text_and_standard_input_all_arrive() {
    let server = serve(&["serve"]);
    let folder = Folder::new();
    let file = folder.write("text", "žluťoučký");
    let empty = folder.write("empty", "");
    let upload = server.at("/upload");
    for more in [&["--one-frame"][..], &["--text"], &["--text", "--one-frame"], &[]] {
        let args = [&["send", &upload, &file, "--expect", "1"][..], more].concat();
        assert!(run(&args).ended(0).out().starts_with(r#"{"bytes":13,"#), "{more:?}");
        let args = [&["send", &upload, &empty, "--expect", "1"][..], more].concat();
        assert!(run(&args).ended(0).out().starts_with(r#"{"bytes":0,"#), "{more:?}");
    }
    let ran = run_with(&["send", &upload, "-", "--expect", "1"], b"\x00piped\xff").ended(0);
    assert!(ran.out().starts_with(r#"{"bytes":7,"#));
    let ran = run_with(&["send", &upload, "-", "--one-frame"], b"x").ended(2);
    assert!(ran.err.contains("size"), "{}", ran.err);
    let not_text = folder.write("not text", b"\xff");
    let ran = run(&["send", &upload, &not_text, "--text"]).ended(2);
    assert!(ran.err.contains("UTF-8"), "{}", ran.err);
}

#[test]
fn what_is_there_is_not_overwritten() {
    let url = peer(give);
    let folder = Folder::new();
    let file = folder.write("kept", "as it was");
    let ran = run(&["recv", &url, &file]).ended(23);
    assert!(ran.err.contains("kept exists; --force replaces it"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), "as it was");
    run(&["recv", &url, &file, "--force"]).ended(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    assert_eq!(folder.names(), ["kept"]);
}

async fn give(mut socket: MessageWebSocket) -> Result<()> {
    socket.send("new").await?;
    while socket.recv().await?.is_some() {}
    Ok(())
}

#[test]
fn half_a_message_leaves_no_file() {
    let url = peer(async |mut socket: MessageWebSocket| {
        socket.send_fragment(towline::MessageKind::Binary, "half", false).await
        // The connection is lost.
    });
    let folder = Folder::new();
    let ran = run(&["recv", &url, &folder.path("film")]).ended(56);
    assert!(ran.err.contains("receiving"), "{}", ran.err);
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

#[test]
fn no_message_at_all_is_said() {
    let url = peer(async |mut socket: MessageWebSocket| socket.close(CloseCode::NORMAL, "").await);
    let ran = run(&["recv", &url, "-"]).ended(52);
    assert_eq!(ran.err, "towline: the server closed before any message\n");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said() {
    let url = peer(give);
    let ran = run(&["recv", &url, "/dev/full"]).ended(23);
    assert!(ran.err.contains("No space left on device"), "{}", ran.err);
    run(&["recv", &url, "/dev/null"]).ended(0);
}

#[test]
fn a_server_that_leaves_early_is_told_from_one_that_took_it_all() {
    let url = peer(async |mut socket: MessageWebSocket| {
        socket.recv_fragment().await?;
        socket.close(CloseCode::NORMAL, "").await
    });
    let folder = Folder::new();
    let file = folder.write("film", bytes(30_000_000));
    let ran = run(&["send", &url, &file]).ended(18);
    assert_eq!(ran.err, "towline: the connection was closed before all was sent\n");
}

#[test]
fn a_server_that_cannot_take_it_is_told_from_one_that_did() {
    let url = peer(async |mut socket: MessageWebSocket| {
        socket.recv_fragment().await?;
        socket.close(CloseCode::INTERNAL_ERROR, "out of space").await
    });
    let folder = Folder::new();
    let file = folder.write("film", bytes(10_000_000));
    let ran = run(&["send", &url, &file]).ended(100);
    assert!(ran.err.contains("1011: out of space"), "{}", ran.err);
}

#[test]
#[cfg(unix)]
fn an_interrupt_leaves_no_file() {
    use crate::harness::{Running, towline};
    let (sender, begun) = std::sync::mpsc::channel();
    let url = peer(move |mut socket: MessageWebSocket| {
        let sender = sender.clone();
        async move {
            socket.send_fragment(towline::MessageKind::Binary, "half", false).await?;
            // The client answers the ping, so it is at work.
            socket.ping("").await?;
            socket.recv_event().await?;
            sender.send(()).unwrap();
            while socket.recv().await?.is_some() {}
            Ok(())
        }
    });
    let folder = Folder::new();
    let client = Running::start(&mut towline(&["recv", &url, &folder.path("film")]));
    begun.recv().unwrap();
    client.interrupt();
    client.wait().ended(130);
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

#[test]
#[cfg(unix)]
fn an_interrupt_while_it_connects_leaves_no_file() {
    use crate::harness::{Running, towline};
    // It takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", silent.local_addr().unwrap());
    let folder = Folder::new();
    let client = Running::start(&mut towline(&["recv", &url, &folder.path("film")]));
    let connection = silent.accept().unwrap();
    assert_eq!(folder.names().len(), 1, "it has begun: {:?}", folder.names());
    client.interrupt();
    client.wait().ended(130);
    assert!(folder.names().is_empty(), "{:?}", folder.names());
    drop(connection);
}

/// To open a pipe is to wait for somebody who reads it.
#[test]
#[cfg(unix)]
fn an_interrupt_ends_the_wait_for_a_pipes_reader() {
    use crate::harness::{Running, towline};
    let folder = Folder::new();
    let pipe = folder.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let client = Running::start(&mut towline(&["recv", "ws://127.0.0.1:9/", &pipe]));
    // There is nothing that tells from outside that it waits.
    std::thread::sleep(std::time::Duration::from_millis(500));
    client.interrupt();
    assert_eq!(client.wait().code, None, "it ends by the signal");
}
