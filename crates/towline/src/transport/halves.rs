//! The two directions of a byte stream, for two tasks.

use std::any::Any;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

use super::{Kind, Transport, tcp_under};

/// One direction of a byte stream, whatever it is.
pub(crate) type BoxRead = Box<dyn ReadIo>;
/// The other direction.
pub(crate) type BoxWrite = Box<dyn AsyncWrite + Send + Unpin>;

/// The direction that is read, which also leads to the TCP connection underneath.
pub(crate) trait ReadIo: AsyncRead + Send + Unpin {
    /// Shows the TCP connection underneath, if there is one.
    fn with_tcp(&self, show: &mut dyn FnMut(&TcpStream));
}

impl ReadIo for OwnedReadHalf {
    fn with_tcp(&self, show: &mut dyn FnMut(&TcpStream)) {
        show(self.as_ref());
    }
}

/// The two directions of a byte stream. Those of TCP share no lock, those of others share one.
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
            let is_write_vectored = io.is_write_vectored();
            let io = Arc::new(Mutex::new(io));
            let other = Half { io: Arc::clone(&io), is_write_vectored };
            (Box::new(Half { io, is_write_vectored }), Box::new(other))
        }
        (None, None) => unreachable!("what was taken out is in `tcp`"),
    }
}

/// A byte stream in two hands. Unlike what tokio makes of one, it can be looked at.
struct Half<T> {
    io: Arc<Mutex<T>>,
    is_write_vectored: bool,
}

impl<T> Half<T> {
    fn lock(&self) -> MutexGuard<'_, T> {
        self.io.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: AsyncRead + Send + Unpin + 'static> ReadIo for Half<T> {
    fn with_tcp(&self, show: &mut dyn FnMut(&TcpStream)) {
        if let Some(stream) = tcp_under(&*self.lock()) {
            show(stream);
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Half<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Half<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.is_write_vectored
    }
}
