//! What the library promises, over real sockets on this machine.

mod cancel;
mod client;
mod closing;
mod failing;
mod floors;
mod harness;
mod messages;
mod origin;
mod raw;
mod server;
mod split;
mod streams;
