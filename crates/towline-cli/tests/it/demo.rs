//! `towline demo`.

use std::fs::File;

use crate::harness::{Folder, run};

#[test]
fn everything_travels_and_the_memory_stays_small() {
    let folder = Folder::new();
    let file = folder.path("file");
    File::create(&file).unwrap().set_len(100 * 1024 * 1024).unwrap();
    let ran = run(&["demo", &file]).ended(0);
    let rows = [
        "handshake ",
        "round trip ",
        "messages there and back ",
        "file up, one message ",
        "file down, one message ",
        "peak memory ",
        "SHA-256 ",
    ];
    for row in rows {
        assert!(ran.out().lines().any(|line| line.starts_with(row)), "{row}: {}", ran.out());
    }
    assert!(ran.out().ends_with("All of it arrived as it was sent.\n"), "{}", ran.out());
    if cfg!(target_os = "linux") {
        let line = ran.out().lines().find_map(|line| line.strip_prefix("peak memory ")).unwrap();
        let mebibytes: f64 = line.trim().strip_suffix(" MiB").unwrap().parse().unwrap();
        assert!(mebibytes < 32.0, "{line}");
    }
}
