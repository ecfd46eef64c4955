//! Why there is no TLS, put into words.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError as Bad, Error as TlsError, OtherError};

use super::distrusted::Distrusted;
use super::finding::Finding;
use crate::certificate::{CertificateError, PeerCertificates};
use crate::error::{Error, ErrorKind, HResult, Step};

/// Whose certificate was looked at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Peer {
    Server,
    Client,
}

/// A handshake failed.
///
/// `shown` is what the peer showed before, if it did.
pub(super) fn of(
    peer: Peer,
    doing: String,
    error: io::Error,
    shown: Option<PeerCertificates>,
) -> Error {
    let failed = match reason(&error) {
        Some(reason @ TlsError::InvalidCertificate(bad)) => {
            let advice = match peer {
                Peer::Server => advice(bad),
                Peer::Client => "the client needs a certificate that ServerTls was told to trust",
            };
            let found = Finding::from(reason.clone()).error;
            let failed = Error::new(ErrorKind::Certificate, doing)
                .with_hresult(HResult::of_certificate(found))
                .advise(advice);
            match Distrusted::new(shown.as_ref(), reason) {
                Some(distrusted) => failed.cause(distrusted),
                None => failed.cause(reason.clone()),
            }
        }
        Some(reason) => {
            let advice = match reason {
                TlsError::InvalidMessage(_) => "does that port speak TLS? ws:// does not",
                TlsError::NoCertificatesPresented => {
                    "the client has to show a certificate, and has none"
                }
                TlsError::AlertReceived(alert) => {
                    of_certificate(*alert).unwrap_or(NOTHING_IN_COMMON)
                }
                _ => NOTHING_IN_COMMON,
            };
            Error::new(ErrorKind::Tls, doing).cause(reason.clone()).advise(advice)
        }
        None => Error::new(ErrorKind::Tls, doing).cause(error).advise(
            "the other side ended the connection during the TLS handshake: does it speak TLS?",
        ),
    };
    failed.with_peer_certificates(shown)
}

/// An error of the opening handshake, if it is none of TLS.
///
/// In TLS 1.3 the server looks at our certificate when for us the handshake is over: what it says
/// of it comes in the place of its answer.
pub(crate) fn late(error: Error, doing: impl FnOnce() -> String) -> Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<io::Error>());
    match cause.and_then(reason) {
        Some(reason @ TlsError::AlertReceived(alert)) => match of_certificate(*alert) {
            Some(advice) => Error::new(ErrorKind::Tls, doing())
                .cause(reason.clone())
                .advise(advice)
                .at(Step::Tls),
            None => error,
        },
        _ => error,
    }
}

/// A check of the caller's own said no, for this reason.
#[derive(Debug)]
pub(crate) struct Rejected(pub(super) Box<dyn StdError + Send + Sync>);

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate was rejected: {}", self.0)
    }
}

impl StdError for Rejected {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

fn reason(error: &io::Error) -> Option<&TlsError> {
    error.get_ref()?.downcast_ref()
}

const NOTHING_IN_COMMON: &str = "the two sides may have no TLS version or cipher in common";

/// What the peer says by this of our certificate, if it does (RFC 8446 §6.2).
fn of_certificate(alert: AlertDescription) -> Option<&'static str> {
    use AlertDescription as Alert;
    match alert {
        Alert::CertificateRequired => Some(
            "the server demands a certificate of the client: ClientBuilder::identity, or --cert on \
             the command line",
        ),
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied
        // A signature on it that is somebody else's.
        | Alert::DecryptError => Some("the other side does not trust our certificate"),
        Alert::NoApplicationProtocol => {
            Some("the two sides have no application protocol (ALPN) in common")
        }
        _ => None,
    }
}

/// What usually mends a certificate error.
fn advice(bad: &Bad) -> &'static str {
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
        Bad::UnknownRevocationStatus => "give the list of what its issuer has revoked, too",
        Bad::ExpiredRevocationList | Bad::ExpiredRevocationListContext { .. } => {
            "get a new list of what its issuer has revoked"
        }
        Bad::Other(OtherError(what)) if what.is::<CertificateError>() => {
            "the server has none of the keys that were pinned: is it the right one, with a new key?"
        }
        _ => "the certificate is not to be trusted",
    }
}
