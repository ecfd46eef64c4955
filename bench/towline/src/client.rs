//! Clients of an echo server.

use std::io;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::sync::LazyLock;

use bench_common::client::{self, Course};
use bench_common::payload::Kind;
use towline::{Client, Message, MessageKind, MessageWebSocket, StreamWebSocket, WebSocket};

use crate::Api;

impl client::Client for Api {
    async fn run(self, course: Course) -> io::Result<()> {
        match self {
            Self::Batch => batch(course).await,
            Self::Pieces => pieces(course).await,
            Self::Recv => recv(course).await,
        }
    }
}

/// One for all connections, as the library's users have it.
static PLAIN: LazyLock<Client> = LazyLock::new(Client::new);

async fn connect(course: &Course) -> towline::Result<WebSocket> {
    #[cfg(feature = "tls")]
    if let Some(config) = &course.tls {
        let tls = towline::TlsConfig::from_rustls(Arc::clone(config));
        let client = Client::builder().tls(tls).build()?;
        return client.connect(&format!("wss://{}/", course.addr)).await;
    }
    PLAIN.connect(&format!("ws://{}/", course.addr)).await
}

/// Whole messages, lent, and answered from where they are kept.
async fn batch(mut course: Course) -> io::Result<()> {
    let mut socket = MessageWebSocket::from(connect(&course).await.map_err(io::Error::other)?);
    let messages = messages(&course);
    for _ in 0..course.depth {
        socket.feed(messages[course.turn()].clone()).await?;
    }
    while let Some(mut batch) = socket.recv_batch().await? {
        while let Some((message, replies)) = batch.next() {
            course.check(message.kind() == MessageKind::Text, message.as_bytes())?;
            replies.feed(&messages[course.turn()])?;
        }
    }
    Err(io::Error::other("the server closed"))
}

/// Pieces of messages, lent and compared as they come.
async fn pieces(mut course: Course) -> io::Result<()> {
    let mut socket = StreamWebSocket::from(connect(&course).await.map_err(io::Error::other)?);
    let messages = messages(&course);
    for _ in 0..course.depth {
        let message = &messages[course.turn()];
        socket.message_writer(message.kind()).feed_last(message.as_bytes()).await?;
    }
    while let Some(mut batch) = socket.recv_pieces().await? {
        while let Some((piece, replies)) = batch.next() {
            course.check_part(piece.kind == MessageKind::Text, piece.payload, piece.end)?;
            if piece.end {
                replies.feed(&messages[course.turn()])?;
            }
        }
    }
    Err(io::Error::other("the server closed"))
}

/// Whole messages: `recv` lets out what `feed` gathered before it waits.
async fn recv(mut course: Course) -> io::Result<()> {
    let mut socket = MessageWebSocket::from(connect(&course).await.map_err(io::Error::other)?);
    let messages = messages(&course);
    for _ in 0..course.depth {
        socket.feed(messages[course.turn()].clone()).await?;
    }
    while let Some(message) = socket.recv().await? {
        course.check(message.as_text().is_some(), message.as_bytes())?;
        socket.feed(messages[course.turn()].clone()).await?;
    }
    Err(io::Error::other("the server closed"))
}

fn messages(course: &Course) -> Vec<Message> {
    course.messages(|payload| match course.kind {
        Kind::Binary => Message::binary(payload.to_vec()),
        Kind::Ascii | Kind::Text => Message::text(str::from_utf8(payload).expect("text")),
    })
}
