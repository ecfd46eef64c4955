//! The process that was asked to run a program: it waits, passes signals on, and ends as the program does.

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitStatus};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, getpgrp, kill_process, setpgid};

use super::error::{LaunchError, LaunchErrorKind};
use super::name_servers::NameServers;
use super::{Launcher, standard, supervisor};
use crate::filter::Architecture;
use crate::sys::{Forked, Signals, end, fork};
use supervisor::Supervisor;

/// What the supervisor tells, a line each.
#[derive(Debug)]
pub(super) enum Message {
    Started(u32),
    Ended(ExitStatus),
    Failed(LaunchError),
}

impl Message {
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Started(process) => writeln!(to, "started {process}"),
            Self::Ended(status) => writeln!(to, "ended {}", supervisor::raw(*status)),
            Self::Failed(error) => {
                let kind = match error.kind() {
                    LaunchErrorKind::Unable => "unable",
                    LaunchErrorKind::NotFound => "not-found",
                    LaunchErrorKind::Failed => "failed",
                };
                let text = format!("{kind}\t{}\t{}", error, error.advice().unwrap_or_default());
                writeln!(to, "{}", text.replace('\n', " "))
            }
        }
    }
}

/// Runs a command under a supervisor.
pub(super) fn run(launcher: &Launcher, command: Command) -> Result<ExitStatus, LaunchError> {
    let doing = "isolating the program";
    let Some(architecture) = Architecture::here() else {
        return Err(LaunchError::unable(doing, "there is no filter for this kind of processor"));
    };
    if launcher.policy.minimum_backend() == Some("system") {
        let why = "the machine's policy wants the back end `system`, and this one has `private`";
        return Err(LaunchError::unable(doing, why));
    }
    let failed = |error: io::Error| LaunchError::failed(doing, error);
    standard::look()?;
    let (ours, theirs) = UnixStream::pair().map_err(failed)?;
    let supervisor = Supervisor {
        policy: launcher.policy.clone(),
        architecture,
        quiet: launcher.quiet,
        name_servers: NameServers::of_this_machine(),
        group: getpgrp().as_raw_nonzero().get(),
    };
    let mut signals = Signals::hold().map_err(failed)?;
    match fork().map_err(failed)? {
        Forked::Child => {
            // The program begins with the signals that this process had.
            drop((ours, signals));
            // What the terminal sends to the program is none of its business.
            let _ = setpgid(None, None);
            // A panic goes no further: the frames above are another process's.
            let run = AssertUnwindSafe(|| supervisor.run(command, theirs));
            let _ = catch_unwind(run);
            end()
        }
        Forked::Parent { .. } => {
            drop((theirs, command));
            attend(ours, &mut signals)
        }
    }
}

/// Waits for the program's end.
fn attend(supervisor: UnixStream, signals: &mut Signals) -> Result<ExitStatus, LaunchError> {
    let doing = "running the program";
    let failed = |error: io::Error| LaunchError::failed(doing, error);
    let mut supervisor = BufReader::new(supervisor);
    let mut program = None;
    // Signals that came before there was a program.
    let mut early = Vec::new();
    loop {
        let signalled = {
            let mut both = [
                PollFd::from_borrowed_fd(supervisor.get_ref().as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN),
            ];
            poll(&mut both, None).map_err(|error| failed(error.into()))?;
            both[1].revents().contains(PollFlags::IN)
        };
        if signalled {
            let signal = signals.next().map_err(failed)?;
            // The terminal has sent it to the program as well.
            early.extend(signal.sent.then(|| Signal::from_named_raw(signal.number)).flatten());
            pass_on(program, &mut early);
            continue;
        }
        let mut line = String::new();
        if supervisor.read_line(&mut line).map_err(failed)? == 0 {
            return Err(LaunchError::failed(
                doing,
                "its supervisor was killed, and it reaches nothing any more",
            ));
        }
        let line = line.trim_end_matches('\n');
        if let Some(process) = line.strip_prefix("started ") {
            program = process.parse().ok().and_then(Pid::from_raw);
            pass_on(program, &mut early);
        } else if let Some(raw) = line.strip_prefix("ended ") {
            return Ok(ExitStatus::from_raw(raw.parse().unwrap_or(-1)));
        } else {
            return Err(read_error(line));
        }
    }
}

/// Passes signals on, once there is somebody to have them.
fn pass_on(program: Option<Pid>, signals: &mut Vec<Signal>) {
    let Some(program) = program else { return };
    for signal in signals.drain(..) {
        let _ = kill_process(program, signal);
    }
}

fn read_error(line: &str) -> LaunchError {
    let mut parts = line.splitn(3, '\t');
    let kind = match parts.next() {
        Some("unable") => LaunchErrorKind::Unable,
        Some("not-found") => LaunchErrorKind::NotFound,
        _ => LaunchErrorKind::Failed,
    };
    LaunchError::told(kind, parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}
