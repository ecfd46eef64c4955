//! What Linux says of a process.

use std::collections::BTreeMap;
use std::fs;
use std::io;

/// CPU time of a process so far, thread by thread, in nanoseconds (user and system).
pub fn cpu(pid: u32) -> io::Result<BTreeMap<u32, u64>> {
    let mut tasks = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        let Some(task) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // The thread may be over by now.
        let Ok(line) = fs::read_to_string(format!("/proc/{pid}/task/{task}/schedstat")) else {
            continue;
        };
        let time = line.split(' ').next().and_then(|time| time.parse().ok());
        tasks.insert(task, time.ok_or_else(|| io::Error::other("no time in schedstat"))?);
    }
    Ok(tasks)
}

/// What each thread used since `before`.
pub fn cpu_since(pid: u32, before: &BTreeMap<u32, u64>) -> io::Result<Vec<u64>> {
    let now = cpu(pid)?;
    Ok(now.iter().map(|(task, time)| time - before.get(task).unwrap_or(&0)).collect())
}

/// Resident memory of a process, in bytes.
pub fn resident(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kib.ok_or_else(|| io::Error::other("no VmRSS in status"))? * 1024)
}
