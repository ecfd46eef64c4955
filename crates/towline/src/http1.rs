//! One HTTP/1.1 head over a byte stream, in each direction.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::{Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use towline_proto::handshake::{
    ClientHandshake, HandshakeError, Negotiated, ServerHandshake, ServerRequest,
};

use crate::deadline::until;
use crate::error::{Error, ErrorKind, Result};

/// Bytes read at once. A head is rarely longer, and what follows it is kept. Allocators give and
/// take so much without looking far.
const READ: usize = 1024;

/// Most bytes that are kept of the body with which a server explains a refusal.
const MAX_BODY: usize = 16 * 1024;

/// So long is such a body waited for: the status says most, and must not be lost for its sake.
const BODY_WAIT: Duration = Duration::from_secs(2);

/// After the last byte is written, wait so long for the peer to see it before the socket goes.
const LINGER: Duration = Duration::from_secs(1);

/// Sends the request and reads the answer. Gives the terms and the bytes that came behind it.
pub(crate) async fn request<T: AsyncRead + AsyncWrite + Unpin>(
    io: &mut T,
    handshake: &mut ClientHandshake,
    doing: impl Into<Cow<'static, str>> + Copy,
) -> Result<(Negotiated, BytesMut)> {
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
            Ok(Some((consumed, _, terms))) => return Ok((terms, bytes.split_off(consumed))),
            Err(HandshakeError::Status { response, consumed }) => {
                let mut body = bytes.split_off(consumed);
                timeout(BODY_WAIT, read_body(io, &response, &mut body)).await.ok();
                body.truncate(MAX_BODY);
                return Err(refused(doing, response.map(|()| body.freeze())));
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

/// The start of a refusal's body, as far as it comes.
async fn read_body<T: AsyncRead + Unpin>(io: &mut T, response: &Response<()>, body: &mut BytesMut) {
    let declared = response
        .headers()
        .get(http::header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    // Without a length the body lasts to the end of the connection, or has none.
    let want = declared.unwrap_or(0).min(MAX_BODY);
    while body.len() < want {
        match io.read_buf(body).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => break,
        }
    }
}

fn refused(doing: impl Into<Cow<'static, str>>, response: Response<Bytes>) -> Error {
    let advice = match response.status() {
        StatusCode::UNAUTHORIZED => "the server wants credentials; send an Authorization header",
        StatusCode::FORBIDDEN => "the server refuses; it may expect another Origin header",
        StatusCode::NOT_FOUND => "is the path of the address right?",
        StatusCode::UPGRADE_REQUIRED => "the server wants another version of the protocol",
        status if status.is_redirection() => "connect to the address in its Location header",
        status if status.is_success() => "that address answers HTTP, but not WebSocket",
        status if status.is_server_error() => "the server has trouble; try again later",
        _ => "the server refuses; its answer is in Error::response",
    };
    let cause = format!("the server answered {}", response.status());
    Error::new(ErrorKind::Handshake, doing).cause(cause).advise(advice).with_response(response)
}
