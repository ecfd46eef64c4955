//! What the receiving half finds in the peer's bytes.

use std::ops::Range;
use std::time::Instant;

use crate::close::CloseFrame;
use crate::message::MessageKind;

/// What one call of [`Receiver::receive`](super::Receiver::receive) found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Received {
    /// So many bytes of the input are used up.
    pub consumed: usize,
    /// What they amounted to; `None` if the input was used up without an event.
    pub event: Option<Incoming>,
}

/// An event of the receiving half.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Incoming {
    /// A part of a message; see it with [`Receiver::lend`](super::Receiver::lend).
    Data(Data),
    /// A ping, to be answered; see [`Receiver::control_payload`](super::Receiver::control_payload).
    Ping,
    /// A pong; see [`Receiver::control_payload`](super::Receiver::control_payload).
    Pong,
    /// The closing frame. Nothing follows.
    Close(Option<CloseFrame>),
}

/// A part of a message, as a place in the input that was passed to
/// [`Receiver::receive`](super::Receiver::receive).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Data {
    /// The kind of the whole message.
    pub kind: MessageKind,
    /// Whether this is the message's first piece.
    pub start: bool,
    /// Whether this is the message's last piece.
    pub end: bool,
    /// Where the payload lies: unmasked, in the input.
    pub payload: Range<usize>,
    /// Whether it was inflated, so that its place is not in the input but in the receiver.
    pub inflated: bool,
}

/// A message that lies whole in the input that was passed to
/// [`Receiver::receive_whole`](super::Receiver::receive_whole).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct WholeMessage {
    /// Text or binary.
    pub kind: MessageKind,
    /// Where the payload lies, unmasked. Its end is what was used up of the input.
    pub payload: Range<usize>,
}

/// When the peer last gave a sign of life, for [`Sender::handle_timeout`](super::Sender).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Life {
    /// When the last byte came.
    pub received: Instant,
    /// When the last byte of a message came.
    pub data: Instant,
}
