//! Every async function, dropped at every place where it can wait.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use towline::{CloseCode, Config, Message, MessageKind, MessageWebSocket, StreamWebSocket};

use crate::harness::{Trouble, TroubleAt, masked, pair, put, server_and_wire};

/// Polls a future at most `polls` times, then drops it.
fn cancel_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let waker = Waker::from(Arc::new(Count(AtomicUsize::new(0))));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
    }
    None
}

#[tokio::test]
async fn recv_loses_nothing_wherever_it_is_dropped() {
    let mut bytes = masked(0x01, b"one ");
    bytes.extend(masked(0x89, b"ping"));
    bytes.extend(masked(0x80, b"message"));
    for cut in 0..bytes.len() {
        let (server, mut wire) = server_and_wire(&Config::default());
        let mut server = MessageWebSocket::from(server);
        put(&mut wire, &bytes[..cut]).await;
        assert!(cancel_after(3, server.recv()).is_none(), "cut at {cut}");
        put(&mut wire, &bytes[cut..]).await;
        assert_eq!(server.recv().await.unwrap(), Some(Message::text("one message")));
    }
}

#[tokio::test]
async fn reads_of_a_stream_lose_nothing_wherever_they_are_dropped() {
    let mut bytes = masked(0x02, b"one ");
    bytes.extend(masked(0x80, b"message"));
    for cut in 0..bytes.len() {
        let (server, mut wire) = server_and_wire(&Config::default());
        let mut server = StreamWebSocket::from(server);
        put(&mut wire, &bytes[..cut]).await;
        let mut got = Vec::new();
        if let Some(message) = cancel_after(2, server.next_message()) {
            let mut message = message.unwrap().unwrap();
            let mut some = [0; 3];
            while let Some(count) = cancel_after(1, message.read(&mut some)) {
                got.extend(&some[..count.unwrap()]);
            }
            put(&mut wire, &bytes[cut..]).await;
            message.read_to_end(&mut got).await.unwrap();
        } else {
            put(&mut wire, &bytes[cut..]).await;
            let mut message = server.next_message().await.unwrap().unwrap();
            message.read_to_end(&mut got).await.unwrap();
        }
        assert_eq!(got, b"one message", "cut at {cut}");
    }
}

/// A socket whose byte stream is not ready at its `at`-th operation, and the peer.
fn pending_at(
    at: usize,
) -> (MessageWebSocket<TroubleAt<DuplexStream>>, MessageWebSocket<DuplexStream>) {
    use towline::WebSocket;
    use towline::proto::{Role, handshake::Negotiated};
    let (one, other) = tokio::io::duplex(1 << 20);
    let (one, _) = TroubleAt::new(one, at, Trouble::Pend);
    let terms = Negotiated::default();
    let client = WebSocket::new(one, Role::Client, terms.clone(), Config::default());
    let server = WebSocket::new(other, Role::Server, terms, Config::default());
    (client.into(), server.into())
}

#[tokio::test]
async fn a_send_that_is_dropped_is_sent_whole_or_not_at_all() {
    for at in 0..4 {
        let (mut client, mut server) = pending_at(at);
        let sent = cancel_after(1, client.send("one"));
        client.send("two").await.unwrap();
        client.flush().await.unwrap();
        drop(client);
        let mut got = Vec::new();
        while let Ok(Some(message)) = server.recv().await {
            got.push(message.as_text().unwrap().to_owned());
        }
        assert!(got == ["one", "two"] || (sent.is_none() && got == ["two"]), "at {at}: {got:?}");
    }
}

#[tokio::test]
async fn a_feed_that_is_dropped_while_it_waits_was_not_queued() {
    let (client, server) = pair(64, &Config::default().max_outbox(32));
    let (mut client, mut server) = (MessageWebSocket::from(client), MessageWebSocket::from(server));
    let mut queued = 0;
    while cancel_after(1, client.feed(format!("{queued}"))).is_some() {
        queued += 1;
    }
    let reading = tokio::spawn(async move {
        let mut got = Vec::new();
        while let Ok(Some(message)) = server.recv().await {
            got.push(message.as_text().unwrap().parse::<usize>().unwrap());
        }
        got
    });
    client.send("1000").await.unwrap();
    client.close(CloseCode::NORMAL, "").await.unwrap();
    let expected: Vec<_> = (0..queued).chain([1000]).collect();
    assert_eq!(reading.await.unwrap(), expected);
}

#[tokio::test]
async fn the_other_sends_are_whole_or_not_at_all_too() {
    for at in 0..4 {
        let (mut client, mut server) = pending_at(at);
        cancel_after(1, client.ping("p"));
        client.flush().await.unwrap();
        cancel_after(1, client.pong("q"));
        client.flush().await.unwrap();
        cancel_after(1, client.send_fragment(MessageKind::Text, "f", true));
        client.send("end").await.unwrap();
        loop {
            let message = server.recv().await.unwrap().unwrap();
            if message.as_text() == Some("end") {
                break;
            }
            assert_eq!(message.as_text(), Some("f"), "at {at}");
        }
    }
}

#[tokio::test]
async fn a_close_that_is_dropped_goes_on_with_recv() {
    for at in 0..6 {
        let (mut client, mut server) = pending_at(at);
        let serving = tokio::spawn(async move { (server.recv().await, server) });
        let closed = cancel_after(1, client.close(CloseCode::NORMAL, "bye"));
        assert!(closed.is_none(), "nobody has answered yet");
        assert_eq!(client.recv().await.unwrap(), None);
        let (end, server) = serving.await.unwrap();
        assert_eq!(end.unwrap(), None);
        assert_eq!(server.close_frame().unwrap().reason, "bye");
        assert!(client.send("x").await.is_err());
    }
}

#[tokio::test]
async fn a_write_to_a_message_that_is_dropped_took_nothing() {
    let (client, server) = pair(256, &Config::default().max_outbox(256));
    let (mut client, mut server) = (StreamWebSocket::from(client), StreamWebSocket::from(server));
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        let mut message = server.next_message().await.unwrap().unwrap();
        message.read_to_end(&mut all).await.unwrap();
        all
    });
    let mut message = client.message_writer(MessageKind::Binary);
    let mut expected = Vec::new();
    for n in 0..40u8 {
        let block = vec![n; 70_000];
        // `write` says how much it took; dropped while it waits, it took nothing.
        if let Some(count) = cancel_after(1, message.write(&block)) {
            expected.extend(&block[..count.unwrap()]);
        }
        tokio::task::yield_now().await;
    }
    message.finish().await.unwrap();
    assert_eq!(reading.await.unwrap(), expected);
}

#[tokio::test]
async fn an_accept_that_is_dropped_loses_no_connection() {
    let server = towline::Server::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", server.local_addr());
    for _ in 0..3 {
        assert!(cancel_after(2, server.accept()).is_none());
        let connecting = tokio::spawn(MessageWebSocket::connect(url.clone()));
        let upgrade = server.accept().await.unwrap().handshake().await.unwrap();
        let _socket = upgrade.accept_message().await.unwrap();
        connecting.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_is_dropped_while_shaking_hands_closes_the_connection() {
    // A client that gives up: the server sees the end.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let connecting = tokio::spawn(MessageWebSocket::connect(url));
    let (mut peer, _) = listener.accept().await.unwrap();
    peer.read_u8().await.unwrap();
    connecting.abort();
    let mut head = Vec::new();
    peer.read_to_end(&mut head).await.unwrap();
    assert!(head.ends_with(b"\r\n\r\n"));

    // A server that gives up: the client sees it, and its place is free.
    let server = towline::Server::bind("127.0.0.1:0").await.unwrap();
    let mut peer = tokio::net::TcpStream::connect(server.local_addr()).await.unwrap();
    let incoming = server.accept().await.unwrap();
    assert_eq!(server.connections(), 1);
    assert!(cancel_after(2, incoming.handshake()).is_none());
    assert_eq!(peer.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_shutdown_that_is_dropped_goes_on_and_cuts_nobody() {
    let server = towline::Server::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", server.local_addr());
    let connecting = tokio::spawn(MessageWebSocket::connect(url));
    let upgrade = server.accept().await.unwrap().handshake().await.unwrap();
    let mut socket = upgrade.accept_message().await.unwrap();
    let serving = tokio::spawn(async move { socket.recv().await });
    let mut client = connecting.await.unwrap().unwrap();
    assert!(cancel_after(1, server.shutdown(std::time::Duration::ZERO)).is_none());
    assert_eq!(client.recv().await.unwrap(), None);
    assert_eq!(client.close_frame().unwrap().code, CloseCode::GOING_AWAY);
    assert_eq!(serving.await.unwrap().unwrap(), None);
}
