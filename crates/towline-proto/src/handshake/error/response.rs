//! The answer a server sends when the handshake failed.

use http::header::{ALLOW, CONTENT_TYPE, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::HandshakeError;
use crate::handshake::http1::HeadError;
use crate::handshake::{VERSION, response_head};

impl HandshakeError {
    /// The status with which a server answers this error.
    ///
    /// The errors that only a client meets are 502: somebody else's server answered wrongly.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Head(HeadError::TooLarge | HeadError::TooManyHeaders) => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::Head(HeadError::Version) | Self::HttpVersion => {
                StatusCode::HTTP_VERSION_NOT_SUPPORTED
            }
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Upgrade | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Head(
                HeadError::NotHttp
                | HeadError::LineEnd
                | HeadError::Folded
                | HeadError::StartLine
                | HeadError::HeaderLine
                | HeadError::Unfinished,
            )
            | Self::Connection
            | Self::Target
            | Self::Host
            | Self::Origin
            | Self::NoVersion
            | Self::Key
            | Self::Body
            | Self::Subprotocols(_)
            | Self::Extensions(_) => StatusCode::BAD_REQUEST,
            Self::Answer(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Status { .. }
            | Self::Accept
            | Self::ExtensionNotOffered(_)
            | Self::SubprotocolNotOffered(_)
            | Self::SeveralSubprotocols => StatusCode::BAD_GATEWAY,
            #[cfg(feature = "deflate")]
            Self::Deflate(_) => StatusCode::BAD_GATEWAY,
        }
    }

    /// The whole answer a server sends for this error, after which it closes the connection.
    ///
    /// One line of text says what was wrong, except where that would be news from inside the
    /// server.
    pub fn response(&self) -> Vec<u8> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        match self.status() {
            // RFC 9110 §15.5.6: a 405 lists the methods that would do.
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("GET"));
            }
            // RFC 9110 §15.5.22 wants Upgrade in a 426, RFC 6455 §4.4 the version.
            StatusCode::UPGRADE_REQUIRED => {
                headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
            }
            _ => {}
        }
        let body = match self {
            Self::Answer(_) => String::from("the server could not answer\n"),
            told => format!("{told}\n"),
        };
        let mut response = response_head(self.status(), &headers, u64::try_from(body.len()).ok());
        // RFC 9110 §9.3.2: the answer to HEAD is a head.
        if !matches!(self, Self::Method(method) if method == Method::HEAD) {
            response.extend_from_slice(body.as_bytes());
        }
        response
    }
}
