//! `towline`: talk, serve, send and measure over WebSockets.
#![forbid(unsafe_code)]

mod abuse;
mod args;
mod client;
mod connect;
mod demo;
mod diagnose;
mod echo;
mod exit;
mod flushing;
mod handshake;
mod interrupt;
mod isolate;
mod json;
mod listen;
mod login;
mod memory;
mod output;
mod part;
mod ping;
mod print;
mod progress;
mod proxy;
mod recv;
#[cfg(target_os = "linux")]
mod run;
mod send;
mod serve;
mod talk;
mod tally;
mod tls;
mod way;
mod workers;

use std::future::Future;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use exit::Outcome;

fn main() -> ExitCode {
    let result = match &Cli::parse().command {
        Command::Demo(args) => run(false, demo::run(args)),
        Command::Serve(args) => serve::run(args),
        Command::Echo(args) => echo::run(args),
        Command::Connect(args) => run(args.client.json, connect::run(args)),
        Command::Send(args) => run(args.client.json, send::run(args)),
        Command::Recv(args) => run(args.client.json, recv::run(args)),
        Command::Ping(args) => run(args.client.json, ping::run(args)),
        // It tells in its own way how it failed.
        Command::Diagnose(args) => run(false, diagnose::run(args)),
        Command::Isolate(args) => run(false, isolate::run(args)),
        #[cfg(target_os = "linux")]
        Command::Run(args) => return run::run(args),
        Command::Abuse(args) => run(args.json, abuse::run(args)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Runs a command that connects, and tells in JSON as well how it failed.
fn run(json: bool, command: impl Future<Output = Outcome>) -> Outcome {
    let runtime = serve::runtime()?;
    let result = runtime.block_on(command);
    if json && let Err(failure) = &result {
        json::error(failure);
    }
    // A thread may be reading a terminal; nobody waits for it.
    runtime.shutdown_background();
    result
}
