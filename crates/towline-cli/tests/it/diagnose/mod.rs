//! What `towline diagnose` tells of each kind of failure, held to the files in `told`.
//! `UPDATE_TOLD=1 cargo test` writes them anew.

mod certificates;
mod http;
mod network;
mod open;
mod peers;
mod proxies;
mod works;

use std::fs;
use std::path::PathBuf;

use crate::harness::run;

/// Runs it, and compares what it tells with the file of this name. The words in `hidden` are other
/// ones each time: they stand as what is beside them.
#[track_caller]
fn told(name: &str, args: &[&str], code: i32, hidden: &[(&str, &str)]) -> String {
    let ran = run(&[&["diagnose"], args].concat()).ended(code);
    assert_eq!(ran.err, "", "all is told on standard output");
    let mut shown = ran.out().to_owned();
    for (word, instead) in hidden {
        shown = shown.replace(word, instead);
    }
    let shown = shown.lines().map(steady).collect::<Vec<_>>().join("\n") + "\n";
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/it/diagnose/told/{name}.txt"));
    if std::env::var_os("UPDATE_TOLD").is_some() {
        fs::write(&file, &shown).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(shown, expected, "see {}", file.display());
    shown
}

/// A line without what is another time and another number each time.
fn steady(line: &str) -> String {
    let mut line = line.to_owned();
    for (before, instead) in [("sec-websocket-key: ", "KEY"), ("sec-websocket-accept: ", "ACCEPT")]
    {
        if let Some((head, _)) = line.split_once(before) {
            line = format!("{head}{before}{instead}");
        }
    }
    // Systems number their errors differently.
    let mut parts = line.split("(os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    line = parts.fold(first, |line, part| {
        line + "(os error N" + part.trim_start_matches(|c: char| c.is_ascii_digit())
    });
    // `(0.123 ms)` and `after 12.3 ms`
    for (before, after) in [(" (", ")"), ("after ", "")] {
        let mut from = 0;
        while let Some(at) = line[from..].find(before).map(|at| from + at + before.len()) {
            let number = line[at..].find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(0);
            let unit = [" ms", " s"].into_iter().find(|unit| line[at + number..].starts_with(unit));
            if let Some(unit) = unit.filter(|_| number > 0)
                && line[at + number + unit.len()..].starts_with(after)
            {
                line.replace_range(at..at + number + unit.len(), "TIME");
            }
            from = at;
        }
    }
    line
}

/// What to hide of a URL on this machine: its port.
fn port(url: &str) -> &str {
    let rest = url.rsplit(':').next().unwrap();
    rest.split('/').next().unwrap()
}
