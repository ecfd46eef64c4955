//! Arguments of the commands that connect.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::login::LoginArgs;
use super::proxy::ProxyArgs;
use super::stay::StayArgs;
use super::tls::TlsArgs;
use super::value::{some_time, time};
use super::way::WayArgs;

/// How to reach the server, the same for every command that connects.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ClientArgs {
    /// Header for the opening request, as "Name: value"; @FILE reads one a line
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
    /// Subprotocol to offer, the one liked best first
    #[arg(short, long = "subprotocol", value_name = "NAME")]
    pub(crate) subprotocols: Vec<String>,
    /// Origin to name, as browsers do
    #[arg(short, long, value_name = "ORIGIN")]
    pub(crate) origin: Option<String>,
    /// Offer to compress messages (permessage-deflate)
    #[arg(long)]
    pub(crate) deflate: bool,
    /// Send a pong unasked so often, a heartbeat that needs no answer; at least 15s
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(crate) pong_interval: Option<Duration>,
    /// Show the opening handshake on standard error
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// One JSON object a line on standard output, each with "v" and "type"
    #[arg(long)]
    pub(crate) json: bool,
    /// Keep to this manifest of an app: see `towline isolate`
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) login: LoginArgs,
    #[command(flatten)]
    pub(crate) way: WayArgs,
    #[command(flatten)]
    pub(crate) proxy: ProxyArgs,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
}

/// When a conversation is over.
#[derive(Args, Debug)]
pub(crate) struct TalkArgs {
    /// After the end of input, close once N messages have come
    #[arg(long, value_name = "N")]
    pub(crate) expect: Option<u64>,
    /// After the end of input, close after so long
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) wait: Option<Duration>,
}

/// Talk to a server, at a terminal or in a pipe
///
/// At a terminal what you type is sent line by line, and /help lists what else can be done. In a
/// pipe each line of standard input is a text message; after its end messages are still read until
/// the server closes, --expect or --wait. Text goes to standard output as lines, binary as it is.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  towline connect wss://example.com/chat -s chat -H 'X-Team: blue'
  echo hello | towline connect ws://127.0.0.1:8080/echo --expect 1
  towline connect wss://example.com/prices --json </dev/null | jq .text
  towline connect wss://example.com/chat -x http://proxy.example:3128 -U @proxy.pw
  towline connect wss://example.com/prices --reconnect --retry 10 </dev/null

`towline --help` lists the exit codes.")]
pub(crate) struct ConnectArgs {
    /// Address of the server, ws:// or wss://
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// Send standard input as one binary message
    #[arg(short, long)]
    pub(crate) binary: bool,
    #[command(flatten)]
    pub(crate) talk: TalkArgs,
    #[command(flatten)]
    pub(crate) stay: StayArgs,
    /// Keep no history of what was typed; a line that begins with a space is never kept
    #[arg(long)]
    pub(crate) no_history: bool,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// Send a file as one message
///
/// The file is streamed: its size does not matter. Answers go to standard output.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  towline send ws://127.0.0.1:8080/upload film.mkv --expect 1
  tar c folder | towline send ws://127.0.0.1:8080/upload?name=folder.tar - --expect 1

`towline --help` lists the exit codes.")]
pub(crate) struct SendArgs {
    /// Address of the server, ws:// or wss://
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// File to send; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Send it as text, which must be UTF-8
    #[arg(short, long)]
    pub(crate) text: bool,
    /// Send it as one single frame instead of fragments
    #[arg(long)]
    pub(crate) one_frame: bool,
    #[command(flatten)]
    pub(crate) talk: TalkArgs,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// Receive one message into a file
///
/// The message is streamed: its size does not matter. The file appears when it is complete.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  towline recv ws://127.0.0.1:8080/download/film.mkv film.mkv
  towline recv ws://127.0.0.1:8080/download/folder.tar - | tar x

`towline --help` lists the exit codes.")]
pub(crate) struct RecvArgs {
    /// Address of the server, ws:// or wss://
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// File to write; - is standard output
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Replace the file if it exists
    #[arg(short, long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// Measure round-trip times
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  towline ping wss://example.com/chat
  towline ping ws://127.0.0.1:8080/echo -c 10 -i 0.2

Ends with 0 if any pong came. `towline --help` lists the exit codes.")]
pub(crate) struct PingArgs {
    /// Address of the server, ws:// or wss://
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// Stop after N pings; by default at Ctrl-C
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Time from one ping to the next
    #[arg(short, long, value_name = "TIME", default_value = "1s", value_parser = time)]
    pub(crate) interval: Duration,
    /// A ping that is not answered for so long is lost
    #[arg(short = 'W', long, value_name = "TIME", default_value = "10s", value_parser = some_time)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}
