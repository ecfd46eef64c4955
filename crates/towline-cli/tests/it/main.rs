//! The command, run as its users run it: arguments and standard input in; standard output, standard
//! error and the exit code out. On loopback only, on ports that the system chooses.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report, helpers included")]

mod abuse;
mod connect;
mod demo;
mod diagnose;
mod echo;
mod errors;
mod harness;
mod help;
mod isolate;
mod login;
#[cfg(target_os = "linux")]
#[path = "../../../towline/tests/it/namespace.rs"]
mod namespace;
mod ping;
mod proxy;
mod reconnect;
mod sample;
mod serve;
mod store;
mod tls;
mod transfer;
mod way;
