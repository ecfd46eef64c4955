//! tokio-tungstenite.

use std::io;

use bench_common::client::Course;
use bench_common::micro::Memory;
use bench_common::payload::Kind;
use bench_common::serve::{Io, Serve};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, accept_async_with_config, client_async_with_config};

use crate::at_hand::at_hand;
use crate::{Talk, ended, failed};

#[derive(Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) read_buffer: Option<usize>,
}

impl Peer {
    fn config(self) -> WebSocketConfig {
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        match self.read_buffer {
            Some(size) => config.read_buffer_size(size),
            None => config,
        }
    }
}

impl Serve for Peer {
    async fn serve<S: Io>(self, stream: S) {
        let Ok(socket) = accept_async_with_config(stream, Some(self.config())).await else {
            return;
        };
        // Ends as the load ends it.
        let _ = echo(socket).await;
    }
}

impl crate::Peer for Peer {
    async fn echo(self, stream: Memory) {
        let config = Some(self.config());
        // Ends with the stream.
        let _ = echo(WebSocketStream::from_raw_socket(stream, Role::Server, config).await).await;
    }
}

async fn echo(mut socket: WebSocketStream<impl Io>) -> io::Result<()> {
    while let Some(message) = socket.next().await {
        let mut next = Some(message);
        while let Some(message) = next {
            let message = message.map_err(failed)?;
            if message.is_text() || message.is_binary() {
                socket.feed(message).await.map_err(failed)?;
            }
            next = at_hand(&mut socket).await;
        }
        socket.flush().await.map_err(failed)?;
    }
    Ok(())
}

impl Talk for Peer {
    async fn talk<S: Io>(self, stream: S, mut course: Course) -> io::Result<()> {
        let url = format!("ws://{}/", course.addr);
        let connected = client_async_with_config(url, stream, Some(self.config())).await;
        let (mut socket, _) = connected.map_err(failed)?;
        let kind = course.kind;
        let messages = course.messages(|payload| match kind {
            Kind::Binary => Message::binary(payload.to_vec()),
            Kind::Ascii | Kind::Text => Message::text(str::from_utf8(payload).expect("text")),
        });
        for _ in 0..course.depth {
            socket.feed(messages[course.turn()].clone()).await.map_err(failed)?;
        }
        loop {
            socket.flush().await.map_err(failed)?;
            let mut next = Some(socket.next().await.ok_or_else(ended)?);
            while let Some(message) = next {
                match message.map_err(failed)? {
                    Message::Text(text) => course.check(true, text.as_bytes())?,
                    Message::Binary(data) => course.check(false, &data)?,
                    _ => return Err(ended()),
                }
                socket.feed(messages[course.turn()].clone()).await.map_err(failed)?;
                next = at_hand(&mut socket).await;
            }
        }
    }
}
