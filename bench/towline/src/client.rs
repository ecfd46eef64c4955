//! Clients of an echo server.

use std::io;

use bench_common::client::{Client, Course};
use bench_common::payload::Kind;
use tokio::net::TcpStream;
use towline::{Message, MessageKind, MessageWebSocket};

use crate::Api;

impl Client for Api {
    async fn run(self, stream: TcpStream, course: Course) -> io::Result<()> {
        // Connects by itself, as the library's users do.
        drop(stream);
        match self {
            // A client that compares whole messages has no use for pieces of them.
            Self::Batch | Self::Pieces => batch(course).await,
            Self::Recv => recv(course).await,
        }
    }
}

/// Whole messages, lent, and answered from where they are kept.
async fn batch(mut course: Course) -> io::Result<()> {
    let url = format!("ws://{}/", course.addr);
    let mut socket = MessageWebSocket::connect(&url).await.map_err(io::Error::other)?;
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

/// Whole messages: `recv` lets out what `feed` gathered before it waits.
async fn recv(mut course: Course) -> io::Result<()> {
    let url = format!("ws://{}/", course.addr);
    let mut socket = MessageWebSocket::connect(&url).await.map_err(io::Error::other)?;
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
