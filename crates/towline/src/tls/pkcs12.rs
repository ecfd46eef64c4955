//! PKCS#12 files.

use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::error::{Error, Result};

/// The first key of a file with its certificates, its own first.
pub(super) fn read(
    file: &[u8],
    password: &str,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let bad = || Error::invalid("reading a PKCS#12 file");
    let store =
        KeyStore::from_pkcs12(file, password, Pkcs12ImportPolicy::Strict).map_err(|error| {
            // The library's words, which never hold the password.
            bad().cause(error.to_string()).advise("is the password right?")
        })?;
    let Some((_, found)) = store.private_key_chain() else {
        return Err(bad()
            .cause("there is no private key with its certificate in it")
            .advise("export the certificate together with its key"));
    };
    let chain = found.certs().iter().map(|one| CertificateDer::from(one.as_der().to_vec()));
    let key = PrivatePkcs8KeyDer::from(found.key().as_der().to_vec());
    Ok((chain.collect(), key.into()))
}
