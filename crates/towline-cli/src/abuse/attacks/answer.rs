//! Answers that open nothing (RFC 6455 §4.1), each once. The client has to fail the connection.

use crate::abuse::attack::{Attack, Due, Good, LITTLE_MIB, Play};
use crate::abuse::request::Request;

/// The client must fail the connection. It may say why, though nobody has agreed to frames.
const FAILS: Due = Due {
    good: &[Good::Cut, Good::Code(1002)],
    because: "RFC 6455 §4.1: the client must fail the connection",
};

/// Two programs may read it differently.
const FAILS_OR_NOT: Due = Due {
    good: &[Good::Cut, Good::Code(1002), Good::Alive],
    because: "RFC 9112 §2.2: a bare line end is refused, or taken for a space",
};

const fn answers(
    name: &'static str,
    source: &'static str,
    does: &'static str,
    answer: fn(&Request) -> Vec<u8>,
) -> Attack {
    let play = Play::Answer(answer);
    Attack { name, source, does, due: FAILS, memory: LITTLE_MIB, slow: false, play }
}

const WINDOW_BITS: &str = "CVE-2026-2229, RFC 7692 §7.1.2";

/// An answer that agrees to compress, on these terms.
fn deflate(request: &Request, terms: &str) -> Vec<u8> {
    let terms = format!("permessage-deflate; {terms}");
    request.answer(&[("Sec-WebSocket-Extensions", Some(&terms))])
}

pub(super) const ATTACKS: &[Attack] = &[
    answers("not-upgrade", "D5, RFC 6455 §4.1", "Connection: notupgrade", |request| {
        request.answer(&[("Connection", Some("notupgrade"))])
    }),
    answers("no-connection", "RFC 6455 §4.1", "no Connection header", |request| {
        request.answer(&[("Connection", None)])
    }),
    answers("no-upgrade", "RFC 6455 §4.1", "no Upgrade header", |request| {
        request.answer(&[("Upgrade", None)])
    }),
    answers("other-upgrade", "RFC 6455 §4.1", "Upgrade: websockets", |request| {
        request.answer(&[("Upgrade", Some("websockets"))])
    }),
    answers("status-200", "RFC 6455 §4.1", "everything right, but 200", |request| {
        request.answer_by("HTTP/1.1 200 OK", &[])
    }),
    answers("http-1.0", "RFC 9110 §7.8", "everything right, but HTTP/1.0", |request| {
        request.answer_by("HTTP/1.0 101 Switching Protocols", &[])
    }),
    answers("no-accept", "RFC 6455 §4.1", "no Sec-WebSocket-Accept", |request| {
        request.answer(&[("Sec-WebSocket-Accept", None)])
    }),
    answers("wrong-accept", "RFC 6455 §4.1", "the accept of another key", |request| {
        request.answer(&[("Sec-WebSocket-Accept", Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))])
    }),
    answers("accept-in-part", "RFC 6455 §4.1", "the right accept with more behind it", |request| {
        let accept = format!("{}, x", request.accept());
        request.answer(&[("Sec-WebSocket-Accept", Some(&accept))])
    }),
    answers(
        "extension-not-offered",
        "RFC 6455 §4.1, §9.1",
        "an extension that nobody offered",
        |request| request.answer(&[("Sec-WebSocket-Extensions", Some("x-towline-abuse"))]),
    ),
    answers(
        "protocol-not-offered",
        "RFC 6455 §4.1",
        "a subprotocol that nobody offered",
        |request| request.answer(&[("Sec-WebSocket-Protocol", Some("x-towline-abuse"))]),
    ),
    answers("window-bits", WINDOW_BITS, "permessage-deflate with 99 window bits", |request| {
        deflate(request, "server_max_window_bits=99")
    }),
    answers("window-bits-7", WINDOW_BITS, "permessage-deflate with 7 window bits", |request| {
        deflate(request, "client_max_window_bits=7")
    }),
    answers("window-bits-0", WINDOW_BITS, "permessage-deflate with 0 window bits", |request| {
        deflate(request, "server_max_window_bits=0")
    }),
    answers("window-bits-16", WINDOW_BITS, "permessage-deflate with 16 window bits", |request| {
        deflate(request, "server_max_window_bits=16")
    }),
    answers(
        "window-bits-none",
        WINDOW_BITS,
        "permessage-deflate with no value for its window bits",
        |request| deflate(request, "server_max_window_bits"),
    ),
    answers(
        "window-bits-empty",
        WINDOW_BITS,
        "permessage-deflate with an empty value for its window bits",
        |request| deflate(request, "server_max_window_bits="),
    ),
    answers(
        "window-bits-twice",
        WINDOW_BITS,
        "permessage-deflate with two values for its window bits",
        |request| deflate(request, "server_max_window_bits=10; server_max_window_bits=10"),
    ),
    answers(
        "window-bits-word",
        WINDOW_BITS,
        "permessage-deflate with no number of window bits",
        |request| deflate(request, "server_max_window_bits=ten"),
    ),
    answers(
        "extension-names",
        "GHSA-5v72-xg48-5rpm",
        "extensions named as members of objects",
        |request| {
            let names = "constructor, __proto__; toString=1, hasOwnProperty; valueOf";
            request.answer(&[("Sec-WebSocket-Extensions", Some(names))])
        },
    ),
    answers(
        "extension-quote",
        "CVE-2020-7662",
        "7 KiB of backslashes in a parameter without end",
        |request| {
            let value = format!("x; a=\"{}", "\\\\".repeat(3500));
            request.answer(&[("Sec-WebSocket-Extensions", Some(&value))])
        },
    ),
    answers("no-http", "RFC 9112 §2.2", "4 KiB of no HTTP at all", |_| {
        let bytes = (0..4096_u16).map(|n| n.wrapping_mul(40_503).to_le_bytes()[1]);
        bytes.chain(*b"\r\n\r\n\r\n\r\n").collect()
    }),
    answers("space-before-colon", "RFC 9112 §5.1", "a space before a header's colon", |request| {
        let accept = request.accept();
        request.answer(&[("Sec-WebSocket-Accept", None), ("Sec-WebSocket-Accept ", Some(&accept))])
    }),
    Attack {
        due: FAILS_OR_NOT,
        ..answers(
            "header-injection",
            "CVE-2026-1527, RFC 9112 §2.2",
            "bare line ends in a header",
            |request| request.answer(&[("X-Bare", Some("a\rSec-WebSocket-Protocol: x\rb"))]),
        )
    },
];
