//! Answers that open nothing (RFC 6455 §4.1), each once. The client has to fail the connection.

use crate::abuse::attack::{Attack, Due, Good, Play};
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

const WINDOW_BITS: &str = "CVE-2026-2229, RFC 7692 §7.1.2";

/// An answer that agrees to compress, on these terms.
fn deflate(request: &Request, terms: &str) -> Vec<u8> {
    let terms = format!("permessage-deflate; {terms}");
    request.answer(&[("Sec-WebSocket-Extensions", Some(&terms))])
}

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new(
        "not-upgrade",
        "D5, RFC 6455 §4.1",
        "Connection: notupgrade",
        FAILS,
        Play::Answer(|request| request.answer(&[("Connection", Some("notupgrade"))])),
    ),
    Attack::new(
        "no-connection",
        "RFC 6455 §4.1",
        "no Connection header",
        FAILS,
        Play::Answer(|request| request.answer(&[("Connection", None)])),
    ),
    Attack::new(
        "no-upgrade",
        "RFC 6455 §4.1",
        "no Upgrade header",
        FAILS,
        Play::Answer(|request| request.answer(&[("Upgrade", None)])),
    ),
    Attack::new(
        "other-upgrade",
        "RFC 6455 §4.1",
        "Upgrade: websockets",
        FAILS,
        Play::Answer(|request| request.answer(&[("Upgrade", Some("websockets"))])),
    ),
    Attack::new(
        "status-200",
        "RFC 6455 §4.1",
        "everything right, but 200",
        FAILS,
        Play::Answer(|request| request.answer_by("HTTP/1.1 200 OK", &[])),
    ),
    Attack::new(
        "http-1.0",
        "RFC 9110 §7.8",
        "everything right, but HTTP/1.0",
        FAILS,
        Play::Answer(|request| request.answer_by("HTTP/1.0 101 Switching Protocols", &[])),
    ),
    Attack::new(
        "no-accept",
        "RFC 6455 §4.1",
        "no Sec-WebSocket-Accept",
        FAILS,
        Play::Answer(|request| request.answer(&[("Sec-WebSocket-Accept", None)])),
    ),
    Attack::new(
        "wrong-accept",
        "RFC 6455 §4.1",
        "the accept of another key",
        FAILS,
        Play::Answer(|request| {
            request.answer(&[("Sec-WebSocket-Accept", Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))])
        }),
    ),
    Attack::new(
        "accept-in-part",
        "RFC 6455 §4.1",
        "the right accept with more behind it",
        FAILS,
        Play::Answer(|request| {
            let accept = format!("{}, x", request.accept());
            request.answer(&[("Sec-WebSocket-Accept", Some(&accept))])
        }),
    ),
    Attack::new(
        "extension-not-offered",
        "RFC 6455 §4.1, §9.1",
        "an extension that nobody offered",
        FAILS,
        Play::Answer(|request| {
            request.answer(&[("Sec-WebSocket-Extensions", Some("x-towline-abuse"))])
        }),
    ),
    Attack::new(
        "protocol-not-offered",
        "RFC 6455 §4.1",
        "a subprotocol that nobody offered",
        FAILS,
        Play::Answer(|request| {
            request.answer(&[("Sec-WebSocket-Protocol", Some("x-towline-abuse"))])
        }),
    ),
    Attack::new(
        "window-bits",
        WINDOW_BITS,
        "permessage-deflate with 99 window bits",
        FAILS,
        Play::Answer(|request| deflate(request, "server_max_window_bits=99")),
    ),
    Attack::new(
        "window-bits-7",
        WINDOW_BITS,
        "permessage-deflate with 7 window bits",
        FAILS,
        Play::Answer(|request| deflate(request, "client_max_window_bits=7")),
    ),
    Attack::new(
        "window-bits-0",
        WINDOW_BITS,
        "permessage-deflate with 0 window bits",
        FAILS,
        Play::Answer(|request| deflate(request, "server_max_window_bits=0")),
    ),
    Attack::new(
        "window-bits-16",
        WINDOW_BITS,
        "permessage-deflate with 16 window bits",
        FAILS,
        Play::Answer(|request| deflate(request, "server_max_window_bits=16")),
    ),
    Attack::new(
        "window-bits-none",
        WINDOW_BITS,
        "permessage-deflate with no value for its window bits",
        FAILS,
        Play::Answer(|request| deflate(request, "server_max_window_bits")),
    ),
    Attack::new(
        "window-bits-empty",
        WINDOW_BITS,
        "permessage-deflate with an empty value for its window bits",
        FAILS,
        Play::Answer(|request| deflate(request, "server_max_window_bits=")),
    ),
    Attack::new(
        "window-bits-twice",
        WINDOW_BITS,
        "permessage-deflate with two values for its window bits",
        FAILS,
        Play::Answer(|request| {
            deflate(request, "server_max_window_bits=10; server_max_window_bits=10")
        }),
    ),
    Attack::new(
        "window-bits-word",
        WINDOW_BITS,
        "permessage-deflate with no number of window bits",
        FAILS,
        Play::Answer(|request| deflate(request, "server_max_window_bits=ten")),
    ),
    Attack::new(
        "extension-names",
        "GHSA-5v72-xg48-5rpm",
        "extensions named as members of objects",
        FAILS,
        Play::Answer(|request| {
            let names = "constructor, __proto__; toString=1, hasOwnProperty; valueOf";
            request.answer(&[("Sec-WebSocket-Extensions", Some(names))])
        }),
    ),
    Attack::new(
        "extension-quote",
        "CVE-2020-7662",
        "7 KiB of backslashes in a parameter without end",
        FAILS,
        Play::Answer(|request| {
            let value = format!("x; a=\"{}", "\\\\".repeat(3500));
            request.answer(&[("Sec-WebSocket-Extensions", Some(&value))])
        }),
    ),
    Attack::new(
        "no-http",
        "RFC 9112 §2.2",
        "4 KiB of no HTTP at all",
        FAILS,
        Play::Answer(|_| {
            let bytes = (0..4096_u16).map(|n| n.wrapping_mul(40_503).to_le_bytes()[1]);
            bytes.chain(*b"\r\n\r\n\r\n\r\n").collect()
        }),
    ),
    Attack::new(
        "space-before-colon",
        "RFC 9112 §5.1",
        "a space before a header's colon",
        FAILS,
        Play::Answer(|request| {
            let accept = request.accept();
            request
                .answer(&[("Sec-WebSocket-Accept", None), ("Sec-WebSocket-Accept ", Some(&accept))])
        }),
    ),
    Attack::new(
        "header-injection",
        "CVE-2026-1527, RFC 9112 §2.2",
        "bare line ends in a header",
        FAILS_OR_NOT,
        Play::Answer(|request| {
            request.answer(&[("X-Bare", Some("a\rSec-WebSocket-Protocol: x\rb"))])
        }),
    ),
];
