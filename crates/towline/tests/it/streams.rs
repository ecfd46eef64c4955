//! Streams of bytes: both views, any size, constant memory.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use towline::{CloseCode, Config, ErrorKind, MessageKind, StreamWebSocket};

use crate::harness::{client_and_wire, expect, masked, pair, put, rest, server_and_wire, streams};

fn server_stream() -> (StreamWebSocket<tokio::io::DuplexStream>, tokio::io::DuplexStream) {
    let (server, wire) = server_and_wire(&Config::default());
    (server.into(), wire)
}

#[tokio::test]
async fn the_bounds_of_messages_are_invisible_to_reads() {
    let (mut server, mut wire) = server_stream();
    put(&mut wire, &masked(0x82, b"ab")).await;
    put(&mut wire, &masked(0x81, b"cd")).await; // text counts as bytes too
    let mut four = [0; 4];
    server.read_exact(&mut four).await.unwrap();
    assert_eq!(&four, b"abcd");
}

#[tokio::test]
async fn a_read_gives_what_there_is() {
    let (mut server, mut wire) = server_stream();
    put(&mut wire, &masked(0x82, b"abc")).await;
    let mut hundred = [0; 100];
    assert_eq!(server.read(&mut hundred).await.unwrap(), 3);
}

#[tokio::test]
async fn an_empty_message_is_no_end_of_file_but_a_close_is() {
    let (mut server, mut wire) = server_stream();
    put(&mut wire, &masked(0x82, b"")).await;
    put(&mut wire, &masked(0x82, b"x")).await;
    put(&mut wire, &masked(0x88, b"\x03\xE8")).await;
    let mut all = Vec::new();
    server.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, b"x");
    assert_eq!(server.close_frame().unwrap().code, CloseCode::NORMAL);
}

#[tokio::test]
async fn each_write_is_one_binary_message() {
    let (mut server, mut wire) = server_stream();
    server.write_all(b"ab").await.unwrap();
    server.write_all(b"cd").await.unwrap();
    expect(&mut wire, b"\x82\x02ab\x82\x02cd").await;
}

#[tokio::test]
async fn shutdown_sends_a_closing_frame() {
    let (mut server, mut wire) = server_stream();
    server.shutdown().await.unwrap();
    expect(&mut wire, b"\x88\x02\x03\xE8").await;
    put(&mut wire, &masked(0x88, b"\x03\xE8")).await;
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn messages_are_read_one_at_a_time() {
    let (mut server, mut wire) = server_stream();
    put(&mut wire, &masked(0x01, b"on")).await;
    put(&mut wire, &masked(0x89, b"ping")).await;
    put(&mut wire, &masked(0x80, b"e")).await;
    put(&mut wire, &masked(0x82, b"")).await;
    put(&mut wire, &masked(0x82, b"three")).await;
    put(&mut wire, &masked(0x88, b"")).await;

    let mut text = String::new();
    let mut message = server.next_message().await.unwrap().unwrap();
    assert_eq!(message.kind(), MessageKind::Text);
    message.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "one");

    let mut message = server.next_message().await.unwrap().unwrap();
    assert_eq!(message.kind(), MessageKind::Binary);
    assert_eq!(message.read(&mut [0; 8]).await.unwrap(), 0, "an empty message ends at once");
    assert_eq!(message.read(&mut [0; 8]).await.unwrap(), 0, "and stays at its end");

    let mut message = server.next_message().await.unwrap().unwrap();
    assert_eq!(message.fill_buf().await.unwrap(), b"three", "lent where it landed");
    message.consume(5);
    assert_eq!(message.fill_buf().await.unwrap(), b"");

    assert!(server.next_message().await.unwrap().is_none());
    assert!(server.peer_closed() && server.close_frame().is_none());
}

#[tokio::test]
async fn what_was_not_read_of_a_message_is_skipped() {
    let (mut server, mut wire) = server_stream();
    put(&mut wire, &masked(0x02, b"a long")).await;
    put(&mut wire, &masked(0x80, b" message")).await;
    put(&mut wire, &masked(0x82, b"next")).await;
    let mut message = server.next_message().await.unwrap().unwrap();
    let mut two = [0; 2];
    message.read_exact(&mut two).await.unwrap();
    let mut message = server.next_message().await.unwrap().unwrap();
    let chunk = message.chunk().await.unwrap().unwrap();
    assert_eq!((chunk.bytes, chunk.end), (&b"next"[..], true));
    assert!(message.chunk().await.unwrap().is_none());
}

#[tokio::test]
async fn a_message_that_the_peer_breaks_off_is_an_error_and_no_end() {
    let (mut server, mut wire) = server_stream();
    put(&mut wire, &masked(0x02, b"half")).await;
    put(&mut wire, &masked(0x88, b"\x03\xE9")).await;
    let mut message = server.next_message().await.unwrap().unwrap();
    let mut all = Vec::new();
    let error = message.read_to_end(&mut all).await.unwrap_err();
    assert_eq!(all, b"half");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
    let inner = error.get_ref().unwrap().downcast_ref::<towline::Error>().unwrap();
    assert_eq!(inner.kind(), ErrorKind::Disconnected);
}

#[tokio::test]
async fn bad_text_fails_at_the_first_bad_byte() {
    let (mut server, mut wire) = server_stream();
    let frame = masked(0x81, b"abc\xFFdef");
    put(&mut wire, &frame[..frame.len() - 3]).await;
    let mut all = Vec::new();
    let error = server.read_to_end(&mut all);
    let (error, ()) = tokio::join!(error, async {
        expect(&mut wire, b"\x88\x02\x03\xEF").await; // 1007
        wire.shutdown().await.unwrap();
    });
    assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn small_writes_are_gathered_and_a_flush_sends_a_fragment() {
    let (mut server, mut wire) = server_stream();
    let mut message = server.message_writer(MessageKind::Text);
    message.write_all(b"on").await.unwrap();
    message.write_all(b"e").await.unwrap();
    message.flush().await.unwrap();
    message.flush().await.unwrap(); // nothing gathered: no empty fragment
    message.write_all(b"two").await.unwrap();
    message.finish().await.unwrap();
    server.message_writer(MessageKind::Binary).finish().await.unwrap();
    expect(&mut wire, b"\x01\x03one\x80\x03two\x82\x00").await;
}

#[tokio::test]
async fn a_sized_message_is_one_frame() {
    let (mut server, mut wire) = server_stream();
    let mut message = server.message_writer_sized(MessageKind::Binary, 200);
    message.write_all(&[1; 150]).await.unwrap();
    message.write_all(&[2; 50]).await.unwrap();
    let error = message.write_all(b"more").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    message.finish().await.unwrap();
    server.message_writer_sized(MessageKind::Text, 0).finish().await.unwrap();
    let mut frame = vec![0x82, 126, 0, 200];
    frame.extend([1; 150]);
    frame.extend([2; 50]);
    frame.extend([0x81, 0]);
    expect(&mut wire, &frame).await;
}

#[tokio::test]
async fn an_unfinished_message_ends_the_connection_with_1011() {
    let (mut server, mut wire) = server_stream();
    let mut message = server.message_writer(MessageKind::Binary);
    message.write_all(b"half").await.unwrap();
    message.flush().await.unwrap();
    drop(message);
    let read = tokio::spawn(async move { server.read(&mut [0; 8]).await });
    expect(&mut wire, b"\x02\x04half\x88\x26\x03\xF3the sender left a message unfinished").await;
    put(&mut wire, &masked(0x88, b"\x03\xF3")).await;
    assert_eq!(read.await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn a_writer_dropped_before_it_sent_anything_leaves_no_trace() {
    let (mut server, mut wire) = server_stream();
    let mut message = server.message_writer(MessageKind::Binary);
    message.write_all(b"never sent").await.unwrap();
    drop(message);
    server.write_all(b"x").await.unwrap();
    expect(&mut wire, b"\x82\x01x").await;
}

#[tokio::test]
async fn an_unfinished_frame_breaks_the_connection() {
    let (mut server, mut wire) = server_stream();
    let mut message = server.message_writer_sized(MessageKind::Binary, 100);
    message.write_all(b"half").await.unwrap();
    let error = message.finish().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("96 bytes shorter"), "{error}");
    assert!(server.write_all(b"x").await.is_err());
    assert!(server.read(&mut [0; 8]).await.is_err());
    drop(server);
    assert_eq!(rest(&mut wire).await.len(), 0, "no closing frame inside a frame");
}

#[tokio::test]
async fn a_large_message_passes_both_ways_at_once() {
    const SIZE: usize = 64 * 1024 * 1024 + 7;
    let (mut client, server) = streams();
    let echo = tokio::spawn(async move {
        let (mut reader, mut writer) = server.split();
        while let Some(mut message) = reader.next_message().await.unwrap() {
            let mut echoed = writer.message_writer(message.kind());
            tokio::io::copy_buf(&mut message, &mut echoed).await.unwrap();
            echoed.finish().await.unwrap();
        }
        reader.stats()
    });
    let (mut reader, mut writer) = {
        let mut message = client.message_writer(MessageKind::Text);
        message.write_all(b"first a small one").await.unwrap();
        message.finish().await.unwrap();
        let mut message = client.next_message().await.unwrap().unwrap();
        let mut text = String::new();
        message.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "first a small one");
        client.split()
    };
    let send = tokio::spawn(async move {
        // One single frame.
        let size = u64::try_from(SIZE).unwrap();
        let mut message = writer.message_writer_sized(MessageKind::Binary, size);
        let block: Vec<u8> = (0..=250).cycle().take(SIZE.min(1_000_003)).collect();
        let mut left = SIZE;
        while left > 0 {
            let step = left.min(block.len());
            message.write_all(&block[..step]).await.unwrap();
            left -= step;
        }
        message.finish().await.unwrap();
        writer
    });
    let mut message = reader.next_message().await.unwrap().unwrap();
    let mut position = 0;
    while let Some(chunk) = message.chunk().await.unwrap() {
        for byte in chunk.bytes {
            assert_eq!(usize::from(*byte), position % 1_000_003 % 251);
            position += 1;
        }
    }
    assert_eq!(position, SIZE);
    let mut writer = send.await.unwrap();
    writer.close(CloseCode::NORMAL, "").await.unwrap();
    assert!(reader.next_message().await.unwrap().is_none());
    assert_eq!(echo.await.unwrap().messages_in, 2);
}

#[tokio::test]
async fn the_byte_view_copies_both_ways_at_once() {
    let (client, server) = pair(4096, &Config::default());
    let (client, server) = (StreamWebSocket::from(client), StreamWebSocket::from(server));
    let echo = tokio::spawn(async move {
        let (mut reader, mut writer) = server.split();
        tokio::io::copy(&mut reader, &mut writer).await.unwrap()
    });
    let (mut reader, mut writer) = client.split();
    let send = tokio::spawn(async move {
        let data = vec![3; 5_000_000];
        writer.write_all(&data).await.unwrap();
        writer.flush().await.unwrap();
        writer
    });
    let mut back = vec![0; 5_000_000];
    reader.read_exact(&mut back).await.unwrap();
    assert!(back.iter().all(|byte| *byte == 3));
    send.await.unwrap().shutdown().await.unwrap();
    assert_eq!(reader.read(&mut back).await.unwrap(), 0);
    assert_eq!(echo.await.unwrap(), 5_000_000);
}

#[tokio::test]
async fn a_reader_that_does_not_read_makes_the_sender_wait() {
    let (mut client, mut server) = streams();
    let mut message = client.message_writer(MessageKind::Binary);
    let block = vec![0; 64 * 1024];
    let mut written = 0;
    loop {
        tokio::select! {
            biased;
            done = message.write_all(&block) => { done.unwrap(); written += block.len(); }
            () = tokio::task::yield_now() => break,
        }
    }
    // The wire's 64 KiB, the outbox's, one fragment above it, one half written.
    assert!(written <= 4 * 64 * 1024, "{written} bytes were taken");
    // The write that was cancelled may have been taken in part; nothing that was taken is lost.
    drop(message);
    let mut incoming = server.next_message().await.unwrap().unwrap();
    let mut got = 0;
    let mut open = true;
    let error = loop {
        tokio::select! {
            chunk = incoming.chunk() => match chunk {
                Ok(Some(chunk)) => got += chunk.bytes.len(),
                Ok(None) => panic!("the message has no end"),
                Err(error) => break error,
            },
            closed = client.close(CloseCode::NORMAL, ""), if open => {
                closed.unwrap();
                open = false;
            }
        }
    };
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    assert!(got >= written);
}

#[tokio::test]
async fn a_client_masks_what_it_streams() {
    let (client, mut wire) = client_and_wire(&Config::default());
    let mut client = StreamWebSocket::from(client);
    let mut message = client.message_writer_sized(MessageKind::Binary, 6);
    message.write_all(b"abc").await.unwrap();
    message.write_all(b"def").await.unwrap();
    message.finish().await.unwrap();
    let mut frame = [0; 12];
    wire.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[..2], [0x82, 0x86]);
    let plain: Vec<u8> = (0..6).map(|at| frame[6 + at] ^ frame[2 + at % 4]).collect();
    assert_eq!(plain, b"abcdef");
}
