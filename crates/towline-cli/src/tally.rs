//! How much went by, and its SHA-256.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Counts and hashes bytes that go by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    bytes: u64,
    hash: Sha256,
}

impl Tally {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.hash.update(bytes);
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The SHA-256 of all that went by, in hexadecimal digits.
    pub(crate) fn sha256(self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.hash.finalize() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}
