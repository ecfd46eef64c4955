//! Lending: what has arrived is visited where it landed, and answered in one go.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream};
use towline::{
    CloseCode, Config, Error, ErrorKind, Message, MessageKind, MessageRef, MessageWebSocket,
    StreamWebSocket, WebSocket,
};

use crate::harness::{expect, masked, pair, put, server_and_wire};

fn server(config: &Config) -> (MessageWebSocket<DuplexStream>, DuplexStream) {
    let (server, wire) = server_and_wire(config);
    (server.into(), wire)
}

fn streaming_server() -> (StreamWebSocket<DuplexStream>, DuplexStream) {
    let (server, wire) = server_and_wire(&Config::default());
    (server.into(), wire)
}

/// Visits one batch: copies of its messages.
async fn batch(socket: &mut MessageWebSocket<DuplexStream>) -> Result<Option<Vec<Message>>, Error> {
    let Some(mut batch) = socket.recv_batch().await? else { return Ok(None) };
    let mut messages = Vec::new();
    while let Some((message, _)) = batch.next() {
        messages.push(message.to_message());
    }
    Ok(Some(messages))
}

async fn echo(mut socket: MessageWebSocket<DuplexStream>) -> Result<(), Error> {
    while let Some(mut batch) = socket.recv_batch().await? {
        while let Some((message, replies)) = batch.next() {
            replies.feed(message)?;
        }
    }
    Ok(())
}

async fn echo_pieces(mut socket: StreamWebSocket<DuplexStream>) -> Result<(), Error> {
    while let Some(mut batch) = socket.recv_pieces().await? {
        while let Some((piece, replies)) = batch.next() {
            replies.feed(piece)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_one_read_brought_is_one_batch() {
    let (mut server, mut wire) = server(&Config::default());
    let frames = [masked(0x81, b"one"), masked(0x82, &[2; 200]), masked(0x81, "drei €".as_bytes())];
    put(&mut wire, &frames.concat()).await;
    let expected = vec![Message::text("one"), Message::binary(vec![2; 200]), "drei €".into()];
    assert_eq!(batch(&mut server).await.unwrap(), Some(expected));
    let stats = server.stats();
    assert_eq!((stats.messages_in, stats.frames_in), (3, 3));
    assert_eq!(stats.bytes_in, u64::try_from(frames.concat().len()).unwrap());
}

/// They share memory, of which they fill many pieces here.
#[tokio::test]
async fn short_messages_that_came_together_can_be_kept() {
    let (mut server, mut wire) = server(&Config::default());
    let sent: Vec<Message> = (0..2000_usize)
        .map(|i| match i % 3 {
            0 => Message::text("é".repeat(i % 128)),
            1 => Message::binary(vec![b'b'; i % 256]),
            _ => Message::binary(i.to_be_bytes().to_vec()),
        })
        .collect();
    let frames = |message: &Message| match message {
        Message::Text(text) => masked(0x81, text.as_bytes()),
        Message::Binary(data) => masked(0x82, data),
    };
    let bytes: Vec<u8> = sent.iter().flat_map(frames).collect();
    tokio::spawn(async move { put(&mut wire, &bytes).await });
    let mut received = Vec::new();
    while received.len() < sent.len() {
        received.push(server.recv().await.unwrap().unwrap());
    }
    assert_eq!(received, sent);
    let stats = server.stats();
    assert_eq!((stats.messages_in, stats.frames_in), (2000, 2000));
}

#[tokio::test]
async fn what_was_not_visited_is_in_the_next_batch_or_in_recv() {
    let (mut server, mut wire) = server(&Config::default());
    let frames: Vec<_> = (b'a'..=b'f').flat_map(|letter| masked(0x81, &[letter])).collect();
    put(&mut wire, &frames).await;
    drop(server.recv_batch().await.unwrap());
    {
        let mut batch = server.recv_batch().await.unwrap().unwrap();
        assert_eq!(batch.next().unwrap().0, MessageRef::Text("a"));
    }
    assert_eq!(server.recv().await.unwrap(), Some("b".into()));
    drop(server.recv_batch().await.unwrap());
    assert_eq!(server.recv().await.unwrap(), Some("c".into()));
    let rest = vec!["d".into(), "e".into(), "f".into()];
    assert_eq!(batch(&mut server).await.unwrap(), Some(rest));
}

#[tokio::test]
async fn a_message_in_fragments_is_lent_when_it_is_whole() {
    let (mut server, mut wire) = server(&Config::default());
    put(&mut wire, &[masked(0x81, b"before"), masked(0x01, b"\xE2\x82")].concat()).await;
    assert_eq!(batch(&mut server).await.unwrap(), Some(vec!["before".into()]));
    put(&mut wire, &[masked(0x89, b"ping"), masked(0x00, b"\xAC and")].concat()).await;
    assert_eq!(batch(&mut server).await.unwrap(), Some(vec![]));
    put(&mut wire, &[masked(0x80, b" so on"), masked(0x82, b"after")].concat()).await;
    let expected = vec!["€ and so on".into(), Message::binary(b"after".to_vec())];
    assert_eq!(batch(&mut server).await.unwrap(), Some(expected));
    expect(&mut wire, b"\x8A\x04ping").await;
}

#[tokio::test]
async fn the_error_comes_after_the_messages_before_it() {
    for bad in [masked(0x83, b""), masked(0x81, b"\xFF")] {
        let (mut server, mut wire) = server(&Config::default());
        put(&mut wire, &[masked(0x81, b"good"), bad, masked(0x81, b"never")].concat()).await;
        assert_eq!(batch(&mut server).await.unwrap(), Some(vec!["good".into()]));
        assert_eq!(batch(&mut server).await.unwrap_err().kind(), ErrorKind::Protocol);
        assert_eq!(batch(&mut server).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_limit_holds_for_what_is_lent() {
    let (mut server, mut wire) = server(&Config::default().max_message_size(10));
    put(&mut wire, &[masked(0x82, &[1; 10]), masked(0x82, &[2; 11])].concat()).await;
    assert_eq!(batch(&mut server).await.unwrap(), Some(vec![Message::binary(vec![1; 10])]));
    assert_eq!(batch(&mut server).await.unwrap_err().kind(), ErrorKind::TooBig);
}

#[tokio::test]
async fn a_batch_ends_at_the_close_and_the_next_is_none() {
    let (mut server, mut wire) = server(&Config::default());
    put(&mut wire, &[masked(0x81, b"last"), masked(0x88, b"\x03\xE8")].concat()).await;
    assert_eq!(batch(&mut server).await.unwrap(), Some(vec!["last".into()]));
    assert_eq!(batch(&mut server).await.unwrap(), None);
    assert_eq!(server.close_frame().unwrap().code, CloseCode::NORMAL);
}

#[tokio::test]
async fn answers_leave_together_before_the_wait() {
    let (mut server, mut wire) = server(&Config::default());
    put(&mut wire, &[masked(0x81, b"a"), masked(0x82, b"b")].concat()).await;
    let mut batch = server.recv_batch().await.unwrap().unwrap();
    while let Some((message, replies)) = batch.next() {
        replies.feed(message).unwrap();
        replies.feed("and").unwrap();
    }
    let nothing = tokio::time::timeout(Duration::from_millis(20), wire.read_u8()).await;
    assert!(nothing.is_err(), "it went out before the batch was over");
    drop(batch);
    let waits = tokio::time::timeout(Duration::from_millis(20), server.recv_batch()).await;
    assert!(waits.is_err());
    expect(&mut wire, b"\x81\x01a\x81\x03and\x82\x01b\x81\x03and").await;
}

#[tokio::test]
async fn a_batch_ends_when_too_much_waits_and_goes_on_when_it_was_taken() {
    let config = Config::default().max_outbox(1000);
    let (mut server, mut wire) = server(&config);
    let frames: Vec<_> = (0..100u8).flat_map(|number| masked(0x82, &[number; 90])).collect();
    put(&mut wire, &frames).await;
    let mut batch = server.recv_batch().await.unwrap().unwrap();
    let mut fed = 0;
    while let Some((message, replies)) = batch.next() {
        replies.feed(message).unwrap();
        fed += 1;
    }
    // Of 92 bytes each: the eleventh goes beyond the 1000.
    assert_eq!(fed, 11);
    drop(batch);
    for number in 11..100 {
        loop {
            let mut batch = server.recv_batch().await.unwrap().unwrap();
            if let Some((message, _)) = batch.next() {
                assert_eq!(message.as_bytes(), [number; 90]);
                break;
            }
        }
    }
    let mut echoed = vec![0; 11 * 92];
    wire.read_exact(&mut echoed).await.unwrap();
    assert!(echoed.chunks(92).zip(0..).all(|(frame, number)| frame[2..] == [number; 90]));
}

#[tokio::test]
async fn a_peer_that_takes_little_at_a_time_gets_everything() {
    for capacity in [1, 7, 100, 100_000] {
        let (client, server) = pair(capacity, &Config::default());
        let server = tokio::spawn(echo(server.into()));
        let (mut reader, writer) = MessageWebSocket::from(client).split();
        let sizes = [0, 1, 125, 126, 5000, 70_000, 200_000].map(|size| size.min(capacity * 5000));
        let sent: Vec<_> = sizes.iter().map(|size| Message::binary(vec![7; *size])).collect();
        let to_send = sent.clone();
        let sending = tokio::spawn(async move {
            for message in to_send {
                writer.send(message).await.unwrap();
            }
            writer
        });
        for message in sent {
            assert_eq!(reader.recv().await.unwrap(), Some(message), "{capacity}");
        }
        sending.await.unwrap().close(CloseCode::NORMAL, "").await.unwrap();
        assert_eq!(reader.recv().await.unwrap(), None);
        server.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn pieces_pass_on_a_large_message_without_holding_it() {
    for capacity in [100, 100_000] {
        let config = Config::default().max_message_size(1000); // of no matter for pieces
        let (client, server) = pair(capacity, &config);
        let server = tokio::spawn(echo_pieces(server.into()));
        let (mut reader, mut writer) = StreamWebSocket::from(client).split();
        let payload: Vec<u8> = (0..3_000_000u32).map(|n| n.to_le_bytes()[1]).collect();
        let to_send = payload.clone();
        let sending = tokio::spawn(async move {
            let mut message =
                writer.message_writer_sized(MessageKind::Binary, to_send.len().try_into().unwrap());
            message.write_all(&to_send).await.unwrap();
            message.finish().await.unwrap();
            writer
        });
        let mut echoed = Vec::new();
        let mut message = reader.next_message().await.unwrap().unwrap();
        message.read_to_end(&mut echoed).await.unwrap();
        assert!(echoed == payload, "{capacity}: {} bytes came back", echoed.len());
        let mut writer = sending.await.unwrap();
        writer.shutdown().await.unwrap();
        assert!(reader.next_message().await.unwrap().is_none());
        server.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn text_that_is_cut_anywhere_is_passed_on_as_text() {
    let text = "aé€😀".repeat(3);
    let (server, mut wire) = streaming_server();
    let server = tokio::spawn(echo_pieces(server));
    for byte in masked(0x81, text.as_bytes()) {
        put(&mut wire, &[byte]).await;
        tokio::task::yield_now().await;
    }
    put(&mut wire, &masked(0x88, b"\x03\xE8")).await;
    let mut echoed = Vec::new();
    wire.read_to_end(&mut echoed).await.unwrap();
    server.await.unwrap().unwrap();
    let mut rest = &echoed[..];
    let (mut got, mut over) = (String::new(), false);
    while let [first, len, payload @ ..] = rest {
        if first & 0x08 != 0 {
            break;
        }
        assert!(!over, "a frame after the last one");
        assert_eq!(first & 0x0F, u8::from(got.is_empty()), "the first frame, and only it, is text");
        let (payload, after) = payload.split_at(usize::from(*len));
        got.push_str(str::from_utf8(payload).expect("whole characters in each frame"));
        over = first & 0x80 != 0;
        rest = after;
    }
    assert!(over);
    assert_eq!(got, text);
}

#[tokio::test]
async fn what_was_not_read_of_a_message_is_skipped_by_pieces() {
    let (mut server, mut wire) = streaming_server();
    put(
        &mut wire,
        &[masked(0x02, b"begin"), masked(0x80, b" end"), masked(0x81, b"next")].concat(),
    )
    .await;
    let mut first = [0; 2];
    server.next_message().await.unwrap().unwrap().read_exact(&mut first).await.unwrap();
    let mut batch = server.recv_pieces().await.unwrap().unwrap();
    let (piece, _) = batch.next().unwrap();
    assert_eq!(piece.as_message(), Some(MessageRef::Text("next")));
}

#[tokio::test]
async fn nothing_can_be_fed_once_the_connection_is_closing() {
    let (mut server, mut wire) = server(&Config::default());
    put(&mut wire, &[masked(0x81, b"a"), masked(0x88, b"\x03\xE8")].concat()).await;
    let mut batch = server.recv_batch().await.unwrap().unwrap();
    assert!(batch.next().is_some());
    assert!(batch.next().is_none());
    drop(batch);
    drop(server.recv_batch().await);
    assert_eq!(server.feed("late").await.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn a_message_cannot_be_fed_into_another() {
    let (mut server, mut wire) = server(&Config::default());
    server.send_fragment(MessageKind::Binary, b"open", false).await.unwrap();
    put(&mut wire, &masked(0x82, b"a")).await;
    let mut batch = server.recv_batch().await.unwrap().unwrap();
    let (message, replies) = batch.next().unwrap();
    assert_eq!(replies.feed(message).unwrap_err().kind(), ErrorKind::InvalidInput);
}

/// Messages of many lengths, with pings and fragments between them.
fn mixed() -> (Vec<u8>, Vec<Vec<u8>>) {
    let (mut bytes, mut payloads) = (Vec::new(), Vec::new());
    for (i, len) in
        [5000, 3, 2048, 2047, 40_000, 125, 9000, 0, 2048, 60_000].into_iter().enumerate()
    {
        let payload: Vec<u8> =
            (0..len).map(|at| u8::try_from((at * 7 + i) % 251).unwrap()).collect();
        if i % 3 == 2 {
            let (start, end) = payload.split_at(len / 3);
            bytes.extend([masked(0x02, start), masked(0x80, end)].concat());
        } else {
            bytes.extend(masked(0x82, &payload));
        }
        if i % 4 == 1 {
            bytes.extend(masked(0x89, b"ping"));
        }
        payloads.push(payload);
    }
    (bytes, payloads)
}

/// Reads what an echo sends, in reads of so many bytes: messages whole, and how many pongs.
async fn echoed(
    wire: &mut (impl AsyncRead + Unpin),
    count: usize,
    step: usize,
) -> (Vec<Vec<u8>>, usize) {
    let (mut bytes, mut messages, mut pongs, mut open) = (Vec::new(), Vec::new(), 0, Vec::new());
    while messages.len() < count {
        let mut some = vec![0; step];
        let read = wire.read(&mut some).await.unwrap();
        assert!(read > 0, "it ended after {} messages", messages.len());
        bytes.extend_from_slice(&some[..read]);
        while let [first, short, rest @ ..] = &*bytes {
            let (len, header) = match (short, rest) {
                (126, [a, b, ..]) => (usize::from(u16::from_be_bytes([*a, *b])), 4),
                (127, rest) if rest.len() >= 8 => {
                    let len = u64::from_be_bytes(rest[..8].try_into().unwrap());
                    (usize::try_from(len).unwrap(), 10)
                }
                (126 | 127, _) => break,
                (short, _) => (usize::from(*short), 2),
            };
            let Some(payload) = bytes.get(header..header + len) else { break };
            match first {
                0x8a => pongs += 1,
                0x02 | 0x00 => open.extend_from_slice(payload),
                0x82 | 0x80 => {
                    open.extend_from_slice(payload);
                    messages.push(std::mem::take(&mut open));
                }
                other => panic!("{other:#x}"),
            }
            bytes.drain(..header + len);
        }
        tokio::task::yield_now().await;
    }
    (messages, pongs)
}

#[tokio::test]
async fn messages_of_all_lengths_come_back_in_order() {
    let (bytes, payloads) = mixed();
    for (outbox, room, step) in [(64, 512, 512), (1000, 7, 3), (1000, 300, 1), (300, 100, 1000)] {
        for pieces in [false, true] {
            let (near, far) = tokio::io::duplex(room * 100);
            let terms = towline::proto::handshake::Negotiated::default();
            let config = Config::default().max_outbox(outbox * 1024);
            let socket = WebSocket::new(near, towline::proto::Role::Server, terms, config);
            let echo = if pieces {
                tokio::spawn(echo_pieces(socket.into()))
            } else {
                tokio::spawn(echo(socket.into()))
            };
            let (mut read, mut write) = tokio::io::split(far);
            let sent = bytes.repeat(3);
            let writing = tokio::spawn(async move {
                for some in sent.chunks(200_000) {
                    write.write_all(some).await.unwrap();
                }
                write
            });
            let expected: Vec<_> = payloads.iter().cloned().cycle().take(30).collect();
            let (messages, pongs) = echoed(&mut read, 30, step * 10).await;
            assert!(messages == expected, "outbox {outbox}, room {room}, step {step}");
            assert!(pongs > 0);
            drop((writing.await.unwrap(), read));
            let _ = echo.await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_was_fed_goes_out_though_the_batch_is_dropped_early() {
    let (mut server, mut wire) = server(&Config::default());
    let large = vec![7; 3000];
    put(&mut wire, &[masked(0x82, &large), masked(0x81, b"next")].concat()).await;
    {
        let mut batch = server.recv_batch().await.unwrap().unwrap();
        let (message, replies) = batch.next().unwrap();
        replies.feed(message).unwrap();
        replies.feed("and").unwrap();
    }
    // What was there is not overwritten by what is read next, nor by what is sent next.
    assert_eq!(server.recv().await.unwrap(), Some("next".into()));
    put(&mut wire, &masked(0x82, &[9; 3000])).await;
    server.send("last").await.unwrap();
    let answer = [&[0x82, 126, 0x0b, 0xb8][..], &large, b"\x81\x03and\x81\x04last"].concat();
    expect(&mut wire, &answer).await;
    let stats = server.stats();
    assert_eq!(stats.bytes_out, u64::try_from(answer.len()).unwrap());
}

/// The text is bad, which is seen after an answer was left where it lies.
#[tokio::test]
async fn a_failure_comes_behind_what_was_fed() {
    let (mut server, mut wire) = server(&Config::default());
    let large = vec![7; 3000];
    put(&mut wire, &[masked(0x82, &large), masked(0x81, b"\xff")].concat()).await;
    let mut batch = server.recv_batch().await.unwrap().unwrap();
    while let Some((message, replies)) = batch.next() {
        replies.feed(message).unwrap();
    }
    drop(batch);
    let error = server.recv_batch().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    let answer = [&[0x82, 126, 0x0b, 0xb8][..], &large, b"\x88\x02\x03\xef"].concat();
    expect(&mut wire, &answer).await;
}

/// Found by the simulation: the failure to write came first, and the end once more behind it.
#[tokio::test]
async fn a_peer_that_takes_nothing_more_is_read_to_its_end_and_ends_once() {
    let config = Config::default().max_outbox(100);
    let (mut socket, mut wire) = server(&config);
    put(&mut wire, &[masked(0x82, b"one"), masked(0x82, b"two")].concat()).await;
    let mut first = socket.recv_batch().await.unwrap().unwrap();
    let (message, replies) = first.next().unwrap();
    assert_eq!(message.as_bytes(), b"one");
    replies.feed(&[0; 200][..]).unwrap();
    assert!(first.next().is_none(), "too much waits");
    drop(wire);
    assert_eq!(batch(&mut socket).await.unwrap().unwrap(), [Message::binary("two")]);
    assert_eq!(batch(&mut socket).await.unwrap_err().kind(), ErrorKind::Disconnected);
    assert_eq!(batch(&mut socket).await.unwrap(), None);
}
