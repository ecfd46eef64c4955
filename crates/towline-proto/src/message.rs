//! What is exchanged: messages, and the pieces they come in (RFC 6455 §5.4, §5.6).

use std::fmt;
use std::ops::Deref;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use crate::utf8::Checked;

/// Text or binary: the only difference the protocol knows between messages (RFC 6455 §5.6).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6455 has two kinds; a third must not compile")]
pub enum MessageKind {
    /// UTF-8 text.
    Text,
    /// Bytes.
    Binary,
}

/// A whole message.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6455 has two kinds; a third must not compile")]
pub enum Message {
    /// UTF-8 text.
    Text(Utf8Bytes),
    /// Bytes.
    Binary(Bytes),
}

impl Message {
    /// A text message.
    pub fn text(text: impl Into<Utf8Bytes>) -> Self {
        Self::Text(text.into())
    }

    /// A binary message.
    pub fn binary(data: impl Into<Bytes>) -> Self {
        Self::Binary(data.into())
    }

    /// Text or binary.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Binary(_) => MessageKind::Binary,
        }
    }

    /// The text of a text message.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// The payload, of either kind.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(data) => data,
        }
    }

    /// The payload, of either kind, without a copy.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Binary(data) => data,
        }
    }

    /// The payload's length in bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether the payload is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}
impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}
impl From<Utf8Bytes> for Message {
    fn from(text: Utf8Bytes) -> Self {
        Self::Text(text)
    }
}
impl From<Bytes> for Message {
    fn from(data: Bytes) -> Self {
        Self::Binary(data)
    }
}
impl From<Vec<u8>> for Message {
    fn from(data: Vec<u8>) -> Self {
        Self::binary(data)
    }
}
impl From<&[u8]> for Message {
    fn from(data: &[u8]) -> Self {
        Self::Binary(Bytes::copy_from_slice(data))
    }
}

/// Shared bytes that are UTF-8: cloning shares them, `&*text` is a `&str`.
#[derive(Clone, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Utf8Bytes(ByteString);

impl Utf8Bytes {
    /// Text that lives for ever, without a copy.
    pub const fn from_static(text: &'static str) -> Self {
        Self(ByteString::from_static(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes, without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.0.into_bytes()
    }
}

impl Deref for Utf8Bytes {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}
impl AsRef<str> for Utf8Bytes {
    fn as_ref(&self) -> &str {
        self
    }
}
impl From<&str> for Utf8Bytes {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}
impl From<String> for Utf8Bytes {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}
impl TryFrom<Bytes> for Utf8Bytes {
    type Error = std::str::Utf8Error;
    fn try_from(bytes: Bytes) -> Result<Self, Self::Error> {
        ByteString::try_from(bytes).map(Self)
    }
}
impl PartialEq<str> for Utf8Bytes {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}
impl PartialEq<&str> for Utf8Bytes {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}
impl fmt::Debug for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
impl fmt::Display for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

/// A part of a message, owned, as it came or as it is to be sent.
///
/// Where a received part ends is the network's choice, not the sender's; of text, each received
/// part holds whole characters.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fragment {
    /// The kind of the whole message, on every part of it.
    pub kind: MessageKind,
    /// The bytes. May be empty on the last part, and, of text, where less than a character came.
    pub payload: Bytes,
    /// Whether this is the message's first part.
    pub start: bool,
    /// Whether this is the message's last part.
    pub end: bool,
}

impl Fragment {
    /// A part of a message.
    pub fn new(kind: MessageKind, payload: impl Into<Bytes>, start: bool, end: bool) -> Self {
        Self { kind, payload: payload.into(), start, end }
    }
}

/// A part of a message, lent out of the buffer where it landed. Text in it has been checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Piece<'a> {
    /// The kind of the whole message, on every piece of it.
    pub kind: MessageKind,
    /// The bytes. May be empty on the last piece.
    pub payload: &'a [u8],
    /// Whether this is the message's first piece.
    pub start: bool,
    /// Whether this is the message's last piece.
    pub end: bool,
    /// For text: the characters that became whole with this piece.
    pub(crate) text: Checked<'a>,
}

impl<'a> Piece<'a> {
    pub(crate) const NO_TEXT: Checked<'static> = Checked { first: None, rest: "" };

    /// The text of a text message that came in one piece, without a copy.
    pub fn as_text(&self) -> Option<&'a str> {
        (self.kind == MessageKind::Text && self.is_whole()).then_some(self.text.rest)
    }

    /// Whether the piece is a whole message.
    #[inline(always)]
    pub const fn is_whole(&self) -> bool {
        self.start && self.end
    }

    /// The message, of a piece that is a whole one.
    pub const fn as_message(&self) -> Option<MessageRef<'a>> {
        match self.kind {
            _ if !self.is_whole() => None,
            MessageKind::Text => Some(MessageRef::Text(self.text.rest)),
            MessageKind::Binary => Some(MessageRef::Binary(self.payload)),
        }
    }

    /// The piece with its own copy of the bytes; of text, the characters that became whole.
    pub fn to_fragment(&self) -> Fragment {
        let payload = match (self.kind, self.text.first) {
            (MessageKind::Binary, _) => Bytes::copy_from_slice(self.payload),
            (MessageKind::Text, None) => Bytes::copy_from_slice(self.text.rest.as_bytes()),
            (MessageKind::Text, Some(first)) => {
                let mut text = String::with_capacity(first.len_utf8() + self.text.rest.len());
                text.push(first);
                text.push_str(self.text.rest);
                Bytes::from(text)
            }
        };
        Fragment::new(self.kind, payload, self.start, self.end)
    }
}

/// A whole message that is lent: out of the buffer where it landed, or by who sends it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6455 has two kinds; a third must not compile")]
pub enum MessageRef<'a> {
    /// UTF-8 text.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

impl<'a> MessageRef<'a> {
    /// Text or binary.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Binary(_) => MessageKind::Binary,
        }
    }

    /// The text of a text message.
    pub const fn as_text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// The payload, of either kind.
    #[inline(always)]
    pub const fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(data) => data,
        }
    }

    /// A message of its own, with a copy of the payload.
    pub fn to_message(&self) -> Message {
        match *self {
            Self::Text(text) => Message::from(text),
            Self::Binary(data) => Message::from(data),
        }
    }
}

impl<'a> From<&'a str> for MessageRef<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}
impl<'a> From<&'a [u8]> for MessageRef<'a> {
    fn from(data: &'a [u8]) -> Self {
        Self::Binary(data)
    }
}
impl<'a> From<&'a Message> for MessageRef<'a> {
    fn from(message: &'a Message) -> Self {
        match message {
            Message::Text(text) => Self::Text(text),
            Message::Binary(data) => Self::Binary(data),
        }
    }
}

/// A message, or the next part of one, to be sent from memory that is only borrowed.
///
/// Made of what is known to be text where it says so: a [`MessageRef`], or a [`Piece`], of which
/// it has the characters that became whole.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub(crate) kind: MessageKind,
    /// A character that a piece had begun and the next one ended.
    pub(crate) first: Option<char>,
    pub(crate) rest: &'a [u8],
    pub(crate) start: bool,
    pub(crate) end: bool,
}

impl Part<'_> {
    /// The payload's length in bytes.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.first.map_or(0, char::len_utf8) + self.rest.len()
    }

    /// Whether the payload is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a, M: Into<MessageRef<'a>>> From<M> for Part<'a> {
    #[inline(always)]
    fn from(message: M) -> Self {
        let message = message.into();
        let (kind, rest) = (message.kind(), message.as_bytes());
        Self { kind, first: None, rest, start: true, end: true }
    }
}
impl<'a> From<Piece<'a>> for Part<'a> {
    #[inline(always)]
    fn from(piece: Piece<'a>) -> Self {
        let (first, rest) = match piece.kind {
            MessageKind::Binary => (None, piece.payload),
            MessageKind::Text => (piece.text.first, piece.text.rest.as_bytes()),
        };
        Self { kind: piece.kind, first, rest, start: piece.start, end: piece.end }
    }
}

impl<'a> From<MessageRef<'a>> for Piece<'a> {
    #[inline(always)]
    fn from(message: MessageRef<'a>) -> Self {
        let text = match message {
            MessageRef::Text(rest) => Checked { first: None, rest },
            MessageRef::Binary(_) => Self::NO_TEXT,
        };
        let (kind, payload) = (message.kind(), message.as_bytes());
        Self { kind, payload, start: true, end: true, text }
    }
}

/// Joins the pieces of a message.
///
/// Holds nothing between messages. Its size is bounded by the connection's `max_message_size`,
/// and it grows with the bytes that came, never with a length that was declared.
#[derive(Debug, Default)]
pub struct Assembly {
    /// Whether a message's beginning is held, if only as a character that is not whole yet.
    open: bool,
    text: String,
    data: BytesMut,
}

impl Assembly {
    /// Adds a piece; with the last one of a message, gives the message.
    ///
    /// Pieces of a message whose beginning went elsewhere are skipped.
    pub fn push(&mut self, piece: &Piece<'_>) -> Option<Message> {
        if !piece.start && !self.open {
            return None;
        }
        self.open = !piece.end;
        match (piece.kind, piece.is_whole()) {
            (MessageKind::Text, true) => Some(Message::text(piece.text.rest)),
            (MessageKind::Binary, true) => Some(Message::from(piece.payload)),
            (MessageKind::Text, false) => {
                self.text.extend(piece.text.first);
                self.text.push_str(piece.text.rest);
                piece.end.then(|| Message::Text(std::mem::take(&mut self.text).into()))
            }
            (MessageKind::Binary, false) => {
                self.data.extend_from_slice(piece.payload);
                piece.end.then(|| Message::Binary(std::mem::take(&mut self.data).freeze()))
            }
        }
    }

    /// Bytes held of a message that is not complete.
    pub fn len(&self) -> usize {
        self.text.len() + self.data.len()
    }

    /// Whether no bytes are held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the beginning of a message that is not complete, if there is one; of text, the whole
    /// characters. The rest of the message is skipped by [`push`](Self::push).
    pub fn take(&mut self) -> Option<Bytes> {
        if !std::mem::take(&mut self.open) {
            return None;
        }
        let text = std::mem::take(&mut self.text);
        let data = std::mem::take(&mut self.data).freeze();
        Some(if text.is_empty() { data } else { Bytes::from(text) })
    }
}
