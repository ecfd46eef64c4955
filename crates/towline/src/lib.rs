//! WebSockets as messages and as streams, client and server, over TCP and TLS.
//!
//! # A client
//!
//! ```no_run
//! use towline::MessageWebSocket;
//!
//! #[tokio::main]
//! async fn main() -> towline::Result<()> {
//!     let mut socket = MessageWebSocket::connect("ws://127.0.0.1:8080/chat").await?;
//!     socket.send("hello").await?;
//!     while let Some(message) = socket.recv().await? {
//!         println!("{message:?}");
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # A server
//!
//! ```no_run
//! use towline::Server;
//!
//! #[tokio::main]
//! async fn main() -> towline::Result<()> {
//!     let server = Server::bind("127.0.0.1:8080").await?;
//!     loop {
//!         let incoming = server.accept().await?;
//!         tokio::spawn(async move {
//!             let mut socket = incoming.handshake().await?.accept_message().await?;
//!             while let Some(message) = socket.recv().await? {
//!                 socket.send(message).await?;
//!             }
//!             towline::Result::Ok(())
//!         });
//!     }
//! }
//! ```
//!
//! # Where to go from here
//!
//! | you want | read |
//! |---|---|
//! | a server that passes messages between its clients | [`guide::chat`] |
//! | files and films, larger than memory | [`guide::upload`], [`StreamWebSocket`] |
//! | a WebSocket over a byte stream of your own | [`Client::connect_over`], [`guide::transport`] |
//! | headers, subprotocols, deadlines, trusted certificates | [`Client`] |
//! | to say how a server is reached: resolver, family, interface | [`ClientBuilder`] |
//! | `wss`, limits, origins, shutting down | [`Server`], [`ServerBuilder`] |
//! | to compress messages | [`guide::compression`] |
//! | the protocol without I/O | [`proto`] |
//!
//! # How it behaves
//!
//! - **One shape.** [`Client::connect`] and [`Upgrade::accept`] give a [`WebSocket`]; it becomes a
//!   [`MessageWebSocket`] or a [`StreamWebSocket`] by `from`, whichever side it is.
//! - **A normal close is no error**: `recv` gives `None`. Any other end is one error, once.
//! - **Everything has a bound** with a name and a default: see [`Config`] and [`ServerBuilder`].
//!   Nothing is allocated by a length that a peer declared.
//! - **Whoever reads keeps the connection.** Pings are answered, deadlines kept and the closing
//!   handshake done while something waits in a read; there is no task behind your back.
//! - **Every async function says what cancelling it does.** Those that receive lose nothing.
//! - **No compression** unless you ask for it, no proxy is used, no redirect followed, and no
//!   credentials are sent unless you set a header.
//!
//! # Features
//!
//! `tls` (default): `wss`. `deflate` (default): compression, which is off until it is asked for.
//! `idn`: host names outside ASCII.
#![forbid(unsafe_code)]

mod attempt;
mod client;
mod deadline;
#[cfg(feature = "deflate")]
mod deflate;
mod dial;
mod error;
mod http1;
mod info;
mod message;
mod registry;
mod server;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod transport;
mod websocket;

pub mod guide {
    //! Three things to build, each in full, and one to turn on.

    #[doc = include_str!("guide/chat.md")]
    pub mod chat {}

    #[doc = include_str!("guide/upload.md")]
    pub mod upload {}

    #[doc = include_str!("guide/transport.md")]
    pub mod transport {}

    #[cfg(feature = "deflate")]
    #[doc = include_str!("guide/compression.md")]
    pub mod compression {}
}

pub use attempt::{Attempt, AttemptOutcome};
pub use client::{Client, ClientBuilder};
#[cfg(feature = "deflate")]
pub use deflate::deflate_budget;
pub use dial::{Answers, Family, Resolve, SystemResolver};
pub use error::{Error, ErrorKind, Result};
pub use info::{ConnectionInfo, Stats, TlsVersion};
pub use message::{Batch, Event, MessageReceiver, MessageSender, MessageWebSocket};
pub use server::{Detached, Incoming, Server, ServerBuilder, Upgrade};
pub use stream::{
    Chunk, MessageReader, MessageWriter, PieceBatch, StreamReceiver, StreamSender, StreamWebSocket,
};
#[cfg(feature = "tls")]
pub use tls::{ServerTls, TlsConfig};
pub use transport::Transport;
pub use websocket::{Replies, WebSocket};

/// The types of HTTP in this crate's signatures.
pub use http;
pub use towline_proto as proto;
pub use towline_proto::{
    CloseCode, CloseFrame, Config, Fragment, Message, MessageKind, MessageRef, Part, Piece,
    Utf8Bytes, WsUri,
};

#[cfg(feature = "deflate")]
pub use towline_proto::{Deflate, DeflateTerms, MemoryBudget, Prepared};

/// The README's examples are compiled like any other.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}
