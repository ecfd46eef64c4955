//! What the library promises, over real sockets on this machine.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report, helpers included")]

mod batch;
mod cancel;
mod client;
mod closing;
#[cfg(feature = "deflate")]
mod deflate;
mod failing;
#[cfg(target_os = "linux")]
mod families;
mod floors;
mod harness;
mod hostile;
mod messages;
#[cfg(target_os = "linux")]
mod namespace;
mod origin;
mod raw;
mod regressions;
mod server;
mod split;
mod streams;
#[cfg(feature = "tls")]
mod tls;
mod way;
