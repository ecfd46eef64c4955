//! Arguments of the commands that serve.

use std::path::PathBuf;

use clap::Args;

use super::value::Hidden;

/// Show text, binary and a large file travel both ways, over ws and wss
///
/// Starts its own servers on this machine, with a certificate made for this run, sends the file up
/// and down as one message each and compares SHA-256. Ends with 0 if all of it arrived unharmed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  towline demo\n  towline demo film.mkv")]
pub(crate) struct DemoArgs {
    /// File to send; by default this program itself
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// Serve a page to try in a browser, an echo, uploads and downloads
///
/// On one port: `/` is the page; `/echo` sends every message back; `/upload` takes each message as
/// a file and answers with its size and SHA-256; `/download/NAME` sends a file as one message;
/// `/WebSocketSample/…` answers as the server of the Windows sample does.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  towline serve
  towline serve --listen 0.0.0.0:8080 --dir shared
  towline serve --cert cert.pem --key key.pem

Ctrl-C closes every connection with 1001 and stops; a second one stops at once.")]
pub(crate) struct ServeArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// Keep to this manifest of an app: see `towline isolate`
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
    /// Folder for uploads and downloads; without it uploads are counted and dropped
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Compress messages with clients that offer it (permessage-deflate)
    #[arg(long)]
    pub(crate) deflate: bool,
    /// Log no connections
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// A bare echo on every path, for conformance and load tests
///
/// Messages of any size come back in their own kind, in constant memory.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  towline echo
  towline echo --listen 127.0.0.1:0 --threads 4")]
pub(crate) struct EchoArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9001")]
    pub(crate) listen: String,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// Keep to this manifest of an app: see `towline isolate`
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
    /// Compress messages with clients that offer it (permessage-deflate)
    #[arg(long)]
    pub(crate) deflate: bool,
    /// Threads that serve connections, each its own share of them
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: u16,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct KeyArgs {
    /// Speak wss, with this certificate (and those between it and its root), in PEM or PKCS#12;
    /// SIGHUP reads it anew
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// The certificate's private key, in PEM, if it is in another file
    #[arg(long, value_name = "PEM", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Password of a PKCS#12 file; @FILE reads it, since others may see what is typed here
    #[arg(long, value_name = "PASSWORD", requires = "cert")]
    pub(crate) pass: Option<Hidden>,
    /// Demand of clients a certificate that one of these, in PEM, has signed
    #[arg(long, value_name = "PEM", requires = "cert")]
    pub(crate) client_cacert: Option<PathBuf>,
}
