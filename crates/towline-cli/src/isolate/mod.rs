//! `towline isolate`: what an app's manifest permits, and why it does not permit something.

mod check;
mod explain;
mod target;

use std::path::Path;

use towline::isolation::Policy;

use crate::args::{IsolateArgs, IsolateCommand};
use crate::exit::{Code, Failure, Outcome};

pub(crate) async fn run(args: &IsolateArgs) -> Outcome {
    match &args.command {
        IsolateCommand::Check(args) => check::run(args),
        IsolateCommand::Explain(args) => explain::run(args).await,
    }
}

/// What a manifest permits on this machine.
pub(crate) fn policy(manifest: &Path) -> Outcome<Policy> {
    Policy::load(manifest).map_err(|error| Failure::new(Code::Usage, error))
}
