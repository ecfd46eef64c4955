//! Text for people: sizes, times, and what a peer sent made harmless.

use std::fmt::Write;
use std::time::Duration;

/// Text of a peer for a terminal: control characters, which could drive it, are escaped.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        // Not `is_control` alone: some characters turn the direction of what is shown around them.
        let turning = matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match c {
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || turning => escaped.extend(c.escape_default()),
            c => escaped.push(c),
        }
    }
    escaped
}

/// `1 message`, `2 messages`
pub(crate) fn count(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// `1.50 MiB`
pub(crate) fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// `85.3 MiB/s`
pub(crate) fn rate(bytes: u64, time: Duration) -> String {
    let nanos = time.as_nanos().max(1);
    let per_second = u128::from(bytes) * 1_000_000_000 / nanos;
    format!("{}/s", size(u64::try_from(per_second).unwrap_or(u64::MAX)))
}

/// `0.123 ms`, `12.3 ms`, `1.23 s`
pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        ..0.01 => format!("{:.3} ms", seconds * 1e3),
        ..1.0 => format!("{:.1} ms", seconds * 1e3),
        ..100.0 => format!("{seconds:.2} s"),
        _ => format!("{seconds:.0} s"),
    }
}

/// The line that stands for a binary message at a terminal: its size and its first bytes.
pub(crate) fn binary_line(first: &[u8], total: u64) -> String {
    let mut line = format!("[binary, {total} bytes]");
    let shown = &first[..first.len().min(BINARY_SHOWN)];
    for byte in shown {
        let _ = write!(line, " {byte:02x}");
    }
    if u64::try_from(shown.len()).is_ok_and(|shown| shown < total) {
        line.push_str(" …");
    }
    if !shown.is_empty() {
        let text = shown.iter().map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '.',
        });
        line.push_str("  |");
        line.extend(text);
        line.push('|');
    }
    line
}

/// So many bytes of a binary message are shown at a terminal: a line of 80 columns.
pub(crate) const BINARY_SHOWN: usize = 12;

#[cfg(test)]
mod tests {
    use super::{binary_line, escape, rate, time};
    use std::time::Duration;

    #[test]
    fn what_could_drive_a_terminal_is_escaped() {
        assert_eq!(escape("a\x1b[31mred\x07\r\u{9b}"), "a\\u{1b}[31mred\\u{7}\\r\\u{9b}");
        assert_eq!(escape("abc\u{202e}txt.exe"), "abc\\u{202e}txt.exe");
        assert_eq!(escape("two\nlines\tžluťoučký 🚢"), "two\nlines\tžluťoučký 🚢");
    }

    #[test]
    fn binary_is_a_line_of_its_first_bytes() {
        assert_eq!(binary_line(b"", 0), "[binary, 0 bytes]");
        assert_eq!(binary_line(b"Hi\x1b", 3), "[binary, 3 bytes] 48 69 1b  |Hi.|");
        assert_eq!(
            binary_line(b"abcdefghijklmnop", 999),
            "[binary, 999 bytes] 61 62 63 64 65 66 67 68 69 6a 6b 6c …  |abcdefghijkl|"
        );
    }

    #[test]
    fn rates_and_times_are_short() {
        assert_eq!(rate(1024 * 1024, Duration::from_millis(500)), "2.00 MiB/s");
        assert_eq!(rate(7, Duration::ZERO), "6.52 GiB/s");
        assert_eq!(time(Duration::from_micros(123)), "0.123 ms");
        assert_eq!(time(Duration::from_micros(123_456)), "123.5 ms");
        assert_eq!(time(Duration::from_millis(2500)), "2.50 s");
    }
}
