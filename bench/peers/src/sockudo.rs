//! sockudo-ws, its unified stream. It flushes by itself before it waits for more, so `feed` is
//! enough.

use std::io;

use bench_common::client::Course;
use bench_common::micro::Memory;
use bench_common::payload::Kind;
use bench_common::serve::{Io, Serve};
use bytes::{Bytes, BytesMut};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use sockudo_ws::client::WebSocketClient;
use sockudo_ws::deflate::{DeflateConfig, negotiate_server_deflate};
use sockudo_ws::handshake::{build_response, generate_accept_key, parse_request};
use sockudo_ws::server::WebSocketServer;
use sockudo_ws::{CompressedWebSocketStream, Config, Http1, Message, WebSocketStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{MAX_MESSAGE_SIZE, Talk, ended, failed};

#[derive(Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) deflate: bool,
}

fn config() -> Config {
    Config::builder()
        .max_payload_length(MAX_MESSAGE_SIZE)
        .max_backpressure(MAX_MESSAGE_SIZE)
        .build()
}

impl Serve for Peer {
    async fn serve<S: Io>(self, stream: S) {
        // Ends as the load ends it.
        let _ = if self.deflate {
            accept_deflate(stream).await
        } else {
            let server = WebSocketServer::<Http1>::new(config());
            let Ok((socket, _)) = server.accept_raw(stream).await else { return };
            echo(socket).await
        };
    }
}

impl crate::Peer for Peer {
    async fn echo(self, stream: Memory) {
        // Ends with the stream.
        let _ = echo(WebSocketStream::server(stream, config())).await;
    }
}

/// The handshake as its integration with axum does it: `WebSocketServer` agrees on no compression.
/// Who offers none gets none.
async fn accept_deflate<S: Io>(mut stream: S) -> io::Result<()> {
    let mut head = BytesMut::with_capacity(4096);
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(ended());
        }
        let Some((request, _)) = parse_request(&head).map_err(failed)? else { continue };
        let policy = DeflateConfig { compression_level: 1, ..DeflateConfig::default() };
        let terms = request.extensions.and_then(|offers| negotiate_server_deflate(offers, &policy));
        let key = generate_accept_key(request.key);
        let header = terms.as_ref().map(|terms| terms.to_response_header());
        let response = build_response(&key, None, header.as_deref());
        stream.write_all(&response).await?;
        stream.flush().await?;
        return match terms {
            Some(terms) => {
                echo(CompressedWebSocketStream::server(stream, config(), terms.config)).await
            }
            None => echo(WebSocketStream::server(stream, config())).await,
        };
    }
}

async fn echo<S>(mut socket: S) -> io::Result<()>
where
    S: Stream<Item = sockudo_ws::Result<Message>>
        + Sink<Message, Error = sockudo_ws::Error>
        + Unpin,
{
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

impl Talk for Peer {
    async fn talk<S: Io>(self, stream: S, mut course: Course) -> io::Result<()> {
        let client = WebSocketClient::<Http1>::new(config());
        let host = course.addr.to_string();
        let connected = client.connect_raw(stream, &host, "/", None).await;
        let (mut socket, _) = connected.map_err(failed)?;
        let kind = course.kind;
        let payloads = course.messages(Bytes::copy_from_slice);
        let message = |course: &mut Course| match kind {
            Kind::Binary => Message::Binary(payloads[course.turn()].clone()),
            Kind::Ascii | Kind::Text => Message::Text(payloads[course.turn()].clone()),
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
