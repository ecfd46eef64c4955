//! The WebSocket protocol of RFC 6455, both roles, with no I/O, no clock and no runtime.
//!
//! ```text
//!    bytes from the peer                                          what the caller sees
//!  -------------------------> ClientHandshake / ServerHandshake -----> Negotiated
//!  -------------------------> Connection::receive               -----> Event
//!  <------------------------- Connection::outbox                <----- Message
//!                             Connection::poll_timeout          -----> when to look again
//! ```
#![forbid(unsafe_code)]

mod close;
mod config;
mod connection;
mod error;
mod frame;
pub mod handshake;
mod mask;
mod message;
mod outbox;
mod uri;
mod utf8;

pub use close::{CloseCode, CloseError, CloseFrame, MAX_REASON_LEN};
pub use config::Config;
pub use connection::{
    Connection, Counts, Data, Event, Expired, Incoming, Life, Received, Receiver, Sender, State,
};
pub use error::{ProtocolError, SendError};
pub use frame::{EncodedHeader, FrameHeader, MAX_CONTROL_LEN, Opcode};
pub use mask::MaskKey;
pub use message::{Assembly, Fragment, Message, MessageKind, Piece, Utf8Bytes};
pub use outbox::Outbox;
pub use uri::{UriError, WsUri};
pub use utf8::{Checked, InvalidUtf8, Utf8Validator};

/// Which side of a connection this is.
///
/// The whole difference after the opening handshake: a client masks, and a server closes TCP first.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a connection has two sides")]
pub enum Role {
    /// The side that asked for the connection.
    Client,
    /// The side that granted it.
    Server,
}
