//! [`Answer`]: what a server said, and the body with which it explains a refusal.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Response;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;
use towline_proto::handshake::Negotiated;

use super::READ;
use super::body::{Body, stays};
use crate::info::hide;

/// Most bytes that are kept of the body with which a server or a proxy explains a refusal.
pub(super) const MAX_BODY: usize = 16 * 1024;

/// Longest body that is read to its end for the sake of the connection: it costs more than a new one.
const MAX_READ: usize = 64 * 1024;

/// So long is a body waited for: the status says most, and must not be lost for its sake.
const BODY_WAIT: Duration = Duration::from_secs(2);

/// What a server answered.
pub(crate) enum Answer {
    /// The terms, and the bytes that came behind the answer.
    Open(Negotiated, BytesMut),
    /// Boxed: few handshakes end so.
    Refused(Box<Refusal>),
}

/// An answer that is no WebSocket, or no tunnel.
pub(crate) struct Refusal {
    /// With the start of its body.
    pub(crate) response: Response<Bytes>,
    /// Whether the connection can carry another request: the answer is read to its end.
    pub(crate) reusable: bool,
}

impl Refusal {
    /// Without its body.
    pub(crate) fn head(&self) -> Response<()> {
        let mut head = Response::new(());
        *head.status_mut() = self.response.status();
        *head.headers_mut() = self.response.headers().clone();
        head
    }

    /// Reads a refusal's body, as far as it comes; `bytes` are those that came with the head.
    pub(crate) async fn read<T: AsyncRead + Unpin>(
        io: &mut T,
        response: Response<()>,
        bytes: BytesMut,
    ) -> Self {
        let body = Body::of(&response);
        let mut content = Vec::new();
        let reading = timeout(BODY_WAIT, read_body(io, body, bytes, &mut content));
        let whole = reading.await.unwrap_or(false);
        content.truncate(MAX_BODY);
        let reusable = whole && stays(&response);
        let mut response = response.map(|()| content.into());
        hide(response.headers_mut());
        Self { response, reusable }
    }
}

/// Adds a body to `content`; gives whether it ended where it should.
async fn read_body<T: AsyncRead + Unpin>(
    io: &mut T,
    mut body: Body,
    mut bytes: BytesMut,
    content: &mut Vec<u8>,
) -> bool {
    // Of one that is too long the start will do.
    let mut left = match body {
        Body::Length(len) if !fits(len) => MAX_BODY,
        Body::Length(_) | Body::Chunked(_) | Body::ToTheEnd => MAX_READ,
    };
    loop {
        match body.push(&bytes, content) {
            // Behind it nothing was asked for.
            Ok(Some(end)) => return end == bytes.len(),
            Ok(None) => {}
            Err(()) => return false,
        }
        left = match left.checked_sub(bytes.len()) {
            Some(left @ 1..) => left,
            Some(0) | None => return false,
        };
        bytes.clear();
        bytes.reserve(READ);
        if !matches!(io.read_buf(&mut bytes).await, Ok(1..)) {
            return false;
        }
    }
}

fn fits(len: u64) -> bool {
    usize::try_from(len).is_ok_and(|len| len <= MAX_READ)
}
