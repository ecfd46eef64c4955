//! fastwebsockets. Its `read_frame` cannot be abandoned, so nothing can be gathered: one write a
//! message.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bench_common::client::Course;
use bench_common::micro::Memory;
use bench_common::payload::Kind;
use bench_common::serve::{Io, Serve};
use bytes::Bytes;
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, Role, WebSocket, upgrade};
use http_body_util::Empty;
use hyper::Request;
use hyper::header::{CONNECTION, HOST, UPGRADE};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http_upgrade::{self, Spawn};
use crate::{MAX_MESSAGE_SIZE, Talk, ended, failed};

#[derive(Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) frames: bool,
}

impl Serve for Peer {
    async fn serve<S: Io>(self, stream: S) {
        http_upgrade::serve(Flushed { stream, dirty: false }, move |mut request| {
            let (response, upgrade) = upgrade::upgrade(&mut request).ok()?;
            tokio::spawn(tokio::task::unconstrained(async move {
                let Ok(mut socket) = upgrade.await else { return };
                socket.set_max_message_size(MAX_MESSAGE_SIZE);
                // Ends as the load ends it.
                let _ = if self.frames { frames(socket).await } else { messages(socket).await };
            }));
            Some(response)
        })
        .await;
    }
}

impl crate::Peer for Peer {
    async fn echo(self, stream: Memory) {
        let socket = WebSocket::after_handshake(stream, Role::Server);
        // Ends with the stream.
        let _ = if self.frames { frames(socket).await } else { messages(socket).await };
    }
}

async fn messages<S: AsyncRead + AsyncWrite + Unpin>(socket: WebSocket<S>) -> io::Result<()> {
    let mut socket = FragmentCollector::new(socket);
    loop {
        let frame = socket.read_frame().await.map_err(failed)?;
        match frame.opcode {
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await.map_err(failed)?,
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}

async fn frames<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>) -> io::Result<()> {
    loop {
        let frame = socket.read_frame().await.map_err(failed)?;
        match frame.opcode {
            OpCode::Text | OpCode::Binary | OpCode::Continuation => {
                // Anew, as the frame that came keeps its mask.
                let frame = Frame::new(frame.fin, frame.opcode, None, frame.payload);
                socket.write_frame(frame).await.map_err(failed)?;
            }
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}

impl Talk for Peer {
    async fn talk<S: Io>(self, stream: S, mut course: Course) -> io::Result<()> {
        let request = Request::get(format!("http://{}/", course.addr))
            .header(HOST, course.addr.to_string())
            .header(UPGRADE, "websocket")
            .header(CONNECTION, "upgrade")
            .header("Sec-WebSocket-Key", fastwebsockets::handshake::generate_key())
            .header("Sec-WebSocket-Version", "13")
            .body(Empty::<Bytes>::new())
            .map_err(failed)?;
        let connected = fastwebsockets::handshake::client(&Spawn, request, stream).await;
        let (socket, _) = connected.map_err(failed)?;
        let mut socket = FragmentCollector::new(socket);
        let kind = course.kind;
        let payloads = course.messages(<[u8]>::to_vec);
        // Owned: a client masks its payload in place.
        let message = |course: &mut Course| {
            let payload = Payload::Owned(payloads[course.turn()].clone());
            match kind {
                Kind::Binary => Frame::binary(payload),
                Kind::Ascii | Kind::Text => Frame::text(payload),
            }
        };
        for _ in 0..course.depth {
            socket.write_frame(message(&mut course)).await.map_err(failed)?;
        }
        loop {
            let frame = socket.read_frame().await.map_err(failed)?;
            match frame.opcode {
                OpCode::Text => course.check(true, &frame.payload)?,
                OpCode::Binary => course.check(false, &frame.payload)?,
                _ => return Err(ended()),
            }
            socket.write_frame(message(&mut course)).await.map_err(failed)?;
        }
    }
}

/// Flushes what was written before it waits for more to read: the collector has no `flush`, and a
/// TLS session may hold what its socket did not take.
struct Flushed<S> {
    stream: S,
    dirty: bool,
}

impl<S: Io> AsyncRead for Flushed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.dirty && Pin::new(&mut self.stream).poll_flush(cx)?.is_ready() {
            self.dirty = false;
        }
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: Io> AsyncWrite for Flushed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.dirty = true;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.dirty = true;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.dirty = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
