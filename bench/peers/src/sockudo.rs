//! sockudo-ws, its unified stream. It flushes by itself before it waits for more, so `feed` is
//! enough.

use std::io;

use bench_common::client::{Client, Course};
use bench_common::micro::Memory;
use bench_common::payload::Kind;
use bench_common::serve::{Io, Serve};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use sockudo_ws::client::WebSocketClient;
use sockudo_ws::server::WebSocketServer;
use sockudo_ws::{Config, Http1, Message, WebSocketStream};
use tokio::net::TcpStream;

use crate::{MAX_MESSAGE_SIZE, ended, failed};

#[derive(Clone, Copy)]
pub(crate) struct Peer;

fn config() -> Config {
    Config::builder()
        .max_payload_length(MAX_MESSAGE_SIZE)
        .max_backpressure(MAX_MESSAGE_SIZE)
        .build()
}

impl Serve for Peer {
    async fn serve<S: Io>(self, stream: S) {
        let server = WebSocketServer::<Http1>::new(config());
        let Ok((socket, _)) = server.accept_raw(stream).await else { return };
        // Ends as the load ends it.
        let _ = echo(socket).await;
    }
}

impl crate::Peer for Peer {
    async fn echo(self, stream: Memory) {
        // Ends with the stream.
        let _ = echo(WebSocketStream::server(stream, config())).await;
    }
}

async fn echo(mut socket: WebSocketStream<impl Io>) -> io::Result<()> {
    while let Some(message) = socket.next().await {
        match message.map_err(failed)? {
            message @ (Message::Text(_) | Message::Binary(_)) => {
                socket.feed(message).await.map_err(failed)?;
            }
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Close(_) => break,
        }
    }
    Ok(())
}

impl Client for Peer {
    async fn run(self, stream: TcpStream, mut course: Course) -> io::Result<()> {
        let client = WebSocketClient::<Http1>::new(config());
        let host = course.addr.to_string();
        let connected = client.connect_raw(stream, &host, "/", None).await;
        let (mut socket, _) = connected.map_err(failed)?;
        let kind = course.kind;
        let payloads = course.messages(Bytes::copy_from_slice);
        let message = |course: &mut Course| match kind {
            Kind::Binary => Message::Binary(payloads[course.next()].clone()),
            Kind::Ascii | Kind::Text => Message::Text(payloads[course.next()].clone()),
        };
        for _ in 0..course.depth {
            socket.feed(message(&mut course)).await.map_err(failed)?;
        }
        while let Some(received) = socket.next().await {
            match received.map_err(failed)? {
                Message::Text(text) => course.check(true, &text)?,
                Message::Binary(data) => course.check(false, &data)?,
                _ => continue,
            }
            socket.feed(message(&mut course)).await.map_err(failed)?;
        }
        Err(ended())
    }
}
