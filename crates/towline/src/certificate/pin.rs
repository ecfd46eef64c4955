//! The hash of a public key.

use std::error::Error as StdError;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use sha2::{Digest, Sha256};

/// The SHA-256 of a public key, by which a server is known whoever issued its certificate.
///
/// As text it is what curl takes for `--pinnedpubkey`: `sha256//` and the hash in base64. A server's
/// own is in [`Certificate::pin`](super::Certificate::pin).
///
/// ```
/// use towline::Pin;
///
/// # fn main() -> Result<(), towline::BadPin> {
/// let pin: Pin = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".parse()?;
/// assert_eq!(pin.to_string(), "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Pin([u8; 32]);

/// The text is no [`Pin`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct BadPin;

const PREFIX: &str = "sha256//";

impl Pin {
    /// Of a hash that is known.
    pub fn new(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// Of the first public key, or else the first certificate, in PEM.
    ///
    /// # Errors
    /// [`BadPin`] if there is neither.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, BadPin> {
        let pem = pem.as_ref();
        if let Ok(key) = SubjectPublicKeyInfoDer::from_pem_slice(pem) {
            return Ok(Self::of_key(&key));
        }
        let certificate = CertificateDer::from_pem_slice(pem).map_err(|_| BadPin)?;
        Self::of_certificate(&certificate).ok_or(BadPin)
    }

    /// The hash.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn of_certificate(certificate: &CertificateDer<'_>) -> Option<Self> {
        let read = webpki::EndEntityCert::try_from(certificate).ok()?;
        Some(Self::of_key(&read.subject_public_key_info()))
    }

    fn of_key(key: &SubjectPublicKeyInfoDer<'_>) -> Self {
        Self(Sha256::digest(key).into())
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Pin {
    type Err = BadPin;

    fn from_str(text: &str) -> Result<Self, BadPin> {
        let digits = text.strip_prefix(PREFIX).ok_or(BadPin)?;
        let hash = STANDARD.decode(digits).map_err(|_| BadPin)?;
        hash.try_into().map(Self).map_err(|_| BadPin)
    }
}

impl fmt::Display for BadPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected sha256// and the hash of a public key in base64")
    }
}

impl StdError for BadPin {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read_as_they_are_written() {
        for seed in 0..=255_u8 {
            let pin = Pin::new(Sha256::digest([seed]).into());
            assert_eq!(pin.to_string().parse(), Ok(pin));
        }
        let ones = Pin::new([0xff; 32]);
        assert_eq!(ones.to_string(), format!("sha256//{}8=", "/".repeat(42)));
        for bad in ["", "sha256//", "sha1//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="] {
            assert_eq!(bad.parse::<Pin>(), Err(BadPin), "{bad}");
        }
        assert!("sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF==".parse::<Pin>().is_err());
        assert!("sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF*=".parse::<Pin>().is_err());
    }
}
