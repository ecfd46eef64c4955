//! Certificates, of which one is good: what the hostile server shows to clients that speak TLS.

use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, Error, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::attack::Shown;
use crate::exit::{Code, Failure, Outcome};

/// By any of these names a client may know this machine.
const OURS: &[&str] = &["localhost", "127.0.0.1", "::1"];

/// Somebody else's.
const ANOTHERS: &[&str] = &["elsewhere.example"];

/// An authority made for this run, whose key never leaves the process.
pub(super) struct Certificates {
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    pub(super) fn new() -> Outcome<Self> {
        Ok(Self { authority: authority().map_err(|error| failed(&error))? })
    }

    /// Writes what clients have to trust.
    pub(super) fn save(&self, path: &Path) -> Outcome {
        std::fs::write(path, self.authority.pem())
            .map_err(|error| Failure::writing(path.display(), &error))
    }

    /// A server with this certificate; `None` if there is none to show.
    pub(super) fn acceptor(&self, shown: Shown) -> Outcome<Option<TlsAcceptor>> {
        let made = match shown {
            Shown::Good => self.signed(OURS, None),
            Shown::AnotherName => self.signed(ANOTHERS, None),
            Shown::Expired => self.signed(OURS, Some(2001)),
            Shown::SelfSigned => self_signed(OURS),
            Shown::ClearText => return Ok(None),
        };
        let (certificate, key) = made.map_err(|error| failed(&error))?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| {
                config.with_no_client_auth().with_single_cert(vec![certificate], key)
            })
            .map_err(|error| failed(&error))?;
        Ok(Some(TlsAcceptor::from(Arc::new(config))))
    }

    fn signed(&self, names: &[&str], last_year: Option<i32>) -> Result<Certified, Error> {
        let mut params = params(names)?;
        if let Some(year) = last_year {
            params.not_after = date_time_ymd(year, 12, 31);
        }
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.authority)?;
        Ok((certificate.der().clone(), private(&key)))
    }
}

type Certified = (CertificateDer<'static>, PrivateKeyDer<'static>);

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    // Else what is self-signed would seem to be signed by it, only badly.
    params.distinguished_name.push(DnType::CommonName, "towline abuse");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn self_signed(names: &[&str]) -> Result<Certified, Error> {
    let key = KeyPair::generate()?;
    let certificate = params(names)?.self_signed(&key)?;
    Ok((certificate.der().clone(), private(&key)))
}

fn params(names: &[&str]) -> Result<CertificateParams, Error> {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Code::Tls, format!("making a certificate: {error}"))
}
