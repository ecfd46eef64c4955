//! Arguments of `towline diagnose`.

use std::time::Duration;

use clap::Args;

use super::client::ClientArgs;
use super::value::some_time;

/// Tell step by step why a connection fails, and the one change that would mend it
///
/// Connects as the other commands do, with the same flags, and pings once. Each step is ok, FAILED or
/// not reached (-); the first failure is followed by its likely causes and by what would mend it, on
/// the command line and in Rust. No secret is shown: neither passwords, tokens, cookies and headers of
/// your own nor what stands behind the question mark of an address. The subprotocols that are offered
/// are shown.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  towline diagnose wss://example.com/chat
  towline diagnose wss://example.com/chat --json | jq -r 'select(.type == \"diagnosis\").mend.text'

`towline --help` lists the exit codes.")]
pub(crate) struct DiagnoseArgs {
    /// Address of the server, ws:// or wss://
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// Longest time for each step, from the look-up to the first ping; --connect-timeout and
    /// --address-timeout go first
    #[arg(short = 'W', long, value_name = "TIME", default_value = "10s", value_parser = some_time)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}
