//! What a peer showed.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use super::{Certificate, CertificateError, Severity};

/// The certificates that a peer showed in the TLS handshake, and what is wrong with them.
///
/// Of a connection it is in [`ConnectionInfo::peer_certificates`](crate::ConnectionInfo::peer_certificates),
/// of one that failed for them in [`Error::peer_certificates`](crate::Error::peer_certificates).
///
/// ```no_run
/// # #[tokio::main]
/// # async fn main() -> towline::Result<()> {
/// if let Err(error) = towline::Client::new().connect("wss://example.com/").await {
///     if let Some(shown) = error.peer_certificates() {
///         println!("{:?}, for {:?}", shown.certificate().subject(), shown.certificate().names());
///         for error in shown.errors() {
///             println!("{error} ({:?})", error.severity());
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
// One pointer: connections to the same server share what it showed.
#[derive(Clone, Eq, PartialEq)]
pub struct PeerCertificates(Arc<Shown>);

#[derive(Eq, PartialEq)]
struct Shown {
    certificate: Certificate,
    intermediates: Box<[Certificate]>,
    errors: Box<[CertificateError]>,
}

impl PeerCertificates {
    pub(crate) fn new(
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        errors: impl IntoIterator<Item = CertificateError>,
    ) -> Self {
        Self(Arc::new(Shown {
            certificate: Certificate::new(certificate),
            intermediates: intermediates.iter().map(Certificate::new).collect(),
            errors: errors.into_iter().collect(),
        }))
    }

    /// The peer's own certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    /// Those that it sent beside it, which should lead to a root.
    pub fn intermediates(&self) -> &[Certificate] {
        &self.0.intermediates
    }

    /// All that is wrong with them, also what was ignored.
    pub fn errors(&self) -> &[CertificateError] {
        &self.0.errors
    }

    /// How bad the worst of it is.
    pub fn severity(&self) -> Severity {
        self.errors().iter().map(|error| error.severity()).max().unwrap_or_default()
    }
}

impl fmt::Debug for PeerCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerCertificates")
            .field("certificate", self.certificate())
            .field("intermediates", &self.intermediates())
            .field("errors", &self.errors())
            .finish()
    }
}
