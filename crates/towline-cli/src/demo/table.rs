//! The demo's results.

use super::measure::Measured;
use crate::memory;
use crate::print::{rate, time};

pub(super) fn print(columns: &[(&str, Measured)]) {
    row("", columns.iter().map(|(name, _)| (*name).to_owned()));
    let rows: [(&str, Cell); 5] = [
        ("handshake", |measured| time(measured.handshake)),
        ("round trip", |measured| time(measured.round_trip)),
        ("messages there and back", |measured| format!("{:.0}/s", measured.messages_per_second)),
        ("file up, one message", |measured| rate(measured.up.bytes, measured.up.time)),
        ("file down, one message", |measured| rate(measured.down.bytes, measured.down.time)),
    ];
    for (name, cell) in rows {
        row(name, columns.iter().map(|(_, measured)| cell(measured)));
    }
    row("peak memory", [memory::peak_text()].into_iter());
    println!();
    if let Some((_, measured)) = columns.first() {
        println!("SHA-256 {}", measured.file_sha256);
    }
}

/// What a row says of one server.
type Cell = fn(&Measured) -> String;

fn row(name: &str, cells: impl Iterator<Item = String>) {
    let mut line = format!("{name:24}");
    for cell in cells {
        line.push_str(&format!("{cell:>16}"));
    }
    println!("{}", line.trim_end());
}
