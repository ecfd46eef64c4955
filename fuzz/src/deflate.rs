//! The fuzz target of compression: any offer, any compressed bytes, and any message there and back.

use std::time::Instant;

use http::header::SEC_WEBSOCKET_EXTENSIONS;
use http::{HeaderMap, HeaderValue};
use towline_proto::handshake::headers::extensions;
use towline_proto::{Config, Connection, Deflate, DeflateTerms, Message, MessageKind, Role};

use crate::check::{self, Got, Joined};
use crate::targets::cuts;

/// One byte of switches, then what they say.
pub fn run(data: &[u8]) {
    let Some((&[switches], data)) = data.split_first_chunk() else { return };
    match switches % 4 {
        0 => negotiate(data),
        1 => exchange(switches, data),
        _ => inflate(switches, data),
    }
}

fn header(value: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_bytes(value).ok()?);
    Some(headers)
}

/// An offer and an answer: what is agreed on is in range, and is read as it was printed.
fn negotiate(data: &[u8]) {
    let Some(headers) = header(data) else { return };
    let settings = Deflate::default().server_max_window_bits(12).client_max_window_bits(11);
    if let Some(terms) = settings.accept(&headers) {
        check_terms(&terms);
        assert!(terms.server_max_window_bits() <= 12);
        let answer = header(terms.to_string().as_bytes()).expect("our answer is a header");
        let answer = extensions(&answer).expect("our answer is a list");
        let again = Deflate::default().offer().agreed(&answer).expect("our answer is in order");
        assert_eq!(again.as_ref(), Some(&terms));
    }
    if let Ok(answer) = extensions(&headers)
        && let Ok(Some(terms)) = settings.offer().agreed(&answer)
    {
        check_terms(&terms);
        assert!(terms.server_max_window_bits() <= 12 && terms.client_max_window_bits() <= 15);
    }
}

fn check_terms(terms: &DeflateTerms) {
    assert!((8..=15).contains(&terms.server_max_window_bits()));
    assert!((8..=15).contains(&terms.client_max_window_bits()));
}

fn agree(settings: &Deflate) -> (DeflateTerms, DeflateTerms) {
    let offer = settings.offer();
    let headers = header(offer.to_string().as_bytes()).expect("our offer is a header");
    let for_server = settings.accept(&headers).expect("our offer can be met");
    let answer = header(for_server.to_string().as_bytes()).expect("our answer is a header");
    let answer = extensions(&answer).expect("our answer is a list");
    let for_client = offer.agreed(&answer).expect("it fits").expect("it is an answer");
    (for_client, for_server)
}

/// A peer's compressed bytes: the same messages however they are cut, and never more than allowed.
fn inflate(switches: u8, data: &[u8]) {
    let (cuts, data) = cuts(data);
    let role = if switches & 4 == 0 { Role::Client } else { Role::Server };
    let bytes = if switches & 8 == 0 { data.to_vec() } else { check::masked(data) };
    let settings = Deflate::default()
        .server_no_context_takeover(switches & 16 != 0)
        .client_no_context_takeover(switches & 16 != 0)
        .max_ratio(None);
    let (for_client, for_server) = agree(&settings);
    let terms = match role {
        Role::Client => for_client,
        Role::Server => for_server,
    };
    let limit = if switches & 32 == 0 { 1 << 20 } else { 1000 };
    let connect = || {
        let config = Config::default().max_message_size(limit);
        Connection::new(role, config, [7; 32], Instant::now()).deflate(&terms)
    };
    let whole = check::feed_to(connect(), &bytes, &[]);
    let cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut <= bytes.len()).collect();
    let cut = check::feed_to(connect(), &bytes, &cuts);
    assert_eq!(cut.events, whole.events, "cut at {cuts:?}");
    // Which of several rules is broken first may depend on what came at once.
    assert_eq!(cut.error.is_some(), whole.error.is_some(), "cut at {cuts:?}");
    for event in &whole.events {
        if let Got::Message(message) = event {
            assert!(u64::try_from(message.len()).expect("a length fits") <= limit);
        }
    }
}

/// Messages there, in any parts and by any settings: they arrive as they were sent.
fn exchange(switches: u8, data: &[u8]) {
    let Some((&[shape, level, every], data)) = data.split_first_chunk() else { return };
    let bits = 9 + shape % 7;
    let settings = Deflate::default()
        .level(level % 10)
        .memory_level(1 + (level / 10) % 9)
        .server_max_window_bits(bits)
        .client_max_window_bits(bits)
        .server_no_context_takeover(shape & 0x80 != 0)
        .threshold(usize::from(shape & 0x40));
    let (for_client, for_server) = agree(&settings);
    let (now, config) = (Instant::now(), Config::default());
    let mut client =
        Connection::new(Role::Client, config.clone(), [1; 32], now).deflate(&for_client);
    let mut server = Connection::new(Role::Server, config, [2; 32], now).deflate(&for_server);

    // Longer than the data is, so that windows fill.
    let repeat = if switches & 4 == 0 { 1 } else { 40 };
    let mut expected = Vec::new();
    for (at, message) in data.chunks(1 + usize::from(every)).enumerate() {
        let message = message.repeat(repeat);
        server.sender().compress(switches & 8 == 0 || at % 3 > 0);
        if at % 2 == 0 {
            server.send(message.clone()).expect("nothing is in the way");
        } else {
            let half = message.len() / 2;
            let (one, two) = message.split_at(half);
            let kind = MessageKind::Binary;
            server.send_fragment(kind, one, false).expect("nothing is in the way");
            server.send_fragment(kind, two, true).expect("nothing is in the way");
        }
        expected.push(Got::Message(Message::from(message)));
    }
    let mut bytes = check::drain(&mut server);
    let (mut joined, mut events) = (Joined::default(), Vec::new());
    check::receive_all(&mut client, &mut bytes, now, &mut joined, &mut events)
        .expect("our own side breaks no rule");
    assert_eq!(events, expected);
}
