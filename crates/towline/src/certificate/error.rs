//! What can be wrong with a certificate.

use std::error::Error as StdError;
use std::fmt;
use std::str::FromStr;

use super::Severity;

/// What can be wrong with a certificate or with the chain that leads to it.
///
/// All but the last are those of the Windows Runtime's `ChainValidationResult`.
///
/// | may be ignored | may never be ignored |
/// |---|---|
/// | `Untrusted`, `Expired`, `IncompleteChain`, `WrongUsage`, `InvalidName`, `RevocationInformationMissing`, `RevocationFailure` | `Revoked`, `InvalidSignature`, `InvalidAuthorityPolicy`, `BasicConstraints`, `UnknownCriticalExtension`, `Other`, `NotPinned` |
///
/// As text they are called `untrusted`, `incomplete-chain` and so on; any case will do, with or
/// without the hyphen.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum CertificateError {
    /// The chain ends at a certificate that is not trusted, which may be this one itself.
    Untrusted,
    /// It, or one between it and its root, was taken back by its issuer.
    Revoked,
    /// It, or one between it and its root, is not valid yet or no more.
    Expired,
    /// An issuer is missing from the chain, so nobody can tell where it ends.
    ///
    /// Who ignores this ignores as much as with [`Untrusted`](Self::Untrusted).
    IncompleteChain,
    /// A signature in the chain is not that of its issuer.
    ///
    /// Also where a trusted issuer has the same name and another key, unless the chain was sent with
    /// a root of its own.
    InvalidSignature,
    /// It is for another purpose than this.
    WrongUsage,
    /// It is for other names than the one that was connected to.
    InvalidName,
    /// It breaks a rule that one of its issuers is bound to, such as for which names it may issue.
    InvalidAuthorityPolicy,
    /// One in the chain is used as an issuer that is none, or the other way round.
    BasicConstraints,
    /// It says that it must not be used by who does not understand something in it, as we do not.
    UnknownCriticalExtension,
    /// The lists of what was revoked say nothing of its issuer.
    RevocationInformationMissing,
    /// The list of what was revoked is too old, or is not signed by who should have.
    RevocationFailure,
    /// Anything else, such as bytes that are no certificate.
    Other,
    /// Its key is none of those that were pinned.
    NotPinned,
}

impl CertificateError {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Untrusted,
        Self::Revoked,
        Self::Expired,
        Self::IncompleteChain,
        Self::InvalidSignature,
        Self::WrongUsage,
        Self::InvalidName,
        Self::InvalidAuthorityPolicy,
        Self::BasicConstraints,
        Self::UnknownCriticalExtension,
        Self::RevocationInformationMissing,
        Self::RevocationFailure,
        Self::Other,
        Self::NotPinned,
    ];

    /// How bad it is.
    pub fn severity(self) -> Severity {
        match self {
            Self::Untrusted
            | Self::Expired
            | Self::IncompleteChain
            | Self::WrongUsage
            | Self::InvalidName
            | Self::RevocationInformationMissing
            | Self::RevocationFailure => Severity::Ignorable,
            Self::Revoked
            | Self::InvalidSignature
            | Self::InvalidAuthorityPolicy
            | Self::BasicConstraints
            | Self::UnknownCriticalExtension
            | Self::Other
            | Self::NotPinned => Severity::Fatal,
        }
    }

    /// Its name, as [`FromStr`] reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Untrusted => "untrusted",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::IncompleteChain => "incomplete-chain",
            Self::InvalidSignature => "invalid-signature",
            Self::WrongUsage => "wrong-usage",
            Self::InvalidName => "invalid-name",
            Self::InvalidAuthorityPolicy => "invalid-authority-policy",
            Self::BasicConstraints => "basic-constraints",
            Self::UnknownCriticalExtension => "unknown-critical-extension",
            Self::RevocationInformationMissing => "revocation-information-missing",
            Self::RevocationFailure => "revocation-failure",
            Self::Other => "other",
            Self::NotPinned => "not-pinned",
        }
    }
}

/// What is wrong, in a phrase.
impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Untrusted => "its issuer is not trusted",
            Self::Revoked => "it was revoked",
            Self::Expired => "it is not valid at this time",
            Self::IncompleteChain => "its issuer is not trusted, and was not sent",
            Self::InvalidSignature => "a signature in its chain is not its issuer's",
            Self::WrongUsage => "it is for another purpose",
            Self::InvalidName => "it is for another name",
            Self::InvalidAuthorityPolicy => "an issuer was not allowed to issue it",
            Self::BasicConstraints => "its chain uses a certificate as what it is not",
            Self::UnknownCriticalExtension => "it has a critical extension that is not known",
            Self::RevocationInformationMissing => "whether it was revoked is not known",
            Self::RevocationFailure => "the list of what was revoked cannot be used",
            Self::Other => "it cannot be used",
            Self::NotPinned => "its key is not one that was pinned",
        })
    }
}

impl StdError for CertificateError {}

impl FromStr for CertificateError {
    type Err = UnknownCertificateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |text: &str| text.replace('-', "").to_ascii_lowercase();
        let found = Self::ALL.iter().find(|error| plain(error.name()) == plain(text));
        found.copied().ok_or(UnknownCertificateError)
    }
}

/// The text is no [`CertificateError`]'s name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct UnknownCertificateError;

impl fmt::Display for UnknownCertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no error of certificates has that name; those that may be ignored are")?;
        let ignorable =
            CertificateError::ALL.iter().filter(|error| error.severity() == Severity::Ignorable);
        for (index, error) in ignorable.enumerate() {
            write!(f, "{} {}", if index == 0 { "" } else { "," }, error.name())?;
        }
        Ok(())
    }
}

impl StdError for UnknownCertificateError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_by_the_names_they_have() {
        for error in CertificateError::ALL {
            assert_eq!(error.name().parse(), Ok(*error));
            assert_eq!(format!("{error:?}").parse(), Ok(*error));
        }
        assert_eq!("all".parse::<CertificateError>(), Err(UnknownCertificateError));
        let listed = UnknownCertificateError.to_string();
        assert!(listed.contains(" untrusted, expired,"), "{listed}");
        assert!(!listed.contains("revoked,"), "{listed}");
    }

    #[test]
    fn seven_may_be_ignored() {
        let ignorable = |error: &&CertificateError| error.severity() == Severity::Ignorable;
        assert_eq!(CertificateError::ALL.iter().filter(ignorable).count(), 7);
        assert!(Severity::None < Severity::Ignorable && Severity::Ignorable < Severity::Fatal);
    }
}
