//! Frames that are wrong, and some that are right and odd (RFC 6455 §5).

use super::due::{ENDURES, FAIL_1002, GOES_ON, IMPOSSIBLE};
use crate::abuse::attack::{Attack, Due, Good, Play, Playing, Seen, Side};
use crate::abuse::bytes::{
    BINARY, CONTINUATION, LAST, PING, PONG, TEXT, begun, declaring, declaring_16, frame, masked,
    unmasked,
};
use crate::abuse::raw::Raw;
use crate::abuse::target::{Target, not_connected};

/// A length in too many bytes. §5.2 forbids to send it and does not say that it must be refused.
const LONG_FORM: Due = Due {
    good: &[Good::Code(1002), Good::Cut, Good::Alive],
    because: "RFC 6455 §5.2 forbids to send it, and not to take it if nothing gets out of step",
};

/// What follows a handshake without waiting for its answer.
const EARLY: Due = Due {
    good: &[Good::Alive, Good::Code(1002), Good::Refused, Good::Cut],
    because: "RFC 6455 §4.1 forbids it to clients, so it may be refused, but not lost in silence",
};

/// Something that is no frame.
const NO_FRAME: Due = Due {
    good: &[Good::Code(1002), Good::Refused, Good::Cut],
    because: "RFC 6455 §5.2: its first byte has reserved bits and a reserved opcode",
};

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new(
        "wrong-mask",
        "RFC 6455 §5.1",
        "a frame unmasked to a server, masked to a client",
        FAIL_1002,
        Play::Say(|side| match side {
            Side::Client => unmasked(TEXT, b"hi"),
            Side::Server => masked(TEXT, b"hi"),
        }),
    ),
    Attack::new(
        "rsv1",
        "RFC 6455 §5.2",
        "a reserved bit, and no extension",
        FAIL_1002,
        Play::Say(|side| frame(side, TEXT | 0x40, b"hi")),
    ),
    Attack::new(
        "rsv2",
        "RFC 6455 §5.2",
        "a reserved bit, and no extension",
        FAIL_1002,
        Play::Say(|side| frame(side, TEXT | 0x20, b"hi")),
    ),
    Attack::new(
        "rsv3",
        "RFC 6455 §5.2",
        "a reserved bit, and no extension",
        FAIL_1002,
        Play::Say(|side| frame(side, PING | 0x10, b"hi")),
    ),
    Attack::new(
        "opcode-3",
        "RFC 6455 §5.2",
        "a reserved opcode of data",
        FAIL_1002,
        Play::Say(|side| frame(side, 0x83, b"hi")),
    ),
    Attack::new(
        "opcode-11",
        "RFC 6455 §5.2",
        "a reserved opcode of control",
        FAIL_1002,
        Play::Say(|side| frame(side, 0x8B, b"")),
    ),
    Attack::new(
        "continues-nothing",
        "RFC 6455 §5.4, aiohttp",
        "a continuation without a start",
        FAIL_1002,
        Play::Say(|side| frame(side, LAST, b"hi")),
    ),
    Attack::new(
        "begins-twice",
        "RFC 6455 §5.4",
        "a message inside of a message",
        FAIL_1002,
        Play::Say(|side| [frame(side, begun(TEXT), b"a"), frame(side, TEXT, b"b")].concat()),
    ),
    Attack::new(
        "control-fragmented",
        "RFC 6455 §5.5",
        "a ping without FIN",
        FAIL_1002,
        Play::Say(|side| frame(side, begun(PING), b"hi")),
    ),
    Attack::new(
        "control-126",
        "RFC 6455 §5.5",
        "a ping of 126 bytes",
        FAIL_1002,
        Play::Say(|side| frame(side, PING, &[b'x'; 126])),
    ),
    Attack::new(
        "control-huge",
        "RFC 6455 §5.5",
        "a ping that declares 1 TiB",
        IMPOSSIBLE,
        Play::Say(|side| declaring(side, PING, 1 << 40)),
    ),
    Attack::new(
        "long-form-16",
        "RFC 6455 §5.2",
        "a length of 2 in 16 bits",
        LONG_FORM,
        Play::Say(|side| [declaring_16(side, BINARY, 2), b"hi".to_vec()].concat()),
    ),
    Attack::new(
        "long-form-64",
        "RFC 6455 §5.2",
        "a length of 2 in 64 bits",
        LONG_FORM,
        Play::Say(|side| [declaring(side, BINARY, 2), b"hi".to_vec()].concat()),
    ),
    Attack::new(
        "control-inside",
        "RFC 6455 §5.4, aiohttp",
        "pings and pongs inside of a message",
        GOES_ON,
        Play::Say(|side| {
            let control = [frame(side, PING, b"now"), frame(side, PONG, b"unasked")].concat();
            let first = frame(side, begun(TEXT), b"a");
            [
                first,
                control.clone(),
                frame(side, CONTINUATION, b"b"),
                control,
                frame(side, LAST, b"c"),
            ]
            .concat()
        }),
    ),
    Attack::new(
        "empty-frames",
        "RFC 6455 §5.4",
        "a message of three empty frames",
        GOES_ON,
        Play::Say(|side| {
            [
                frame(side, begun(BINARY), b""),
                frame(side, CONTINUATION, b""),
                frame(side, LAST, b""),
            ]
            .concat()
        }),
    ),
    Attack::new(
        "second-upgrade",
        "CVE-2025-11677 to -11680",
        "a second opening request, as frames",
        NO_FRAME,
        Play::Say(|side| match side {
            Side::Client => crate::abuse::bytes::request("GET / HTTP/1.1", "localhost", &[]),
            Side::Server => {
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n".to_vec()
            }
        }),
    ),
    Attack::new(
        "byte-by-byte",
        "RFC 6455 §5.4",
        "a message and a ping, each byte by itself",
        GOES_ON,
        Play::Talk(|raw| {
            Box::pin(async move {
                let whole = [raw.frame(TEXT, &[b'x'; 300]), raw.frame(PING, b"x")].concat();
                for byte in whole {
                    raw.put(&[byte]).await;
                }
                raw.alive().await
            })
        }),
    ),
    Attack::new(
        "pong-echo",
        "CVE-2016-10518, RFC 6455 §5.5.3",
        "pings of every length",
        GOES_ON,
        Play::Talk(pong_echo),
    ),
    Attack::new(
        "data-behind-head",
        "curl 2026, RFC 6455 §4.1",
        "frames in one write with the opening request",
        EARLY,
        Play::Act(|target| behind_head(target, frame(Side::Client, PING, b"early"))),
    ),
    Attack::new(
        "two-requests",
        "CVE-2025-11677 to -11680",
        "two opening requests in one write",
        NO_FRAME,
        Play::Act(|target| {
            let second = target.request(&[]);
            behind_head(target, second)
        }),
    ),
    Attack::new(
        "data-behind-head",
        "curl 2026, RFC 6455 §4.1",
        "frames in one write with the answer",
        GOES_ON,
        Play::Meet(|raw, request| {
            Box::pin(async move {
                let early = unmasked(TEXT, b"early");
                // The ping whose pong is waited for goes in the same write.
                let bytes = [request.answer(&[]), early].concat();
                raw.goes_on_after(&bytes, raw.patience).await
            })
        }),
    ),
    Attack::new(
        "masks",
        "CVE-2025-10148, RFC 6455 §5.3",
        "1,000 pings, to compare the masks of the pongs",
        ENDURES,
        Play::Meet(|raw, request| {
            Box::pin(async move {
                raw.put(&request.answer(&[])).await;
                masks(raw).await
            })
        }),
    ),
];

/// Each pong has to carry what its ping carried.
fn pong_echo(raw: &mut Raw) -> Playing<'_> {
    Box::pin(async move {
        for len in 0..=125 {
            let payload = vec![len; len.into()];
            let ping = raw.frame(PING, &payload);
            raw.put(&ping).await;
            let patience = raw.patience;
            let answered = async {
                while let Some(frame) = raw.next().await {
                    if frame.first == PONG {
                        return frame.payload == payload;
                    }
                    if frame.first == crate::abuse::bytes::CLOSE {
                        break;
                    }
                }
                false
            };
            match tokio::time::timeout(patience, answered).await {
                Ok(true) => {}
                Ok(false) => {
                    return Seen::Wrong(format!("a ping of {len} bytes had no pong of its own"));
                }
                Err(_) => return Seen::Silent,
            }
        }
        raw.alive().await
    })
}

/// Sends this right behind the opening request, in one write.
fn behind_head(target: std::sync::Arc<Target>, more: Vec<u8>) -> Playing<'static> {
    Box::pin(async move {
        let mut raw = match target.connect().await {
            Ok(raw) => raw,
            Err(error) => return not_connected(&error),
        };
        let bytes = [target.request(&[]), more].concat();
        match raw.ask(&bytes, 1, target.patience).await.0 {
            Seen::Alive => raw.alive().await,
            Seen::Took(_) => Seen::Silent,
            seen => seen,
        }
    })
}

/// A client's masks have to be unpredictable: none may come back.
async fn masks(raw: &mut Raw) -> Seen {
    /// By chance two of 1,000 keys of 32 bits are alike once in nine thousand runs.
    const PINGS: usize = 1000;
    const BY_CHANCE: usize = 1;
    let mut keys = std::collections::BTreeSet::new();
    for number in 0..PINGS {
        let ping = raw.frame(PING, &number.to_be_bytes());
        raw.put(&ping).await;
        let next = tokio::time::timeout(raw.patience, raw.next()).await;
        match next {
            Ok(Some(frame)) if frame.first == PONG => match frame.key {
                Some(key) => drop(keys.insert(key)),
                None => return Seen::Wrong("a frame without a mask".to_owned()),
            },
            Ok(Some(frame)) if frame.first == crate::abuse::bytes::CLOSE => {
                return Seen::Closed(frame.code());
            }
            Ok(Some(_)) => {}
            Ok(None) => return Seen::Cut,
            Err(_) => return Seen::Silent,
        }
        // Slow enough for whoever limits control frames: a thousand a second.
        tokio::time::sleep(std::time::Duration::from_micros(1500)).await;
    }
    match PINGS - keys.len() {
        ..=BY_CHANCE => raw.alive().await,
        repeated => Seen::Wrong(format!("{repeated} of {PINGS} masks were not new")),
    }
}
