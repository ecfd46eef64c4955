//! WebSockets as messages and as streams, client and server.
#![forbid(unsafe_code)]

mod client;
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

pub use client::{Client, ClientBuilder};
pub use error::{Error, ErrorKind, Result};
pub use info::{ConnectionInfo, Stats, TlsVersion};
pub use message::{Event, MessageReceiver, MessageSender, MessageWebSocket};
pub use server::{Incoming, Server, ServerBuilder, Upgrade};
pub use stream::{
    Chunk, MessageReader, MessageWriter, StreamReceiver, StreamSender, StreamWebSocket,
};
#[cfg(feature = "tls")]
pub use tls::{ServerTls, TlsConfig};
pub use transport::Transport;
pub use websocket::WebSocket;

pub use towline_proto as proto;
pub use towline_proto::{
    CloseCode, CloseFrame, Config, Fragment, Message, MessageKind, Utf8Bytes, WsUri,
};
