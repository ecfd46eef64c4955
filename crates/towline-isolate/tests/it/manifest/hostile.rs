//! Check 3: what wants to exhaust us is refused in no time, and says where.

use std::time::{Duration, Instant};

use towline_isolate::Manifest;

use super::file;

fn check(bytes: &[u8], expected: &str) {
    let begun = Instant::now();
    let refusal = Manifest::parse("m", bytes).unwrap_err().to_string();
    // The limit is for a build with optimisation on a machine of its own.
    let limit = Duration::from_millis(if cfg!(debug_assertions) { 1000 } else { 100 });
    assert!(begun.elapsed() < limit, "{:?}", begun.elapsed());
    assert!(refusal.starts_with(expected), "{refusal}");
}

#[test]
fn a_dtd_is_refused() {
    let text = "<?xml version='1.0'?>\n<!DOCTYPE Package SYSTEM 'file:///etc/passwd'>\n<Package/>";
    check(text.as_bytes(), "m:2:1: a manifest has no DTD; remove <!DOCTYPE …>");
}

#[test]
fn a_bomb_of_entities_is_refused() {
    let mut text = "<!DOCTYPE lolz [<!ENTITY a 'ha'>".to_owned();
    for (one, other) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        text += &format!("<!ENTITY {other} '{}'>", format!("&{one};").repeat(10));
    }
    check(format!("{text}]><Package>&i;</Package>").as_bytes(), "m:1:1: a manifest has no DTD");
}

#[test]
fn a_large_file_is_refused() {
    let large = vec![b' '; 50 << 20];
    check(&large, "m:1:1: it has more than 1 MiB");
}

#[test]
fn deep_nesting_is_refused_and_so_are_too_many_elements() {
    let deep = |count: usize| format!("{}{}", "<a>".repeat(count), "</a>".repeat(count));
    check(deep(100).as_bytes(), "m:1:193: more than 64 elements are nested here");
    check(deep(100_000).as_bytes(), "m:1:1: it has more than 50000 elements");
    check(
        format!("<a>{}</a>", "<b/>".repeat(200_000)).as_bytes(),
        "m:1:1: it has more than 50000 elements",
    );
    let nested = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    check(nested.as_bytes(), "m:1:");
}

#[test]
fn garbage_is_refused() {
    check(b"a = '\xff\xff'", "m:1:6: it is not UTF-8; save it as UTF-8");
    check(b"", "m:1:1: it does not say whose manifest it is; begin with [app]");
    check(b"\xff\xfe\x00", "m:1:1: it is garbled UTF-16");
    check(b"<", "m:1:");
}

#[test]
fn no_cut_and_no_change_of_a_byte_panics() {
    for name in ["win10.appxmanifest", "odd-prefixes.appxmanifest", "twin.toml"] {
        let bytes = file(name);
        for at in (0..bytes.len()).step_by(7) {
            let _ = Manifest::parse("m", &bytes[..at]);
            let mut changed = bytes.clone();
            changed[at] ^= 0x15;
            let _ = Manifest::parse("m", &changed);
        }
    }
}
