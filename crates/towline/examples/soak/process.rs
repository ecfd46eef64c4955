//! What the system says about a process, and whether its memory is flat.

use std::fmt;
use std::fs;
use std::io;
use std::process::Command;
use std::time::Duration;

/// A process on this machine.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    pid: u32,
}

impl Process {
    pub(crate) fn new(name: &'static str, pid: u32) -> Self {
        Self { name, pid }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Descriptors that it has open; the one that counts them not.
    pub(crate) fn descriptors(&self) -> usize {
        let own = usize::from(self.pid == std::process::id());
        fs::read_dir(format!("/proc/{}/fd", self.pid)).map_or(0, Iterator::count) - own
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) -> io::Result<()> {
        let status = Command::new("kill").arg(self.pid.to_string()).status()?;
        if status.success() { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// Resident memory in KiB; 0 if it has gone.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse().ok()).unwrap_or(0)
    }
}

/// A process's memory over time.
#[derive(Debug)]
pub(crate) struct Memory {
    name: &'static str,
    samples: Vec<Sample>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    time: Duration,
    kib: u64,
    /// Connections that had come and gone.
    connections: u64,
}

/// Memory may differ by so much from one quarter to the next, in percent and in KiB: how many large
/// messages are on their way is left to chance, and an allocator's pages come and go.
const SWING: (u64, u64) = (10, 2048);

impl Memory {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, samples: Vec::new() }
    }

    pub(crate) fn add(&mut self, time: Duration, kib: u64, connections: u64) {
        self.samples.push(Sample { time, kib, connections });
    }

    /// The median of each quarter, in KiB. The first half is for warming up: buffers are taken for
    /// the first time, and every size of message has been seen.
    fn quarters(&self) -> [u64; 4] {
        let end = self.samples.last().map_or(Duration::ZERO, |sample| sample.time);
        [0, 1, 2, 3].map(|quarter| {
            let range = end * quarter / 4..=end * (quarter + 1) / 4;
            let samples = self.samples.iter().filter(|sample| range.contains(&sample.time));
            let mut kib: Vec<_> = samples.map(|sample| sample.kib).collect();
            kib.sort_unstable();
            kib.get(kib.len() / 2).copied().unwrap_or(0)
        })
    }

    /// Connections that came and went from the middle of the third quarter to that of the fourth.
    fn connections(&self) -> u64 {
        let at = |eighths: usize| {
            self.samples.get(self.samples.len() * eighths / 8).map_or(0, |one| one.connections)
        };
        at(7) - at(5)
    }

    /// Whether the last quarter needed no more than the one before.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        let [_, _, third, fourth] = self.quarters();
        if fourth == 0 || self.samples.iter().any(|sample| sample.kib == 0) {
            return Err(format!("the {} has gone", self.name));
        }
        let most = third + (third * SWING.0 / 100).max(SWING.1);
        if fourth <= most {
            return Ok(());
        }
        let connections = self.connections().max(1);
        Err(format!(
            "the {}'s memory grows: from {third} KiB to {fourth} KiB while {connections} connections \
             came and went, {} bytes for each; {most} KiB would have been let pass",
            self.name,
            (fourth - third) * 1024 / connections
        ))
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, third, fourth] = self.quarters();
        let most = self.samples.iter().map(|sample| sample.kib).max().unwrap_or(0);
        write!(
            f,
            "memory of the {}: {first}, {second}, {third}, {fourth} KiB by quarter (median), {most} at \
             most; {} connections came and went between the last two",
            self.name,
            self.connections()
        )
    }
}
