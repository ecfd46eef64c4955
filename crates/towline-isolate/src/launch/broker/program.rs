//! The program's side of a call: its memory, its descriptors.

use std::fs::{self, File};
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::fs::FileExt;

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::errno::{self, Errno};
use crate::sys::{Listener, Notification, Registration, read_memory};

/// A thread of the program, while it waits in a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program<'a> {
    listener: &'a Listener,
    id: u64,
    thread: u32,
}

/// `PIDFD_THREAD` (Linux 6.9): threads may have descriptor tables of their own.
const THREAD: PidfdFlags = PidfdFlags::from_bits_retain(0o200);

impl<'a> Program<'a> {
    pub(super) fn new(listener: &'a Listener, notification: &Notification) -> Self {
        Self { listener, id: notification.id, thread: notification.thread }
    }

    /// Copies so much of its memory.
    pub(super) fn read(&self, address: u64, length: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; length];
        read_memory(self.thread, address, &mut bytes).map_err(|error| errno::of(&error))?;
        self.is_there()?;
        Ok(bytes)
    }

    /// Copies into its memory.
    pub(super) fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Errno> {
        // Opened before it is looked whether it still is the one that waits: another thread that gets its
        // number later has another memory.
        let memory = File::options().write(true).open(format!("/proc/{}/mem", self.thread));
        let memory = memory.map_err(|error| errno::of(&error))?;
        self.is_there()?;
        memory.write_all_at(bytes, address).map_err(|_| Errno::FAULT)
    }

    /// A duplicate of one of its descriptors.
    pub(super) fn duplicate(&self, descriptor: RawFd) -> Result<OwnedFd, Errno> {
        let thread = i32::try_from(self.thread).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH)?;
        let process = match pidfd_open(thread, THREAD) {
            // Before 6.9 only the thread that leads can be named, and of the others it is refused.
            Err(Errno::INVAL) => pidfd_open(thread, PidfdFlags::empty())?,
            opened => opened?,
        };
        let duplicate = pidfd_getfd(process, descriptor, PidfdGetfdFlags::empty())?;
        self.is_there()?;
        Ok(duplicate)
    }

    /// Whether a descriptor is closed when another program begins.
    pub(super) fn closes_at_exec(&self, descriptor: RawFd) -> bool {
        const CLOEXEC: u32 = 0o2_000_000;
        let info = self.info(descriptor);
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        flags
            .and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok())
            // Without knowing it is closed: too soon is an error, too late a way out.
            .is_none_or(|flags| flags & CLOEXEC != 0)
    }

    /// Where it waits for a descriptor by epoll.
    pub(super) fn registrations(&self, descriptor: RawFd) -> Vec<Registration> {
        let Ok(entries) = fs::read_dir(format!("/proc/{}/fd", self.thread)) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for entry in entries.flatten() {
            let link = fs::read_link(entry.path());
            if !link.is_ok_and(|link| link.as_os_str() == "anon_inode:[eventpoll]") {
                continue;
            }
            let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            for line in self.info(number).lines() {
                let Some((events, data)) = registered(line, descriptor) else { continue };
                if let Ok(epoll) = self.duplicate(number) {
                    found.push(Registration { epoll, events, data });
                }
            }
        }
        found
    }

    /// The name of the program.
    pub(super) fn name(&self) -> String {
        let name = fs::read_to_string(format!("/proc/{}/comm", self.thread)).unwrap_or_default();
        name.trim_end().to_owned()
    }

    /// Where a path of its own begins, as ours.
    pub(super) fn root(&self, path: &[u8]) -> String {
        let from = if path.starts_with(b"/") { "root" } else { "cwd/" };
        format!("/proc/{}/{from}", self.thread)
    }

    fn info(&self, descriptor: RawFd) -> String {
        fs::read_to_string(format!("/proc/{}/fdinfo/{descriptor}", self.thread)).unwrap_or_default()
    }

    fn is_there(&self) -> Result<(), Errno> {
        if self.listener.still_waits(self.id) { Ok(()) } else { Err(Errno::SRCH) }
    }
}

/// Reads a line like `tfd:        5 events:       19 data:                5 …` of an epoll's information.
fn registered(line: &str, descriptor: RawFd) -> Option<(u32, u64)> {
    let mut words = line.split_ascii_whitespace();
    if words.next()? != "tfd:" || words.next()?.parse() != Ok(descriptor) {
        return None;
    }
    let events = words.nth(1)?;
    let data = words.nth(1)?;
    Some((u32::from_str_radix(events, 16).ok()?, u64::from_str_radix(data, 16).ok()?))
}
