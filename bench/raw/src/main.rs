//! The limits: echo servers that know little or nothing of WebSocket.

mod accept;
mod cert;
mod epoll;
mod floor;
mod handshake;
mod on_tokio;

use std::io;
use std::path::PathBuf;

use bench_common::serve::{self, ServerArgs};
use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Raw {
    #[command(subcommand)]
    server: Server,
}

#[derive(Subcommand)]
enum Server {
    /// Bytes back as they came, on bare epoll: the physical limit
    Epoll(ServerArgs),
    /// The same and WebSocket: the limit of an echo that parses and unmasks
    Floor(ServerArgs),
    /// Bytes back as they came, on tokio: what the runtime costs
    Tokio(ServerArgs),
    /// The same after an answer to a request's head that is the same for all: the limit of a
    /// handshake
    Accept(ServerArgs),
    /// Writes cert.pem and key.pem for 127.0.0.1
    Cert { folder: PathBuf },
}

fn main() -> io::Result<()> {
    match Raw::parse().server {
        Server::Epoll(args) => epoll::run::<epoll::Raw>(args.listen),
        Server::Floor(args) => epoll::run::<floor::Floor>(args.listen),
        Server::Tokio(args) => serve::run(&args, on_tokio::Raw),
        Server::Accept(args) => serve::run(&args, accept::Accept),
        Server::Cert { folder } => cert::write(&folder),
    }
}
