//! [`WebErrorStatus`]: what went wrong, in the names of the Windows Runtime.

use super::HResult;

/// What went wrong, in the names and numbers of the Windows Runtime, for those who come from there.
///
/// See [`Error::web_error_status`](crate::Error::web_error_status). From 300 on they are the status
/// codes of HTTP.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
#[repr(u16)]
pub enum WebErrorStatus {
    /// None of the others.
    Unknown = 0,
    /// The certificate is for another name.
    CertificateCommonNameIsIncorrect = 1,
    /// The certificate is not valid at this time.
    CertificateExpired = 2,
    /// The certificate has errors.
    CertificateContainsErrors = 3,
    /// The certificate was revoked.
    CertificateRevoked = 4,
    /// The certificate is not to be trusted.
    CertificateIsInvalid = 5,
    /// No network leads to the server.
    ServerUnreachable = 6,
    /// A deadline passed.
    Timeout = 7,
    /// What the server answered is no WebSocket's answer.
    ErrorHttpInvalidServerResponse = 8,
    /// The connection ended too soon.
    ConnectionAborted = 9,
    /// The connection was reset.
    ConnectionReset = 10,
    /// The connection was lost.
    Disconnected = 11,
    /// A redirect leads from `ws` to `wss`.
    HttpToHttpsOnRedirection = 12,
    /// A redirect leads from `wss` to `ws`.
    HttpsToHttpOnRedirection = 13,
    /// Nobody listens there.
    CannotConnect = 14,
    /// The host's name has no address.
    HostNameNotResolved = 15,
    /// It was given up.
    OperationCanceled = 16,
    /// A redirect could not be followed.
    RedirectFailed = 17,
    /// An HTTP status without a name of its own.
    UnexpectedStatusCode = 18,
    /// An HTTP status of the 300s without a name of its own.
    UnexpectedRedirection = 19,
    /// An HTTP status of the 400s without a name of its own.
    UnexpectedClientError = 20,
    /// An HTTP status of the 500s without a name of its own.
    UnexpectedServerError = 21,
    /// Not of WebSockets.
    InsufficientRangeSupport = 22,
    /// Not of WebSockets.
    MissingContentLengthSupport = 23,
    /// HTTP status 300.
    MultipleChoices = 300,
    /// HTTP status 301.
    MovedPermanently = 301,
    /// HTTP status 302.
    Found = 302,
    /// HTTP status 303.
    SeeOther = 303,
    /// HTTP status 304.
    NotModified = 304,
    /// HTTP status 305.
    UseProxy = 305,
    /// HTTP status 307.
    TemporaryRedirect = 307,
    /// HTTP status 400.
    BadRequest = 400,
    /// HTTP status 401.
    Unauthorized = 401,
    /// HTTP status 402.
    PaymentRequired = 402,
    /// HTTP status 403.
    Forbidden = 403,
    /// HTTP status 404.
    NotFound = 404,
    /// HTTP status 405.
    MethodNotAllowed = 405,
    /// HTTP status 406.
    NotAcceptable = 406,
    /// HTTP status 407.
    ProxyAuthenticationRequired = 407,
    /// HTTP status 408.
    RequestTimeout = 408,
    /// HTTP status 409.
    Conflict = 409,
    /// HTTP status 410.
    Gone = 410,
    /// HTTP status 411.
    LengthRequired = 411,
    /// HTTP status 412.
    PreconditionFailed = 412,
    /// HTTP status 413.
    RequestEntityTooLarge = 413,
    /// HTTP status 414.
    RequestUriTooLong = 414,
    /// HTTP status 415.
    UnsupportedMediaType = 415,
    /// HTTP status 416.
    RequestedRangeNotSatisfiable = 416,
    /// HTTP status 417.
    ExpectationFailed = 417,
    /// HTTP status 500.
    InternalServerError = 500,
    /// HTTP status 501.
    NotImplemented = 501,
    /// HTTP status 502.
    BadGateway = 502,
    /// HTTP status 503.
    ServiceUnavailable = 503,
    /// HTTP status 504.
    GatewayTimeout = 504,
    /// HTTP status 505.
    HttpVersionNotSupported = 505,
}

impl WebErrorStatus {
    /// All of them, by their numbers.
    pub const ALL: &'static [Self] = &[
        Self::Unknown,
        Self::CertificateCommonNameIsIncorrect,
        Self::CertificateExpired,
        Self::CertificateContainsErrors,
        Self::CertificateRevoked,
        Self::CertificateIsInvalid,
        Self::ServerUnreachable,
        Self::Timeout,
        Self::ErrorHttpInvalidServerResponse,
        Self::ConnectionAborted,
        Self::ConnectionReset,
        Self::Disconnected,
        Self::HttpToHttpsOnRedirection,
        Self::HttpsToHttpOnRedirection,
        Self::CannotConnect,
        Self::HostNameNotResolved,
        Self::OperationCanceled,
        Self::RedirectFailed,
        Self::UnexpectedStatusCode,
        Self::UnexpectedRedirection,
        Self::UnexpectedClientError,
        Self::UnexpectedServerError,
        Self::InsufficientRangeSupport,
        Self::MissingContentLengthSupport,
        Self::MultipleChoices,
        Self::MovedPermanently,
        Self::Found,
        Self::SeeOther,
        Self::NotModified,
        Self::UseProxy,
        Self::TemporaryRedirect,
        Self::BadRequest,
        Self::Unauthorized,
        Self::PaymentRequired,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::ProxyAuthenticationRequired,
        Self::RequestTimeout,
        Self::Conflict,
        Self::Gone,
        Self::LengthRequired,
        Self::PreconditionFailed,
        Self::RequestEntityTooLarge,
        Self::RequestUriTooLong,
        Self::UnsupportedMediaType,
        Self::RequestedRangeNotSatisfiable,
        Self::ExpectationFailed,
        Self::InternalServerError,
        Self::NotImplemented,
        Self::BadGateway,
        Self::ServiceUnavailable,
        Self::GatewayTimeout,
        Self::HttpVersionNotSupported,
    ];

    /// What a number of Windows means here: [`Unknown`](Self::Unknown) if it has no name.
    pub fn of(hresult: HResult) -> Self {
        match hresult {
            HResult::TIMEOUT => Self::Timeout,
            HResult::NAME_NOT_RESOLVED => Self::HostNameNotResolved,
            HResult::OPERATION_CANCELLED | HResult::CANCELLED | HResult::ABORT => {
                Self::OperationCanceled
            }
            HResult::CANNOT_CONNECT => Self::CannotConnect,
            HResult::CONNECTION_ABORTED => Self::ConnectionAborted,
            HResult::CONNECTION_RESET => Self::ConnectionReset,
            HResult::DISCONNECTED => Self::Disconnected,
            HResult::SERVER_UNREACHABLE => Self::ServerUnreachable,
            HResult::INVALID_SERVER_RESPONSE => Self::ErrorHttpInvalidServerResponse,
            HResult::CERTIFICATE_DATE_INVALID => Self::CertificateExpired,
            HResult::CERTIFICATE_NAME_INVALID => Self::CertificateCommonNameIsIncorrect,
            HResult::INVALID_AUTHORITY | HResult::INVALID_CERTIFICATE => Self::CertificateIsInvalid,
            HResult::CERTIFICATE_ERRORS => Self::CertificateContainsErrors,
            HResult::CERTIFICATE_REVOKED => Self::CertificateRevoked,
            HResult::HTTP_TO_HTTPS_ON_REDIRECTION => Self::HttpToHttpsOnRedirection,
            HResult::HTTPS_TO_HTTP_ON_REDIRECTION => Self::HttpsToHttpOnRedirection,
            HResult::REDIRECT_FAILED => Self::RedirectFailed,
            _ => match hresult.number().checked_sub(0x8019_0000) {
                Some(1) => Self::UnexpectedStatusCode,
                Some(3) => Self::UnexpectedRedirection,
                Some(4) => Self::UnexpectedClientError,
                Some(5) => Self::UnexpectedServerError,
                Some(code @ 300..) => Self::of_number(code),
                Some(_) | None => Self::Unknown,
            },
        }
    }

    /// Its number: from 300 on that of HTTP.
    #[allow(clippy::as_conversions, reason = "the only way to an enum's number")]
    pub fn number(self) -> u16 {
        self as u16
    }

    fn of_number(number: u32) -> Self {
        let same = |status: &&Self| u32::from(status.number()) == number;
        Self::ALL.iter().find(same).copied().unwrap_or(Self::Unknown)
    }
}
