//! `towline ping`.

use towline::{CloseCode, MessageWebSocket};

use crate::harness::{Running, peer, run, serve, towline};

#[test]
fn round_trips_are_told_one_by_one_and_all_together() {
    let echo = serve(&["echo"]);
    let ran = run(&["ping", &echo.url, "-c", "3", "-i", "0"]).ended(0);
    let lines: Vec<&str> = ran.out().lines().collect();
    let address = echo.url.replace("ws://", "");
    assert_eq!(lines[0], format!("PING {address}"));
    for (seq, line) in (1..).zip(&lines[1..4]) {
        assert!(line.starts_with(&format!("pong from {address}: seq={seq} time=")), "{line}");
    }
    assert_eq!(lines[4], format!("--- {address} ping statistics ---"));
    assert_eq!(lines[5], "3 pings sent, 3 pongs received, 0% lost");
    assert!(lines[6].starts_with("round-trip min/avg/max/stddev = "), "{lines:?}");
    assert_eq!(lines.len(), 7);

    let ran = run(&["ping", &echo.url, "-c", "1", "--json"]).ended(0);
    assert!(ran.out().contains(r#""received":1,"sent":1"#), "{}", ran.out());
    assert!(ran.out().contains(r#""outbound_bits_per_second":"#), "{}", ran.out());
}

#[test]
fn what_tcp_knows_of_the_way_is_told_with_v() {
    let echo = serve(&["echo"]);
    let ran = run(&["ping", &echo.url, "-c", "2", "-i", "0", "-v"]).ended(0);
    let last = ran.out().lines().last().unwrap();
    assert!(last.starts_with("bandwidth to, from = ") && last.ends_with("/s"), "{last}");
    if cfg!(target_os = "linux") {
        assert!(ran.out().contains("\nround-trip of TCP = "), "{}", ran.out());
    }
}

#[test]
fn a_pong_that_does_not_come_is_lost() {
    let (enough, waiting) = std::sync::mpsc::channel();
    let waiting = std::sync::Arc::new(std::sync::Mutex::new(waiting));
    // A server that does not look until it is told to, or the client would wait for its goodbye.
    let url = peer(move |mut socket: MessageWebSocket| {
        let waiting = std::sync::Arc::clone(&waiting);
        async move {
            waiting.lock().unwrap().recv().unwrap();
            while socket.recv().await?.is_some() {}
            Ok(())
        }
    });
    let args = ["ping", &url, "-c", "2", "-i", "0", "-W", "20ms"];
    let mut client = Running::start(&mut towline(&args));
    let lines: Vec<String> = (0..5).map(|_| client.line()).collect();
    enough.send(()).unwrap();
    client.wait().ended(28);
    assert!(lines[1].starts_with("no pong from ") && lines[1].ends_with(": seq=1"), "{lines:?}");
    assert_eq!(lines[4], "2 pings sent, 0 pongs received, 100% lost");
}

#[test]
fn a_server_that_closes_ends_it() {
    let url = peer(async |mut socket: MessageWebSocket| {
        socket.close(CloseCode::POLICY_VIOLATION, "no pings here").await
    });
    let ran = run(&["ping", &url]).ended(100);
    assert!(ran.err.contains("1008: no pings here"), "{}", ran.err);
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_it_with_the_statistics() {
    let echo = serve(&["echo"]);
    let mut client = Running::start(&mut towline(&["ping", &echo.url, "-i", "1h"]));
    client.line();
    assert!(client.line().contains("seq=1"));
    client.interrupt();
    let ran = client.wait().ended(0);
    assert!(ran.out().contains("1 ping sent, 1 pong received, 0% lost"), "{}", ran.out());
}
