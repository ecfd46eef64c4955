//! The floors of ARCHITECTURE.md: imports point down only.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module's floor. Modules on one floor do not import each other, but for those listed below.
const FLOORS: &[(&str, u32)] = &[
    ("attempt", 1),
    ("auth", 1),
    ("certificate", 1),
    ("deadline", 1),
    ("deflate", 1),
    ("error", 1),
    ("guard", 1),
    ("info", 1),
    ("progress", 1),
    ("proxy", 1),
    ("registry", 1),
    ("statistics", 1),
    ("transport", 1),
    ("tls", 2),
    ("http1", 2),
    ("dial", 3),
    ("websocket", 3),
    ("message", 4),
    ("stream", 4),
    ("client", 5),
    ("server", 5),
    ("reconnect", 6),
];

/// (importer, imported): neighbours that share a rule that has no better home.
const NEIGHBOURS: &[(&str, &str)] = &[("stream", "message")];

#[test]
fn imports_point_down() {
    let floors: BTreeMap<_, _> = FLOORS.iter().copied().collect();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for file in rust_files(&source) {
        let relative = file.strip_prefix(&source).unwrap();
        let first = relative.iter().next().unwrap().to_str().unwrap();
        let module = first.trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let floor = floors.get(module).unwrap_or_else(|| panic!("{module} has no floor"));
        for line in fs::read_to_string(&file).unwrap().lines() {
            let line = line.trim();
            // Links in documentation may point anywhere.
            if line.starts_with("//") {
                continue;
            }
            for path in line.split("crate::").skip(1) {
                let imported: String =
                    path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                // Names at the crate's root are re-exports; the module they come from decides.
                let imported = match &*imported {
                    "ErrorKind" | "Error" | "Result" => "error",
                    "ConnectionInfo" | "Stats" | "TlsVersion" => "info",
                    "PeerCertificates" | "CertificateError" | "Pin" => "certificate",
                    "TlsConfig" | "ServerTls" | "Identity" => "tls",
                    // The protocol's own, below every floor.
                    "Deflate" | "Prepared" => continue,
                    other => other,
                }
                .to_owned();
                let Some(below) = floors.get(&*imported) else {
                    panic!("{}: crate::{imported} is on no floor", relative.display());
                };
                seen += 1;
                let allowed = below < floor
                    || imported == module
                    || NEIGHBOURS.contains(&(module, &*imported))
                    || (*floor == 1 && *below == 1);
                assert!(allowed, "{}: {module} imports {imported}", relative.display());
            }
        }
    }
    assert!(seen > 40, "only {seen} imports were found: does this test still read them?");
}

#[test]
fn the_protocol_knows_no_runtime() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../towline-proto/Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap();
    let dependencies = dependencies.split("\n[").next().unwrap();
    for banned in ["tokio", "mio", "socket2", "rand =", "getrandom", "rustls"] {
        assert!(!dependencies.contains(banned), "towline-proto depends on {banned}");
    }
}

pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
