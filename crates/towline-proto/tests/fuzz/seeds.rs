//! Inputs made by hand, from which a fuzzer starts.

use crate::check::hex;

/// Names and inputs for a target.
pub(crate) fn of(target: &str) -> Vec<(String, Vec<u8>)> {
    match target {
        "address" => addresses(),
        "calls" => named(CALLS, &[&[]], &[""]),
        // A client with the usual limits, and a server with low ones, each with places to cut.
        "connection" => named(CONNECTIONS, &[&[0, 2, 1, 3], &[7, 1, 2]], &["", "-server"]),
        "deflate" => deflate(),
        "frame" => named(FRAMES, &[&[]], &[""]),
        "operations" => named(OPERATIONS, &[&[4, 10, 0], &[0, 0, 1]], &["", "-slow"]),
        "request" => heads("request"),
        "response" => heads("answer"),
        "text" => named(TEXTS, &[&[]], &[""]),
        _ => Vec::new(),
    }
}

/// Each of the list with each of the prefixes, by which a target is told how to go about it.
fn named(list: &[(&str, &str)], prefixes: &[&[u8]], suffixes: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut seeds = Vec::new();
    for (name, digits) in list {
        for (prefix, suffix) in prefixes.iter().zip(suffixes) {
            seeds.push((format!("{name}{suffix}"), [prefix, &hex(digits)[..]].concat()));
        }
    }
    seeds
}

/// Offers, messages to send, and compressed messages: a client's with takeover, a server's without.
fn deflate() -> Vec<(String, Vec<u8>)> {
    let mut seeds = named(COMPRESSED, &[&[2, 2, 1, 3], &[2 + 4 + 8 + 16, 1, 2]], &["", "-server"]);
    let offers = [
        ("offer", "permessage-deflate; client_max_window_bits"),
        ("offer-all", "permessage-deflate; server_max_window_bits=\"9\"; client_max_window_bits=8"),
        ("offers", "permessage-deflate; a=b, permessage-deflate; server_no_context_takeover"),
        ("offer-bad", "permessage-deflate; server_max_window_bits=16; client_max_window_bits=010"),
    ];
    seeds.extend(offers.map(|(name, text)| (name.to_owned(), [&[0], text.as_bytes()].concat())));
    seeds.extend([("messages", 1), ("messages-long", 5), ("messages-some", 13)].map(
        |(name, switches)| {
            let text = b"{\"id\":1,\"side\":\"buy\"},{\"id\":2,\"side\":\"sell\"}";
            (name.to_owned(), [&[switches, 6, 51, 9], &text[..]].concat())
        },
    ));
    seeds
}

/// RFC 7692 §7.2.3, and what is wrong.
const COMPRESSED: &[(&str, &str)] = &[
    ("one-block", "c1 07 f2 48 cd c9 c9 07 00"),
    ("fragments", "41 03 f2 48 cd 89 01 70 80 04 c9 c9 07 00"),
    ("window", "c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00"),
    ("stored", "c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00"),
    ("final-block", "c1 08 f3 48 cd c9 c9 07 00 00 c1 07 f3 48 cd c9 c9 07 00"),
    ("two-blocks", "c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00"),
    ("empty", "41 00 80 01 00 c1 01 00 c1 00"),
    ("plain-between", "c1 07 f2 48 cd c9 c9 07 00 81 02 48 69 c1 05 f2 00 11 00 00"),
    ("bad-type", "c2 02 07 00"),
    ("bad-codes", "c2 03 fc ff ff"),
    ("bad-distance", "c2 05 f2 00 11 00 00"),
    ("zeros", "c2 14 ec c1 31 01 00 00 00 c2 a0 f5 4f 6d 0d 0f a0 00 00 80 77 03"),
];

fn addresses() -> Vec<(String, Vec<u8>)> {
    let list = [
        ("user", "ws://user@EXAMPLE.com:80/a%20b?c=d#e"),
        ("port", "ws://EXAMPLE.com:80/a%20b?c=d\0chat\0http://b\0X-A\0b"),
        ("smuggled", "ws://a/\0chat\r\nX-B: c\0http://b\r\nX-C: d\0X-A\0b\r\nX-D: e"),
        ("ipv6", "wss://[::1]:8443/?q\0chat"),
        ("ipv4", "ws://127.0.0.1:65535\0\0\0Host\0other"),
        ("unicode", "ws://bücher.example/ä"),
        ("dots", "ws://a../../b"),
    ];
    list.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).to_vec()
}

/// The heads whose name begins so, cut once.
fn heads(kind: &str) -> Vec<(String, Vec<u8>)> {
    let request = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n";
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    let list = [
        ("request", format!("{request}\r\n")),
        ("request-and-a-frame", format!("{request}\r\n\u{1}\u{2}ab")),
        ("request-low-limits", format!("{request}\r\n")),
        (
            "request-subprotocols",
            format!("{request}Sec-WebSocket-Protocol: chat, superchat\r\n\r\n"),
        ),
        ("request-origin", format!("{request}Origin: http://example.com\r\n\r\n")),
        (
            "request-extensions",
            format!("{request}Sec-WebSocket-Extensions: a; b=\"c\\\"d\"; e, f\r\n\r\n"),
        ),
        (
            "request-unclosed-quote",
            format!("{request}Sec-WebSocket-Extensions: a; b=\"\\\\\\\r\n\r\n"),
        ),
        ("request-commas", format!("{request}Sec-WebSocket-Protocol: ,, ,\t,,\r\n\r\n")),
        ("request-length", format!("{request}Content-Length: 5\r\n\r\nhello")),
        ("request-chunked", format!("{request}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        (
            "request-notupgrade",
            request.replace("Connection: Upgrade", "Connection: notupgrade") + "\r\n",
        ),
        ("request-short-key", request.replace("dGhlIHNhbXBsZSBub25jZQ==", "x") + "\r\n"),
        ("request-version-8", request.replace("13", "8") + "\r\n"),
        ("request-two-hosts", format!("{request}Host: b\r\n\r\n")),
        ("request-folded", format!("{request}X-A: b\r\n c\r\n\r\n")),
        ("request-bare-lf", request.replace("\r\n", "\n") + "\n"),
        ("request-nul", format!("{request}X-A: \0\r\n\r\n")),
        ("request-post", request.replace("GET", "POST") + "\r\n"),
        ("request-http-10", request.replace("HTTP/1.1", "HTTP/1.0") + "\r\n"),
        ("request-plain", "GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        ("request-many-headers", format!("{request}{}\r\n", "a: b\r\n".repeat(9))),
        ("request-endless", "GET /".to_owned() + &"a".repeat(400)),
        ("answer", format!("{answer}\r\n")),
        ("answer-subprotocol", format!("{answer}Sec-WebSocket-Protocol: rope\r\n\r\n")),
        ("answer-foreign-subprotocol", format!("{answer}Sec-WebSocket-Protocol: other\r\n\r\n")),
        (
            "answer-extension",
            format!("{answer}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
        ),
        ("answer-wrong-accept", answer.replace("s3p", "S3P") + "\r\n"),
        (
            "answer-early-hints",
            format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{answer}\r\n"),
        ),
        ("answer-404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned()),
        ("answer-redirect", "HTTP/1.1 302 Found\r\nLocation: ws://b/\r\n\r\n".to_owned()),
        ("answer-no-reason", "HTTP/1.1 101\r\n\r\n".to_owned()),
        ("answer-not-http", "SSH-2.0-OpenSSH_9.6\r\n".to_owned()),
    ];
    let list = list.into_iter().filter(|(name, _)| name.starts_with(kind));
    list.map(|(name, head)| (name.to_owned(), [&[1, 20], head.as_bytes()].concat())).collect()
}

const FRAMES: &[(&str, &str)] = &[
    ("empty", "82 00"),
    ("masked", "81 85 37 fa 21 3d 7f 9f 4d 51 58"),
    ("length-125", "82 7d"),
    ("length-126", "82 7e 00 7e"),
    ("length-65535", "82 fe ff ff 01 02 03 04"),
    ("length-65536", "82 7f 00 00 00 00 00 01 00 00"),
    ("length-masked-65536", "82 ff 00 00 00 00 00 01 00 00 01 02 03 04"),
    ("length-2-63-less-1", "82 7f 7f ff ff ff ff ff ff ff"),
    ("length-2-63", "82 7f 80 00 00 00 00 00 00 00"),
    ("length-not-minimal", "82 7e 00 05"),
    ("reserved-bit", "c1 00"),
    ("reserved-opcode", "83 00"),
    ("long-ping", "89 7e 00 7e"),
    ("fragmented-ping", "09 00"),
];

const TEXTS: &[(&str, &str)] = &[
    ("greek", "ce ba e1 bd b9 cf 83 ce bc ce b5 f0 9f 98 80"),
    ("surrogate", "61 ed a0 80 62"),
    ("overlong", "c0 af e0 9f bf f0 8f bf bf"),
    ("too-high", "f4 8f bf bf f4 90 80 80"),
    ("cut", "e2 82"),
];

const CONNECTIONS: &[(&str, &str)] = &[
    ("text", "81 05 48 65 6c 6c 6f"),
    ("binary", "82 03 00 ff 80"),
    ("fragments", "01 03 48 65 6c 80 02 6c 6f"),
    ("fragments-and-a-ping", "01 03 48 65 6c 89 01 70 80 02 6c 6f"),
    ("empty-fragments", "01 00 00 00 00 00 80 00"),
    ("character-cut-by-frames", "01 01 ce 00 00 80 01 ba"),
    ("bad-text", "81 03 61 ff 62"),
    ("text-cut-by-the-end", "81 02 e2 82"),
    ("close", "88 02 03 e8 81 00"),
    ("close-reason", "88 05 03 e8 62 79 65"),
    ("close-empty", "88 00"),
    ("close-one-byte", "88 01 03"),
    ("close-bad-code", "88 02 03 ed"),
    ("close-bad-reason", "88 03 03 e8 ff"),
    ("pings", "89 00 89 01 61 8a 01 61 89 00 89 00 89 00"),
    ("huge", "82 7f 40 00 00 00 00 00 00 00 01 02"),
    ("medium", "82 7e 00 80 01 02 03 04"),
    ("continuation-first", "80 01 61"),
    ("message-in-message", "01 01 61 81 01 62"),
    ("reserved", "81 00 c1 00"),
];

/// Two bytes a call: see `calls.rs`.
const CALLS: &[(&str, &str)] = &[
    ("messages", "30 05 38 05 31 05 39 05 01 00"),
    ("fragments", "40 03 40 04 42 05 01 00 49 01 4b 02 01 00"),
    ("open-frame", "62 05 70 02 01 00 70 03 01 00"),
    ("open-frame-and-close", "62 05 a0 00 70 05 01 00"),
    ("close-both", "a0 00 a8 7d 01 00"),
    ("close-at-once", "a0 02 01 00 a8 00 07 00"),
    ("pings", "80 05 88 05 90 05 98 05 01 00"),
    ("silence", "07 00 07 00 07 00 07 00 07 00 07 00"),
    ("cut", "20 00 07 00 07 00 07 00 07 00 07 00 07 00 07 00"),
    (
        "cut-and-app-pings",
        "20 00 07 00 80 01 07 00 80 01 07 00 80 01 07 00 80 01 07 00 80 01 07 00",
    ),
    ("never-writes", "b0 00 88 05 88 06 88 07 34 ff 07 00 07 00 07 00 07 00"),
    ("slow", "10 02 34 ff 02 00 a0 00 07 00 07 00"),
    ("text-cut", "d1 00 43 01 d1 00 d3 00"),
    ("huge-frame", "e0 3f 07 00 07 00 07 00 07 00 07 00 07 00"),
    ("wrong-calls", "70 01 40 00 30 01 41 01 60 05 30 01 a0 00 30 01 40 01"),
    ("finish", "60 50 f0 00 68 50 f8 00 02 00"),
    ("heartbeat", "07 00 07 00 07 00 07 00 07 00 07 00 07 00 07 00 07 00 07 00 07 00 00"),
    (
        "ping-flood",
        "80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 80 00 01 00",
    ),
];

/// Calls of `targets::operations`, from the client (even) and the server (odd).
const OPERATIONS: &[(&str, &str)] = &[
    ("messages", "04 03 61 62 63 05 02 64 65 00 20 04 81 05 ff 02 05"),
    ("fragments", "06 00 02 61 62 06 00 01 63 06 02 00 00 30"),
    ("fragments-both", "06 01 02 61 62 07 00 01 63 07 02 01 64 06 03 00 00 30"),
    (
        "open-frame",
        "0a 03 02 0c 05 61 62 63 64 65 00 10 0c 0f 61 61 61 61 61 61 61 61 61 61 61 61 61 61 61",
    ),
    ("open-frame-and-close", "0a 03 01 0c 02 61 62 0e ff 0c 08 61 61 61 61 61 61 61 61 00 40"),
    ("pings", "0e 00 02 61 62 0f 10 00 0e 90 01 63 00 30"),
    ("close-both", "0e ff 0f ff 00 40"),
    ("message-and-close", "04 ff 0e ff 00 40 05 01 61"),
    ("silence", "02 3c 02 3c 02 3c"),
    ("text-cut", "06 00 01 c3 06 02 01 a9 06 02 01 c3 00 30"),
];
