//! Manifests. Microsoft's samples are not here; the files in `tests/data/manifests` have their shapes.

mod appx;
mod hostile;
mod native;

use towline_isolate::{Manifest, ManifestError};

fn parse(text: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse("m", text.as_bytes())
}

/// What it is refused with.
fn refusal(text: &str) -> String {
    parse(text).expect_err(text).to_string()
}

/// What is odd in it, line by line.
fn warnings(manifest: &Manifest) -> Vec<String> {
    manifest.warnings().iter().map(ToString::to_string).collect()
}

fn file(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/manifests/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect(name)
}
