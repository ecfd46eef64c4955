//! wtx. It writes each frame by itself.

use std::io;

use bench_common::client::Course;
use bench_common::micro::Memory;
use bench_common::payload::Kind;
use bench_common::serve::{Io, Serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wtx::collection::Vector;
use wtx::misc::UriRef;
use wtx::rng::{Xorshift64, simple_seed};
use wtx::stream::{StreamReader, StreamWriter};
use wtx::web_socket::{
    Frame, OpCode, WebSocketAcceptor, WebSocketBuffer, WebSocketConnector, WebSocketOwned,
    WebSocketPayloadOrigin,
};

use crate::{MAX_MESSAGE_SIZE, Talk, ended, failed};

#[derive(Clone, Copy)]
pub(crate) struct Peer;

type Server<S> = WebSocketOwned<(), Xorshift64, Stream<S>, false>;

impl Serve for Peer {
    async fn serve<S: Io>(self, stream: S) {
        let accepted: wtx::Result<Server<S>> =
            WebSocketAcceptor::default().accept(Stream(stream)).await;
        let Ok(socket) = accepted else { return };
        // Ends as the load ends it.
        let _ = echo(socket).await;
    }
}

impl crate::Peer for Peer {
    async fn echo(self, stream: Memory) {
        let rng = Xorshift64::from(simple_seed());
        // Ends with the stream.
        let _ = echo(Server::new((), false, rng, Stream(stream), WebSocketBuffer::new())).await;
    }
}

async fn echo<S: Io>(mut socket: Server<S>) -> wtx::Result<()> {
    socket.set_max_payload_len(MAX_MESSAGE_SIZE);
    let (mut common, mut reader, mut writer) = socket.split_mut();
    let mut buffer = Vector::new();
    loop {
        let origin = WebSocketPayloadOrigin::Adaptive;
        let mut frame = reader.read_frame(&mut buffer, &mut common, origin).await?;
        match frame.op_code() {
            OpCode::Text | OpCode::Binary => writer.write_frame(&mut common, &mut frame).await?,
            OpCode::Close => return Ok(()),
            _ => {}
        }
        buffer.clear();
    }
}

impl Talk for Peer {
    async fn talk<S: Io>(self, stream: S, mut course: Course) -> io::Result<()> {
        let url = format!("ws://{}/", course.addr);
        let connected: wtx::Result<_> =
            WebSocketConnector::default().connect(Stream(stream), &UriRef::new(&url)).await;
        let mut socket: WebSocketOwned<(), Xorshift64, Stream<S>, true> =
            connected.map_err(failed)?;
        let op_code = match course.kind {
            Kind::Binary => OpCode::Binary,
            Kind::Ascii | Kind::Text => OpCode::Text,
        };
        let payloads = course.messages(<[u8]>::to_vec);
        // A client masks its payload in place.
        let mut payload = Vec::new();
        let mut buffer = Vector::new();
        let mut due = course.depth;
        loop {
            for _ in 0..due {
                payload.clone_from(&payloads[course.turn()]);
                let mut frame = Frame::new_fin(op_code, &mut payload[..]);
                socket.write_frame(&mut frame).await.map_err(failed)?;
            }
            let origin = WebSocketPayloadOrigin::Adaptive;
            let frame = socket.read_frame(&mut buffer, origin).await.map_err(failed)?;
            match frame.op_code() {
                OpCode::Text => course.check(true, frame.payload())?,
                OpCode::Binary => course.check(false, frame.payload())?,
                _ => return Err(ended()),
            }
            buffer.clear();
            due = 1;
        }
    }
}

/// tokio's traits as wtx's. A TLS session may hold what was written, hence the flush.
struct Stream<S>(S);

impl<S: Io> StreamReader for Stream<S> {
    async fn read(&mut self, bytes: &mut [u8]) -> wtx::Result<usize> {
        Ok(self.0.read(bytes).await?)
    }
}

impl<S: Io> StreamWriter for Stream<S> {
    async fn write_all(&mut self, bytes: &[u8]) -> wtx::Result<()> {
        self.0.write_all(bytes).await?;
        Ok(self.0.flush().await?)
    }

    async fn write_all_vectored(&mut self, bytes: &[&[u8]]) -> wtx::Result<()> {
        let mut slices = [io::IoSlice::new(&[]); 8];
        let slices = &mut slices[..bytes.len()];
        for (slice, bytes) in slices.iter_mut().zip(bytes) {
            *slice = io::IoSlice::new(bytes);
        }
        let mut slices = slices;
        while !slices.is_empty() {
            match self.0.write_vectored(slices).await? {
                0 => return Err(wtx::Error::UnexpectedStreamWriteEOF),
                count => io::IoSlice::advance_slices(&mut slices, count),
            }
        }
        Ok(self.0.flush().await?)
    }
}
