//! The same over TCP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;
use towline::{
    Backoff, Client, ErrorKind, Message, Proxy, Reconnecting, Server, StreamWebSocket, Why,
};

use crate::raw::within;

fn quickly() -> Backoff {
    Backoff::default().base(Duration::from_millis(20)).max(Duration::from_millis(100))
}

/// A server for one connection, which sends back one message and goes away.
async fn answer_once(address: SocketAddr) -> (SocketAddr, tokio::task::JoinHandle<String>) {
    let server = Server::bind(address.to_string()).await.unwrap();
    let address = server.local_addr();
    let serving = tokio::spawn(async move {
        let upgrade = server.accept().await.unwrap().handshake().await.unwrap();
        let token = upgrade
            .request()
            .headers()
            .get("x-token")
            .map_or_else(String::new, |value| value.to_str().unwrap().to_owned());
        let mut socket = upgrade.accept_message().await.unwrap();
        let message = socket.recv().await.unwrap().unwrap();
        socket.send(message).await.unwrap();
        token
    });
    (address, serving)
}

#[tokio::test]
async fn a_server_that_is_started_again_is_connected_to_again() {
    let (address, serving) = answer_once("127.0.0.1:0".parse().unwrap()).await;
    let tokens = Arc::new(AtomicU32::new(0));
    let builder = Reconnecting::builder(Client::new(), format!("ws://{address}/"))
        .backoff(quickly())
        .prepare(move |opening| {
            let token = tokens.fetch_add(1, Ordering::Relaxed).to_string();
            async move { Ok(opening.header("X-Token", &token)?) }
        });
    let mut socket = within(builder.connect()).await.unwrap();
    socket.send("one").await.unwrap();
    assert_eq!(within(socket.recv()).await.unwrap(), Some(Message::text("one")));
    assert_eq!(serving.await.unwrap(), "0");

    // For a while nobody listens there.
    let away = tokio::time::timeout(Duration::from_millis(150), socket.recv()).await;
    assert!(away.is_err());
    assert_eq!(socket.send("two").await.unwrap_err().kind(), ErrorKind::Disconnected);
    let (_, serving) = answer_once(address).await;
    within(socket.ready()).await.unwrap();
    socket.send("two").await.unwrap();
    assert_eq!(within(socket.recv()).await.unwrap(), Some(Message::text("two")));
    // A new token for each attempt.
    assert!(serving.await.unwrap().parse::<u32>().unwrap() >= 2);
    assert!(socket.socket().is_some_and(|socket| socket.info().peer_addr() == Some(address)));
}

#[tokio::test]
async fn a_server_that_says_when_to_come_back_is_not_asked_before() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let mut times = Vec::new();
        for head in ["HTTP/1.1 503 Busy\r\nRetry-After: 1", "HTTP/1.1 403 No"] {
            let (mut stream, _) = listener.accept().await.unwrap();
            times.push(Instant::now());
            stream.read_buf(&mut Vec::with_capacity(4096)).await.unwrap();
            let head = format!("{head}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
        }
        times[1] - times[0]
    });
    let builder = Reconnecting::builder(Client::new(), format!("ws://{address}/"));
    let error = within(builder.backoff(quickly()).connect()).await.unwrap_err();
    assert_eq!(error.response().unwrap().status(), 403);
    assert!(serving.await.unwrap() >= Duration::from_secs(1));
}

/// Each further attempt would be another log-in that fails, and some lock an account after a few.
#[tokio::test]
async fn a_password_that_a_proxy_does_not_take_is_not_tried_twice() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("socks5h://ann:wrong@{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in [b"\x05\x02", b"\x01\x01"] {
                stream.read_buf(&mut Vec::with_capacity(512)).await.unwrap();
                stream.write_all(answer).await.unwrap();
            }
        }
    });
    let client = Client::builder().proxy(Proxy::new(proxy).unwrap()).build().unwrap();
    let builder = Reconnecting::builder(client, "ws://a.example/").backoff(quickly());
    let error = within(builder.connect()).await.unwrap_err();
    assert!(error.to_string().contains("does not take that user name"), "{error}");
}

#[tokio::test]
async fn a_bad_address_is_not_tried_twice() {
    for bad in ["http://127.0.0.1/", "ws://", "ws://127.0.0.1/#part"] {
        let mut socket = Reconnecting::builder(Client::new(), bad).start();
        let error = within(socket.recv()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{bad}");
    }
}

#[tokio::test]
async fn streams_come_back_too() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr();
    let serving = tokio::spawn(async move {
        for text in ["first", "second"] {
            let upgrade = server.accept().await.unwrap().handshake().await.unwrap();
            let mut socket = upgrade.accept_message().await.unwrap();
            socket.send(Message::binary(text)).await.unwrap();
            // Without a closing handshake.
            drop(socket);
        }
    });
    let builder = Reconnecting::builder(Client::new(), format!("ws://{address}/"));
    let mut reconnector = builder.backoff(quickly()).reconnector();
    for expected in ["first", "second"] {
        let mut socket = StreamWebSocket::from(within(reconnector.connect()).await.unwrap());
        let mut text = Vec::new();
        let error = within(socket.read_to_end(&mut text)).await.unwrap_err();
        assert_eq!(text, expected.as_bytes());
        let error = error.downcast::<towline::Error>().unwrap();
        assert!(reconnector.lost(Why::Failed(Arc::new(error))).unwrap());
    }
    serving.await.unwrap();
    assert!(!reconnector.lost(Why::ClosedByUs).unwrap());
    assert_eq!(within(reconnector.connect()).await.unwrap_err().kind(), ErrorKind::Closed);
}
