//! Offers and answers (RFC 7692 §5, §7.1).

use http::HeaderMap;
use towline_proto::handshake::headers::extensions;
use towline_proto::handshake::{
    ClientHandshake, ClientRequest, HandshakeError, HeadLimits, ServerHandshake,
};
use towline_proto::{Deflate, DeflateError, WsUri};

use super::header;

const CLIENT_NO: &str = "client_no_context_takeover";
const SERVER_NO: &str = "server_no_context_takeover";

/// What a server with these settings answers to an offer; "-" if nothing.
fn answer(settings: &Deflate, offer: &str) -> String {
    settings.accept(&header(offer)).map_or_else(|| "-".to_owned(), |terms| terms.to_string())
}

/// What a client with these settings makes of an answer.
fn agreed(settings: &Deflate, answer: &str) -> Result<String, DeflateError> {
    let answer = extensions(&header(answer)).unwrap();
    settings
        .offer()
        .agreed(&answer)
        .map(|terms| terms.map_or_else(|| "-".to_owned(), |terms| terms.to_string()))
}

#[test]
fn a_server_answers_each_parameter() {
    let plain = Deflate::default();
    let small = Deflate::default().server_max_window_bits(11).client_max_window_bits(10);
    let none = Deflate::default().server_no_context_takeover(true).client_no_context_takeover(true);
    for (settings, offer, expected) in [
        (&plain, "permessage-deflate", "permessage-deflate"),
        (&plain, "permessage-deflate; client_max_window_bits", "permessage-deflate"),
        (&plain, "permessage-deflate; client_max_window_bits=15", "permessage-deflate"),
        (
            &plain,
            "permessage-deflate; client_max_window_bits=9",
            "permessage-deflate; client_max_window_bits=9",
        ),
        (
            &plain,
            "permessage-deflate; client_max_window_bits=8; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=8; client_max_window_bits=8",
        ),
        (
            &plain,
            "permessage-deflate; server_max_window_bits=15",
            "permessage-deflate; server_max_window_bits=15",
        ),
        (
            &plain,
            "permessage-deflate; server_max_window_bits=\"10\"",
            "permessage-deflate; server_max_window_bits=10",
        ),
        (
            &plain,
            "permessage-deflate; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover",
        ),
        (
            &plain,
            "permessage-deflate; client_no_context_takeover",
            "permessage-deflate; client_no_context_takeover",
        ),
        // What the server wants less of than it was offered, it says; what it may not ask, not.
        (&small, "permessage-deflate", "permessage-deflate; server_max_window_bits=11"),
        (
            &small,
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=10",
        ),
        (
            &small,
            "permessage-deflate; client_max_window_bits=9; server_max_window_bits=12",
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=9",
        ),
        (
            &none,
            "permessage-deflate",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        ),
    ] {
        assert_eq!(answer(settings, offer), expected, "{offer}");
    }
}

#[test]
fn a_server_declines_what_is_malformed_and_takes_the_next_offer() {
    let settings = Deflate::default();
    let mut hostile = vec![
        "client_max_window_bits=".to_owned() + &"9".repeat(4000),
        "server_max_window_bits".to_owned(), // RFC 7692 §7.1.2.1: it has a value
        format!("{SERVER_NO}=true"),
        format!("{CLIENT_NO}=1"),
        format!("{SERVER_NO}; {SERVER_NO}"),
        format!("{CLIENT_NO}; {CLIENT_NO}"),
        "client_max_window_bits; client_max_window_bits".to_owned(),
        "client_max_window_bits=9; client_max_window_bits".to_owned(),
        "server_max_window_bits=10; server_max_window_bits=10".to_owned(),
        "mystery".to_owned(),
        "mystery=8".to_owned(),
        "Server_No_Context_Takeover".to_owned(),
    ];
    for bits in ["0", "1", "7", "16", "99", "256", "-9", "+9", "08", "010", "9.", "ten", "1e1"] {
        hostile.push(format!("server_max_window_bits={bits}"));
        hostile.push(format!("client_max_window_bits={bits}"));
    }
    for params in hostile {
        let bad = format!("permessage-deflate; {params}");
        assert_eq!(answer(&settings, &bad), "-", "{bad}");
        // RFC 7692 §5.1: the offers are tried in their order.
        let fallback = format!("{bad}, x-other; a=b, permessage-deflate; {CLIENT_NO}");
        assert_eq!(answer(&settings, &fallback), format!("permessage-deflate; {CLIENT_NO}"));
    }
    assert_eq!(answer(&settings, "x-webkit-deflate-frame"), "-");
    assert_eq!(answer(&settings, "permessage-deflate2"), "-");
}

#[test]
fn the_first_offer_that_can_be_met_is_the_one() {
    let offers = "permessage-deflate; server_max_window_bits=10, permessage-deflate";
    let expected = "permessage-deflate; server_max_window_bits=10";
    assert_eq!(answer(&Deflate::default(), offers), expected);
    let mut lines = header("permessage-deflate; server_max_window_bits=77");
    lines.append(
        http::header::SEC_WEBSOCKET_EXTENSIONS,
        http::HeaderValue::from_static("permessage-deflate"),
    );
    let terms = Deflate::default().accept(&lines).unwrap();
    assert_eq!(terms.to_string(), "permessage-deflate");
}

#[test]
fn a_client_offers_what_it_was_told_to() {
    for (settings, offer) in [
        (Deflate::default(), "permessage-deflate; client_max_window_bits"),
        (
            Deflate::default().client_max_window_bits(9).server_max_window_bits(14),
            "permessage-deflate; server_max_window_bits=14; client_max_window_bits=9",
        ),
        (
            Deflate::default().client_no_context_takeover(true).server_no_context_takeover(true),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             client_max_window_bits",
        ),
        // Out of range is the nearest that is in it.
        (
            Deflate::default().client_max_window_bits(0).server_max_window_bits(255),
            "permessage-deflate; client_max_window_bits=9",
        ),
    ] {
        assert_eq!(settings.offer().to_string(), offer);
    }
}

#[test]
fn a_client_takes_an_answer_that_fits_its_offer() {
    let plain = Deflate::default();
    assert_eq!(agreed(&plain, "permessage-deflate").unwrap(), "permessage-deflate");
    for params in [
        // RFC 7692 §7.1.1, §7.1.2.1: a server may say these unasked.
        "; server_no_context_takeover",
        "; client_no_context_takeover",
        "; server_max_window_bits=8",
        "; client_max_window_bits=8",
        "; client_max_window_bits=15",
        "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; \
         client_max_window_bits=9",
    ] {
        let answer = format!("permessage-deflate{params}");
        assert_eq!(agreed(&plain, &answer).unwrap(), answer);
    }
    assert_eq!(agreed(&plain, "x-other").unwrap(), "-");
    // The server need not repeat what the client says of itself; it holds all the same.
    let promised = Deflate::default().client_no_context_takeover(true);
    let terms = agreed(&promised, "permessage-deflate").unwrap();
    assert_eq!(terms, "permessage-deflate; client_no_context_takeover");
}

#[test]
fn a_client_refuses_an_answer_that_does_not() {
    let plain = Deflate::default();
    let demanding = Deflate::default()
        .server_no_context_takeover(true)
        .server_max_window_bits(11)
        .client_max_window_bits(10);
    let unknown = |name: &str| DeflateError::UnknownParameter(name.to_owned());
    for (settings, params, error) in [
        (&plain, "mystery", unknown("mystery")),
        (&plain, "server_max_window_bits=7", DeflateError::BadValue("server_max_window_bits")),
        (&plain, "server_max_window_bits=16", DeflateError::BadValue("server_max_window_bits")),
        (&plain, "server_max_window_bits=99", DeflateError::BadValue("server_max_window_bits")),
        (&plain, "server_max_window_bits=0", DeflateError::BadValue("server_max_window_bits")),
        (&plain, "server_max_window_bits=x", DeflateError::BadValue("server_max_window_bits")),
        (&plain, "server_max_window_bits", DeflateError::BadValue("server_max_window_bits")),
        (&plain, "client_max_window_bits", DeflateError::BadValue("client_max_window_bits")),
        (&plain, "client_max_window_bits=16", DeflateError::BadValue("client_max_window_bits")),
        (
            &plain,
            "server_max_window_bits=9; server_max_window_bits=9",
            DeflateError::Repeated("server_max_window_bits"),
        ),
        (
            &plain,
            "server_no_context_takeover; server_no_context_takeover",
            DeflateError::Repeated("server_no_context_takeover"),
        ),
        (
            &plain,
            "server_no_context_takeover=yes",
            DeflateError::BadValue("server_no_context_takeover"),
        ),
        (
            &demanding,
            "server_max_window_bits=11",
            DeflateError::Missing("server_no_context_takeover"),
        ),
        (&demanding, "server_no_context_takeover", DeflateError::Missing("server_max_window_bits")),
        (
            &demanding,
            "server_no_context_takeover; server_max_window_bits=12",
            DeflateError::WindowTooLarge("server_max_window_bits"),
        ),
        (
            &demanding,
            "server_no_context_takeover; server_max_window_bits=8; client_max_window_bits=11",
            DeflateError::WindowTooLarge("client_max_window_bits"),
        ),
    ] {
        let answer = format!("permessage-deflate; {params}");
        assert_eq!(agreed(settings, &answer).unwrap_err(), error, "{answer}");
    }
    let twice = agreed(&plain, "permessage-deflate, permessage-deflate");
    assert_eq!(twice.unwrap_err(), DeflateError::AcceptedTwice);
}

const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

fn client(settings: Option<Deflate>) -> ClientHandshake {
    let uri = WsUri::parse("ws://server.example.com/chat").unwrap();
    let request = ClientRequest::new(&uri).deflate(settings);
    ClientHandshake::new(request, *b"the sample nonce", HeadLimits::default())
}

/// What a client that offers compression makes of these extensions in the answer.
fn outcome(settings: Option<Deflate>, extensions: &str) -> Result<Option<String>, String> {
    let answer = format!("{ANSWER}Sec-WebSocket-Extensions: {extensions}\r\n\r\n");
    match client(settings).receive(answer.as_bytes()) {
        Ok(found) => {
            let (_, _, negotiated) = found.unwrap();
            Ok(negotiated.deflate.map(|terms| terms.to_string()))
        }
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn the_handshake_carries_it() {
    // Off unless asked for, on both sides.
    let quiet = client(None);
    assert!(!String::from_utf8_lossy(quiet.request()).contains("Extensions"));

    let mut client = client(Some(Deflate::default().client_max_window_bits(12)));
    let mut server = ServerHandshake::new(HeadLimits::default());
    let (_, mut request) = server.receive(client.request()).unwrap().unwrap();
    let (head, negotiated) = request.accept(None, &HeaderMap::new()).unwrap();
    assert!(!String::from_utf8_lossy(&head).contains("Extensions"), "a server that was not told");
    assert_eq!(negotiated.deflate, None);

    request.deflate(&Deflate::default());
    let (head, for_server) = request.accept(None, &HeaderMap::new()).unwrap();
    let (_, _, for_client) = client.receive(&head).unwrap().unwrap();
    assert_eq!(for_client, for_server);
    let terms = for_client.deflate.unwrap();
    assert_eq!(terms.to_string(), "permessage-deflate; client_max_window_bits=12");
    assert_eq!((terms.client_max_window_bits(), terms.server_max_window_bits()), (12, 15));
    assert!(!terms.client_no_context_takeover() && !terms.server_no_context_takeover());
}

#[test]
fn a_client_fails_over_what_it_did_not_offer() {
    let on = || Some(Deflate::default());
    assert_eq!(outcome(on(), "permessage-deflate"), Ok(Some("permessage-deflate".to_owned())));
    for (settings, extensions, why) in [
        (None, "permessage-deflate", "was not offered"),
        (on(), "permessage-deflate, x-other", "\"x-other\", which was not offered"),
        (on(), "permessage-deflate; server_max_window_bits=16", "server_max_window_bits"),
        (on(), "permessage-deflate, permessage-deflate", "twice"),
    ] {
        let told = outcome(settings, extensions).unwrap_err();
        assert!(told.contains(why), "{extensions}: {told}");
    }
    let answer = format!("{ANSWER}Sec-WebSocket-Extensions: permessage-deflate; a=b\r\n\r\n");
    let failed = client(on()).receive(answer.as_bytes()).unwrap_err();
    assert!(matches!(failed, HandshakeError::Deflate(_)), "{failed:?}");
    assert_eq!(failed.status(), 502);
}
