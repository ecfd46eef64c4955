//! tokio-websockets. It flushes before each read, so replies are gathered before they are fed.

use std::io;

use bench_common::client::Course;
use bench_common::micro::Memory;
use bench_common::payload::Kind;
use bench_common::serve::{Io, Serve};
use futures_util::{SinkExt, StreamExt};
use tokio_websockets::{ClientBuilder, Config, Limits, Message, ServerBuilder, WebSocketStream};

use crate::at_hand::at_hand;
use crate::{Talk, ended, failed};

#[derive(Clone, Copy)]
pub(crate) struct Peer;

/// Replies gathered at most.
const BATCH: usize = 64;

fn config() -> Config {
    Config::default().flush_threshold(64 * 1024)
}

fn builder() -> ServerBuilder {
    ServerBuilder::new().config(config()).limits(Limits::unlimited())
}

impl Serve for Peer {
    async fn serve<S: Io>(self, stream: S) {
        let Ok((_, socket)) = builder().accept(stream).await else { return };
        // Ends as the load ends it.
        let _ = echo(socket).await;
    }
}

impl crate::Peer for Peer {
    async fn echo(self, stream: Memory) {
        // Ends with the stream.
        let _ = echo(builder().serve(stream)).await;
    }
}

async fn echo(mut socket: WebSocketStream<impl Io>) -> io::Result<()> {
    let mut batch = Vec::new();
    while let Some(message) = socket.next().await {
        let mut next = Some(message);
        while let Some(message) = next {
            let message = message.map_err(failed)?;
            if message.is_text() || message.is_binary() {
                batch.push(message);
            }
            next = if batch.len() < BATCH { at_hand(&mut socket).await } else { None };
        }
        for message in batch.drain(..) {
            socket.feed(message).await.map_err(failed)?;
        }
        socket.flush().await.map_err(failed)?;
    }
    Ok(())
}

impl Talk for Peer {
    async fn talk<S: Io>(self, stream: S, mut course: Course) -> io::Result<()> {
        let url = format!("ws://{}/", course.addr);
        let builder = ClientBuilder::new().uri(&url).map_err(failed)?;
        let builder = builder.config(config()).limits(Limits::unlimited());
        let (mut socket, _) = builder.connect_on(stream).await.map_err(failed)?;
        let kind = course.kind;
        let messages = course.messages(|payload| match kind {
            Kind::Binary => Message::binary(payload.to_vec()),
            Kind::Ascii | Kind::Text => {
                Message::text(str::from_utf8(payload).expect("text").to_owned())
            }
        });
        let mut due = course.depth;
        loop {
            for _ in 0..due {
                socket.feed(messages[course.turn()].clone()).await.map_err(failed)?;
            }
            socket.flush().await.map_err(failed)?;
            due = 0;
            let mut next = Some(socket.next().await.ok_or_else(ended)?);
            while let Some(message) = next {
                let message = message.map_err(failed)?;
                course.check(message.is_text(), message.as_payload())?;
                due += 1;
                next = if due < BATCH { at_hand(&mut socket).await } else { None };
            }
        }
    }
}
