//! A network of its own for a test, where addresses are dead on demand.

use std::env;
use std::io::Write;
use std::process::Command;

/// Set where a test runs in namespaces of its own.
const INSIDE: &str = "TOWLINE_TEST_INSIDE";

/// What a test program of Rust ends with when a test has failed.
const FAILED: i32 = 101;

/// Runs a test again, alone, after these commands and in namespaces of its own. Says whether we are
/// there; outside, the test has nothing left to do.
///
/// Where that cannot be it says that the test did not run, which `scripts/test` counts as skipped.
pub(crate) fn inside(test: &str, commands: &[&str]) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let script = format!("{} || exit 1; exec \"$@\"", commands.join(" && "));
    let unshare = |namespaces: &[&str]| {
        Command::new("unshare")
            .args(namespaces)
            .args(["sh", "-c", &script, "sh"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(INSIDE, "1")
            .output()
    };
    // Anybody may, where users may have namespaces of their own; elsewhere root may.
    let mut ran = unshare(&["--user", "--map-root-user", "--net", "--mount"]);
    if ran.as_ref().is_ok_and(|ran| !matches!(ran.status.code(), Some(0 | FAILED))) {
        ran = unshare(&["--net", "--mount"]);
    }
    match ran {
        Ok(ran) if ran.status.code() == Some(FAILED) => panic!("{ran:#?}"),
        Ok(ran) if ran.status.success() => {
            let out = String::from_utf8(ran.stdout).unwrap();
            assert!(out.contains(" 1 passed"), "there is no test {test}: {out}");
        }
        Ok(ran) => did_not_run(test, String::from_utf8_lossy(&ran.stderr).trim()),
        Err(error) => did_not_run(test, &format!("unshare: {error}")),
    }
    false
}

fn did_not_run(test: &str, why: &str) {
    let line = format!("did not run: {test}: {}", why.replace('\n', " "));
    // Not by `eprintln!`, which is not shown for tests that pass. `scripts/test` counts these lines.
    std::io::stderr().write_all(format!("\n{line}\n").as_bytes()).unwrap();
}
