//! How much memory the process has used.

/// Most resident memory that this process has had, in bytes; `None` where the system does not say
/// it in a file.
pub(crate) fn peak() -> Option<u64> {
    // proc_pid_status(5): "VmHWM:     5120 kB"
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The same, for people.
pub(crate) fn peak_text() -> String {
    match peak() {
        Some(bytes) => crate::print::size(bytes),
        None => "unknown on this system".to_owned(),
    }
}
