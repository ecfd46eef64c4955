//! A byte stream between two sockets that does what the weather says.

mod pipe;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(crate) use pipe::Pipe;

use crate::rng::Rng;
use crate::trace::note;
use crate::weather::Way;

/// One end of the link. Dropping it is what closing a TCP socket is.
#[derive(Debug)]
pub(crate) struct End {
    name: &'static str,
    incoming: Pipe,
    outgoing: Pipe,
}

/// The client's end and the server's.
pub(crate) fn link(ways: &[Way; 2], rng: &mut Rng) -> (End, End) {
    let to_client = Pipe::new("to client", &ways[0], rng);
    let to_server = Pipe::new("to server", &ways[1], rng);
    let client = End { name: "client", incoming: to_client.clone(), outgoing: to_server.clone() };
    (client, End { name: "server", incoming: to_server, outgoing: to_client })
}

impl End {
    /// The direction towards this end, and the one away from it.
    pub(crate) fn pipes(&self) -> (Pipe, Pipe) {
        (self.incoming.clone(), self.outgoing.clone())
    }
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let result = self.incoming.poll_read(cx, into);
        let len = into.filled().len() - before;
        match &result {
            Poll::Ready(Ok(())) if len == 0 => note(self.name, || "reads the end".into()),
            Poll::Ready(Ok(())) => note(self.name, || format!("reads {len} bytes")),
            Poll::Ready(Err(error)) => note(self.name, || format!("reads an error: {error}")),
            Poll::Pending => {}
        }
        result
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let (result, fault) = self.outgoing.poll_write(cx, slices);
        if let Some(fault) = fault {
            self.outgoing.strike(fault, &self.incoming);
        }
        match &result {
            Poll::Ready(Ok(len)) => note(self.name, || format!("writes {len} bytes")),
            Poll::Ready(Err(error)) => note(self.name, || format!("writes, which fails: {error}")),
            Poll::Pending => {}
        }
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.outgoing.is_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = self.outgoing.poll_end(cx);
        if let Poll::Ready(Ok(())) = result {
            note(self.name, || "ends its direction".into());
        }
        result
    }
}

impl Drop for End {
    fn drop(&mut self) {
        note(self.name, || "closes its end".into());
        let unread = self.incoming.abandon();
        self.outgoing.close(unread);
    }
}
