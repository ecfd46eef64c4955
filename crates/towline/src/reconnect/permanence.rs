//! Whether it is of any use to try again.

use std::io;

use http::StatusCode;
use towline_proto::CloseCode;

use crate::error::{Error, ErrorKind};

/// Whether an error would come again however often one tries.
pub(super) fn is_permanent(error: &Error) -> bool {
    if error.is_lasting() {
        return true;
    }
    match error.kind() {
        // What we ask for has to change first; or whom we trust, or what the peer sends.
        ErrorKind::InvalidInput
        | ErrorKind::Denied
        | ErrorKind::Certificate
        | ErrorKind::Protocol
        | ErrorKind::TooBig
        | ErrorKind::Closed => true,
        // A server that is being started anew may end a handshake before TLS has said a word.
        ErrorKind::Tls => !error.get_ref().is_some_and(|cause| cause.is::<io::Error>()),
        // A name that is not found may be a network that is down: nobody can tell.
        ErrorKind::Resolve
        | ErrorKind::Connect
        | ErrorKind::Disconnected
        | ErrorKind::TimedOut
        | ErrorKind::Io => false,
        // Without an answer, what came was not HTTP at all.
        ErrorKind::Handshake => error.response().is_none_or(|said| is_final(said.status())),
        // Without an answer, it ended the connection, or spoke SOCKS, whose codes are vague: what is
        // known to be lasting of these was said to be.
        ErrorKind::Proxy => error.response().is_some_and(|said| is_final(said.status())),
    }
}

/// Whether a status says that nothing will change by itself.
fn is_final(status: StatusCode) -> bool {
    match status {
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS
        // RFC 6585 §6: somebody may log in to the network meanwhile.
        | StatusCode::NETWORK_AUTHENTICATION_REQUIRED => false,
        StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED => true,
        status => !status.is_server_error(),
    }
}

/// What a peer's closing frame says of coming back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// All is done.
    Done,
    /// The same would happen again.
    Never,
    /// Later it may be otherwise.
    Again,
}

/// Judges the code of a peer's closing frame. The table is in the documentation of `Reconnecting`.
pub(super) fn judge(code: Option<CloseCode>) -> Verdict {
    let Some(code) = code else { return Verdict::Done };
    match code {
        CloseCode::NORMAL => Verdict::Done,
        CloseCode::PROTOCOL_ERROR
        | CloseCode::UNSUPPORTED_DATA
        | CloseCode::INVALID_PAYLOAD
        | CloseCode::POLICY_VIOLATION
        | CloseCode::MESSAGE_TOO_BIG
        | CloseCode::MANDATORY_EXTENSION => Verdict::Never,
        code if [UNAUTHORIZED, FORBIDDEN].contains(&code.get()) => Verdict::Never,
        _ => Verdict::Again,
    }
}

/// As IANA has them registered, after HTTP's 401 and 403.
const UNAUTHORIZED: u16 = 3000;
const FORBIDDEN: u16 = 3003;

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn every_kind_of_error_is_judged() {
        use ErrorKind::{
            Certificate, Closed, Connect, Denied, Disconnected, InvalidInput, Io, Protocol,
            Resolve, TimedOut, Tls, TooBig,
        };
        let permanent = |kind| is_permanent(&Error::new(kind, "trying"));
        for kind in [InvalidInput, Denied, Tls, Certificate, Protocol, TooBig, Closed] {
            assert!(permanent(kind), "{kind:?}");
        }
        for kind in [Resolve, Connect, Disconnected, TimedOut, Io] {
            assert!(!permanent(kind), "{kind:?}");
        }
        let broken = Error::new(Tls, "trying").cause(io::Error::from(io::ErrorKind::UnexpectedEof));
        assert!(!is_permanent(&broken));
        assert!(permanent(ErrorKind::Handshake));
        assert!(!permanent(ErrorKind::Proxy));
    }

    #[test]
    fn every_status_is_judged() {
        let permanent = |kind, status: u16| {
            let response = http::Response::builder().status(status).body(Bytes::new()).unwrap();
            is_permanent(&Error::new(kind, "trying").with_response(response))
        };
        for kind in [ErrorKind::Handshake, ErrorKind::Proxy] {
            for status in [200, 204, 301, 302, 400, 401, 403, 404, 405, 407, 410, 426, 501, 505] {
                assert!(permanent(kind, status), "{status}");
            }
            for status in [408, 425, 429, 500, 502, 503, 504, 511, 520, 599] {
                assert!(!permanent(kind, status), "{status}");
            }
        }
    }

    #[test]
    fn every_close_code_is_judged() {
        let verdict = |code| judge(CloseCode::new(code).ok());
        assert_eq!(judge(None), Verdict::Done);
        assert_eq!(verdict(1000), Verdict::Done);
        for code in [1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003] {
            assert_eq!(verdict(code), Verdict::Never, "{code}");
        }
        for code in [1001, 1011, 1012, 1013, 1014, 3001, 3008, 3999, 4000, 4999] {
            assert_eq!(verdict(code), Verdict::Again, "{code}");
        }
    }
}
