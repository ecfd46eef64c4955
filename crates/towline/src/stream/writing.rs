//! Writing messages as streams of bytes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use towline_proto::{CloseCode, CloseFrame, MessageKind};

use crate::error::{Error, Result};
use crate::websocket::Target;

/// Largest fragment that a writer makes, and what it gathers small writes into.
///
/// Large enough that headers and system calls do not count, small enough that a pong or a closing
/// frame never waits long for its end.
const FRAGMENT: usize = 64 * 1024;

/// Writes one message of any size. Holds at most one fragment of it.
///
/// It is an [`AsyncWrite`]: small writes are gathered, each full 64 KiB leaves as a fragment, and a
/// flush sends what was gathered as a (non-final) fragment. [`finish`](Self::finish), or
/// `shutdown`, ends the message. Whoever writes faster than the peer reads has to wait.
///
/// # Errors
/// As [`io::Error`]s that hold a [`towline::Error`](crate::Error).
///
/// # Dropping
/// A message that was begun can neither be taken back nor be followed by another, so dropping a
/// writer in the middle ends the connection: with 1011 between fragments, at once inside a frame.
/// Before anything was sent, what was gathered is forgotten and nothing happens.
pub struct MessageWriter<'a> {
    target: &'a mut (dyn Target + Send),
    kind: MessageKind,
    shape: Shape,
    state: State,
}

#[derive(Debug)]
enum Shape {
    /// In fragments, of bytes gathered here.
    Fragments(Vec<u8>),
    /// In one frame, of which so many bytes are still to come.
    OneFrame(u64),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Nothing has been sent.
    Fresh,
    Begun,
    /// The last fragment is sent; it may still wait to be written.
    Finished,
}

impl<'a> MessageWriter<'a> {
    pub(super) fn new(target: &'a mut (dyn Target + Send), kind: MessageKind) -> Self {
        Self { target, kind, shape: Shape::Fragments(Vec::new()), state: State::Fresh }
    }

    pub(super) fn sized(target: &'a mut (dyn Target + Send), kind: MessageKind, len: u64) -> Self {
        Self { target, kind, shape: Shape::OneFrame(len), state: State::Fresh }
    }

    /// Text or binary.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// Ends the message and hands all of it to the operating system.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if fewer bytes were written than
    /// [`message_writer_sized`](crate::StreamWebSocket::message_writer_sized) promised, and as
    /// [`MessageWebSocket::send`](crate::MessageWebSocket::send).
    ///
    /// # Cancel safety
    /// If cancelled the message may be left unfinished, which ends the connection.
    pub async fn finish(mut self) -> Result<()> {
        poll_fn(|cx| self.poll_finish(cx)).await
    }

    /// Ends the message with `bytes`, which may be none, and queues the rest of it, to go out with
    /// the next flush or message; many small ones then leave in one system call.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    ///
    /// # Cancel safety
    /// If cancelled the message may be left unfinished, which ends the connection.
    pub async fn feed_last(mut self, mut bytes: &[u8]) -> Result<()> {
        poll_fn(|cx| {
            let gathers = match &self.shape {
                Shape::Fragments(gathered) => !gathered.is_empty() || bytes.len() > FRAGMENT,
                Shape::OneFrame(_) => true,
            };
            while gathers && !bytes.is_empty() {
                let count = ready!(self.poll_accept(cx, bytes))?;
                bytes = &bytes[count..];
            }
            self.poll_end(cx, bytes)
        })
        .await
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_end(cx, &[]))?;
        self.target.poll_flush(cx)
    }

    /// Queues the last fragment: what was gathered, or `last` if that is nothing.
    fn poll_end(&mut self, cx: &mut Context<'_>, last: &[u8]) -> Poll<Result<()>> {
        if self.state == State::Finished {
            return Poll::Ready(Ok(()));
        }
        ready!(self.target.poll_room(cx))?;
        match &mut self.shape {
            Shape::Fragments(gathered) => {
                let gathered = std::mem::take(gathered);
                let last = if gathered.is_empty() { last } else { &gathered };
                self.target.fragment(self.kind, last, true)?;
            }
            Shape::OneFrame(0) => self.begin_frame(0)?,
            Shape::OneFrame(missing) => {
                let missing = *missing;
                return Poll::Ready(Err(Error::invalid(format!(
                    "ending a message that is {missing} bytes shorter than was declared"
                ))));
            }
        }
        self.state = State::Finished;
        Poll::Ready(Ok(()))
    }

    fn begin_frame(&mut self, len: u64) -> Result<()> {
        if self.state == State::Fresh {
            self.target.start_frame(self.kind, len)?;
            self.state = State::Begun;
        }
        Ok(())
    }

    /// Sends what was gathered as a fragment that does not end the message.
    fn poll_send_gathered(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if let Shape::Fragments(gathered) = &mut self.shape
            && !gathered.is_empty()
        {
            ready!(self.target.poll_room(cx))?;
            self.target.fragment(self.kind, gathered, false)?;
            self.state = State::Begun;
            gathered.clear();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        if self.state == State::Finished {
            return Poll::Ready(Err(Error::invalid("writing to a message that has ended")));
        }
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let count = bytes.len().min(FRAGMENT);
        match &mut self.shape {
            Shape::OneFrame(missing) => {
                let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                if len > *missing {
                    return Poll::Ready(Err(Error::invalid(format!(
                        "writing {len} bytes to a message that lacks only {missing}"
                    ))));
                }
                let declared = *missing;
                ready!(self.target.poll_room(cx))?;
                self.begin_frame(declared)?;
                self.target.continue_frame(&bytes[..count])?;
                self.shape = Shape::OneFrame(declared - u64::try_from(count).unwrap_or(declared));
            }
            Shape::Fragments(gathered) if gathered.len() + bytes.len() < FRAGMENT => {
                gathered.extend_from_slice(bytes);
                return Poll::Ready(Ok(bytes.len()));
            }
            Shape::Fragments(_) => {
                ready!(self.poll_send_gathered(cx))?;
                if count < FRAGMENT {
                    if let Shape::Fragments(gathered) = &mut self.shape {
                        gathered.extend_from_slice(&bytes[..count]);
                    }
                } else {
                    ready!(self.target.poll_room(cx))?;
                    self.target.fragment(self.kind, &bytes[..count], false)?;
                    self.state = State::Begun;
                }
            }
        }
        Poll::Ready(Ok(count))
    }
}

impl std::fmt::Debug for MessageWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MessageWriter").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl AsyncWrite for MessageWriter<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_accept(cx, bytes).map_err(Into::into)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send_gathered(cx))?;
        this.target.poll_flush(cx).map_err(Into::into)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_finish(cx).map_err(Into::into)
    }
}

impl Drop for MessageWriter<'_> {
    fn drop(&mut self) {
        match (&self.shape, self.state) {
            (_, State::Fresh | State::Finished) => {}
            // The frame is complete, and with it the message.
            (Shape::OneFrame(0), State::Begun) => {}
            (Shape::Fragments(_), State::Begun) => {
                let why = "the sender left a message unfinished";
                self.target.close(CloseFrame::new(CloseCode::INTERNAL_ERROR, why).ok());
            }
            // Inside a frame there is no place for a closing frame.
            (Shape::OneFrame(_), State::Begun) => {
                self.target.abandon(&Error::invalid("dropping the writer of an unfinished frame"));
            }
        }
    }
}
