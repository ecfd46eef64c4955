//! [`ServerHandshake`]: a client's request as it comes; and [`response_head`], a plain answer.

use std::time::Instant;

use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::deadline::Deadline;
use super::http1::{HeadReader, write_header};
use super::{HandshakeError, HeadLimits, ServerRequest};

/// The server's half of one opening handshake (RFC 6455 §4.2).
///
/// It only reads. What to make of the request, [`ServerRequest`] says, which need not ask for a
/// WebSocket at all.
#[derive(Debug)]
pub struct ServerHandshake {
    reader: HeadReader,
    deadline: Deadline,
}

impl ServerHandshake {
    /// Waits for a request.
    pub fn new(limits: HeadLimits) -> Self {
        Self { reader: HeadReader::new(limits), deadline: Deadline::default() }
    }

    /// Sets by when the peer's head has to be whole; `None`, as at first, for no limit.
    #[must_use]
    pub fn expire_at(mut self, deadline: impl Into<Option<Instant>>) -> Self {
        self.deadline = Deadline(deadline.into());
        self
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), unless the head is whole by then.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline.0
    }

    /// Gives up if the deadline has passed. Early calls do nothing.
    ///
    /// # Errors
    /// [`HandshakeError::TimedOut`]
    pub fn handle_timeout(&self, now: Instant) -> Result<(), HandshakeError> {
        self.deadline.check(now)
    }

    /// Takes what the client sent, until the request's head is whole.
    ///
    /// When it is: how many bytes of this input belonged to it, and the request. An error here
    /// means that the bytes are not HTTP; it has a [response](HandshakeError::response) all the
    /// same.
    pub fn receive(
        &mut self,
        input: &[u8],
    ) -> Result<Option<(usize, ServerRequest)>, HandshakeError> {
        let Some(consumed) = self.reader.push(input)? else { return Ok(None) };
        Ok(Some((consumed, ServerRequest::new(self.reader.request()?))))
    }

    /// The bytes of the client's head, as they came.
    pub fn received(&self) -> &[u8] {
        self.reader.bytes()
    }
}

/// Prints the head of a plain HTTP answer, the last one on its connection.
///
/// `Connection: close` is always said. A `body_len` becomes the `Content-Length`; without one the
/// body lasts until the connection is closed, unless `headers` say otherwise (RFC 9112 §6.3).
pub fn response_head(status: StatusCode, headers: &HeaderMap, body_len: Option<u64>) -> Vec<u8> {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).into_bytes();
    for (name, value) in headers {
        // Two framings in one head are how responses get split (RFC 9112 §6.3).
        let framing = name == CONTENT_LENGTH || name == TRANSFER_ENCODING;
        if name != CONNECTION && !(framing && body_len.is_some()) {
            write_header(&mut head, name, value);
        }
    }
    // RFC 9110 §8.6: neither 1xx nor 204 has a length.
    let bodiless = status.is_informational() || status == StatusCode::NO_CONTENT;
    if let Some(len) = body_len.filter(|_| !bodiless) {
        write_header(&mut head, &CONTENT_LENGTH, &HeaderValue::from(len));
    }
    // RFC 9110 §7.8: who sends Upgrade also names it in Connection.
    let upgrade = if headers.contains_key(UPGRADE) { ", Upgrade" } else { "" };
    head.extend_from_slice(format!("Connection: close{upgrade}\r\n\r\n").as_bytes());
    head
}
