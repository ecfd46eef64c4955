//! [`HResult`]: an error as Windows numbers it.

use std::fmt;
use std::io;

use http::StatusCode;

use super::{Error, ErrorKind};
#[cfg(feature = "tls")]
use crate::certificate::CertificateError;

/// An error as the Windows Runtime numbers it, for those who come from there.
///
/// See [`Error::hresult`]. [`WebErrorStatus::of`](crate::WebErrorStatus::of) tells what it means.
///
/// ```
/// use towline::{HResult, WebErrorStatus};
///
/// let not_found = HResult(0x8019_0194_u32 as i32);
/// assert_eq!(not_found.to_string(), "0x80190194");
/// assert_eq!(WebErrorStatus::of(not_found), WebErrorStatus::NotFound);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct HResult(
    /// The number, whose sign bit says that it is an error.
    pub i32,
);

impl HResult {
    /// `E_ABORT`: whoever asked for it has given it up.
    pub const ABORT: Self = Self::of(0x8000_4004);
    /// `E_FAIL`: what has no number of its own.
    pub const FAIL: Self = Self::of(0x8000_4005);
    /// `E_BOUNDS`: more than a limit allows.
    pub const BOUNDS: Self = Self::of(0x8000_000B);
    /// `RO_E_CLOSED`: the object was closed before.
    pub const CLOSED: Self = Self::of(0x8000_0013);
    /// `E_ILLEGAL_METHOD_CALL`: not at this time.
    pub const ILLEGAL_METHOD_CALL: Self = Self::of(0x8000_000E);
    /// `E_INVALIDARG`: a bad argument.
    pub const INVALID_ARG: Self = Self::of(0x8007_0057);
    /// `ERROR_CANCELLED`: whoever asked for it has given it up.
    pub const CANCELLED: Self = Self::of(0x8007_04C7);
    /// `WSAEACCES`: the app has no capability for it.
    pub const ACCESS: Self = Self::of(0x8007_271D);
    /// `WININET_E_TIMEOUT`.
    pub const TIMEOUT: Self = Self::of(0x8007_2EE2);
    /// `WININET_E_NAME_NOT_RESOLVED`.
    pub const NAME_NOT_RESOLVED: Self = Self::of(0x8007_2EE7);
    /// `WININET_E_OPERATION_CANCELLED`.
    pub const OPERATION_CANCELLED: Self = Self::of(0x8007_2EF1);
    /// `WININET_E_CANNOT_CONNECT`.
    pub const CANNOT_CONNECT: Self = Self::of(0x8007_2EFD);
    /// `WININET_E_CONNECTION_ABORTED`.
    pub const CONNECTION_ABORTED: Self = Self::of(0x8007_2EFE);
    /// `WININET_E_CONNECTION_RESET`.
    pub const CONNECTION_RESET: Self = Self::of(0x8007_2EFF);
    /// `WININET_E_SEC_CERT_DATE_INVALID`.
    pub const CERTIFICATE_DATE_INVALID: Self = Self::of(0x8007_2F05);
    /// `WININET_E_SEC_CERT_CN_INVALID`.
    pub const CERTIFICATE_NAME_INVALID: Self = Self::of(0x8007_2F06);
    /// `WININET_E_HTTP_TO_HTTPS_ON_REDIR`.
    pub const HTTP_TO_HTTPS_ON_REDIRECTION: Self = Self::of(0x8007_2F07);
    /// `WININET_E_HTTPS_TO_HTTP_ON_REDIR`.
    pub const HTTPS_TO_HTTP_ON_REDIRECTION: Self = Self::of(0x8007_2F08);
    /// `WININET_E_INVALID_CA`.
    pub const INVALID_AUTHORITY: Self = Self::of(0x8007_2F0D);
    /// `WININET_E_SEC_CERT_ERRORS`.
    pub const CERTIFICATE_ERRORS: Self = Self::of(0x8007_2F17);
    /// `WININET_E_INVALID_SERVER_RESPONSE`.
    pub const INVALID_SERVER_RESPONSE: Self = Self::of(0x8007_2F78);
    /// `WININET_E_REDIRECT_FAILED`.
    pub const REDIRECT_FAILED: Self = Self::of(0x8007_2F7C);
    /// `WININET_E_SECURITY_CHANNEL_ERROR`: no TLS.
    pub const SECURITY_CHANNEL_ERROR: Self = Self::of(0x8007_2F7D);
    /// `WININET_E_DISCONNECTED`.
    pub const DISCONNECTED: Self = Self::of(0x8007_2F83);
    /// `WININET_E_SERVER_UNREACHABLE`.
    pub const SERVER_UNREACHABLE: Self = Self::of(0x8007_2F84);
    /// `WININET_E_SEC_INVALID_CERT`.
    pub const INVALID_CERTIFICATE: Self = Self::of(0x8007_2F89);
    /// `WININET_E_SEC_CERT_REVOKED`.
    pub const CERTIFICATE_REVOKED: Self = Self::of(0x8007_2F8A);
    /// `INET_E_SECURITY_PROBLEM`: a check of the application's own refused the server.
    pub const SECURITY_PROBLEM: Self = Self::of(0x800C_000E);

    const fn of(number: u32) -> Self {
        Self(number.cast_signed())
    }

    /// The number as it is usually written, without a sign.
    pub const fn number(self) -> u32 {
        self.0.cast_unsigned()
    }

    /// Of an answer with this status: of its own where the Windows Runtime has a name for it, of its
    /// class where not.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            code @ (300..=305 | 307 | 400..=417 | 500..=505) => {
                Self::of(0x8019_0000 + u32::from(code))
            }
            300..=399 => Self::of(0x8019_0003),
            400..=499 => Self::of(0x8019_0004),
            500..=599 => Self::of(0x8019_0005),
            _ => Self::of(0x8019_0001),
        }
    }

    /// Of what makes a certificate unacceptable.
    #[cfg(feature = "tls")]
    pub(crate) fn of_certificate(error: CertificateError) -> Self {
        match error {
            CertificateError::Untrusted | CertificateError::IncompleteChain => {
                Self::INVALID_AUTHORITY
            }
            CertificateError::Revoked => Self::CERTIFICATE_REVOKED,
            CertificateError::Expired => Self::CERTIFICATE_DATE_INVALID,
            CertificateError::InvalidName => Self::CERTIFICATE_NAME_INVALID,
            CertificateError::WrongUsage => Self::INVALID_CERTIFICATE,
            // A rule of the application's own, as a check of its own would be.
            CertificateError::NotPinned => Self::SECURITY_PROBLEM,
            CertificateError::InvalidSignature
            | CertificateError::InvalidAuthorityPolicy
            | CertificateError::BasicConstraints
            | CertificateError::UnknownCriticalExtension
            | CertificateError::RevocationInformationMissing
            | CertificateError::RevocationFailure
            | CertificateError::Other => Self::CERTIFICATE_ERRORS,
        }
    }

    /// Of an error that nobody has given a number.
    pub(super) fn of_error(error: &Error) -> Self {
        let answered = error.response().map(|response| response.status());
        match (error.kind(), answered) {
            (ErrorKind::Handshake | ErrorKind::Proxy, Some(status)) => Self::of_status(status),
            (ErrorKind::Handshake | ErrorKind::Protocol, _) => Self::INVALID_SERVER_RESPONSE,
            (ErrorKind::Connect, _) if is_unreachable(error) => Self::SERVER_UNREACHABLE,
            (ErrorKind::Connect | ErrorKind::Proxy, _) => Self::CANNOT_CONNECT,
            (ErrorKind::Disconnected, _) if is_reset(error) => Self::CONNECTION_RESET,
            (ErrorKind::Disconnected, _) => Self::CONNECTION_ABORTED,
            (ErrorKind::InvalidInput, _) => Self::INVALID_ARG,
            (ErrorKind::Denied, _) => Self::ACCESS,
            (ErrorKind::Resolve, _) => Self::NAME_NOT_RESOLVED,
            (ErrorKind::TimedOut, _) => Self::TIMEOUT,
            (ErrorKind::Tls, _) => Self::SECURITY_CHANNEL_ERROR,
            (ErrorKind::Certificate, _) => Self::CERTIFICATE_ERRORS,
            (ErrorKind::TooBig, _) => Self::BOUNDS,
            (ErrorKind::Closed, _) => Self::CLOSED,
            (ErrorKind::Io, _) => Self::FAIL,
        }
    }
}

/// `0x80072EFD`, as Windows writes it.
impl fmt::Display for HResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010X}", self.number())
    }
}

/// Whether no network leads to any of the addresses.
fn is_unreachable(error: &Error) -> bool {
    use crate::attempt::AttemptOutcome::Failed;
    let unreachable =
        |kind| matches!(kind, io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable);
    let attempts = error.attempts();
    !attempts.is_empty()
        && attempts
            .iter()
            .all(|attempt| matches!(&attempt.outcome, Failed(why) if unreachable(why.kind())))
}

fn is_reset(error: &Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionReset)
}
