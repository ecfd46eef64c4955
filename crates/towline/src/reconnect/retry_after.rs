//! When a server wants to be asked again (RFC 9110 §10.2.3).

use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;

use crate::client::http_date;
use crate::error::Error;

/// How long to wait, if the answer with which a server refused says so.
pub(super) fn retry_after(error: &Error, now: SystemTime) -> Option<Duration> {
    let value = error.response()?.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than a number holds are a long time all the same.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    // A moment that has passed is now.
    Some(http_date(value)?.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn it_is_a_number_of_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_700);
        let wait = |value: &str| {
            let response = http::Response::builder().status(503).header("Retry-After", value);
            let response = response.body(Bytes::new()).unwrap();
            let error = Error::new(ErrorKind::Handshake, "trying").with_response(response);
            retry_after(&error, now)
        };
        assert_eq!(wait("0"), Some(Duration::ZERO));
        assert_eq!(wait(" 120 "), Some(Duration::from_secs(120)));
        assert_eq!(wait("99999999999999999999"), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(77)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        for none in ["", "soon", "-1", "1.5", "+3"] {
            assert_eq!(wait(none), None, "{none}");
        }
        assert_eq!(retry_after(&Error::new(ErrorKind::Connect, "trying"), now), None);
    }
}
