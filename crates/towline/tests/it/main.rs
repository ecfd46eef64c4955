//! What the library promises, over real sockets on this machine.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report, helpers included")]

mod batch;
mod cancel;
mod client;
mod closing;
mod credentials;
#[cfg(feature = "deflate")]
mod deflate;
mod documents;
mod failing;
#[cfg(target_os = "linux")]
mod families;
mod floors;
mod harness;
mod hostile;
#[cfg(feature = "isolation")]
mod isolation;
mod masking;
mod messages;
mod mutants;
#[cfg(target_os = "linux")]
mod namespace;
mod origin;
mod progress;
mod proxy;
mod raw;
mod reconnect;
mod redirects;
mod regressions;
mod server;
mod split;
mod statistics;
mod streams;
#[cfg(feature = "tls")]
mod tls;
mod way;
mod windows;
