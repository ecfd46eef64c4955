//! `towline run`: a program in a network of its own.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus};

use towline_isolate::{LaunchErrorKind, Launcher, Policy};

use crate::args::RunArgs;

/// As shells say that a program could not be run, and that there is none.
const CANNOT: u8 = 126;
const NOT_FOUND: u8 = 127;
/// Above it are the numbers of signals.
const SIGNALLED: i32 = 128;

pub(crate) fn run(args: &RunArgs) -> ExitCode {
    let policy = match Policy::load(&args.manifest) {
        Ok(policy) => policy,
        Err(error) => {
            eprintln!("towline: {error}");
            return ExitCode::from(CANNOT);
        }
    };
    let (program, rest) = args.command.split_first().expect("clap requires a program");
    let mut command = Command::new(program);
    command.args(rest);
    match Launcher::new(policy).quiet(args.quiet).run(command) {
        Ok(status) => code(status),
        Err(error) => {
            let advice = error.advice().map(|advice| format!("; {advice}")).unwrap_or_default();
            eprintln!("towline: {error}{advice}");
            ExitCode::from(match error.kind() {
                LaunchErrorKind::NotFound => NOT_FOUND,
                _ => CANNOT,
            })
        }
    }
}

fn code(status: ExitStatus) -> ExitCode {
    let signalled = || status.signal().map(|signal| SIGNALLED + signal);
    let code = status.code().or_else(signalled).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
