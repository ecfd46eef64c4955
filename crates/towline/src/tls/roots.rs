//! Whom a side trusts, in the first place.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use crate::error::{Error, ErrorKind, Result};

/// Roots of one's own, added to these.
pub(super) fn add(
    roots: &mut RootCertStore,
    certificates: impl IntoIterator<Item = CertificateDer<'static>>,
) -> Result<()> {
    for certificate in certificates {
        roots
            .add(certificate)
            .map_err(|error| Error::invalid("reading a trusted certificate").cause(error))?;
    }
    Ok(())
}

/// What the operating system is asked, where it judges certificates itself.
#[cfg(any(windows, target_vendor = "apple", target_os = "android"))]
pub(super) fn platform(
    beside: &[CertificateDer<'static>],
    provider: &std::sync::Arc<rustls::crypto::CryptoProvider>,
) -> Result<super::trust::Base> {
    use rustls_platform_verifier::Verifier;

    let provider = std::sync::Arc::clone(provider);
    #[cfg(target_os = "android")]
    if !beside.is_empty() {
        return Err(Error::invalid("trusting certificates beside the operating system's")
            .cause("Android can only be asked about its own"));
    }
    #[cfg(target_os = "android")]
    let verifier = Verifier::new(provider);
    #[cfg(not(target_os = "android"))]
    let verifier = Verifier::new_with_extra_roots(beside.iter().cloned(), provider);
    let verifier = verifier.map_err(|error| unusable().cause(error))?;
    Ok(super::trust::Base::Verifier(std::sync::Arc::new(verifier)))
}

/// The operating system's roots, where that is all it has, and those beside them.
#[cfg(not(any(windows, target_vendor = "apple", target_os = "android")))]
pub(super) fn platform(
    beside: &[CertificateDer<'static>],
    _: &std::sync::Arc<rustls::crypto::CryptoProvider>,
) -> Result<super::trust::Base> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    // One that is old or odd keeps no other from being used.
    roots.add_parsable_certificates(found.certs);
    add(&mut roots, beside.iter().cloned())?;
    if roots.is_empty() {
        let error = unusable().advise(
            "install the package ca-certificates, or name roots with TlsConfig::roots_pem or --cacert",
        );
        return Err(match found.errors.into_iter().next() {
            Some(cause) => error.cause(cause.to_string()),
            None => error.cause("there are none"),
        });
    }
    Ok(super::trust::Base::Roots(roots))
}

fn unusable() -> Error {
    Error::new(ErrorKind::Tls, "using the operating system's certificates")
}
