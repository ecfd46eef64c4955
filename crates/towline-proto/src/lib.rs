//! The WebSocket protocol of RFC 6455, both roles, with no I/O, no clock, no runtime and no source
//! of randomness: bytes, instants and seeds are arguments.
//!
//! ```text
//!    bytes from the peer                                          what the caller sees
//!  -------------------------> ClientHandshake / ServerHandshake -----> Negotiated
//!  -------------------------> Connection::receive               -----> Event
//!  <------------------------- Connection::outbox                <----- Message
//!                             Connection::poll_timeout          -----> when to look again
//! ```
//!
//! A [`Connection`] parses where the caller's bytes lie and lends out what it finds; of what was
//! read it keeps only what a cut left unfinished. A message may be seen in pieces as they arrive,
//! or be joined by an [`Assembly`].
//!
//! # A blocking client, in full
//!
//! ```no_run
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use std::time::Instant;
//!
//! use towline_proto::handshake::{ClientHandshake, ClientRequest, HeadLimits};
//! use towline_proto::{Assembly, Config, Connection, Event, Role, WsUri};
//!
//! # fn random<const N: usize>() -> [u8; N] {
//! #     let mut bytes = [0; N];
//! #     std::fs::File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
//! #     bytes
//! # }
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let uri: WsUri = "ws://localhost:8080/chat".parse()?;
//!     let mut stream = TcpStream::connect((uri.host(), uri.port()))?;
//!     let mut buffer = [0; 64 * 1024];
//!
//!     let mut handshake = ClientHandshake::new(
//!         ClientRequest::new(&uri),
//!         random(),
//!         HeadLimits::default(),
//!     );
//!     stream.write_all(handshake.request())?;
//!     let (mut unread, _terms) = loop {
//!         let count = stream.read(&mut buffer)?;
//!         if count == 0 {
//!             return Err("the server has gone".into());
//!         }
//!         if let Some((used, _response, terms)) = handshake.receive(&buffer[..count])? {
//!             break (used..count, terms);
//!         }
//!     };
//!
//!     let mut socket = Connection::new(Role::Client, Config::default(), random(), Instant::now());
//!     let mut assembly = Assembly::default();
//!     socket.send("hello")?;
//!     loop {
//!         while !unread.is_empty() {
//!             let (used, event) = socket.receive(&mut buffer[unread.clone()], Instant::now())?;
//!             unread.start += used;
//!             match event {
//!                 Some(Event::Piece(piece)) => {
//!                     if let Some(message) = assembly.push(&piece) {
//!                         println!("{message:?}");
//!                     }
//!                 }
//!                 Some(Event::Closed(frame)) => println!("closed: {frame:?}"),
//!                 _ => {}
//!             }
//!         }
//!         // The message, the answers to pings, and the answer to a close.
//!         while !bytes::Buf::chunk(socket.outbox()).is_empty() {
//!             let written = stream.write(bytes::Buf::chunk(socket.outbox()))?;
//!             bytes::Buf::advance(socket.outbox(), written);
//!         }
//!         unread = 0..stream.read(&mut buffer)?;
//!         if unread.is_empty() {
//!             return Ok(());
//!         }
//!     }
//! }
//! ```
#![forbid(unsafe_code)]

mod close;
mod config;
mod connection;
#[cfg(feature = "deflate")]
mod deflate;
#[cfg(not(feature = "deflate"))]
#[path = "deflate/absent.rs"]
mod deflate;
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
    Connection, Counts, Data, Event, Expired, Incoming, Life, MaskKeys, Received, Receiver, Sender,
    State, WholeMessage,
};
#[cfg(feature = "deflate")]
pub use deflate::{Deflate, DeflateError, DeflateOffer, DeflateTerms, MemoryBudget, Prepared};
pub use error::{ProtocolError, SendError};
pub use frame::{EncodedHeader, FrameHeader, MAX_CONTROL_LEN, Opcode};
pub use mask::MaskKey;
pub use message::{Assembly, Fragment, Message, MessageKind, MessageRef, Part, Piece, Utf8Bytes};
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
