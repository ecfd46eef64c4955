//! What can be said on the command line.

mod abuse;
mod client;
mod diagnose;
mod isolate;
mod login;
mod proxy;
#[cfg(target_os = "linux")]
mod run;
mod server;
mod stay;
mod tls;
mod value;
mod way;

use clap::{Parser, Subcommand};

pub(crate) use abuse::AbuseArgs;
pub(crate) use client::{ClientArgs, ConnectArgs, PingArgs, RecvArgs, SendArgs, TalkArgs};
pub(crate) use diagnose::DiagnoseArgs;
pub(crate) use isolate::{CheckArgs, ExplainArgs, IsolateArgs, IsolateCommand};
pub(crate) use login::LoginArgs;
pub(crate) use proxy::ProxyArgs;
#[cfg(target_os = "linux")]
pub(crate) use run::RunArgs;
pub(crate) use server::{DemoArgs, EchoArgs, KeyArgs, ServeArgs};
pub(crate) use tls::TlsArgs;
pub(crate) use value::Hidden;
pub(crate) use way::{Prefer, Resolve, WayArgs};

/// Talk, serve, send and measure over WebSockets
#[derive(Debug, Parser)]
#[command(name = "towline", version, about, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(DemoArgs),
    Serve(ServeArgs),
    Echo(EchoArgs),
    Connect(ConnectArgs),
    Send(SendArgs),
    Recv(RecvArgs),
    Ping(PingArgs),
    Diagnose(DiagnoseArgs),
    Isolate(IsolateArgs),
    #[cfg(target_os = "linux")]
    Run(RunArgs),
    Abuse(AbuseArgs),
}

/// The exit codes are those of `exit::Code`.
const AFTER_HELP: &str = "\
Examples:
  towline demo                                  see it work, on this machine alone
  towline serve                                 a page to try in a browser
  towline connect ws://127.0.0.1:8080/echo      talk to a server
  echo hello | towline connect ws://127.0.0.1:8080/echo --expect 1
  towline diagnose wss://example.com/chat       tell why it does not connect

Data goes to standard output, talk to standard error.

The proxy is the one that ws_proxy, http_proxy (for ws), wss_proxy, https_proxy (for wss) or
all_proxy names; none leads to servers that no_proxy lists, or on this machine. --proxy names
another one, for this machine too.

Exit codes:
    0  the connection was closed normally     28  a deadline passed
    1  anything else that failed              35  TLS could not be agreed on
    2  bad usage, address or header           52  the server closed before any message
    5  the proxy's name was not found         56  the connection was lost (1006)
    6  the host's name was not found          60  the certificate is not to be trusted
    7  nobody listens there                   97  the proxy did not lead to the server
    8  what answers is no WebSocket server   100  closed with another code than 1000 or 1001
    9  the manifest does not permit it       130  interrupted
   18  fewer messages than --expect
   22  the server refused, with a status
   23  a file could not be written
   26  a file could not be read";
