//! yawc, with UTF-8 checked, as the others do.

use std::io;

use bench_common::client::Course;
use bench_common::micro::Memory;
use bench_common::payload::Kind;
use bench_common::serve::{Io, Serve};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use yawc::frame::{Frame, OpCode};
use yawc::{CompressionLevel, Options, Role, WebSocket, WebSocketError};

use crate::at_hand::at_hand;
use crate::{MAX_MESSAGE_SIZE, Talk, ended, failed, http_upgrade};

#[derive(Clone, Copy)]
pub(crate) enum Peer {
    /// Buffers and batches as in its own published benchmarks.
    Tuned,
    /// The buffers that it has by itself.
    Default,
    /// Frames as they come.
    Streaming,
    /// The tuned one, compressing.
    Deflate,
}

/// Replies gathered at most, as in its own benchmarks.
const BATCH: usize = 32;

impl Peer {
    fn options(self) -> Options {
        let options = Options::default()
            .without_compression()
            .with_utf8()
            .with_max_payload_read(MAX_MESSAGE_SIZE)
            .with_max_read_buffer(MAX_MESSAGE_SIZE);
        let tuned = options
            .clone()
            .with_read_buffer_capacity(128 * 1024)
            .with_backpressure_boundary(64 * 1024);
        match self {
            Self::Tuned | Self::Streaming => tuned,
            Self::Default => options,
            Self::Deflate => tuned.with_compression_level(CompressionLevel::new(1)),
        }
    }
}

impl Serve for Peer {
    async fn serve<S: Io>(self, stream: S) {
        http_upgrade::serve(stream, move |mut request| {
            let upgraded = WebSocket::upgrade_with_options(&mut request, self.options());
            let (response, upgrade) = upgraded.ok()?;
            tokio::spawn(async move {
                let Ok(socket) = upgrade.await else { return };
                // Ends as the load ends it.
                let _ = match self {
                    Self::Tuned | Self::Default | Self::Deflate => echo(socket).await,
                    Self::Streaming => echo(socket.into_streaming()).await,
                };
            });
            Some(response)
        })
        .await;
    }
}

impl crate::Peer for Peer {
    async fn echo(self, stream: Memory) {
        let socket = WebSocket::from_stream(stream, Role::Server, self.options());
        // Ends with the stream.
        let _ = echo(socket.expect("good options")).await;
    }
}

async fn echo<S>(mut socket: S) -> io::Result<()>
where
    S: Stream<Item = Frame> + Sink<Frame, Error = WebSocketError> + Unpin,
{
    while let Some(frame) = socket.next().await {
        let mut next = Some(frame);
        let mut count = 0;
        while let Some(frame) = next {
            if !frame.opcode().is_control() {
                socket.feed(frame).await.map_err(failed)?;
            }
            count += 1;
            next = if count < BATCH { at_hand(&mut socket).await } else { None };
        }
        socket.flush().await.map_err(failed)?;
    }
    Ok(())
}

impl Talk for Peer {
    async fn talk<S: Io>(self, stream: S, mut course: Course) -> io::Result<()> {
        let url = format!("ws://{}/", course.addr).parse().map_err(|_| ended())?;
        let connected = WebSocket::handshake(url, stream, self.options()).await;
        let mut socket = connected.map_err(failed)?;
        let kind = course.kind;
        let payloads = course.messages(Bytes::copy_from_slice);
        let message = |course: &mut Course| match kind {
            Kind::Binary => Frame::binary(payloads[course.turn()].clone()),
            Kind::Ascii | Kind::Text => Frame::text(payloads[course.turn()].clone()),
        };
        for _ in 0..course.depth {
            socket.feed(message(&mut course)).await.map_err(failed)?;
        }
        loop {
            socket.flush().await.map_err(failed)?;
            let mut next = Some(socket.next().await.ok_or_else(ended)?);
            let mut count = 0;
            while let Some(frame) = next {
                course.check(frame.opcode() == OpCode::Text, frame.payload())?;
                socket.feed(message(&mut course)).await.map_err(failed)?;
                count += 1;
                next = if count < BATCH { at_hand(&mut socket).await } else { None };
            }
        }
    }
}
