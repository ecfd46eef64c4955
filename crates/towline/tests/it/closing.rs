//! Every way in which a connection can end.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use towline::{CloseCode, Config, ErrorKind, Event, Message, MessageWebSocket};

use crate::harness::{client_and_wire, expect, masked, messages, put, rest, server_and_wire};

type Socket = MessageWebSocket<tokio::io::DuplexStream>;
type Wire = tokio::io::DuplexStream;

fn server(config: &Config) -> (Socket, Wire) {
    let (server, wire) = server_and_wire(config);
    (server.into(), wire)
}

fn client(config: &Config) -> (Socket, Wire) {
    let (client, wire) = client_and_wire(config);
    (client.into(), wire)
}

#[tokio::test]
async fn the_peers_close_is_echoed_and_told_once() {
    let (mut server, mut wire) = server(&Config::default());
    put(&mut wire, &masked(0x88, b"\x0F\xA1bye")).await;
    assert_eq!(server.recv().await.unwrap(), None);
    assert_eq!(server.recv().await.unwrap(), None);
    let frame = server.close_frame().unwrap();
    assert_eq!((frame.code.get(), frame.reason.as_str()), (4001, "bye"));
    // The server ends the byte stream first.
    assert_eq!(rest(&mut wire).await, b"\x88\x05\x0F\xA1bye");
    // Closing again, as from inside a handler of the close, is silent.
    server.close(CloseCode::NORMAL, "again").await.unwrap();
    assert_eq!(server.send("late").await.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn a_close_without_a_code_has_none() {
    let (mut server, mut wire) = server(&Config::default());
    put(&mut wire, &masked(0x88, b"")).await;
    assert_eq!(server.recv().await.unwrap(), None);
    assert!(server.peer_closed() && server.close_frame().is_none());
    assert_eq!(rest(&mut wire).await, b"\x88\x00");
}

#[tokio::test]
async fn our_close_waits_for_the_echo_and_drops_data_that_still_comes() {
    let (mut server, mut wire) = server(&Config::default());
    server.feed("sent before").await.unwrap();
    let closing = tokio::spawn(async move {
        let closed = server.close(CloseCode::NORMAL, "done").await;
        (closed, server.recv().await, server)
    });
    expect(&mut wire, b"\x81\x0Bsent before\x88\x06\x03\xE8done").await;
    put(&mut wire, &masked(0x81, b"too late")).await;
    put(&mut wire, &masked(0x88, b"\x03\xE8done")).await;
    let (closed, after, server) = closing.await.unwrap();
    closed.unwrap();
    assert_eq!(after.unwrap(), None);
    assert_eq!(server.close_frame().unwrap().reason, "done");
    let stats = server.stats();
    assert_eq!((stats.frames_in, stats.messages_in), (2, 0), "it came, and was not handed out");
}

#[tokio::test]
async fn a_close_without_code_sends_an_empty_frame() {
    let (mut server, mut wire) = server(&Config::default());
    let closing = tokio::spawn(async move { server.close_without_code().await });
    expect(&mut wire, b"\x88\x00").await;
    put(&mut wire, &masked(0x88, b"")).await;
    closing.await.unwrap().unwrap();
}

#[tokio::test]
async fn codes_and_reasons_that_may_not_travel_are_refused_and_change_nothing() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        assert!(CloseCode::new(code).is_err(), "{code}");
    }
    let (mut server, mut wire) = server(&Config::default());
    let error = server.close(CloseCode::NORMAL, &"x".repeat(124)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    server.send("still open").await.unwrap();
    expect(&mut wire, b"\x81\x0Astill open").await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_answers_a_close_is_given_up_once() {
    let config = Config::default().close_timeout(Duration::from_secs(5));
    let (mut server, mut wire) = server(&config);
    let begin = Instant::now();
    let error = server.close(CloseCode::NORMAL, "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!((5..=7).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    assert_eq!(server.recv().await.unwrap(), None);
    drop(server);
    assert_eq!(rest(&mut wire).await, b"\x88\x02\x03\xE8");
}

#[tokio::test]
async fn a_lost_connection_is_one_error_and_no_close() {
    let (mut server, mut wire) = server(&Config::default());
    put(&mut wire, &masked(0x81, b"hello")).await;
    drop(wire);
    assert_eq!(server.recv().await.unwrap(), Some(Message::text("hello")));
    let error = server.recv().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    assert!(!server.peer_closed());
    assert_eq!(server.recv().await.unwrap(), None);
    assert_eq!(server.send("x").await.unwrap_err().kind(), ErrorKind::Disconnected);
}

#[tokio::test]
async fn half_a_frame_and_then_nothing_is_a_lost_connection() {
    let frame = masked(0x81, b"hello");
    for cut in 1..frame.len() {
        let (mut server, mut wire) = server(&Config::default());
        put(&mut wire, &frame[..cut]).await;
        drop(wire);
        let error = server.recv().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Disconnected, "cut after {cut} bytes");
    }
}

#[tokio::test]
async fn what_breaks_the_protocol_is_told_its_code() {
    // Each with the close code that the peer must see.
    let cases: &[(&[u8], u16)] = &[
        (b"\x81\x05hello", 1002),                      // not masked
        (b"\xC1\x80\0\0\0\0", 1002),                   // a reserved bit
        (b"\x83\x80\0\0\0\0", 1002),                   // a reserved opcode
        (b"\x80\x80\0\0\0\0", 1002),                   // continues nothing
        (b"\x09\x80\0\0\0\0", 1002),                   // a fragmented ping
        (b"\x89\xFE\0\x7E\0\0\0\0", 1002),             // a ping of 126 bytes
        (b"\x82\xFE\0\x05\0\0\0\0", 1002),             // a length that is not minimal
        (b"\x82\xFF\x80\0\0\0\0\0\0\0\0\0\0\0", 1002), // the top bit of a length
        (b"\x81\x82\0\0\0\0\xFF\xFE", 1007),           // not UTF-8
        (b"\x88\x81\0\0\0\0\x03", 1002),               // a closing frame of one byte
        (b"\x88\x82\0\0\0\0\x03\xED", 1002),           // 1005 on the wire
        (b"\x88\x83\0\0\0\0\x03\xE8\xFF", 1007),       // a reason that is not UTF-8
    ];
    for (bytes, code) in cases {
        let (mut server, mut wire) = server(&Config::default());
        put(&mut wire, bytes).await;
        let receiving = tokio::spawn(async move {
            let first = server.recv().await;
            (first, server.recv().await, server)
        });
        let [high, low] = code.to_be_bytes();
        expect(&mut wire, &[0x88, 2, high, low]).await;
        assert_eq!(wire.read(&mut [0]).await.unwrap(), 0, "nothing follows a closing frame");
        drop(wire);
        let (first, second, mut server) = receiving.await.unwrap();
        let error = first.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{bytes:x?}");
        assert_eq!(error.close_code().unwrap().get(), *code);
        assert_eq!(second.unwrap(), None, "exactly one terminal error");
        assert!(server.send("x").await.is_err());
    }
}

#[tokio::test]
async fn a_server_that_masks_is_told_1002() {
    let (mut client, mut wire) = client(&Config::default());
    put(&mut wire, &masked(0x81, b"x")).await;
    let receiving = tokio::spawn(async move { client.recv().await });
    let mut frame = [0; 8];
    wire.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[..2], [0x88, 0x82]);
    assert_eq!([frame[6] ^ frame[2], frame[7] ^ frame[3]], 1002u16.to_be_bytes());
    drop(wire);
    assert_eq!(receiving.await.unwrap().unwrap_err().kind(), ErrorKind::Protocol);
}

#[tokio::test(start_paused = true)]
async fn a_client_leaves_the_end_of_the_byte_stream_to_the_server() {
    let (mut client, mut wire) = client(&Config::default());
    put(&mut wire, b"\x88\x02\x03\xE8").await;
    let receiving = tokio::spawn(async move { (client.recv().await, client) });
    let mut echo = [0; 8];
    wire.read_exact(&mut echo).await.unwrap();
    // The client has answered, and waits: its direction is still open.
    let mut byte = [0];
    tokio::select! {
        biased;
        _ = wire.read(&mut byte) => panic!("the client ended the byte stream first"),
        () = tokio::task::yield_now() => {}
    }
    wire.shutdown().await.unwrap();
    assert_eq!(receiving.await.unwrap().0.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_client_waits_for_that_no_longer_than_a_second() {
    let (mut client, mut wire) = client(&Config::default());
    put(&mut wire, b"\x88\x02\x03\xE8").await;
    let begin = Instant::now();
    assert_eq!(client.recv().await.unwrap(), None);
    assert!(begin.elapsed() <= Duration::from_millis(1100), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_asked_and_then_given_up() {
    let config = Config::default()
        .ping_interval(Some(Duration::from_secs(20)))
        .pong_timeout(Duration::from_secs(10));
    let (mut server, mut wire) = server(&config);
    let begin = Instant::now();
    let error = server.recv().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!((30..=32).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    drop(server);
    let sent = rest(&mut wire).await;
    assert_eq!(sent[..2], [0x89, 8], "one ping");
    assert_eq!(sent[10..14], [0x88, 17, 0x03, 0xF3], "then 1011");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_pings_stays() {
    let config = Config::default().ping_interval(Some(Duration::from_secs(20)));
    let (client, server) = crate::harness::pair(4096, &config);
    let (mut client, mut server) = (Socket::from(client), Socket::from(server));
    let quiet = tokio::time::timeout(Duration::from_secs(600), async {
        tokio::join!(client.recv(), server.recv())
    });
    assert!(quiet.await.is_err(), "nobody closed in ten minutes");
    assert!(client.stats().round_trip.is_some() || server.stats().round_trip.is_some());
}

/// A ping comes an interval after the last sign of life, though more time was given for the answer.
#[tokio::test(start_paused = true)]
async fn pings_keep_to_their_interval() {
    let config = Config::default()
        .ping_interval(Some(Duration::from_secs(10)))
        .pong_timeout(Duration::from_secs(60));
    let (mut server, mut wire) = server(&config);
    let receiving = tokio::spawn(async move { server.recv().await });
    let mut times = Vec::new();
    for answer in ["a pong", "another pong", "a pong", "nothing", "a pong", "a pong"] {
        let mut ping = [0; 10];
        wire.read_exact(&mut ping).await.unwrap();
        assert_eq!(ping[..2], [0x89, 8]);
        times.push(Instant::now());
        tokio::time::sleep(Duration::from_secs(3)).await;
        match answer {
            "a pong" => put(&mut wire, &masked(0x8a, &ping[2..])).await,
            // No answer, but a sign of life.
            "another pong" => put(&mut wire, &masked(0x8a, b"unasked")).await,
            _ => {
                // Longer than an interval, and not too long.
                tokio::time::sleep(Duration::from_secs(22)).await;
                put(&mut wire, &masked(0x8a, &ping[2..])).await;
            }
        }
    }
    let gaps: Vec<_> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert_eq!(gaps, [13, 13, 13, 35, 13]);
    receiving.abort();
}

#[tokio::test(start_paused = true)]
async fn a_slow_large_frame_is_life() {
    let config = Config::default()
        .ping_interval(Some(Duration::from_secs(20)))
        .pong_timeout(Duration::from_secs(10));
    let (mut server, mut wire) = server(&config);
    let trickle = tokio::spawn(async move {
        // The peer is in the middle of a frame and cannot answer pings.
        let frame = masked(0x82, &[0; 60]);
        for byte in frame {
            put(&mut wire, &[byte]).await;
            tokio::time::sleep(Duration::from_secs(15)).await;
        }
        wire
    });
    assert_eq!(server.recv().await.unwrap().unwrap().len(), 60);
    trickle.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_with_1001() {
    let config = Config::default().idle_timeout(Some(Duration::from_secs(60)));
    let (mut server, mut wire) = server(&config);
    let receiving = tokio::spawn(async move { server.recv().await });
    // Pings come from both sides meanwhile: they are no data.
    let mut got = Vec::new();
    while !got.ends_with(b"\x88\x06\x03\xE9idle") {
        let mut byte = [0];
        wire.read_exact(&mut byte).await.unwrap();
        got.push(byte[0]);
        if got == [0x89] {
            put(&mut wire, &masked(0x89, b"p")).await;
        }
    }
    put(&mut wire, &masked(0x88, b"\x03\xE9")).await;
    assert_eq!(receiving.await.unwrap().unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_of_pongs_goes_out_unasked() {
    let config = Config::default().ping_interval(None).pong_interval(Some(Duration::from_secs(15)));
    let (mut server, mut wire) = server(&config);
    let begin = Instant::now();
    let receiving = tokio::spawn(async move { server.recv().await });
    expect(&mut wire, b"\x8A\x00\x8A\x00\x8A\x00").await;
    assert_eq!(begin.elapsed().as_secs(), 45);
    receiving.abort();
}

/// Acceptance line 68: what was desired is clamped, pongs follow it, and nobody answers one.
#[tokio::test(start_paused = true)]
async fn a_heartbeat_of_a_second_beats_each_15_s_and_is_not_answered() {
    let desired = Some(Duration::from_secs(1));
    for (allowed, actual) in [(false, 15), (true, 1)] {
        let quiet = Config::default().ping_interval(None);
        let config = quiet.clone().pong_interval(desired).allow_short_pong_interval(allowed);
        assert_eq!(config.get_pong_interval(), desired);
        assert_eq!(config.actual_pong_interval(), Some(Duration::from_secs(actual)));
        let (one, other) = tokio::io::duplex(1024);
        let terms = towline::proto::handshake::Negotiated::default();
        let role = towline::proto::Role::Client;
        let client = towline::WebSocket::new(one, role, terms.clone(), config);
        let role = towline::proto::Role::Server;
        let server = towline::WebSocket::new(other, role, terms, quiet);
        let (mut client, mut server) = (Socket::from(client), Socket::from(server));
        let begin = Instant::now();
        // The client's application does nothing but wait for a message.
        let reading = tokio::spawn(async move { (client.recv().await, client) });
        for beat in 1..=4 {
            let heard = server.recv_event().await.unwrap();
            assert_eq!(heard, Some(Event::Pong(bytes::Bytes::new())));
            assert_eq!(begin.elapsed().as_secs(), actual * beat);
        }
        assert_eq!(server.stats().frames_out, 0);
        server.send("now").await.unwrap();
        let (message, client) = reading.await.unwrap();
        assert_eq!(message.unwrap(), Some("now".into()));
        assert_eq!(client.stats().frames_in, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_does_not_hold_a_sender_for_ever() {
    let config = Config::default().write_timeout(Duration::from_secs(30));
    let (server, _wire) = crate::harness::pair(1000, &config);
    let mut server = Socket::from(server);
    let begin = Instant::now();
    let error = server.send(vec![0; 10_000]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(begin.elapsed().as_secs(), 30);
    assert_eq!(server.recv().await.unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(server.recv().await.unwrap(), None);
}

#[tokio::test]
async fn a_normal_end_is_no_error_on_either_side() {
    let (mut client, mut server) = messages();
    let serving = tokio::spawn(async move { (server.recv().await, server) });
    client.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(serving.await.unwrap().0.unwrap(), None);
    assert_eq!(client.recv().await.unwrap(), None);
}

#[tokio::test]
async fn both_may_close_at_once() {
    let (mut client, mut server) = messages();
    let (one, other) = tokio::join!(
        client.close(CloseCode::NORMAL, "me"),
        server.close(CloseCode::GOING_AWAY, "me too"),
    );
    one.unwrap();
    other.unwrap();
    assert_eq!(client.close_frame().unwrap().code, CloseCode::GOING_AWAY);
    assert_eq!(server.close_frame().unwrap().code, CloseCode::NORMAL);
}
