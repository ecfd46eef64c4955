//! The byte stream that dialling or accepting produced.

use std::any::Any;
use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A byte stream that a connection came over: TCP, TLS over it, and later a tunnel or an HTTP/2
/// stream.
pub struct Transport(Kind);

enum Kind {
    Tcp(TcpStream),
    Other(Box<dyn Io>),
}

/// Any byte stream. Its one virtual call per system call costs nothing that can be measured.
trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl Transport {
    pub(crate) fn tcp(stream: TcpStream) -> Self {
        Self(Kind::Tcp(stream))
    }

    /// Any other byte stream.
    pub fn new(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self(Kind::Other(Box::new(stream)))
    }

    /// The TCP connection, where there is nothing between it and us.
    pub fn as_tcp(&self) -> Option<&TcpStream> {
        match &self.0 {
            Kind::Tcp(stream) => Some(stream),
            Kind::Other(_) => None,
        }
    }

    fn io(&mut self) -> Pin<&mut dyn Io> {
        match &mut self.0 {
            Kind::Tcp(stream) => Pin::new(stream),
            Kind::Other(stream) => Pin::new(&mut **stream),
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Tcp(stream) => f.debug_tuple("Tcp").field(stream).finish(),
            Kind::Other(_) => f.write_str("Other"),
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.io().poll_read(cx, buf)
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.io().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io().poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.0 {
            Kind::Tcp(stream) => stream.is_write_vectored(),
            Kind::Other(stream) => stream.is_write_vectored(),
        }
    }
}

type BoxRead = Box<dyn AsyncRead + Send + Unpin>;
type BoxWrite = Box<dyn AsyncWrite + Send + Unpin>;

/// The two directions of a byte stream. Those of TCP share no lock; others are split by tokio.
pub(crate) fn split_io<T>(io: T) -> (BoxRead, BoxWrite)
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut io = Some(io);
    let any: &mut dyn Any = &mut io;
    let tcp = match any.downcast_mut::<Option<Transport>>() {
        Some(transport) => match transport.take() {
            Some(Transport(Kind::Tcp(stream))) => Some(stream),
            other => {
                *transport = other;
                None
            }
        },
        None => any.downcast_mut::<Option<TcpStream>>().and_then(Option::take),
    };
    match (tcp, io) {
        (Some(stream), _) => {
            let (read, write) = stream.into_split();
            (Box::new(read), Box::new(write))
        }
        (None, Some(io)) => {
            let (read, write) = tokio::io::split(io);
            (Box::new(read), Box::new(write))
        }
        (None, None) => unreachable!("what was taken out is in `tcp`"),
    }
}
