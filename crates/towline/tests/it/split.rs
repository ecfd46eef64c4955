//! One socket in several hands: nothing is lost, nobody waits for ever.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use towline::{CloseCode, Config, ErrorKind, Message, MessageWebSocket};

use crate::harness::{masked, messages, pair, put, server_and_wire};

/// Far more than any of these takes; a lost wake-up takes for ever.
const LIMIT: Duration = Duration::from_secs(60);

/// The field's most repeated bug: a reader that has to write and a writer wait on one byte stream,
/// and one displaces the other's waker.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_directions_at_once_over_narrow_wires() {
    for capacity in [1, 7, 64, 4096] {
        for _ in 0..4 {
            let (client, server) = pair(capacity, &Config::default().max_outbox(64));
            let (client, server) = (MessageWebSocket::from(client), MessageWebSocket::from(server));
            let talk = |socket: MessageWebSocket<_>| async move {
                let (mut receiver, sender) = socket.split();
                let send = tokio::spawn(async move {
                    for n in 0..200u32 {
                        if n % 10 == 0 {
                            sender.ping(n.to_be_bytes()).await.unwrap();
                        }
                        sender.send(n.to_string()).await.unwrap();
                    }
                    sender
                });
                for n in 0..200u32 {
                    assert_eq!(receiver.recv().await.unwrap(), Some(Message::text(n.to_string())));
                }
                let closing = tokio::spawn(async move {
                    send.await.unwrap().close(CloseCode::NORMAL, "").await.ok();
                });
                assert_eq!(receiver.recv().await.unwrap(), None);
                closing.await.unwrap();
            };
            let both = async {
                let (one, other) = (tokio::spawn(talk(client)), tokio::spawn(talk(server)));
                one.await.unwrap();
                other.await.unwrap();
            };
            timeout(LIMIT, both).await.unwrap_or_else(|_| panic!("stuck at capacity {capacity}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_split_of_futures_works_as_well() {
    for capacity in [1, 7, 64, 4096] {
        let (client, server) = pair(capacity, &Config::default().max_outbox(64));
        let talk = |socket: MessageWebSocket<_>| async move {
            let (mut sink, mut stream) = StreamExt::split(socket);
            let send = tokio::spawn(async move {
                for n in 0..200u32 {
                    sink.send(Message::text(n.to_string())).await.unwrap();
                }
                sink
            });
            for n in 0..200u32 {
                let message = stream.next().await.unwrap().unwrap();
                assert_eq!(message, Message::text(n.to_string()));
            }
            let mut sink = send.await.unwrap();
            let closing = tokio::spawn(async move { sink.close().await.ok() });
            assert!(stream.next().await.is_none());
            closing.await.unwrap();
        };
        let both = async {
            let one = tokio::spawn(talk(client.into()));
            let other = tokio::spawn(talk(server.into()));
            one.await.unwrap();
            other.await.unwrap();
        };
        timeout(LIMIT, both).await.unwrap_or_else(|_| panic!("stuck at capacity {capacity}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_cloned_senders_share_one_connection() {
    const SENDERS: usize = 16;
    const EACH: usize = 200;
    let (client, server) = pair(256, &Config::default().max_outbox(128));
    let (mut receiver, _sender) = MessageWebSocket::from(server).split();
    let (mut client_receiver, sender) = MessageWebSocket::from(client).split();
    let reading = tokio::spawn(async move { client_receiver.recv().await });
    let senders: Vec<_> = (0..SENDERS)
        .map(|who| {
            let sender = sender.clone();
            tokio::spawn(async move {
                for n in 0..EACH {
                    sender.send(format!("{who} {n}")).await.unwrap();
                }
            })
        })
        .collect();
    let mut next = [0; SENDERS];
    let all = async {
        for _ in 0..SENDERS * EACH {
            let message = receiver.recv().await.unwrap().unwrap();
            let (who, n) = message.as_text().unwrap().split_once(' ').unwrap();
            let who: usize = who.parse().unwrap();
            assert_eq!(n.parse::<usize>().unwrap(), next[who], "each sender's order is kept");
            next[who] += 1;
        }
    };
    timeout(LIMIT, all).await.expect("stuck");
    for sender in senders {
        sender.await.unwrap();
    }
    sender.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(receiver.recv().await.unwrap(), None);
    assert_eq!(timeout(LIMIT, reading).await.unwrap().unwrap().unwrap(), None);
}

#[tokio::test]
async fn a_reader_answers_pings_while_a_writer_waits() {
    let (server, mut wire) = server_and_wire(&Config::default());
    let (mut receiver, _sender) = MessageWebSocket::from(server).split();
    let reading = tokio::spawn(async move { receiver.recv().await });
    put(&mut wire, &masked(0x89, b"hey")).await;
    crate::harness::expect(&mut wire, b"\x8A\x03hey").await;
    wire.shutdown().await.unwrap();
    let error = reading.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
}

#[tokio::test]
async fn senders_learn_that_the_connection_is_lost() {
    let (client, server) = messages();
    let (mut receiver, sender) = client.split();
    drop(server);
    assert_eq!(receiver.recv().await.unwrap_err().kind(), ErrorKind::Disconnected);
    assert_eq!(receiver.recv().await.unwrap(), None);
    assert_eq!(sender.send("x").await.unwrap_err().kind(), ErrorKind::Disconnected);
    assert_eq!(sender.clone().send("x").await.unwrap_err().kind(), ErrorKind::Disconnected);
}

#[tokio::test]
async fn a_sender_that_waits_is_woken_when_the_connection_is_lost() {
    let (client, server) = pair(64, &Config::default().max_outbox(64));
    let (mut receiver, sender) = MessageWebSocket::from(client).split();
    let sending = tokio::spawn(async move { sender.send(vec![0; 10_000]).await });
    tokio::task::yield_now().await;
    drop(server);
    let error = timeout(LIMIT, sending).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    assert_eq!(receiver.recv().await.unwrap_err().kind(), ErrorKind::Disconnected);
}

#[tokio::test]
async fn a_reader_that_waits_sees_a_sender_close() {
    let (client, mut server) = messages();
    let (mut receiver, sender) = client.split();
    let reading = tokio::spawn(async move {
        let end = receiver.recv().await;
        (end, receiver.close_frame().cloned())
    });
    tokio::task::yield_now().await;
    sender.close(CloseCode::new(4000).unwrap(), "done").await.unwrap();
    assert_eq!(sender.send("x").await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(server.recv().await.unwrap(), None);
    assert_eq!(server.close_frame().unwrap().code.get(), 4000);
    let (end, frame) = timeout(LIMIT, reading).await.unwrap().unwrap();
    assert_eq!(end.unwrap(), None);
    assert_eq!(frame.unwrap().reason, "done");
}
