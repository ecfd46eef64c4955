//! The others: echo servers and clients of today's Rust libraries, each set as its own documents
//! say is fastest, and gathering replies for one flush where its API can.

mod at_hand;
mod fast;
mod http_upgrade;
mod sockudo;
mod tokio_ws;
mod tungstenite;
mod wtx_ws;
mod yawc_ws;

use std::future::Future;
use std::io;

use bench_common::client::{self, Client, ClientArgs, Course};
use bench_common::micro::{self, Memory, MicroArgs};
use bench_common::serve::{self, Io, Serve, ServerArgs};
use clap::{Parser, Subcommand, ValueEnum};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

#[derive(Parser)]
struct Contestant {
    #[arg(value_enum)]
    peer: Name,
    #[command(subcommand)]
    program: Program,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    TokioTungstenite,
    /// With `read_buffer_size(8192)`: it zeroes its read buffer on each read
    #[value(name = "tokio-tungstenite-8k")]
    TokioTungstenite8k,
    Fastwebsockets,
    /// Frames as they come, instead of messages
    FastwebsocketsFrames,
    TokioWebsockets,
    Yawc,
    /// With the buffers that it has by itself
    YawcDefault,
    /// Frames as they come, instead of messages
    YawcStreaming,
    /// Agrees on permessage-deflate, at level 1
    YawcDeflate,
    SockudoWs,
    /// Agrees on permessage-deflate, at level 1
    SockudoWsDeflate,
    Wtx,
}

#[derive(Subcommand)]
enum Program {
    /// An echo server
    Serve(ServerArgs),
    /// A client of an echo server
    Client(ClientArgs),
    /// The server's loop alone, over a stream in memory
    Micro(MicroArgs),
}

/// A library's client.
trait Talk: Copy + Send + Sync + 'static {
    /// Shakes hands, then keeps `course.depth` messages in flight until there is an error.
    fn talk<S: Io>(self, stream: S, course: Course) -> impl Future<Output = io::Result<()>> + Send;
}

/// One library, with one choice of settings.
trait Peer: Serve + Talk {
    /// Echoes on a stream on which the handshake is done.
    fn echo(self, stream: Memory) -> impl Future<Output = ()>;
}

fn main() -> io::Result<()> {
    let Contestant { peer, program } = Contestant::parse();
    match peer {
        Name::TokioTungstenite => run(tungstenite::Peer { read_buffer: None }, program),
        Name::TokioTungstenite8k => run(tungstenite::Peer { read_buffer: Some(8192) }, program),
        Name::Fastwebsockets => run(fast::Peer { frames: false }, program),
        Name::FastwebsocketsFrames => run(fast::Peer { frames: true }, program),
        Name::TokioWebsockets => run(tokio_ws::Peer, program),
        Name::Yawc => run(yawc_ws::Peer::Tuned, program),
        Name::YawcDefault => run(yawc_ws::Peer::Default, program),
        Name::YawcStreaming => run(yawc_ws::Peer::Streaming, program),
        Name::YawcDeflate => run(yawc_ws::Peer::Deflate, program),
        Name::SockudoWs => run(sockudo::Peer { deflate: false }, program),
        Name::SockudoWsDeflate => run(sockudo::Peer { deflate: true }, program),
        Name::Wtx => run(wtx_ws::Peer, program),
    }
}

fn run(peer: impl Peer, program: Program) -> io::Result<()> {
    match program {
        Program::Serve(args) => serve::run(&args, peer),
        Program::Client(args) => client::run(&args, Connecting(peer)),
        Program::Micro(args) => micro::run(&args, |memory| peer.echo(memory)),
    }
}

/// A client that is given its stream, so that all have the same, TLS included.
#[derive(Clone, Copy)]
struct Connecting<T>(T);

impl<T: Talk> Client for Connecting<T> {
    async fn run(self, course: Course) -> io::Result<()> {
        let stream = course.connect().await?;
        match course.tls.clone() {
            None => self.0.talk(stream, course).await,
            Some(tls) => {
                let name = ServerName::from(course.addr.ip());
                let stream = TlsConnector::from(tls).connect(name, stream).await?;
                self.0.talk(stream, course).await
            }
        }
    }
}

/// Largest message: huge ones are held.
const MAX_MESSAGE_SIZE: usize = 2 * 1024 * 1024 * 1024;

/// Any library's error.
fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}

fn ended() -> io::Error {
    io::Error::other("the server ended the connection")
}
