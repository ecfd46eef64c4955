//! What load, servers and clients of the benchmark share. No WebSocket library is in here.

#[cfg(feature = "tokio")]
pub mod client;
pub mod cycle;
pub mod listen;
#[cfg(feature = "tokio")]
pub mod micro;
pub mod payload;
pub mod proc;
#[cfg(feature = "tokio")]
pub mod serve;
#[cfg(feature = "tls")]
pub mod tls;
