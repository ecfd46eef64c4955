//! Byte streams that misbehave in ways a test can choose, and pairs of sockets.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use towline::proto::Role;
use towline::proto::handshake::Negotiated;
use towline::{Config, MessageWebSocket, StreamWebSocket, WebSocket};

/// Two sockets, client and server, over memory that holds `capacity` bytes each way.
pub(crate) fn pair(
    capacity: usize,
    config: &Config,
) -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (one, other) = duplex(capacity);
    let terms = Negotiated::default();
    (
        WebSocket::new(one, Role::Client, terms.clone(), config.clone()),
        WebSocket::new(other, Role::Server, terms, config.clone()),
    )
}

pub(crate) fn messages() -> (MessageWebSocket<DuplexStream>, MessageWebSocket<DuplexStream>) {
    let (client, server) = pair(64 * 1024, &Config::default());
    (client.into(), server.into())
}

pub(crate) fn streams() -> (StreamWebSocket<DuplexStream>, StreamWebSocket<DuplexStream>) {
    let (client, server) = pair(64 * 1024, &Config::default());
    (client.into(), server.into())
}

/// A server's socket, and the raw bytes of its client.
pub(crate) fn server_and_wire(config: &Config) -> (WebSocket<DuplexStream>, DuplexStream) {
    let (one, other) = duplex(1024 * 1024);
    (WebSocket::new(one, Role::Server, Negotiated::default(), config.clone()), other)
}

/// A client's socket, and the raw bytes of its server.
pub(crate) fn client_and_wire(config: &Config) -> (WebSocket<DuplexStream>, DuplexStream) {
    let (one, other) = duplex(1024 * 1024);
    (WebSocket::new(one, Role::Client, Negotiated::default(), config.clone()), other)
}

/// A client's frame, masked with a key of zeros so that the payload can be read.
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ ..126 => frame.push(0x80 | u8::try_from(len).unwrap()),
        len => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// Reads exactly these bytes.
pub(crate) async fn expect(wire: &mut DuplexStream, bytes: &[u8]) {
    let mut got = vec![0; bytes.len()];
    wire.read_exact(&mut got).await.unwrap();
    assert_eq!(got, bytes);
}

/// Reads to the end.
pub(crate) async fn rest(wire: &mut DuplexStream) -> Vec<u8> {
    let mut got = Vec::new();
    wire.read_to_end(&mut got).await.unwrap();
    got
}

pub(crate) async fn put(wire: &mut DuplexStream, bytes: &[u8]) {
    wire.write_all(bytes).await.unwrap();
}

/// What a byte stream does at its `n`-th operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    /// Fails, then and from then on.
    Fail,
    /// Is not ready, once.
    Pend,
    /// Reads or writes a single byte.
    OneByte,
}

/// A byte stream that makes trouble at its `n`-th operation, counting from 0.
#[derive(Debug)]
pub(crate) struct TroubleAt<T> {
    io: T,
    at: usize,
    trouble: Trouble,
    count: Arc<AtomicUsize>,
    failed: bool,
}

impl<T> TroubleAt<T> {
    /// The stream, and the count of its operations.
    pub(crate) fn new(io: T, at: usize, trouble: Trouble) -> (Self, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        (Self { io, at, trouble, count: Arc::clone(&count), failed: false }, count)
    }

    /// What to do now.
    fn next(&mut self, cx: &Context<'_>) -> Poll<io::Result<bool>> {
        if self.failed {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if self.count.fetch_add(1, Ordering::Relaxed) != self.at {
            return Poll::Ready(Ok(false));
        }
        match self.trouble {
            Trouble::Fail => {
                self.failed = true;
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            Trouble::Pend => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Trouble::OneByte => Poll::Ready(Ok(true)),
        }
    }
}

macro_rules! ready {
    ($poll:expr) => {
        match $poll {
            Poll::Ready(ready) => ready?,
            Poll::Pending => return Poll::Pending,
        }
    };
}

impl<T: AsyncRead + Unpin> AsyncRead for TroubleAt<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !ready!(self.next(cx)) {
            return Pin::new(&mut self.io).poll_read(cx, buf);
        }
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut one));
        buf.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for TroubleAt<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let len = if ready!(self.next(cx)) { buf.len().min(1) } else { buf.len() };
        Pin::new(&mut self.io).poll_write(cx, &buf[..len])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.next(cx));
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.next(cx));
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
