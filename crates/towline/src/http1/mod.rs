//! One HTTP/1.1 head over a byte stream, in each direction.

mod answer;
mod body;
mod chunks;
mod refusal;

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use towline_proto::handshake::{ClientHandshake, HandshakeError, ServerHandshake, ServerRequest};

use crate::deadline::until;
use crate::error::{Error, ErrorKind, Result};
use answer::MAX_BODY;
pub(crate) use answer::{Answer, Refusal};
#[cfg(feature = "pac")]
pub(crate) use body::Body;
pub(crate) use refusal::{is_page, refused, via};

/// Bytes read at once. A head is rarely longer, and what follows it is kept. Allocators give and
/// take so much without looking far.
const READ: usize = 1024;

/// After the last byte is written, wait so long for the peer to see it before the socket goes.
const LINGER: Duration = Duration::from_secs(1);

/// Sends the request and reads the answer.
pub(crate) async fn request<T: AsyncRead + AsyncWrite + Unpin>(
    io: &mut T,
    handshake: &mut ClientHandshake,
    doing: impl Into<Cow<'static, str>> + Copy,
) -> Result<Answer> {
    let late = || {
        Error::timed_out(doing, "the server did not answer in time")
            .advise("does that port speak WebSocket, and ws rather than wss?")
    };
    let write = async {
        io.write_all(handshake.request()).await?;
        io.flush().await
    };
    match until(handshake.poll_timeout(), write).await {
        None => return Err(late()),
        Some(written) => written.map_err(|error| Error::disconnected(doing, Some(error)))?,
    }
    loop {
        let Some(bytes) = until(handshake.poll_timeout(), read_some(io, doing)).await else {
            return Err(late());
        };
        let mut bytes = bytes.map_err(|error| {
            error.advise("does that port speak WebSocket, and is it rather wss than ws?")
        })?;
        match handshake.receive(&bytes) {
            Ok(None) => {}
            Ok(Some((consumed, _, terms))) => {
                return Ok(Answer::Open(terms, bytes.split_off(consumed)));
            }
            Err(HandshakeError::Status { response, consumed }) => {
                // Boxed: nobody else needs room for it.
                let refusal = Box::pin(Refusal::read(io, *response, bytes.split_off(consumed)));
                return Ok(Answer::Refused(Box::new(refusal.await)));
            }
            Err(error) => {
                return Err(Error::new(ErrorKind::Handshake, doing)
                    .cause(error)
                    .advise("is there a WebSocket server at that address, and no proxy between?"));
            }
        }
    }
}

/// Reads a request. Gives it and the bytes that came behind it.
pub(crate) async fn read_request<T: AsyncRead + AsyncWrite + Unpin>(
    io: &mut T,
    handshake: &mut ServerHandshake,
    doing: impl Into<Cow<'static, str>> + Copy,
) -> Result<(ServerRequest, BytesMut)> {
    loop {
        let mut bytes = match until(handshake.poll_timeout(), read_some(io, doing)).await {
            Some(bytes) => bytes?,
            None => BytesMut::new(),
        };
        let received = handshake.handle_timeout(Instant::now().into_std());
        match received.and_then(|()| handshake.receive(&bytes)) {
            Ok(None) => {}
            Ok(Some((consumed, request))) => {
                bytes.advance(consumed);
                return Ok((request, bytes));
            }
            Err(error) => {
                // Whoever was too slow to ask may be too slow to listen.
                // Boxed: nobody else needs room for it.
                Box::pin(timeout(LINGER, write_last(io, &error.response()))).await.ok();
                let kind = match error {
                    HandshakeError::TimedOut => ErrorKind::TimedOut,
                    _ => ErrorKind::Handshake,
                };
                return Err(Error::new(kind, doing).cause(error));
            }
        }
    }
}

/// Writes the last bytes of a connection so that they arrive.
///
/// A socket that is closed with bytes unread is reset, and the reset may overtake what was
/// written: so our direction is ended first, and the peer's read out, within bounds.
pub(crate) async fn write_last<T: AsyncRead + AsyncWrite + Unpin>(
    io: &mut T,
    bytes: &[u8],
) -> io::Result<()> {
    io.write_all(bytes).await?;
    io.shutdown().await?;
    // It is all said: whether and how the peer leaves is no matter of ours any more.
    timeout(LINGER, read_out(io)).await.ok();
    Ok(())
}

/// Reads to the end, or as much as an honest client may have sent meanwhile.
async fn read_out<T: AsyncRead + Unpin>(io: &mut T) {
    let mut rest = [0; READ];
    for _ in 0..MAX_BODY / READ {
        if matches!(io.read(&mut rest).await, Ok(0) | Err(_)) {
            break;
        }
    }
}

async fn read_some<T: AsyncRead + Unpin>(
    io: &mut T,
    doing: impl Into<Cow<'static, str>>,
) -> Result<BytesMut> {
    let mut bytes = BytesMut::with_capacity(READ);
    match io.read_buf(&mut bytes).await {
        Ok(0) => Err(Error::new(ErrorKind::Disconnected, doing)
            .cause("the peer ended the connection instead of answering")),
        Ok(_) => Ok(bytes),
        Err(error) => Err(Error::disconnected(doing, Some(error))),
    }
}
