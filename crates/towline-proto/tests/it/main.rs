//! The protocol's tests: a module for each source file, and the instruments they share.

mod check;
mod pair;

mod close;
mod closing;
mod config;
mod frame;
mod hostile;
mod mask;
mod message;
mod outbox;
mod receive;
mod rfc_examples;
mod send;
mod timers;
mod utf8;
