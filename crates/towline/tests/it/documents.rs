//! Documents that name tests and types: what they name is there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::floors::rust_files;

/// The tables of `docs/winrt.md`: by which letter their rows are numbered, from which number to which.
const ROWS: &[(&str, u32, u32)] = &[
    ("C", 1, 11),
    ("D", 1, 9),
    ("E", 1, 10),
    ("F", 1, 6),
    ("G", 1, 2),
    ("H", 1, 8),
    ("N", 1, 19),
    ("O", 1, 8),
    ("P", 1, 11),
    ("Q", 1, 4),
    ("", 1, 25),
    ("", 58, 68),
];

/// Where a test's file is looked for, by what its name begins with.
const PLACES: &[(&str, &str)] = &[
    ("src/", "crates/towline/src/"),
    ("proto/", "crates/towline-proto/tests/it/"),
    ("interop/", "interop/"),
    ("", "crates/towline/tests/it/"),
];

#[test]
fn every_row_is_there_once() {
    let page = page();
    let mut expected: Vec<_> = ROWS
        .iter()
        .flat_map(|(letter, first, last)| (*first..=*last).map(move |n| format!("{letter}{n}")))
        .collect();
    let mut found: Vec<_> = rows(&page).map(|cells| cells[0].to_owned()).collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn every_row_names_a_test_or_says_why_there_is_none() {
    let page = page();
    let mut seen = 0;
    for cells in rows(&page) {
        let shown = cells.last().unwrap();
        let named = spans(shown).filter_map(|span| span.split_once("::"));
        let tests: Vec<_> = named.filter(|(file, _)| file.contains('.')).collect();
        let excused = shown.strip_prefix("none: ").is_some_and(|why| !why.is_empty());
        assert_eq!(tests.is_empty(), excused, "{}: {shown}", cells[0]);
        for (file, test) in tests {
            assert!(is_test(file, test), "{}: {file} has no test {test}", cells[0]);
            seen += 1;
        }
    }
    assert!(seen > 150, "only {seen} tests were found: does this one still read them?");
}

#[test]
fn every_name_is_the_librarys() {
    let page = page();
    let prose = page.split("```").step_by(2);
    let root = repository();
    let lib = fs::read_to_string(root.join("crates/towline/src/lib.rs")).unwrap();
    let folders = ["crates/towline/src", "crates/towline-proto/src"].map(|at| root.join(at));
    let files = folders.iter().flat_map(|folder| rust_files(folder));
    let source: String = files.map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut seen = 0;
    for span in prose.flat_map(|part| part.lines()).flat_map(spans) {
        let word = |part: &str| part.chars().all(|c| c.is_alphanumeric() || c == '_');
        // What the standard library or the page itself calls so is not ours.
        let ours = span.starts_with(char::is_uppercase) && span.split("::").all(word);
        if !ours || ["Ok", "None", "Duration::MAX"].contains(&span) {
            continue;
        }
        let mut parts = span.split("::");
        let first = parts.next().unwrap();
        let uses = lib.lines().filter(|line| !line.trim_start().starts_with("//"));
        let mut words = uses.flat_map(|line| line.split(|c: char| !c.is_alphanumeric()));
        assert!(words.any(|word| word == first), "towline has no {first}: `{span}`");
        for member in parts {
            assert!(declares(&source, member), "{first} has no {member}");
        }
        seen += 1;
    }
    assert!(seen > 100, "only {seen} names were found: does this test still read them?");
}

/// Whether something of this name is declared: a function, a setting, a constant, a variant.
fn declares(source: &str, name: &str) -> bool {
    let setting = name.strip_prefix("get_").unwrap_or(name);
    let setting = format!("{setting}, get_{setting}:");
    let heads = [format!("fn {name}("), format!("fn {name}<"), format!("const {name}:"), setting];
    let is_variant = |line: &str| {
        let rest = line.trim_start().strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with([',', '(', ' ']))
    };
    heads.iter().any(|head| source.contains(head))
        || (name.starts_with(char::is_uppercase) && source.lines().any(is_variant))
}

/// Whether a file has a test of this name, of whichever language.
fn is_test(file: &str, test: &str) -> bool {
    let place = PLACES.iter().find_map(|(prefix, place)| Some((file.strip_prefix(prefix)?, place)));
    let (rest, place) = place.expect("the last one fits all");
    let Ok(text) = fs::read_to_string(repository().join(place).join(rest)) else { return false };
    if file.ends_with(".py") {
        return text.contains(&format!("@check(\"{test}\")"));
    }
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let heads = [format!("fn {test}("), format!("async fn {test}(")];
    lines.iter().enumerate().any(|(at, line)| {
        let above = lines[..at].iter().rev();
        let mut above = above.take_while(|line| line.starts_with("#[") || line.starts_with("//"));
        heads.iter().any(|head| line.starts_with(head))
            && above.any(|line| *line == "#[test]" || line.starts_with("#[tokio::test"))
    })
}

/// The cells of each row that has a number.
fn rows(page: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = lines.map(|line| line.split(" | ").map(str::trim).collect::<Vec<_>>());
    rows.filter(|cells| {
        let number = cells[0].trim_start_matches(|c: char| c.is_ascii_uppercase());
        cells[0].len() - number.len() < 2 && number.parse::<u32>().is_ok()
    })
}

/// What stands between backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn page() -> String {
    fs::read_to_string(repository().join("docs/winrt.md")).unwrap()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
