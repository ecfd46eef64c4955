//! The help texts, as files beside this one. `UPDATE_HELP=1 cargo test` writes them anew.

use std::fs;
use std::path::PathBuf;

use crate::harness::run;

#[test]
fn every_command_explains_itself() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/help");
    let commands = [
        "",
        "demo",
        "serve",
        "echo",
        "connect",
        "send",
        "recv",
        "ping",
        "diagnose",
        "isolate",
        "isolate check",
        "isolate explain",
        #[cfg(target_os = "linux")]
        "run",
        "abuse",
    ];
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = run(&words).ended(0).out().replace("towline.exe", "towline");
        let name = if command.is_empty() { "towline" } else { &command.replace(' ', "-") };
        let file = folder.join(format!("{name}.txt"));
        if std::env::var_os("UPDATE_HELP").is_some() {
            fs::write(&file, &help).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap().replace("\r\n", "\n");
        assert_eq!(help, expected, "see {}", file.display());
    }
}

#[test]
fn nonsense_is_bad_usage() {
    for args in [&["sail"][..], &["connect"], &["connect", "ws://a", "--expect", "x"], &[]] {
        let ran = run(args).ended(2);
        assert!(ran.err.contains("--help") || ran.err.contains("Usage: towline"), "{}", ran.err);
        assert_eq!(ran.out(), "");
    }
}
