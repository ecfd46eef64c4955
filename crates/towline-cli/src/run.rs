//! `towline run`: a program in a network of its own.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use towline_isolate::{LaunchErrorKind, Launcher, Manifest, ManifestError, Policy};

use crate::args::RunArgs;

/// As shells say that a program could not be run, and that there is none.
const CANNOT: u8 = 126;
const NOT_FOUND: u8 = 127;
/// Above it are the numbers of signals.
const SIGNALLED: i32 = 128;

pub(crate) fn run(args: &RunArgs) -> ExitCode {
    let (program, rest) = args.command.split_first().expect("clap requires a program");
    let policy = match policy(args, program) {
        Ok(policy) => policy,
        Err(error) => {
            eprintln!("towline: {error}");
            return ExitCode::from(CANNOT);
        }
    };
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

/// As the manifest says, or the command line; in both cases within what the machine and the user permit.
fn policy(args: &RunArgs, program: &OsStr) -> Result<Policy, ManifestError> {
    if args.capability.is_empty() {
        let manifest = args.manifest.as_deref().unwrap_or_else(|| Path::new("towline.toml"));
        return Policy::load(manifest);
    }
    let name = Path::new(program).file_name().unwrap_or(program).to_string_lossy();
    let manifest = args.capability.iter().copied().fold(Manifest::new(name), Manifest::with);
    Policy::within_layers(manifest)
}

fn code(status: ExitStatus) -> ExitCode {
    let signalled = || status.signal().map(|signal| SIGNALLED + signal);
    let code = status.code().or_else(signalled).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
