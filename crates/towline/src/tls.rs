//! TLS for both roles, by rustls.

use std::io;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, ServerConfig};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::error::{Error, ErrorKind, Result};
use crate::info::TlsVersion;

/// How a client decides whom to trust.
///
/// TLS 1.2 and 1.3. The host's name is always checked.
#[derive(Clone, Debug)]
pub struct TlsConfig(Arc<ClientConfig>);

/// A server's certificate and key.
///
/// TLS 1.2 and 1.3.
#[derive(Clone, Debug)]
pub struct ServerTls(Arc<ServerConfig>);

/// The crypto provider is named here and nowhere else: whatever features other crates turn on,
/// there is one, and nothing panics for want of it.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

impl TlsConfig {
    /// Trusts whom the operating system trusts.
    ///
    /// # Errors
    /// [`Tls`](ErrorKind::Tls) if the operating system's verifier cannot be used.
    pub fn platform() -> Result<Self> {
        let doing = "using the operating system's certificates";
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(|error| Error::new(ErrorKind::Tls, doing).cause(error))?
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Trusts these certificates, in PEM, and those that they signed; nobody else.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if there is no certificate in `pem`, or a bad one.
    pub fn roots_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem.as_ref())? {
            roots
                .add(certificate)
                .map_err(|error| Error::invalid("reading a trusted certificate").cause(error))?;
        }
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::new(ErrorKind::Tls, "setting up TLS").cause(error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Whatever rustls can be told, for needs beyond this type's methods.
    pub fn from_rustls(config: Arc<ClientConfig>) -> Self {
        Self(config)
    }
}

impl ServerTls {
    /// A certificate (with those that lead from it to its root, in order) and its private key, in
    /// PEM.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if either is missing or bad, or they do not
    /// belong together.
    pub fn from_pem(certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self> {
        let chain = certificates(certificate.as_ref())?;
        let key = PrivateKeyDer::from_pem_slice(key.as_ref()).map_err(|error| {
            Error::invalid("reading the private key")
                .cause(error)
                .advise("expected PEM with a BEGIN PRIVATE KEY (PKCS#8), RSA or EC line")
        })?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| {
                Error::invalid("using the certificate with its key")
                    .cause(error)
                    .advise("the key must be the one that the first certificate was made for")
            })?;
        Ok(Self(Arc::new(config)))
    }

    /// Whatever rustls can be told, for needs beyond this type's methods.
    pub fn from_rustls(config: Arc<ServerConfig>) -> Self {
        Self(config)
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let bad = || Error::invalid("reading certificates in PEM");
    let chain = CertificateDer::pem_slice_iter(pem)
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| bad().cause(error))?;
    if chain.is_empty() {
        return Err(bad().cause("there is none").advise("expected a BEGIN CERTIFICATE line"));
    }
    Ok(chain)
}

pub(crate) async fn connect<T>(
    io: T,
    host: &str,
    config: &TlsConfig,
) -> Result<(client::TlsStream<T>, Option<TlsVersion>)>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| Error::invalid(format!("using {host} as a server's name")).cause(error))?;
    let stream = TlsConnector::from(Arc::clone(&config.0))
        .connect(name, io)
        .await
        .map_err(|error| failed(format!("agreeing on TLS with {host}"), error))?;
    let version = version(stream.get_ref().1.protocol_version());
    Ok((stream, version))
}

pub(crate) async fn accept<T>(
    io: T,
    config: &ServerTls,
    peer: impl std::fmt::Display,
) -> Result<(server::TlsStream<T>, Option<TlsVersion>)>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let stream = TlsAcceptor::from(Arc::clone(&config.0))
        .accept(io)
        .await
        .map_err(|error| failed(format!("agreeing on TLS with {peer}"), error))?;
    let version = version(stream.get_ref().1.protocol_version());
    Ok((stream, version))
}

fn version(version: Option<ProtocolVersion>) -> Option<TlsVersion> {
    match version? {
        ProtocolVersion::TLSv1_2 => Some(TlsVersion::Tls12),
        ProtocolVersion::TLSv1_3 => Some(TlsVersion::Tls13),
        _ => None,
    }
}

fn failed(doing: String, error: io::Error) -> Error {
    let reason = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).cloned();
    match reason {
        Some(reason @ rustls::Error::InvalidCertificate(_)) => {
            let advice = advice(&reason);
            Error::new(ErrorKind::Certificate, doing).cause(reason).advise(advice)
        }
        Some(reason) => {
            let advice = match reason {
                rustls::Error::InvalidMessage(_) => "does that port speak TLS? ws:// does not",
                rustls::Error::AlertReceived(alert) if is_of_certificate(alert) => {
                    "the other side does not trust our certificate"
                }
                _ => "the two sides may have no TLS version or cipher in common",
            };
            Error::new(ErrorKind::Tls, doing).cause(reason).advise(advice)
        }
        None => Error::new(ErrorKind::Tls, doing).cause(error).advise(
            "the other side ended the connection during the TLS handshake: does it speak TLS?",
        ),
    }
}

/// Whether the peer says by this that it does not like our certificate (RFC 8446 §6.2).
fn is_of_certificate(alert: rustls::AlertDescription) -> bool {
    use rustls::AlertDescription as Alert;
    matches!(
        alert,
        Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            // A signature on it that is somebody else's.
            | Alert::DecryptError
    )
}

/// What usually mends a certificate error.
fn advice(error: &rustls::Error) -> &'static str {
    use rustls::CertificateError as Bad;
    let rustls::Error::InvalidCertificate(bad) = error else { return "" };
    match bad {
        Bad::Expired | Bad::ExpiredContext { .. } => "the server needs a new certificate",
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => "is this machine's clock right?",
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            "connect to a name that the certificate is for"
        }
        // The second is an issuer of the same name as one that is trusted, but another.
        Bad::UnknownIssuer | Bad::BadSignature => {
            "trust its issuer with TlsConfig::roots_pem, or --cacert on the command line"
        }
        _ => "the certificate is not to be trusted",
    }
}
