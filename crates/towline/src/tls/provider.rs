//! Who does the cryptography.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

/// The provider that the process has installed, or else aws-lc-rs.
///
/// It is named here and nowhere else. rustls would guess by the features that other crates turn on,
/// and panic where there are two or none.
pub(super) fn provider() -> Arc<CryptoProvider> {
    match CryptoProvider::get_default() {
        Some(installed) => Arc::clone(installed),
        None => Arc::new(aws_lc_rs::default_provider()),
    }
}
