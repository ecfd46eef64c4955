//! Arguments of `towline isolate`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Say what an app's manifest permits, and why it does not permit something
///
/// A manifest is towline.toml, or the Package.appxmanifest of a Windows app. With it the machine's
/// policy and yours count, /etc/towline/policy.toml and ~/.config/towline/policy.toml.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  towline isolate check towline.toml
  towline isolate explain wss://chat.example.net/ --app towline.toml
  towline isolate explain 10.0.0.7:8443 --in --app towline.toml --json")]
pub(crate) struct IsolateArgs {
    #[command(subcommand)]
    pub(crate) command: IsolateCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IsolateCommand {
    Check(CheckArgs),
    Explain(ExplainArgs),
}

/// Say what a manifest permits, and what is odd in it
///
/// Ends with 0 if it can be understood, though something may be odd; else with 2.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The manifest
    #[arg(value_name = "MANIFEST")]
    pub(crate) manifest: PathBuf,
    /// One JSON object on standard output, with "v" and "type"
    #[arg(long)]
    pub(crate) json: bool,
}

/// Say whether an address may be reached, why, and which line would permit it
///
/// A name is looked up, if that is permitted. Nothing is sent to the address. Ends with 0 if it is
/// permitted, of several addresses one; else with 9.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// Address of a server, such as wss://example.com/, a host with or without a port, or unix:PATH
    #[arg(value_name = "URL|ADDR[:PORT]")]
    pub(crate) target: String,
    /// Whether the address may connect to the app, at that port
    #[arg(long = "in")]
    pub(crate) inbound: bool,
    /// The app's manifest
    #[arg(long, value_name = "MANIFEST")]
    pub(crate) app: PathBuf,
    /// One JSON object a line on standard output, each with "v" and "type"
    #[arg(long)]
    pub(crate) json: bool,
}
