//! What load, servers and clients of the benchmark share. No WebSocket library is in here.

pub mod cycle;
pub mod listen;
pub mod payload;
pub mod proc;
#[cfg(feature = "tokio")]
pub mod serve;
#[cfg(feature = "tls")]
pub mod tls;
