//! `towline run`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use towline_isolate::Capability;

/// Run a program that reaches only the networks that its manifest declares
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct RunArgs {
    /// The app's manifest: a towline.toml, or a Package.appxmanifest of Windows [default: towline.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,

    /// In place of a manifest, a capability: internetClient, internetClientServer or
    /// privateNetworkClientServer; may be given again
    #[arg(long, value_name = "NAME", conflicts_with = "manifest", value_parser = capability)]
    pub(crate) capability: Vec<Capability>,

    /// Do not tell on standard error what was denied
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "PROGRAM")]
    pub(crate) command: Vec<OsString>,
}

fn capability(name: &str) -> Result<Capability, String> {
    Capability::of_name(name).ok_or_else(|| {
        "the capabilities of the network are internetClient, internetClientServer and privateNetworkClientServer"
            .to_owned()
    })
}

const AFTER_HELP: &str = "\
Examples:
  towline run --capability internetClient -- curl https://example.com/
  towline run --manifest towline.toml -- python3 app.py

The program and all that it starts get a network of their own. What they connect to is judged by its
address, and by the manifest; whatever it does not grant fails with \"Permission denied\", and the
reason is told on standard error.

Exit codes: those of the program, 128 and a signal's number if that ended it; 126 if it could not be
isolated, and was not started; 127 if there is no such program.";
