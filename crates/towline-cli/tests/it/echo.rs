//! `towline echo`.

use crate::harness::{run_with, serve};

#[test]
fn messages_come_back_in_their_kind_and_order() {
    let echo = serve(&["echo"]);
    let lines: String = (0..1000).map(|number| format!("line {number} ž🚢\n")).collect();
    let ran = run_with(&["connect", &echo.url, "--expect", "1000"], lines.as_bytes()).ended(0);
    assert_eq!(ran.out(), lines);

    let every_byte: Vec<u8> = (0..=u8::MAX).cycle().take(300_000).collect();
    let args = ["connect", &echo.at("/any/path"), "--binary", "--expect", "1"];
    assert!(run_with(&args, &every_byte).ended(0).out == every_byte);
}

#[test]
fn a_message_keeps_its_bounds_however_long() {
    let echo = serve(&["echo", "--threads", "2"]);
    // An empty one, one that is gathered, one just over a fragment, and one in many fragments.
    let lines: String =
        [0, 1000, 65_536, 65_537, 1_000_000].map(|len| "ž".repeat(len) + "\n").concat();
    let ran = run_with(&["connect", &echo.url, "--expect", "5"], lines.as_bytes()).ended(0);
    assert!(ran.out() == lines);
}

#[test]
#[cfg(target_os = "linux")]
fn a_large_frame_costs_no_memory() {
    use crate::harness::{Folder, Running, towline};

    const LEN: u64 = 256 * 1024 * 1024;
    let echo = serve(&["echo"]);
    let folder = Folder::new();
    // A file with a hole: it takes no space and no time to make.
    std::fs::File::create(folder.path("large")).unwrap().set_len(LEN).unwrap();
    let args = ["send", &echo.url, &folder.path("large"), "--one-frame", "--expect", "1"];
    let mut client = Running::start(&mut towline(&args));
    let mut back = client.out.take().unwrap();
    assert_eq!(std::io::copy(&mut back, &mut std::io::sink()).unwrap(), LEN);
    client.wait().ended(0);
    let peak = echo.running.peak_memory();
    assert!(peak < 16 * 1024, "{peak} KiB");
}

#[test]
#[cfg(unix)]
fn an_interrupt_closes_every_connection_with_1001() {
    use crate::harness::{Running, towline};
    use std::process::Stdio;

    let echo = serve(&["echo"]);
    let mut client = towline(&["connect", &echo.url, "--json"]);
    let mut client = Running::start(client.stdin(Stdio::piped()));
    assert!(client.line().contains(r#""type":"open""#));
    echo.running.interrupt();
    let line = client.line();
    assert!(line.contains(r#""code":1001"#), "{line}");
    client.wait().ended(0);
    echo.running.wait().ended(0);
}
