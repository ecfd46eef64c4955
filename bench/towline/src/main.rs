//! Our own contestants: echo servers and clients, one for each API of the library.

mod client;
mod server;

use std::io;

use bench_common::client::{self as clients, ClientArgs};
use bench_common::micro::{self, Memory, MicroArgs};
use bench_common::serve::ServerArgs;
use clap::{Parser, Subcommand, ValueEnum};
use towline::proto::Role;
use towline::proto::handshake::Negotiated;
use towline::{Config, WebSocket};

#[derive(Parser)]
struct Contestant {
    /// Which of the library's APIs is used
    #[arg(long, value_enum, default_value = "batch")]
    api: Api,
    #[command(subcommand)]
    program: Program,
}

/// The APIs. Each is a loop in `server.rs`, which `echo` there chooses, and one in `client.rs`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Api {
    /// `recv_batch`, whole messages that are lent
    Batch,
    /// `recv_pieces`, messages of any size, lent as they come
    Pieces,
    /// `recv` and `feed`, whole messages that are owned
    Recv,
}

#[derive(Subcommand)]
enum Program {
    /// An echo server
    Serve(ServerArgs),
    /// A client of an echo server
    Client(ClientArgs),
    /// The server's loop alone, over a stream in memory
    Micro(MicroArgs),
    /// Prints the names of the APIs
    Apis,
}

fn main() -> io::Result<()> {
    let Contestant { api, program } = Contestant::parse();
    match program {
        Program::Serve(args) => server::run(api, &args),
        Program::Client(args) => clients::run(&args, api),
        Program::Micro(args) => micro::run(&args, |memory| server::echo(api, in_memory(memory))),
        Program::Apis => {
            for api in Api::value_variants() {
                let name = api.to_possible_value().expect("none is hidden");
                println!("{}", name.get_name());
            }
            Ok(())
        }
    }
}

fn in_memory(memory: Memory) -> WebSocket<Memory> {
    WebSocket::new(memory, Role::Server, Negotiated::default(), Config::default())
}
