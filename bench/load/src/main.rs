//! The load: a client of its own, one thread on epoll, that checks every byte it gets back.
//!
//! It uses no WebSocket library. Frames are made and masked beforehand, and what comes back is
//! compared with what must come, so that the server is what is measured. The result is one line of
//! JSON.

mod check;
mod churn;
mod deflate;
mod echo;
mod frames;
mod huge;
mod idle;
mod latency;
mod stream;
mod window;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
struct Load {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Subcommand)]
enum Mode {
    /// So many messages in flight on each connection, echoed
    Echo(echo::Options),
    /// Connect, shake hands, echo one message, reset, again
    Churn(churn::Options),
    /// One huge message, sent while its echo is read
    Huge(huge::Options),
    /// Connections that do nothing
    Idle(idle::Options),
    /// Compressed text
    Deflate(deflate::Options),
}

/// Where to, and whom to measure.
#[derive(Args, Clone)]
pub(crate) struct Target {
    #[arg(long)]
    pub(crate) addr: SocketAddr,
    /// The server's process
    #[arg(long)]
    pub(crate) pid: u32,
    /// The server knows no WebSocket: it sends back what comes
    #[arg(long)]
    pub(crate) raw: bool,
    /// Speak TLS, trusting this certificate (PEM)
    #[arg(long)]
    pub(crate) tls: Option<PathBuf>,
}

fn main() -> io::Result<()> {
    let result = match Load::parse().mode {
        Mode::Echo(options) => echo::run(&options),
        Mode::Churn(options) => churn::run(&options),
        Mode::Huge(options) => huge::run(&options),
        Mode::Idle(options) => idle::run(&options),
        Mode::Deflate(options) => deflate::run(&options),
    }?;
    println!("{result}");
    Ok(())
}
