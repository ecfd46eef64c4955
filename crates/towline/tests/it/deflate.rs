//! Compression over the library's two faces (RFC 7692).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use towline::http::{HeaderMap, HeaderValue};
use towline::proto::Role;
use towline::proto::handshake::Negotiated;
use towline::{
    Client, CloseCode, Config, Deflate, ErrorKind, MemoryBudget, Message, MessageKind,
    MessageWebSocket, Prepared, Server, StreamWebSocket, WebSocket,
};

use crate::harness::{Trouble, TroubleAt, masked, put, rest};

fn text(number: usize) -> String {
    (0..40).map(|at| format!("{{\"id\":{},\"side\":\"buy\"}},", number * 31 + at)).collect()
}

/// Bytes that no compressor makes smaller.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        state.to_le_bytes()[5]
    };
    (0..len).map(|_| next()).collect()
}

/// What the defaults agree on.
fn terms() -> Negotiated {
    terms_of(&Deflate::default())
}

fn terms_of(settings: &Deflate) -> Negotiated {
    let mut headers = HeaderMap::new();
    let offer = HeaderValue::from_static("permessage-deflate");
    headers.insert("sec-websocket-extensions", offer);
    let mut terms = Negotiated::default();
    terms.deflate = settings.accept(&headers);
    assert!(terms.deflate.is_some());
    terms
}

fn pair() -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (one, other) = duplex(64 * 1024);
    (
        WebSocket::new(one, Role::Client, terms(), Config::default()),
        WebSocket::new(other, Role::Server, terms(), Config::default()),
    )
}

fn messages() -> (MessageWebSocket<DuplexStream>, MessageWebSocket<DuplexStream>) {
    let (client, server) = pair();
    (client.into(), server.into())
}

#[tokio::test]
async fn it_is_off_until_both_ask_for_it() {
    for (client_asks, server_asks) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut server = Server::builder();
        if server_asks {
            server = server.deflate(Deflate::default().client_max_window_bits(12));
        }
        let server = server.bind("127.0.0.1:0").await.unwrap();
        let address = format!("ws://{}", server.local_addr());
        let serving = tokio::spawn(async move {
            let upgrade = server.accept().await.unwrap().handshake().await.unwrap();
            let mut socket = upgrade.accept_message().await.unwrap();
            let told = socket.info().deflate().map(ToString::to_string);
            while let Some(message) = socket.recv().await.unwrap() {
                socket.send(message).await.unwrap();
            }
            (told, socket.stats())
        });
        let mut client = Client::builder();
        if client_asks {
            client = client.deflate(Deflate::default());
        }
        let socket = client.build().unwrap().connect(&address).await.unwrap();
        let mut socket = MessageWebSocket::from(socket);
        let told = socket.info().deflate().map(ToString::to_string);
        for number in 0..5 {
            socket.send(text(number)).await.unwrap();
            assert_eq!(socket.recv().await.unwrap(), Some(Message::text(text(number))));
        }
        let stats = socket.stats();
        socket.close(CloseCode::NORMAL, "").await.unwrap();
        let agreed = (client_asks && server_asks)
            .then(|| "permessage-deflate; client_max_window_bits=12".to_owned());
        let (server_told, server_stats) = serving.await.unwrap();
        assert_eq!((&told, &server_told), (&agreed, &agreed));
        let plain = 5 * u64::try_from(text(0).len()).unwrap();
        for bytes in [stats.bytes_in, stats.bytes_out, server_stats.bytes_in] {
            assert_eq!(bytes * 3 < plain, agreed.is_some(), "{bytes} of {plain}");
        }
    }
}

#[tokio::test]
async fn both_faces_carry_large_messages_in_both_directions() {
    let (client, server) = pair();
    let mut client = StreamWebSocket::from(client);
    let mut server = StreamWebSocket::from(server);
    let mut data = text(7).repeat(3000).into_bytes();
    data.extend(noise(1_000_000));
    let sent = data.clone();
    let echoing = tokio::spawn(async move {
        while let Some(mut batch) = server.recv_pieces().await.unwrap() {
            while let Some((piece, replies)) = batch.next() {
                replies.feed(piece).unwrap();
            }
        }
        server.stats()
    });
    let (mut reader, mut writer) = client.split();
    let sending = tokio::spawn(async move {
        for _ in 0..3 {
            let mut message = writer.message_writer(MessageKind::Binary);
            message.write_all(&sent).await.unwrap();
            message.finish().await.unwrap();
            let mut sized = writer.message_writer_sized(MessageKind::Binary, 5);
            sized.write_all(b"sized").await.unwrap();
            sized.finish().await.unwrap();
        }
        writer
    });
    for _ in 0..3 {
        for expected in [&data[..], b"sized"] {
            let mut message = reader.next_message().await.unwrap().unwrap();
            let mut got = Vec::new();
            message.read_to_end(&mut got).await.unwrap();
            assert!(got == expected, "{} bytes instead of {}", got.len(), expected.len());
        }
    }
    let mut writer = sending.await.unwrap();
    writer.close(CloseCode::NORMAL, "").await.unwrap();
    assert!(reader.next_message().await.unwrap().is_none());
    let stats = echoing.await.unwrap();
    assert!(stats.bytes_in < 3 * 1_200_000, "{stats:?}");
    client = StreamWebSocket::from(pair().0);
    drop(client);
}

/// The stream as a whole: bytes in, bytes out, and the messages between them are compressed.
#[tokio::test]
async fn the_byte_view_carries_large_transfers_in_both_directions() {
    let (client, server) = pair();
    let client = StreamWebSocket::from(client);
    let server = StreamWebSocket::from(server);
    let data = [text(3).repeat(3000).into_bytes(), noise(300_000)].concat();
    let lengths = || [1, 100, 10_000, 1_000_000].into_iter().cycle().take(40).chain([data.len()]);
    let expected: Vec<u8> = lengths().flat_map(|length| data[..length].to_vec()).collect();
    let echoing = tokio::spawn(async move {
        let (mut reader, mut writer) = tokio::io::split(server);
        tokio::io::copy(&mut reader, &mut writer).await.unwrap();
        reader.unsplit(writer).stats()
    });
    let (mut reader, mut writer) = tokio::io::split(client);
    let mut got = vec![0; expected.len()];
    let write = async {
        for length in lengths() {
            writer.write_all(&data[..length]).await.unwrap();
        }
    };
    let ((), read) = tokio::join!(write, reader.read_exact(&mut got));
    read.unwrap();
    assert!(got == expected, "what came back differs");
    writer.shutdown().await.unwrap();
    assert_eq!(reader.read(&mut [0]).await.unwrap(), 0);
    for stats in [reader.unsplit(writer).stats(), echoing.await.unwrap()] {
        for bytes in [stats.bytes_in, stats.bytes_out] {
            let plain = u64::try_from(expected.len()).unwrap();
            assert!((300_000..plain / 4).contains(&bytes), "{bytes} of {plain}");
        }
    }
}

#[tokio::test]
async fn whole_messages_of_every_size_arrive() {
    let (mut client, mut server) = messages();
    let sizes = [0, 1, 63, 64, 65, 32 * 1024, 64 * 1024, 64 * 1024 + 1, 3_000_000];
    let sending = tokio::spawn(async move {
        for size in sizes {
            client.send(vec![b'z'; size]).await.unwrap();
            client.send(noise(size)).await.unwrap();
        }
        client.close(CloseCode::NORMAL, "").await.unwrap();
    });
    for size in sizes {
        assert_eq!(server.recv().await.unwrap(), Some(Message::from(vec![b'z'; size])));
        assert_eq!(server.recv().await.unwrap(), Some(Message::from(noise(size))));
    }
    assert_eq!(server.recv().await.unwrap(), None);
    sending.await.unwrap();
}

/// Polls a future so often, then drops it.
async fn cancel_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(|cx| {
        if left == 0 {
            return std::task::Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
            std::task::Poll::Pending => {
                cx.waker().wake_by_ref();
                std::task::Poll::Pending
            }
        }
    })
    .await
}

/// aiohttp once corrupted the state that later messages share when a send was cancelled.
#[tokio::test]
async fn a_cancelled_send_never_harms_what_follows() {
    for at in 0..30 {
        for polls in 1..4 {
            let (one, other) = duplex(2000);
            let (io, _) = TroubleAt::new(one, at, Trouble::Pend);
            let client = WebSocket::new(io, Role::Client, terms(), Config::default());
            let server = WebSocket::new(other, Role::Server, terms(), Config::default());
            let (mut client, mut server) =
                (MessageWebSocket::from(client), MessageWebSocket::from(server));
            let receiving = tokio::spawn(async move {
                let mut got = Vec::new();
                while let Some(message) = server.recv().await.unwrap() {
                    got.push(message);
                }
                got
            });
            // Too large for the pipe, so that each send waits somewhere.
            let large = Message::from([text(1).into_bytes(), noise(9000)].concat());
            for number in 0..4 {
                client.send(text(number)).await.unwrap();
                let _ = cancel_after(polls, client.send(large.clone())).await;
                let part = client.send_fragment(MessageKind::Text, text(number), true);
                let _ = cancel_after(polls, part).await;
            }
            client
                .send("the end, and the same again, and the same again, and again")
                .await
                .unwrap();
            client.close(CloseCode::NORMAL, "").await.unwrap();
            let got = receiving.await.unwrap();
            let texts = got.iter().filter(|message| message.as_text().is_some()).count();
            assert!(texts >= 5, "{texts} texts");
            for message in &got {
                let known = *message == large
                    || message.as_text().is_some_and(|text| {
                        text.starts_with("the end") || (0..4).any(|at| text == self::text(at))
                    });
                assert!(known, "{message:?}");
            }
        }
    }
}

#[tokio::test]
async fn senders_of_one_connection_decide_for_themselves() {
    let (client, mut server) = messages();
    let (mut receiver, mut sender) = client.split();
    let reading = tokio::spawn(async move { receiver.recv().await });
    let other = sender.clone();
    sender.set_compress(false);
    let count = |server: &MessageWebSocket<DuplexStream>| server.stats().bytes_in;
    for _ in 0..2 {
        let before = count(&server);
        sender.send(text(1)).await.unwrap();
        assert_eq!(server.recv().await.unwrap(), Some(Message::text(text(1))));
        let plain = count(&server) - before;
        other.send(text(1)).await.unwrap();
        assert_eq!(server.recv().await.unwrap(), Some(Message::text(text(1))));
        let small = count(&server) - before - plain;
        assert!(small * 2 < plain, "{small} and {plain}");
    }
    server.set_compress(false);
    server.send(text(2)).await.unwrap();
    assert!(server.stats().bytes_out > u64::try_from(text(2).len()).unwrap());
    assert_eq!(reading.await.unwrap().unwrap(), Some(Message::text(text(2))));
}

#[tokio::test]
async fn a_prepared_message_reaches_everybody() {
    let prepared = Prepared::new(text(3).repeat(20), &Deflate::default());
    let (mut compressed, mut with) = messages();
    let (mut plain, mut without) = crate::harness::messages();
    for _ in 0..3 {
        with.send_prepared(&prepared).await.unwrap();
        with.send(text(3)).await.unwrap();
        without.send_prepared(&prepared).await.unwrap();
        assert_eq!(compressed.recv().await.unwrap().as_ref(), Some(prepared.message()));
        assert_eq!(compressed.recv().await.unwrap(), Some(Message::text(text(3))));
        assert_eq!(plain.recv().await.unwrap().as_ref(), Some(prepared.message()));
    }
    assert!(with.stats().bytes_out * 10 < without.stats().bytes_out);
    let (_receiver, sender) = with.split();
    sender.send_prepared(&prepared).await.unwrap();
    assert_eq!(compressed.recv().await.unwrap().as_ref(), Some(prepared.message()));
}

#[tokio::test]
async fn what_cannot_be_inflated_ends_the_connection_with_1007() {
    let (one, mut wire) = duplex(64 * 1024);
    let server = WebSocket::new(one, Role::Server, terms(), Config::default());
    let mut server = MessageWebSocket::from(server);
    put(&mut wire, &masked(0xc1, &[0x07, 0x00])).await;
    let error = server.recv().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(error.close_code(), Some(CloseCode::INVALID_PAYLOAD));
    assert_eq!(server.recv().await.unwrap(), None);
    drop(server);
    assert_eq!(rest(&mut wire).await, [0x88, 2, 0x03, 0xef]);
}

#[tokio::test]
async fn a_bomb_is_too_big_and_says_which_limit_it_was() {
    // At the default level nothing gets so small.
    let hard = terms_of(&Deflate::default().level(9));
    let (one, other) = duplex(64 * 1024);
    let client = WebSocket::new(one, Role::Client, hard, Config::default());
    let server = WebSocket::new(other, Role::Server, terms(), Config::default());
    let (mut client, mut server) = (MessageWebSocket::from(client), MessageWebSocket::from(server));
    let sending = tokio::spawn(async move {
        let _ = client.send(vec![0; 8 * 1024 * 1024]).await;
        client.recv().await
    });
    let error = server.recv().await.map(|_| "a bomb").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooBig);
    assert!(error.to_string().contains("max_ratio"), "{error}");
    assert_eq!(server.recv().await.unwrap(), None);
    drop(server);
    let _ = sending.await.unwrap();
}

#[tokio::test]
async fn the_budget_of_a_server_is_shared_by_its_connections() {
    let budget = MemoryBudget::new(400_000);
    let settings = Deflate::default().memory_budget(budget.clone());
    let server = Server::builder().deflate(settings).bind("127.0.0.1:0").await.unwrap();
    let address = format!("ws://{}", server.local_addr());
    let client = Client::builder().deflate(Deflate::default()).build().unwrap();
    let mut sockets = Vec::new();
    for takeover in [true, false, false] {
        let (connected, accepted) = tokio::join!(client.connect(&address), async {
            server.accept().await?.handshake().await?.accept_message().await
        });
        let (connected, accepted) = (connected.unwrap(), accepted.unwrap());
        let terms = accepted.info().deflate().unwrap();
        assert_eq!(!terms.server_no_context_takeover(), takeover);
        assert_eq!(!terms.client_no_context_takeover(), takeover);
        sockets.push((connected, accepted));
    }
    assert!(budget.reserved() > 300_000);
    let infos: Vec<_> = sockets.iter().map(|(_, accepted)| accepted.info().clone()).collect();
    drop(sockets);
    assert_eq!(budget.reserved(), 0, "what is known of a connection reserves nothing");
    assert_eq!(infos.len(), 3);
    assert_eq!(towline::deflate_budget().limit(), 256 * 1024 * 1024);
}

#[tokio::test(start_paused = true)]
async fn pings_are_answered_while_a_large_message_is_on_its_way() {
    let (mut client, mut server) = messages();
    let large = noise(2_000_000);
    let expected = large.clone();
    let sending = tokio::spawn(async move {
        server.send(large).await.unwrap();
        server
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.ping("are you there").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::from(expected)));
    let mut server = sending.await.unwrap();
    let reading = tokio::spawn(async move { server.recv().await });
    while client.stats().round_trip.is_none() {
        assert!(tokio::time::timeout(Duration::from_secs(5), client.recv_event()).await.is_ok());
    }
    drop(client);
    let _ = reading.await.unwrap();
}
