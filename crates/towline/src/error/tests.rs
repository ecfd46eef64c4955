use std::io;
use std::time::Duration;

use http::StatusCode;

use super::*;
use crate::attempt::AttemptOutcome;

#[test]
fn a_second_one_is_told_the_same() {
    let first = Error::protocol(ProtocolError::FrameTooBig { limit: 1, declared: 2 });
    let second = first.again();
    assert_eq!(second.to_string(), first.to_string());
    assert_eq!(second.kind(), ErrorKind::TooBig);
    assert_eq!(second.close_code(), Some(CloseCode::MESSAGE_TOO_BIG));
    assert_eq!(second.advice(), first.advice());
}

/// What is found out from what the error holds is found out of the second one, too.
#[test]
fn a_second_one_knows_what_the_first_one_knew() {
    let response = http::Response::builder().status(410).body(Bytes::from_static(b"x")).unwrap();
    let gone = Error::new(ErrorKind::Handshake, "x").with_response(response);
    assert_eq!(gone.again().web_error_status(), WebErrorStatus::Gone);
    assert_eq!(gone.again().response().unwrap().body(), "x");
    let attempt = Attempt {
        address: ([192, 0, 2, 1], 80).into(),
        began: Duration::ZERO,
        took: Duration::ZERO,
        outcome: AttemptOutcome::Failed(Arc::new(io::ErrorKind::NetworkUnreachable.into())),
    };
    let away = Error::new(ErrorKind::Connect, "x").with_attempts(vec![attempt]).again();
    assert_eq!(away.web_error_status(), WebErrorStatus::ServerUnreachable);
    let behind = Error::new(ErrorKind::Resolve, "x").with_proxy("http://p:1".to_owned());
    assert_eq!(behind.again().proxy(), Some("http://p:1"));
}

#[test]
fn the_advice_names_the_limit_that_was_hit() {
    let frame = Error::protocol(ProtocolError::FrameTooBig { limit: 1, declared: 2 });
    assert!(frame.advice().contains("max_frame_size"), "{frame}");
    assert!(!frame.advice().contains("max_message_size"), "{frame}");
    let message = Error::protocol(ProtocolError::MessageTooBig { limit: 1 });
    assert!(message.advice().contains("max_message_size"), "{message}");
}

/// The inventory's table M-B, what of it is not a status of HTTP.
#[test]
fn numbers_of_windows_have_names() {
    for (number, name) in [
        (0x8007_2EE2, WebErrorStatus::Timeout),
        (0x8007_2EE7, WebErrorStatus::HostNameNotResolved),
        (0x8007_2EF1, WebErrorStatus::OperationCanceled),
        (0x8007_04C7, WebErrorStatus::OperationCanceled),
        (0x8000_4004, WebErrorStatus::OperationCanceled),
        (0x8007_2EFD, WebErrorStatus::CannotConnect),
        (0x8007_2EFE, WebErrorStatus::ConnectionAborted),
        (0x8007_2EFF, WebErrorStatus::ConnectionReset),
        (0x8007_2F83, WebErrorStatus::Disconnected),
        (0x8007_2F84, WebErrorStatus::ServerUnreachable),
        (0x8007_2F78, WebErrorStatus::ErrorHttpInvalidServerResponse),
        (0x8007_2F05, WebErrorStatus::CertificateExpired),
        (0x8007_2F06, WebErrorStatus::CertificateCommonNameIsIncorrect),
        (0x8007_2F0D, WebErrorStatus::CertificateIsInvalid),
        (0x8007_2F89, WebErrorStatus::CertificateIsInvalid),
        (0x8007_2F17, WebErrorStatus::CertificateContainsErrors),
        (0x8007_2F8A, WebErrorStatus::CertificateRevoked),
        (0x8007_2F07, WebErrorStatus::HttpToHttpsOnRedirection),
        (0x8007_2F08, WebErrorStatus::HttpsToHttpOnRedirection),
        (0x8007_2F7C, WebErrorStatus::RedirectFailed),
        (0x8019_0001, WebErrorStatus::UnexpectedStatusCode),
        (0x8019_0003, WebErrorStatus::UnexpectedRedirection),
        (0x8019_0004, WebErrorStatus::UnexpectedClientError),
        (0x8019_0005, WebErrorStatus::UnexpectedServerError),
        (0x8019_0194, WebErrorStatus::NotFound),
        (0x8019_01F9, WebErrorStatus::HttpVersionNotSupported),
        // Those that have none.
        (0x8019_0000, WebErrorStatus::Unknown),
        (0x8019_0002, WebErrorStatus::Unknown),
        (0x8019_0132, WebErrorStatus::Unknown),
        (0x8019_FFFF, WebErrorStatus::Unknown),
        (0x800C_000E, WebErrorStatus::Unknown),
        (0x8000_0013, WebErrorStatus::Unknown),
        (0x8000_000E, WebErrorStatus::Unknown),
        (0x8007_0057, WebErrorStatus::Unknown),
        (0, WebErrorStatus::Unknown),
    ] {
        let hresult = HResult(u32::cast_signed(number));
        assert_eq!(WebErrorStatus::of(hresult), name, "{hresult}");
    }
    assert_eq!(HResult::CONNECTION_ABORTED.0, -2_147_012_866);
    assert_eq!(HResult::SECURITY_PROBLEM.0, -2_146_697_202);
}

/// The inventory's table M-A.
#[test]
fn a_status_of_http_has_the_name_with_its_number() {
    assert_eq!(WebErrorStatus::ALL.len(), 24 + 7 + 18 + 6);
    for code in 100..1000 {
        let hresult = HResult::of_status(StatusCode::from_u16(code).unwrap());
        let name = WebErrorStatus::of(hresult);
        let named = WebErrorStatus::ALL.iter().any(|name| name.number() == code);
        let class = match code {
            300..=399 => WebErrorStatus::UnexpectedRedirection,
            400..=499 => WebErrorStatus::UnexpectedClientError,
            500..=599 => WebErrorStatus::UnexpectedServerError,
            _ => WebErrorStatus::UnexpectedStatusCode,
        };
        match named {
            true => assert_eq!(name.number(), code),
            false => assert_eq!(name, class, "{code}"),
        }
    }
}

#[test]
fn a_network_that_leads_nowhere_is_no_closed_port() {
    let failed = |kinds: &[io::ErrorKind]| {
        let attempt = |kind: &io::ErrorKind| Attempt {
            address: ([192, 0, 2, 1], 80).into(),
            began: Duration::ZERO,
            took: Duration::ZERO,
            outcome: AttemptOutcome::Failed(Arc::new((*kind).into())),
        };
        let attempts = kinds.iter().map(attempt).collect();
        Error::new(ErrorKind::Connect, "connecting").with_attempts(attempts).web_error_status()
    };
    let (net, host) = (io::ErrorKind::NetworkUnreachable, io::ErrorKind::HostUnreachable);
    assert_eq!(failed(&[net, host]), WebErrorStatus::ServerUnreachable);
    assert_eq!(failed(&[net, io::ErrorKind::ConnectionRefused]), WebErrorStatus::CannotConnect);
    assert_eq!(failed(&[]), WebErrorStatus::CannotConnect);
}

#[test]
fn how_a_connection_was_lost_is_told_apart() {
    let lost = |kind: io::ErrorKind| Error::disconnected("receiving", Some(kind.into()));
    let reset = lost(io::ErrorKind::ConnectionReset);
    assert_eq!(reset.web_error_status(), WebErrorStatus::ConnectionReset);
    let aborted = lost(io::ErrorKind::BrokenPipe);
    assert_eq!(aborted.web_error_status(), WebErrorStatus::ConnectionAborted);
    let ended = Error::disconnected("receiving", None);
    assert_eq!(ended.hresult(), HResult::CONNECTION_ABORTED);
    assert_eq!(ended.step(), Step::Open);
    // What is told again is the same.
    let bad = Error::invalid("x").at(Step::Handshake).with_hresult(HResult::ABORT).again();
    assert_eq!((bad.step(), bad.hresult()), (Step::Handshake, HResult::ABORT));
}

#[test]
fn what_travelled_as_an_error_of_io_is_itself_again() {
    let io = io::Error::from(Error::new(ErrorKind::TooBig, "receiving").at(Step::Open));
    let error = Error::from(io);
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::TooBig, "receiving"));
    let other = Error::from(io::Error::from(io::ErrorKind::NotFound));
    assert_eq!(other.kind(), ErrorKind::Io);
    assert!(other.to_string().contains("not found"), "{other}");
}
