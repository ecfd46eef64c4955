//! The protocol's tests: a module for each source file, and the instruments they share.

mod check;
mod client;
mod close;
mod closing;
mod config;
#[cfg(feature = "deflate")]
mod deflate;
mod frame;
mod headers;
mod hostile;
mod http1;
mod join;
mod mask;
mod message;
mod outbox;
mod pair;
mod receive;
mod rfc_examples;
mod send;
mod server;
mod timers;
mod uri;
mod utf8;
