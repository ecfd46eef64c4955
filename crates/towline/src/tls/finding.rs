//! One thing that is wrong with a certificate.

use std::sync::Arc;

use rustls::{CertificateError as Cause, Error, OtherError};
use webpki::Error as Bad;

use crate::certificate::{CertificateError, Severity};

/// What is wrong, by its name and in the words of rustls, by which the peer is told in an alert.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) error: CertificateError,
    pub(super) cause: Cause,
}

/// All that was found, each kind once, in the order in which it was.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    pub(super) fn add(&mut self, finding: impl Into<Finding>) {
        let finding = finding.into();
        if !self.has(finding.error) {
            self.0.push(finding);
        }
    }

    pub(super) fn has(&self, error: CertificateError) -> bool {
        self.0.iter().any(|known| known.error == error)
    }

    pub(super) fn errors(&self) -> impl Iterator<Item = CertificateError> + '_ {
        self.0.iter().map(|finding| finding.error)
    }

    /// The worst that is not ignored.
    pub(super) fn refuse(&self, ignored: &[CertificateError]) -> Result<(), Error> {
        // Of several that are as bad the last one seen, and so the first that was found.
        let open = self.0.iter().rev().filter(|finding| !ignored.contains(&finding.error));
        let worst = open.max_by_key(|finding| finding.error.severity());
        worst.map_or(Ok(()), |worst| Err(Error::InvalidCertificate(worst.cause.clone())))
    }
}

impl Finding {
    pub(super) fn new(error: CertificateError, cause: Cause) -> Self {
        Self { error, cause }
    }

    /// One behind which nothing more can be seen, so it is nothing that may be ignored.
    pub(super) fn final_one(bad: Bad) -> Self {
        let finding = Self::from(bad);
        let error = match finding.error.severity() {
            Severity::Fatal => finding.error,
            Severity::None | Severity::Ignorable => CertificateError::Other,
        };
        Self { error, ..finding }
    }

    /// It is for another purpose.
    pub(super) fn of_another_purpose() -> Self {
        Self::new(CertificateError::WrongUsage, Cause::InvalidPurpose)
    }

    /// The list of what was revoked is too old.
    pub(super) fn out_of_date() -> Self {
        Self::new(CertificateError::RevocationFailure, Cause::ExpiredRevocationList)
    }
}

/// Its name is that of what webpki stumbled over.
impl From<Bad> for Finding {
    fn from(bad: Bad) -> Self {
        use CertificateError as Name;
        match bad {
            Bad::UnknownIssuer => Self::new(Name::Untrusted, Cause::UnknownIssuer),
            Bad::CertExpired { time, not_after } => {
                Self::new(Name::Expired, Cause::ExpiredContext { time, not_after })
            }
            Bad::CertNotValidYet { time, not_before } => {
                Self::new(Name::Expired, Cause::NotValidYetContext { time, not_before })
            }
            Bad::CertRevoked => Self::new(Name::Revoked, Cause::Revoked),
            Bad::UnknownRevocationStatus => {
                Self::new(Name::RevocationInformationMissing, Cause::UnknownRevocationStatus)
            }
            Bad::CrlExpired { time, next_update } => Self::new(
                Name::RevocationFailure,
                Cause::ExpiredRevocationListContext { time, next_update },
            ),
            bad if is_of_crl(&bad) => Self::new(Name::RevocationFailure, other(bad)),
            Bad::InvalidSignatureForPublicKey => {
                Self::new(Name::InvalidSignature, Cause::BadSignature)
            }
            Bad::RequiredEkuNotFoundContext(_) => {
                Self::new(Name::WrongUsage, Cause::InvalidPurpose)
            }
            Bad::CertNotValidForName(names) => Self::new(
                Name::InvalidName,
                Cause::NotValidForNameContext {
                    expected: names.expected,
                    presented: names.presented,
                },
            ),
            Bad::NameConstraintViolation => Self::new(Name::InvalidAuthorityPolicy, other(bad)),
            Bad::CaUsedAsEndEntity | Bad::EndEntityUsedAsCa | Bad::PathLenConstraintViolated => {
                Self::new(Name::BasicConstraints, other(bad))
            }
            Bad::UnsupportedCriticalExtension => {
                Self::new(Name::UnknownCriticalExtension, Cause::UnhandledCriticalExtension)
            }
            Bad::BadDer | Bad::BadDerTime | Bad::TrailingData(_) => {
                Self::new(Name::Other, Cause::BadEncoding)
            }
            bad => Self::new(Name::Other, other(bad)),
        }
    }
}

/// Its name is that of what another verifier said.
impl From<Error> for Finding {
    fn from(error: Error) -> Self {
        use CertificateError as Name;
        let cause = match error {
            Error::InvalidCertificate(cause) => cause,
            Error::InvalidCertRevocationList(_) => {
                return Self::new(Name::RevocationFailure, other(error));
            }
            error => return Self::new(Name::Other, other(error)),
        };
        let name = match &cause {
            Cause::UnknownIssuer => Name::Untrusted,
            Cause::Expired
            | Cause::ExpiredContext { .. }
            | Cause::NotValidYet
            | Cause::NotValidYetContext { .. } => Name::Expired,
            Cause::Revoked => Name::Revoked,
            Cause::UnknownRevocationStatus => Name::RevocationInformationMissing,
            Cause::ExpiredRevocationList | Cause::ExpiredRevocationListContext { .. } => {
                Name::RevocationFailure
            }
            Cause::BadSignature => Name::InvalidSignature,
            Cause::InvalidPurpose | Cause::InvalidPurposeContext { .. } => Name::WrongUsage,
            Cause::NotValidForName | Cause::NotValidForNameContext { .. } => Name::InvalidName,
            Cause::UnhandledCriticalExtension => Name::UnknownCriticalExtension,
            // What rustls has no name for, in webpki's words.
            Cause::Other(OtherError(bad)) => match bad.downcast_ref::<Bad>() {
                Some(bad) => Self::final_one(bad.clone()).error,
                // And what neither of them has.
                None => bad.downcast_ref().copied().unwrap_or(Name::Other),
            },
            _ => Name::Other,
        };
        Self::new(name, cause)
    }
}

/// Whether it is a list of what was revoked that is bad, and not the certificate.
pub(super) fn is_of_crl(bad: &Bad) -> bool {
    matches!(
        bad,
        Bad::InvalidCrlSignatureForPublicKey
            | Bad::IssuerNotCrlSigner
            | Bad::UnsupportedCrlSignatureAlgorithmContext(_)
            | Bad::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_)
    )
}

pub(super) fn other(error: impl std::error::Error + Send + Sync + 'static) -> Cause {
    Cause::Other(OtherError(Arc::new(error)))
}
