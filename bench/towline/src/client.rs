//! Clients of an echo server.

use std::io;

use bench_common::client::{Client, Course};
use bench_common::payload::Kind;
use tokio::net::TcpStream;
use towline::{Message, MessageWebSocket};

use crate::Api;

impl Client for Api {
    async fn run(self, stream: TcpStream, course: Course) -> io::Result<()> {
        // Connects by itself, as the library's users do.
        drop(stream);
        match self {
            Self::Recv => recv(course).await,
        }
    }
}

/// Whole messages: `recv` lets out what `feed` gathered before it waits.
async fn recv(mut course: Course) -> io::Result<()> {
    let url = format!("ws://{}/", course.addr);
    let mut socket = MessageWebSocket::connect(&url).await.map_err(io::Error::other)?;
    let kind = course.kind;
    let messages = course.messages(|payload| match kind {
        Kind::Binary => Message::binary(payload.to_vec()),
        Kind::Ascii | Kind::Text => Message::text(str::from_utf8(payload).expect("text")),
    });
    for _ in 0..course.depth {
        socket.feed(messages[course.turn()].clone()).await?;
    }
    while let Some(message) = socket.recv().await? {
        course.check(message.as_text().is_some(), message.as_bytes())?;
        socket.feed(messages[course.turn()].clone()).await?;
    }
    Err(io::Error::other("the server closed"))
}
