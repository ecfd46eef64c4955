//! Arguments of `towline abuse`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::value::some_time;

/// Play the hostile peer, and see whether the other side withstands it
///
/// Plays known attacks on WebSocket servers against one on this machine, each on connections of its
/// own, and looks after each whether others are still served and what it cost the server's memory.
/// Only loopback addresses are attacked; nothing changes that. With --serve it is the hostile server
/// instead: each client that connects gets the attack that its address names as its path, or else
/// the next one, and the table is printed when all were played, or at Ctrl-C. With --tls as well it
/// is one for wss, which shows each client that connects the next certificate.
#[derive(Args, Debug)]
#[command(after_help = "\
Verdicts:
  held          it goes on, unharmed            leaked     it cost more memory than its bound
  closed CODE   with a closing frame            hung       no reaction, or others are not served
  refused N     with an HTTP status             crashed    nobody listens there any more
  cut           TCP ended, without a word       accepted   what should have been refused
  skipped       it does not apply               wrong      what no peer may do

`--list --json` tells of each attack what is good and why. The exit code is 0 if all are.

Examples:
  towline abuse ws://127.0.0.1:9001
  towline abuse ws://localhost:9001/chat --only endless-header,wrong-mask
  towline abuse --serve 127.0.0.1:9002 &
  towline connect ws://127.0.0.1:9002/inflate-bomb </dev/null
  towline abuse --serve 127.0.0.1:9003 --tls trusted.pem &
  towline connect --cacert trusted.pem wss://127.0.0.1:9003 </dev/null")]
pub(crate) struct AbuseArgs {
    /// Address of the server, ws:// or wss://, on this machine
    #[arg(value_name = "URL", required_unless_present_any = ["serve", "list"], conflicts_with = "serve")]
    pub(crate) url: Option<String>,
    /// Be the hostile server, on this loopback address; by default on a free port
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:0")]
    pub(crate) serve: Option<String>,
    /// With --serve: speak TLS, show what no client may trust, and write what it may trust to this file
    #[arg(long, value_name = "PEM", requires = "serve", conflicts_with = "url")]
    pub(crate) tls: Option<PathBuf>,
    /// Play only these attacks
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Leave out what takes more than a few seconds
    #[arg(long)]
    pub(crate) quick: bool,
    /// List the attacks instead of playing them; with --serve those on clients
    #[arg(long)]
    pub(crate) list: bool,
    /// Longest time for a reaction that is due
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = some_time)]
    pub(crate) patience: Duration,
    /// Most memory that an attack may cost, in MiB, instead of each attack's own bound
    #[arg(long, value_name = "MIB")]
    pub(crate) max_memory: Option<u64>,
    /// Process whose memory is measured; by default, on Linux, whoever holds the socket
    #[arg(long, value_name = "PID", conflicts_with = "serve")]
    pub(crate) pid: Option<u32>,
    /// Certificates to trust, in PEM; wss needs them
    #[arg(long, value_name = "PEM", conflicts_with = "serve")]
    pub(crate) cacert: Option<PathBuf>,
    /// One JSON object a line on standard output, each with "v" and "type"
    #[arg(long)]
    pub(crate) json: bool,
}
