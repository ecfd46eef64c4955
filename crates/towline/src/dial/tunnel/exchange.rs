//! One request to an HTTP proxy, and the head of its answer.

use std::io;

use bytes::{Buf, BytesMut};
use http::header::PROXY_AUTHORIZATION;
use http::{HeaderValue, Response};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use towline_proto::handshake::HeadLimits;
use towline_proto::handshake::http1::{HeadError, HeadReader, write_header};

/// Interim answers (RFC 9110 §15.2) before the one that counts.
const MAX_INTERIM: usize = 8;

/// Bytes read at once; what follows a head is kept.
const READ: usize = 1024;

/// The head of the request.
pub(super) fn request(target: &str, shown: Option<&HeaderValue>) -> Vec<u8> {
    // RFC 9112 §3.2.3, and §3.2 on the Host.
    let mut head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(value) = shown {
        write_header(&mut head, &PROXY_AUTHORIZATION, value);
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// Why there was no answer.
pub(super) enum Trouble {
    Gone(io::Error),
    Garbled(HeadError),
}

/// Sends a request and reads the answer's head. Gives it, and the bytes that came behind it.
pub(super) async fn exchange<T: AsyncRead + AsyncWrite + Unpin>(
    io: &mut T,
    request: &[u8],
) -> Result<(Response<()>, BytesMut), Trouble> {
    io.write_all(request).await.map_err(Trouble::Gone)?;
    io.flush().await.map_err(Trouble::Gone)?;
    let mut bytes = BytesMut::new();
    for _ in 0..MAX_INTERIM {
        let mut reader = HeadReader::new(HeadLimits::default());
        let taken = loop {
            if bytes.is_empty() {
                bytes.reserve(READ);
                if io.read_buf(&mut bytes).await.map_err(Trouble::Gone)? == 0 {
                    return Err(Trouble::Gone(io::ErrorKind::UnexpectedEof.into()));
                }
            }
            match reader.push(&bytes).map_err(Trouble::Garbled)? {
                Some(taken) => break taken,
                None => bytes.clear(),
            }
        };
        bytes.advance(taken);
        let response = reader.response().map_err(Trouble::Garbled)?;
        if !response.status().is_informational() {
            return Ok((response, bytes));
        }
    }
    Err(Trouble::Garbled(HeadError::TooLarge))
}
