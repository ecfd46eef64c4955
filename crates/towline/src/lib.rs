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
//! | to log in: a password, a token, cookies | [`Credentials`], [`ClientBuilder::cookies`] |
//! | proxies | [`Proxies`], [`Proxy`] |
//! | to connect again when the connection is lost | [`Reconnecting`] |
//! | `wss`, limits, origins, shutting down | [`Server`], [`ServerBuilder`] |
//! | to say whom to trust, and to be known by a certificate | [`guide::tls`] |
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
//! - **No compression** unless you ask for it, no redirect is followed, no cookie kept, and no
//!   credentials are sent but those that you give. Proxies are those that the environment names, as
//!   curl reads it, unless you say otherwise: see [`Proxies`].
//!
//! # Features
//!
//! `tls` (default): `wss`. `deflate` (default): compression, which is off until it is asked for.
//! `isolation` (default): a policy that says which networks a program reaches, see [`isolation`].
//! `idn`: host names outside ASCII. `pkcs12`: certificates and keys from PKCS#12 files. `ntlm`: passwords
//! by NTLM, version 2. `negotiate`: the tickets of the user who is logged on (Kerberos), by the system's GSSAPI.
//! `pac`: scripts that choose a proxy.
#![forbid(unsafe_code)]

mod attempt;
mod auth;
#[cfg(feature = "tls")]
mod certificate;
mod client;
mod deadline;
#[cfg(feature = "deflate")]
mod deflate;
mod dial;
mod error;
mod guard;
mod http1;
mod info;
mod message;
mod progress;
mod proxy;
mod reconnect;
mod registry;
mod server;
mod statistics;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod transport;
mod websocket;

pub mod guide {
    //! Three things to build, each in full, and two to set.

    #[doc = include_str!("guide/chat.md")]
    pub mod chat {}

    #[doc = include_str!("guide/upload.md")]
    pub mod upload {}

    #[doc = include_str!("guide/transport.md")]
    pub mod transport {}

    #[cfg(feature = "deflate")]
    #[doc = include_str!("guide/compression.md")]
    pub mod compression {}

    #[cfg(feature = "tls")]
    #[doc = include_str!("guide/tls.md")]
    pub mod tls {}
}

pub use attempt::{Attempt, AttemptOutcome};
pub use auth::{Credentials, Scheme, Secret, TokenRequest};
#[cfg(feature = "tls")]
pub use certificate::{
    BadPin, Certificate, CertificateError, PeerCertificates, Pin, Severity, UnknownCertificateError,
};
pub use client::{Client, ClientBuilder, CookieJar, Cookies};
#[cfg(feature = "deflate")]
pub use deflate::deflate_budget;
pub use dial::{Answers, Family, Resolve, SystemResolver};
pub use error::{Error, ErrorKind, HResult, Result, Step, WebErrorStatus};
pub use info::{ConnectionInfo, Stats, TlsVersion};
pub use message::{Batch, Event, MessageReceiver, MessageSender, MessageWebSocket};
pub use progress::Progress;
#[cfg(feature = "pac")]
pub use proxy::PacScript;
pub use proxy::{Proxies, Proxy, Route};
pub use reconnect::{
    Backoff, Delivery, LinkChange, LinkEvent, LinkState, LinkStates, Lost, Opening,
    ReconnectBuilder, Reconnecting, Reconnector, Ticket, Tickets, Why,
};
pub use server::{Detached, Incoming, Server, ServerBuilder, Upgrade};
pub use statistics::BandwidthStatistics;
pub use stream::{
    Chunk, MessageReader, MessageWriter, PieceBatch, StreamReceiver, StreamSender, StreamWebSocket,
};
#[cfg(feature = "tls")]
pub use tls::{Identity, ServerTls, TlsConfig};
pub use transport::Transport;
pub use websocket::{Replies, WebSocket};

/// Manifests and policies: which networks a program reaches, and is reached from.
///
/// See [`ClientBuilder::policy`] and [`ServerBuilder::policy`].
#[cfg(feature = "isolation")]
pub use towline_isolate as isolation;

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

/// And those of the page for who comes from Windows.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/winrt.md")]
mod winrt {}
