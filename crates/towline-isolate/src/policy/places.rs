//! Where policies are.

use std::env;
use std::path::PathBuf;

/// The machine's, which only its administrator writes.
pub(super) fn machine() -> Option<PathBuf> {
    if cfg!(windows) {
        return Some(under(env::var_os("ProgramData")?));
    }
    Some(under("/etc"))
}

/// The user's.
pub(super) fn user() -> Option<PathBuf> {
    if cfg!(windows) {
        return Some(under(env::var_os("APPDATA")?));
    }
    // By the XDG Base Directory Specification, one that is not absolute counts as none.
    let configured = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    if let Some(configured) = configured.filter(|path| path.is_absolute()) {
        return Some(under(configured));
    }
    Some(under(PathBuf::from(env::var_os("HOME")?).join(".config")))
}

fn under(directory: impl Into<PathBuf>) -> PathBuf {
    directory.into().join("towline").join("policy.toml")
}
