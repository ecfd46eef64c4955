//! The byte stream that dialling or accepting produced.

mod halves;

use std::any::Any;
use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

pub(crate) use halves::{BoxRead, BoxWrite, split_io};

/// A byte stream that a connection came over: TCP, TLS over it, and later a tunnel or an HTTP/2
/// stream.
pub struct Transport(Kind);

enum Kind {
    Tcp(TcpStream),
    Other(Box<dyn Io>),
}

/// Any byte stream. Its one virtual call per system call costs nothing that can be measured.
trait Io: AsyncRead + AsyncWrite + Send + Unpin {
    /// The TCP connection underneath, if it is one, or TLS over one.
    fn tcp(&self) -> Option<&TcpStream>;
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {
    fn tcp(&self) -> Option<&TcpStream> {
        tcp_under(self)
    }
}

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

    /// The TCP connection underneath, also of TLS.
    fn tcp_under(&self) -> Option<&TcpStream> {
        match &self.0 {
            Kind::Tcp(stream) => Some(stream),
            // Not of the box, which is a byte stream too.
            Kind::Other(stream) => (**stream).tcp(),
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

/// The TCP connection under a byte stream, if that is one, or TLS of ours over one.
pub(crate) fn tcp_under(io: &dyn Any) -> Option<&TcpStream> {
    if let Some(transport) = io.downcast_ref::<Transport>() {
        return transport.tcp_under();
    }
    #[cfg(feature = "tls")]
    if let Some(stream) = io.downcast_ref::<tokio_rustls::client::TlsStream<Transport>>() {
        return stream.get_ref().0.tcp_under();
    }
    #[cfg(feature = "tls")]
    if let Some(stream) = io.downcast_ref::<tokio_rustls::server::TlsStream<TcpStream>>() {
        return Some(stream.get_ref().0);
    }
    io.downcast_ref::<TcpStream>()
}
