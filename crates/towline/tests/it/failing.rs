//! A byte stream whose n-th operation fails, is not ready, or moves one byte; then the next, until
//! the whole scenario passes.

use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use towline::proto::{Role, handshake::Negotiated};
use towline::{
    CloseCode, Config, Error, ErrorKind, Message, MessageKind, MessageWebSocket, StreamWebSocket,
    WebSocket,
};

use crate::harness::{Trouble, TroubleAt};

/// Talks with an echo over a byte stream that makes trouble; the result, and the operations used.
async fn messages_with(at: usize, trouble: Trouble) -> (Result<(), Error>, usize) {
    let (one, other) = duplex(256);
    let (one, count) = TroubleAt::new(one, at, trouble);
    let terms = Negotiated::default();
    let client = WebSocket::new(one, Role::Client, terms.clone(), Config::default());
    let server = WebSocket::new(other, Role::Server, terms, Config::default());
    let echo = tokio::spawn(async move {
        let mut server = MessageWebSocket::from(server);
        while let Some(message) = server.recv().await? {
            server.send(message).await?;
        }
        Ok::<_, Error>(())
    });
    let mut client = MessageWebSocket::from(client);
    let talk = async {
        client.send("hello").await?;
        assert_eq!(client.recv().await?, Some(Message::text("hello")));
        client.ping("p").await?;
        client.send_fragment(MessageKind::Binary, [1; 300], false).await?;
        client.send_fragment(MessageKind::Binary, [2; 300], true).await?;
        let echoed = client.recv().await?.expect("the echo is there");
        assert_eq!(echoed.len(), 600);
        client.close(CloseCode::NORMAL, "").await
    };
    let result = talk.await;
    if let Err(error) = &result {
        assert!(
            matches!(error.kind(), ErrorKind::Disconnected | ErrorKind::Closed),
            "at {at}: {error:?}"
        );
        // Whatever failed, reading ends: with the error if it was not told yet, and then for good.
        client.recv().await.ok();
        assert_eq!(client.recv().await.unwrap(), None, "at {at}");
        assert!(client.send("x").await.is_err());
    }
    drop(client);
    echo.await.unwrap().ok();
    (result, count.load(Ordering::Relaxed))
}

async fn stream_with(at: usize, trouble: Trouble) -> (std::io::Result<()>, usize) {
    let (one, other) = duplex(256);
    let (one, count) = TroubleAt::new(one, at, trouble);
    let terms = Negotiated::default();
    let client = WebSocket::new(one, Role::Client, terms.clone(), Config::default());
    let server = WebSocket::new(other, Role::Server, terms, Config::default());
    let echo = tokio::spawn(async move {
        let (mut reader, mut writer) = StreamWebSocket::from(server).split();
        while let Some(mut message) = reader.next_message().await? {
            let mut echoed = writer.message_writer(message.kind());
            tokio::io::copy(&mut message, &mut echoed).await.map_err(std::io::Error::other).ok();
            echoed.finish().await?;
        }
        Ok::<_, Error>(())
    });
    let talk = async {
        let (mut reader, mut writer) = StreamWebSocket::from(client).split();
        let mut message = writer.message_writer_sized(MessageKind::Binary, 2000);
        let send = async {
            message.write_all(&[7; 2000]).await?;
            message.finish().await?;
            std::io::Result::Ok(())
        };
        let receive = async {
            let mut all = Vec::new();
            let Some(mut message) = reader.next_message().await? else {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            };
            message.read_to_end(&mut all).await?;
            assert_eq!(all, [7; 2000]);
            std::io::Result::Ok(())
        };
        let (sent, received) = tokio::join!(send, receive);
        sent?;
        received?;
        writer.shutdown().await?;
        assert!(reader.next_message().await?.is_none());
        Ok(())
    };
    let result = talk.await;
    echo.await.unwrap().ok();
    (result, count.load(Ordering::Relaxed))
}

/// Messages that are written while they are being sent, owned and borrowed.
async fn large_with(at: usize, trouble: Trouble) -> (Result<(), Error>, usize) {
    const LARGE: usize = 400_000;
    let (one, other) = duplex(150_000);
    let (one, count) = TroubleAt::new(one, at, trouble);
    let terms = Negotiated::default();
    let client = WebSocket::new(one, Role::Client, terms.clone(), Config::default());
    let server = WebSocket::new(other, Role::Server, terms, Config::default());
    let echo = tokio::spawn(async move {
        let mut server = MessageWebSocket::from(server);
        while let Some(mut batch) = server.recv_batch().await? {
            while let Some((message, replies)) = batch.next() {
                replies.feed(message)?;
            }
        }
        Ok::<_, Error>(())
    });
    let mut client = MessageWebSocket::from(client);
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(LARGE).collect();
    let talk = async {
        client.send(bytes.clone()).await?;
        let mut seen = 0;
        while seen < 2 {
            let mut batch = client.recv_batch().await?.expect("the echo is there");
            while let Some((message, replies)) = batch.next() {
                assert!(message.as_bytes() == bytes, "at {at}: message {seen} differs");
                seen += 1;
                if seen == 1 {
                    replies.feed(message)?;
                }
            }
        }
        client.close(CloseCode::NORMAL, "").await
    };
    let result = talk.await;
    drop(client);
    echo.await.unwrap().ok();
    (result, count.load(Ordering::Relaxed))
}

/// Moves the trouble on until the scenario no longer meets it.
macro_rules! at_every_operation {
    ($scenario:ident, $trouble:expr, $check:expr) => {{
        let mut at = 0;
        loop {
            let (result, count) =
                tokio::time::timeout(std::time::Duration::from_secs(30), $scenario(at, $trouble))
                    .await
                    .unwrap_or_else(|_| panic!("stuck with {:?} at {at}", $trouble));
            if count <= at {
                result.unwrap();
                break;
            }
            let check: fn(usize, Result<(), _>) = $check;
            check(at, result);
            at += 1;
        }
        assert!(at > 8, "the scenario has only {at} operations");
    }};
}

#[tokio::test]
async fn messages_survive_a_stream_that_is_not_ready() {
    at_every_operation!(messages_with, Trouble::Pend, |at, result| {
        result.unwrap_or_else(|error| panic!("at {at}: {error}"));
    });
}

#[tokio::test]
async fn messages_survive_a_stream_that_moves_one_byte() {
    at_every_operation!(messages_with, Trouble::OneByte, |at, result| {
        result.unwrap_or_else(|error| panic!("at {at}: {error}"));
    });
}

#[tokio::test]
async fn messages_end_in_an_error_when_the_stream_fails() {
    // Once the closing frames are exchanged a failure is none, so some do not fail.
    at_every_operation!(messages_with, Trouble::Fail, |_, _| {});
}

#[tokio::test]
async fn streams_survive_a_stream_that_is_not_ready() {
    at_every_operation!(stream_with, Trouble::Pend, |at, result| {
        result.unwrap_or_else(|error| panic!("at {at}: {error}"));
    });
}

#[tokio::test]
async fn streams_survive_a_stream_that_moves_one_byte() {
    at_every_operation!(stream_with, Trouble::OneByte, |at, result| {
        result.unwrap_or_else(|error| panic!("at {at}: {error}"));
    });
}

#[tokio::test]
async fn streams_end_when_the_stream_fails() {
    at_every_operation!(stream_with, Trouble::Fail, |_, _| {});
}

#[tokio::test]
async fn large_messages_survive_a_stream_that_is_not_ready() {
    at_every_operation!(large_with, Trouble::Pend, |at, result| {
        result.unwrap_or_else(|error| panic!("at {at}: {error}"));
    });
}

#[tokio::test]
async fn large_messages_survive_a_stream_that_moves_one_byte() {
    at_every_operation!(large_with, Trouble::OneByte, |at, result| {
        result.unwrap_or_else(|error| panic!("at {at}: {error}"));
    });
}

#[tokio::test]
async fn large_messages_end_in_an_error_when_the_stream_fails() {
    at_every_operation!(large_with, Trouble::Fail, |_, _| {});
}
