//! A certificate and the key that belongs to it.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::pem;
use super::provider::provider;
use crate::certificate::Certificate;
use crate::error::{Error, Result};

/// A certificate, those that lead from it to its root, and its private key.
///
/// By it a server is known to clients, and a client to servers that ask for it.
///
/// ```no_run
/// use towline::{Client, Identity};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let me = Identity::from_pem(std::fs::read("me.pem")?, std::fs::read("me.key")?)?;
/// let client = Client::builder().identity(me).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Identity(pub(super) Arc<CertifiedKey>);

impl Identity {
    /// A certificate (with those that lead from it to its root, in order) and its private key, in
    /// PEM. Both may be in the same file, which is then given twice.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if either is missing or bad, or they do not
    /// belong together.
    pub fn from_pem(certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self> {
        Self::new(pem::certificates(certificate.as_ref())?, pem::private_key(key.as_ref())?)
    }

    /// What a PKCS#12 file holds (`.p12`, `.pfx`), as Windows, browsers and OpenSSL write it.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the password is wrong, the file is bad,
    /// or there is no certificate with its key in it.
    #[cfg(feature = "pkcs12")]
    pub fn from_pkcs12(file: impl AsRef<[u8]>, password: &str) -> Result<Self> {
        let (chain, key) = super::pkcs12::read(file.as_ref(), password)?;
        Self::new(chain, key)
    }

    /// The certificate.
    pub fn certificate(&self) -> Certificate {
        Certificate::new(self.0.cert.first().expect("it was compared with the key"))
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self> {
        let certified = CertifiedKey::from_der(chain, key, &provider());
        certified.map(|certified| Self(Arc::new(certified))).map_err(|error| {
            Error::invalid("using the certificate with its key")
                .cause(error)
                .advise("the key must be the one that the first certificate was made for")
        })
    }
}

/// The certificate, never the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.certificate()).finish()
    }
}
