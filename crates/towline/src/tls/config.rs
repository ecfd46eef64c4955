//! A client's settings of TLS.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};

use super::identity::Identity;
use super::pem;
use super::version::Versions;
use crate::certificate::{CertificateError, Pin};
use crate::error::Result;

/// How a client decides whom to trust, in the first place.
///
/// TLS 1.2 and 1.3. Given to [`ClientBuilder::tls`](crate::ClientBuilder::tls); what else there is to
/// set is on that builder, and in [`guide::tls`](crate::guide::tls).
#[derive(Clone, Debug)]
pub struct TlsConfig(pub(super) Kind);

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Ours(Box<Settings>),
    /// Somebody else has set it all.
    Rustls(Arc<ClientConfig>),
}

/// What can be set, but for the checks of one's own, which work with any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) whom: Whom,
    pub(crate) identity: Option<Identity>,
    pub(crate) ignored: Vec<CertificateError>,
    pub(crate) pins: Vec<Pin>,
    pub(crate) crls: Vec<CertificateRevocationListDer<'static>>,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) key_log: bool,
    pub(crate) versions: Versions,
}

/// Whom a client trusts.
#[derive(Clone, Debug, Default)]
pub(crate) enum Whom {
    /// Whom the operating system trusts.
    #[default]
    Platform,
    /// These as well.
    PlatformAnd(Vec<CertificateDer<'static>>),
    /// These and nobody else.
    Only(Vec<CertificateDer<'static>>),
    /// Whom this does.
    Verifier(Arc<dyn ServerCertVerifier>),
}

impl TlsConfig {
    /// Trusts whom the operating system trusts, as clients do by default.
    ///
    /// On Linux and the BSDs those are the certificates in its files, or in those that the variables
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` name. Elsewhere it is asked itself.
    pub fn platform() -> Self {
        Self::default()
    }

    /// Trusts these certificates, in PEM (or one in DER), and those that they signed; nobody else.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if there is no certificate in `pem`, or a
    /// bad one.
    pub fn roots_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        let roots = roots(pem.as_ref())?;
        Ok(Self::trusting(Whom::Only(roots)))
    }

    /// Trusts these certificates, in PEM (or one in DER), and whom the operating system trusts.
    ///
    /// # Errors
    /// As [`roots_pem`](Self::roots_pem).
    pub fn platform_and_roots_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        let roots = roots(pem.as_ref())?;
        Ok(Self::trusting(Whom::PlatformAnd(roots)))
    }

    /// Trusts whom a verifier of rustls does: another system's trust store, for example.
    ///
    /// What it has against a server is found and told as always, and can be ignored as far as that
    /// may be. It is not asked about the handshake's signature, which is always checked.
    pub fn from_verifier(verifier: Arc<dyn ServerCertVerifier>) -> Self {
        Self::trusting(Whom::Verifier(verifier))
    }

    /// Whatever rustls can be told, for needs beyond these and the builder's methods.
    ///
    /// Of those only [`check_certificate`](crate::ClientBuilder::check_certificate) can be had
    /// beside it, and of what is wrong with a certificate one thing is told and not all.
    pub fn from_rustls(config: Arc<ClientConfig>) -> Self {
        Self(Kind::Rustls(config))
    }

    fn trusting(whom: Whom) -> Self {
        Self(Kind::Ours(Box::new(Settings { whom, ..Settings::default() })))
    }
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self(Kind::Ours(Box::default()))
    }
}

/// Certificates that can be roots.
fn roots(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let roots = pem::certificates(pem)?;
    // Said here, where it can be mended.
    super::roots::add(&mut rustls::RootCertStore::empty(), roots.iter().cloned())?;
    Ok(roots)
}

impl Settings {
    /// Lists of what was revoked, in PEM or DER, beside those that there are.
    pub(crate) fn revoke(&mut self, lists: &[u8]) -> Result<()> {
        let lists = pem::crls(lists)?;
        super::crls::Lists::parse(&lists)?;
        self.crls.extend(lists);
        Ok(())
    }
}
