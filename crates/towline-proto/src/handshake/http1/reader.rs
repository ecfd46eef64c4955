//! [`HeadReader`]: finds one head in the bytes as they come.

use std::fmt;

use http::{Request, Response};

use super::HeadError;
use super::parse::{parse_request, parse_response};
use crate::handshake::HeadLimits;
use crate::handshake::headers::is_token_byte;

/// Collects one head from the bytes of a stream, and stops at its end.
///
/// ```text
///       token byte       CR            LF            CR            LF
/// Start ─────────→ Line ────→ LineEnd ────→ Margin ────→ HeadEnd ────→ Complete
///                  ↑  ↺ other               │ other
///                  └────────────────────────┘         what is not drawn → Failed
/// ```
///
/// Each byte is looked at once, however the input is cut.
pub struct HeadReader {
    limits: HeadLimits,
    state: State,
    head: Vec<u8>,
    /// Bytes looked at since the reader was made. Since the limit is set on this and not on what
    /// is held, it bounds the work as well as the memory.
    scanned: usize,
    /// Lines that have ended, the start line among them.
    lines: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Before the first byte.
    Start,
    /// Inside a line.
    Line,
    /// After the CR of a line.
    LineEnd,
    /// Before the first byte of another line.
    Margin,
    /// After the CR of the blank line.
    HeadEnd,
    Complete,
    Failed(HeadError),
}

// A head may hold secrets: cookies, tokens.
impl fmt::Debug for HeadReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadReader")
            .field("state", &self.state)
            .field("scanned", &self.scanned)
            .finish_non_exhaustive()
    }
}

impl HeadReader {
    /// A reader that refuses heads beyond the limits.
    pub fn new(limits: HeadLimits) -> Self {
        Self { limits, state: State::Start, head: Vec::new(), scanned: 0, lines: 0 }
    }

    /// Takes bytes until the head ends.
    ///
    /// `Some(n)` says that it has ended and that `n` bytes of this input belonged to it; what
    /// follows them is for whoever comes next. An error stays: the reader repeats it.
    pub fn push(&mut self, input: &[u8]) -> Result<Option<usize>, HeadError> {
        let mut taken = 0;
        while let Some(&byte) = input.get(taken) {
            if let State::Complete | State::Failed(_) = self.state {
                break;
            }
            self.state = self.next(byte);
            taken += 1;
            if self.state == State::Line {
                taken += self.skip_line(input.get(taken..).unwrap_or_default());
            }
        }
        if let State::Failed(error) = self.state {
            self.head = Vec::new();
            return Err(error);
        }
        self.head.extend_from_slice(input.get(..taken).unwrap_or_default());
        Ok((self.state == State::Complete).then_some(taken))
    }

    /// The bytes of the head so far, as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.head
    }

    /// The request this head is.
    pub fn request(&self) -> Result<Request<()>, HeadError> {
        parse_request(self.whole()?, self.lines)
    }

    /// The response this head is.
    pub fn response(&self) -> Result<Response<()>, HeadError> {
        parse_response(self.whole()?, self.lines)
    }

    /// Forgets the head and waits for another, to which what is left of the limits applies.
    pub(in crate::handshake) fn restart(&mut self) {
        self.head.clear();
        self.state = State::Start;
    }

    fn whole(&self) -> Result<&[u8], HeadError> {
        if self.state == State::Complete { Ok(&self.head) } else { Err(HeadError::Unfinished) }
    }

    /// Passes what is inside a line, where nothing happens; gives how much that was.
    fn skip_line(&mut self, input: &[u8]) -> usize {
        let most = input.len().min(self.limits.bytes - self.scanned);
        let line = input.get(..most).unwrap_or_default();
        let inside = memchr::memchr2(b'\r', b'\n', line).unwrap_or(most);
        self.scanned += inside;
        inside
    }

    fn next(&mut self, byte: u8) -> State {
        if self.scanned == self.limits.bytes {
            return State::Failed(HeadError::TooLarge);
        }
        self.scanned += 1;
        match (self.state, byte) {
            (State::Start, byte) if is_token_byte(byte) => State::Line,
            // RFC 9112 §2.2 lets a server skip blank lines that an earlier request left behind.
            // Before an opening handshake there is no earlier request.
            (State::Start, _) => State::Failed(HeadError::NotHttp),
            (State::Line, b'\r') => State::LineEnd,
            (State::Line | State::Margin, b'\n') => State::Failed(HeadError::LineEnd),
            (State::Margin, b'\r') => State::HeadEnd,
            (State::Margin, b' ' | b'\t') => State::Failed(HeadError::Folded),
            // The start line is not a header, and so as many lines may have ended as there may
            // be headers when yet another one begins.
            (State::Margin, _) if self.lines > self.limits.headers => {
                State::Failed(HeadError::TooManyHeaders)
            }
            (State::Line | State::Margin, _) => State::Line,
            (State::LineEnd, b'\n') => {
                self.lines += 1;
                State::Margin
            }
            (State::HeadEnd, b'\n') => State::Complete,
            (State::LineEnd | State::HeadEnd, _) => State::Failed(HeadError::LineEnd),
            (ended @ (State::Complete | State::Failed(_)), _) => ended,
        }
    }
}
