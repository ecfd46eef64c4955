//! `towline run`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// Run a program that reaches only the networks that its manifest declares
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct RunArgs {
    /// The app's manifest: a towline.toml, or a Package.appxmanifest of Windows
    #[arg(long, value_name = "FILE", default_value = "towline.toml")]
    pub(crate) manifest: PathBuf,

    /// Do not tell on standard error what was denied
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "PROGRAM")]
    pub(crate) command: Vec<OsString>,
}

const AFTER_HELP: &str = "\
The program and all that it starts get a network of their own. What they connect to is judged by its
address, and by the manifest; whatever it does not grant fails with \"Permission denied\", and the
reason is told on standard error.

Exit codes: those of the program, 128 and a signal's number if that ended it; 126 if it could not be
isolated, and was not started; 127 if there is no such program.";
