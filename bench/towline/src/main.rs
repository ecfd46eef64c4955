//! Our own contestants: echo servers and clients, one for each API of the library.

mod server;

use std::io;

use bench_common::serve::ServerArgs;
use clap::{Parser, Subcommand, ValueEnum};

#[derive(Parser)]
struct Contestant {
    /// Which of the library's APIs is used
    #[arg(long, value_enum, default_value = "recv")]
    api: Api,
    #[command(subcommand)]
    program: Program,
}

/// The APIs. Each has a loop in `server.rs` and in `client.rs`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Api {
    /// `recv` and `feed`, whole messages that are owned
    Recv,
}

#[derive(Subcommand)]
enum Program {
    /// An echo server
    Serve(ServerArgs),
}

fn main() -> io::Result<()> {
    let args = Contestant::parse();
    match args.program {
        Program::Serve(options) => server::run(args.api, &options),
    }
}
