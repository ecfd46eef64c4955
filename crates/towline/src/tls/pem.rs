//! Certificates, keys and lists of what was revoked, as files hold them.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use crate::error::{Error, Result};

/// All certificates in PEM, of which there is at least one, or the one in DER, as Windows exports it.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    // DER begins with the tag of a SEQUENCE, and no PEM with a digit zero.
    if pem.first() == Some(&0x30) {
        return Ok(vec![CertificateDer::from(pem.to_vec())]);
    }
    let bad = || Error::invalid("reading certificates in PEM");
    let chain = CertificateDer::pem_slice_iter(pem)
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| bad().cause(error))?;
    if chain.is_empty() {
        return Err(bad().cause("there is none").advise("expected a BEGIN CERTIFICATE line"));
    }
    Ok(chain)
}

/// The first private key.
pub(super) fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| {
        let has = |text: &[u8]| pem.windows(text.len()).any(|window| window == text);
        let encrypted =
            has(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") || has(b"Proc-Type: 4,ENCRYPTED");
        Error::invalid("reading the private key").cause(error).advise(match encrypted {
            true => "it is encrypted: put it into a PKCS#12 file, or decrypt it with openssl pkey",
            false => "expected PEM with a BEGIN PRIVATE KEY (PKCS#8), RSA or EC line",
        })
    })
}

/// All lists of what was revoked, in PEM, or the one in DER.
pub(super) fn crls(bytes: &[u8]) -> Result<Vec<CertificateRevocationListDer<'static>>> {
    let bad = || Error::invalid("reading a list of revoked certificates");
    // DER begins with the tag of a SEQUENCE, and no PEM with a digit zero.
    if bytes.first() == Some(&0x30) {
        return Ok(vec![CertificateRevocationListDer::from(bytes.to_vec())]);
    }
    let lists = CertificateRevocationListDer::pem_slice_iter(bytes)
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| bad().cause(error))?;
    if lists.is_empty() {
        return Err(bad().cause("there is none").advise("expected a BEGIN X509 CRL line"));
    }
    Ok(lists)
}
