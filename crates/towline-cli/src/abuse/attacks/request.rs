//! Opening requests that open nothing (RFC 6455 §4.2.1), each once.

use super::due::{AN_ANSWER, NO_HANDSHAKE, NO_HTTP};
use crate::abuse::attack::{Attack, Play, Playing, Seen};
use crate::abuse::target::{Target, not_connected};

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new(
        "not-upgrade",
        "D5, RFC 6455 §4.2.1",
        "Connection: notupgrade",
        NO_HANDSHAKE,
        Play::Ask(|target| target.request(&[("Connection", Some("notupgrade"))])),
    ),
    Attack::new(
        "no-upgrade",
        "RFC 6455 §4.2.1",
        "no Upgrade header",
        NO_HANDSHAKE,
        Play::Ask(|target| target.request(&[("Upgrade", None)])),
    ),
    Attack::new(
        "other-upgrade",
        "RFC 6455 §4.2.1",
        "Upgrade: websockets",
        NO_HANDSHAKE,
        Play::Ask(|target| target.request(&[("Upgrade", Some("websockets"))])),
    ),
    Attack::new(
        "post",
        "D5, RFC 6455 §4.2.1",
        "POST instead of GET",
        NO_HANDSHAKE,
        Play::Ask(|target| {
            let line = format!("POST {} HTTP/1.1", target.uri.resource());
            target.request_by(&line, &[("Content-Length", Some("0"))])
        }),
    ),
    Attack::new(
        "http-1.0",
        "D5, RFC 6455 §4.2.1",
        "HTTP/1.0",
        NO_HANDSHAKE,
        Play::Ask(|target| {
            target.request_by(&format!("GET {} HTTP/1.0", target.uri.resource()), &[])
        }),
    ),
    Attack::new(
        "no-host",
        "D7, RFC 6455 §4.2.1",
        "no Host header",
        NO_HANDSHAKE,
        Play::Ask(|target| target.request(&[("Host", None)])),
    ),
    Attack::new(
        "two-hosts",
        "RFC 9112 §3.2",
        "two Host headers that differ",
        NO_HTTP,
        Play::Ask(|target| target.request(&[("HOST", Some("two.example"))])),
    ),
    Attack::new(
        "no-key",
        "RFC 6455 §4.2.1",
        "no Sec-WebSocket-Key",
        NO_HANDSHAKE,
        Play::Ask(|target| target.request(&[("Sec-WebSocket-Key", None)])),
    ),
    Attack::new(
        "bad-key",
        "D5, D7, RFC 6455 §4.2.1",
        "Sec-WebSocket-Key: x",
        NO_HANDSHAKE,
        Play::Ask(|target| target.request(&[("Sec-WebSocket-Key", Some("x"))])),
    ),
    Attack::new(
        "short-key",
        "D5, RFC 6455 §4.2.1",
        "a key of 15 bytes",
        NO_HANDSHAKE,
        Play::Ask(|target| target.request(&[("Sec-WebSocket-Key", Some("AAAAAAAAAAAAAAAAAAAA"))])),
    ),
    Attack::new(
        "two-keys",
        "RFC 6455 §11.3.1",
        "two keys that differ",
        NO_HANDSHAKE,
        Play::Ask(|target| {
            target.request(&[("sec-websocket-key", Some("AQIDBAUGBwgJCgsMDQ4PEA=="))])
        }),
    ),
    Attack::new(
        "no-version",
        "RFC 6455 §4.2.1",
        "no Sec-WebSocket-Version",
        NO_HANDSHAKE,
        Play::Ask(|target| target.request(&[("Sec-WebSocket-Version", None)])),
    ),
    Attack::new(
        "version-12",
        "RFC 6455 §4.4",
        "Sec-WebSocket-Version: 12",
        NO_HANDSHAKE,
        Play::Ask(|target| target.request(&[("Sec-WebSocket-Version", Some("12"))])),
    ),
    Attack::new(
        "two-versions",
        "RFC 6455 §11.3.5",
        "versions 13 and 12",
        NO_HANDSHAKE,
        Play::Ask(|target| target.request(&[("sec-websocket-version", Some("12"))])),
    ),
    Attack::new(
        "two-lengths",
        "RFC 9110 §8.6, uWebSockets 2026",
        "two Content-Length headers that differ",
        NO_HTTP,
        Play::Ask(|target| {
            target.request(&[("Content-Length", Some("5")), ("content-length", Some("6"))])
        }),
    ),
    Attack::new(
        "smuggled-body",
        "RUSTSEC-2021-0078, -0079, RFC 9112 §6.3",
        "Content-Length and Transfer-Encoding at once, and a body",
        NO_HTTP,
        Play::Ask(|target| {
            let headers = [("Content-Length", Some("5")), ("Transfer-Encoding", Some("chunked"))];
            [target.request(&headers), b"0\r\n\r\n".to_vec()].concat()
        }),
    ),
    Attack::new(
        "space-before-colon",
        "RFC 9112 §5.1",
        "a space between a header's name and its colon",
        NO_HTTP,
        Play::Ask(|target| target.request(&[("X-Space ", Some("1"))])),
    ),
    Attack::new(
        "elsewhere",
        "CVE-2020-7693",
        "an upgrade on a path that is not there",
        AN_ANSWER,
        Play::Ask(|target| target.request_by("GET /no/such/path/../%00/%zz?%0d%0a HTTP/1.1", &[])),
    ),
    Attack::new(
        "asterisk",
        "RFC 9112 §3.2.4",
        "an upgrade by OPTIONS *",
        NO_HANDSHAKE,
        Play::Ask(|target| target.request_by("OPTIONS * HTTP/1.1", &[])),
    ),
    Attack::new(
        "connect",
        "RFC 9112 §3.2.3",
        "an upgrade by CONNECT",
        NO_HANDSHAKE,
        Play::Ask(|target| target.request_by("CONNECT elsewhere.example:443 HTTP/1.1", &[])),
    ),
    Attack::new(
        "garbage",
        "RFC 9112 §2.2",
        "4 KiB of no HTTP at all",
        NO_HTTP,
        Play::Ask(|_| {
            let bytes = (0..4096_u16).flat_map(|n| (n.wrapping_mul(40_503)).to_le_bytes());
            bytes.chain(*b"\r\n\r\n\r\n\r\n").collect()
        }),
    ),
    Attack::new(
        "header-injection",
        "CVE-2026-1527, RFC 9112 §2.2",
        "line ends and NULs inside of a path, a protocol, an origin and an extension",
        AN_ANSWER,
        Play::Act(|target| inject(target)),
    ),
];

/// What must not come back as a header.
const INJECTED: &str = "X-Injected";

/// Whatever the server repeats of a request, none of it may begin a line of the answer.
fn inject(target: std::sync::Arc<Target>) -> Playing<'static> {
    Box::pin(async move {
        let mut last = Seen::Silent;
        for end in ["\r", "\n", "\0", "%0d%0a", "\u{85}", "\u{560d}\u{560a}"] {
            let value = format!("chat{end}{INJECTED}: 1");
            let path =
                format!("GET /chat{}{INJECTED}:1 HTTP/1.1", end.replace(['\r', '\n'], "%0d%0a"));
            for request in [
                target.request(&[("Sec-WebSocket-Protocol", Some(&value))]),
                target.request(&[("Origin", Some(&value))]),
                target.request(&[("Sec-WebSocket-Extensions", Some(&value))]),
                target.request_by(&path, &[]),
            ] {
                let mut raw = match target.connect().await {
                    Ok(raw) => raw,
                    Err(error) => return not_connected(&error),
                };
                let (seen, head) = raw.ask(&request, 1, target.patience).await;
                if head.split(['\r', '\n']).any(|line| line.starts_with(INJECTED)) {
                    return Seen::Wrong(format!("{end:?} let a header into its answer"));
                }
                match seen {
                    Seen::Alive | Seen::Refused(_) | Seen::Cut => last = seen,
                    Seen::Took(_) => return Seen::Silent,
                    other => return other,
                }
            }
        }
        last
    })
}
