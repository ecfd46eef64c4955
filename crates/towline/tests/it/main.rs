//! What the library promises, over real sockets on this machine.

mod messages;
