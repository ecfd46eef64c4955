//! What comes on a connection, taken apart.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, ReadHalf};

use super::attack::Seen;
use super::bytes::widened;
use super::raw::ByteStream;

/// Most of a frame's payload that is kept; the rest is read and dropped.
const MAX_KEPT: usize = 1024;

/// Longest head of an answer.
const MAX_HEAD: usize = 64 * 1024;

/// A frame that came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Frame {
    /// FIN, the reserved bits and the opcode.
    pub(super) first: u8,
    pub(super) key: Option<[u8; 4]>,
    /// What it carried, unmasked; of a long one nothing.
    pub(super) payload: Vec<u8>,
    pub(super) len: u64,
}

impl Frame {
    /// A closing frame's code; 1005 stands for none (RFC 6455 §7.1.5).
    pub(super) fn code(&self) -> u16 {
        self.payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))
    }
}

/// Bytes that come, taken apart.
pub(super) struct Reader {
    io: ReadHalf<Box<dyn ByteStream>>,
    inbox: BytesMut,
    /// So many bytes of a long frame are still to be dropped.
    skip: u64,
}

impl Reader {
    pub(super) fn new(io: ReadHalf<Box<dyn ByteStream>>) -> Self {
        Self { io, inbox: BytesMut::new(), skip: 0 }
    }

    /// The next frame; `None` at the end. Nothing is lost if it is cancelled.
    pub(super) async fn frame(&mut self) -> Option<Frame> {
        loop {
            let dropped = self.inbox.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
            self.inbox.advance(dropped);
            self.skip -= widened(dropped);
            if self.skip == 0
                && let Some(frame) = self.parse()
            {
                return Some(frame);
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    fn parse(&mut self) -> Option<Frame> {
        let (&first, &second) = (self.inbox.first()?, self.inbox.get(1)?);
        let (at, len) = match second & 0x7F {
            126 => (4, u16::from_be_bytes(*self.inbox.get(2..)?.first_chunk()?).into()),
            127 => (10, u64::from_be_bytes(*self.inbox.get(2..)?.first_chunk()?)),
            len => (2, u64::from(len)),
        };
        let (at, key) = match second & 0x80 {
            0 => (at, None),
            _ => (at + 4, Some(*self.inbox.get(at..)?.first_chunk()?)),
        };
        let kept = usize::try_from(len).ok().filter(|len| *len <= MAX_KEPT);
        let mut payload = Vec::new();
        match kept {
            Some(len) => {
                payload.extend_from_slice(self.inbox.get(at..at + len)?);
                self.inbox.advance(at + len);
            }
            None => {
                self.inbox.get(..at)?;
                self.inbox.advance(at);
                self.skip = len;
            }
        }
        for (byte, key) in payload.iter_mut().zip(key.iter().flatten().cycle()) {
            *byte ^= key;
        }
        Some(Frame { first, key, payload, len })
    }

    /// Reads some more; whether there was any.
    async fn fill(&mut self) -> bool {
        self.inbox.reserve(16 * 1024);
        matches!(self.io.read_buf(&mut self.inbox).await, Ok(1..))
    }

    /// An HTTP answer's head, and what it says.
    pub(super) async fn head(&mut self) -> (Seen, String) {
        let Some(head) = self.read_head().await else { return (Seen::Cut, String::new()) };
        let status = head.split(' ').nth(1).and_then(|status| status.get(..3)?.parse().ok());
        match status {
            Some(101) => (Seen::Alive, head),
            Some(status) if head.starts_with("HTTP/1.") => (Seen::Refused(status), head),
            _ => (Seen::Wrong("an answer that is no HTTP".to_owned()), head),
        }
    }

    pub(super) async fn read_head(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.inbox.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.inbox.split_to(end + 4);
                return Some(String::from_utf8_lossy(&head).into_owned());
            }
            if self.inbox.len() > MAX_HEAD || !self.fill().await {
                return None;
            }
        }
    }
}
