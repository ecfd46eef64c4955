//! Closing, as it should and should not be done (RFC 6455 §5.5.1, §7).

use super::due::{FAIL_1002, OTHERS};
use crate::abuse::attack::{Attack, Due, Good, Play, Seen, Side};
use crate::abuse::bytes::{BINARY, CLOSE, TEXT, close, declaring_16, frame};
use crate::abuse::raw::Raw;

/// So many connections come and go where one would not be noticed.
const MANY: usize = 200;

const ANSWERED: Due = Due {
    good: &[Good::Code(1000), Good::Code(1005)],
    because: "RFC 6455 §5.5.1: a closing frame is answered with one, with its code or none (1005)",
};

const REASON: Due = Due {
    good: &[Good::Code(1007), Good::Code(1002), Good::Cut],
    because: "RFC 6455 §5.5.1, §8.1: the reason is UTF-8; it is no message, so 1002 does as well",
};

const UNDEFINED: Due = Due {
    good: &[Good::Code(1002), Good::Code(5000), Good::Code(1000), Good::Code(1005), Good::Cut],
    because: "RFC 6455 §7.4.2 leaves codes from 5000 undefined: no rule says how to end",
};

const OVERTAKEN: Due = Due {
    good: &[Good::Code(1000), Good::Code(1005), Good::Cut],
    because: "RFC 6455 §5.5.1: data behind a closing frame is dropped; a reset may overtake the answer",
};

const HALF: Due = Due {
    good: &[Good::Cut, Good::Code(1001), Good::Code(1002), Good::Code(1011)],
    because: "nothing more can come, so the connection ends; a descriptor must not stay behind",
};

const fn bad_code(name: &'static str, does: &'static str, bytes: fn(Side) -> Vec<u8>) -> Attack {
    Attack::new(name, "RFC 6455 §7.4.1, §7.4.2", does, FAIL_1002, Play::Say(bytes))
}

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new(
        "goodbye",
        "RFC 6455 §7.1.1",
        "an orderly close, and TCP open until it ends it",
        ANSWERED,
        Play::Talk(|raw| {
            Box::pin(async move {
                let bye = raw.frame(CLOSE, &1000_u16.to_be_bytes());
                raw.put(&bye).await;
                match raw.listen(raw.patience).await {
                    Seen::Closed(code) if raw.side == Side::Client => match ended(raw).await {
                        true => Seen::Closed(code),
                        false => Seen::Hung("it answered, and never ended TCP".to_owned()),
                    },
                    seen => seen,
                }
            })
        }),
    ),
    Attack::new(
        "close-1-byte",
        "RFC 6455 §5.5.1",
        "a closing frame with half a code",
        FAIL_1002,
        Play::Say(|side| frame(side, CLOSE, b"\x03")),
    ),
    bad_code("close-0", "a closing frame with 0", |side| close(side, 0, b"")),
    bad_code("close-999", "a closing frame with 999", |side| close(side, 999, b"")),
    bad_code("close-1005", "a closing frame with 1005", |side| close(side, 1005, b"")),
    bad_code("close-1006", "a closing frame with 1006", |side| close(side, 1006, b"")),
    bad_code("close-1015", "a closing frame with 1015", |side| close(side, 1015, b"")),
    Attack::new(
        "close-5000",
        "RFC 6455 §7.4.2",
        "a closing frame with 5000",
        UNDEFINED,
        Play::Say(|side| close(side, 5000, b"")),
    ),
    Attack::new(
        "close-bad-reason",
        "RFC 6455 §5.5.1",
        "a reason that is no UTF-8",
        REASON,
        Play::Say(|side| close(side, 1000, b"\xFF\xFE")),
    ),
    Attack::new(
        "data-behind-close",
        "RFC 6455 §5.5.1",
        "a message behind the closing frame",
        ANSWERED,
        Play::Say(|side| [close(side, 1000, b""), frame(side, TEXT, b"after")].concat()),
    ),
    Attack::new(
        "megabytes-behind-close",
        "RFC 6455 §5.5.1",
        "3 MB of no frames behind it",
        OVERTAKEN,
        Play::Talk(|raw| {
            Box::pin(async move {
                let mut bytes = close(raw.side, 1000, b"");
                bytes.resize(3_000_000, 0xFF);
                raw.goes_on_after(&bytes, raw.patience).await
            })
        }),
    ),
    Attack::new(
        "half-closed",
        "RFC 6455 §7.1.5",
        "the end of our direction inside of a frame",
        HALF,
        Play::Talk(|raw| {
            Box::pin(async move {
                let begin = declaring_16(raw.side, BINARY, 1000);
                raw.put(&begin).await;
                raw.end().await;
                raw.listen(raw.patience).await
            })
        }),
    ),
    Attack::new(
        "resets",
        "RFC 6455 §7.1.5",
        "200 connections reset inside of a frame",
        OTHERS,
        Play::Act(|target| {
            Box::pin(async move {
                for _ in 0..MANY {
                    let Ok(mut raw) = target.connect_to_reset().await else { continue };
                    raw.ask(&target.request(&[]), 1, target.patience).await;
                    raw.put(&declaring_16(raw.side, BINARY, 1000)).await;
                }
                Seen::Alive
            })
        }),
    ),
    Attack::new(
        "vanishes",
        "RFC 6455 §4.2.1",
        "200 connections that end inside of the opening request, and 200 that say nothing",
        OTHERS,
        Play::Act(|target| {
            Box::pin(async move {
                let request = target.request(&[]);
                for n in 0..2 * MANY {
                    let Ok(mut raw) = target.connect_to_reset().await else { continue };
                    if n % 2 == 0 {
                        raw.put(&request[..request.len() / 2]).await;
                    }
                }
                Seen::Alive
            })
        }),
    ),
    Attack::new(
        "unread-close",
        "RFC 6455 §7.1.1",
        "20 connections with messages and a goodbye, dropped with the answers unread",
        OTHERS,
        Play::Act(|target| {
            Box::pin(async move {
                for _ in 0..20 {
                    let Ok((mut raw, _)) = target.open(&[]).await else { continue };
                    let message = raw.frame(BINARY, &[7; 10_000]);
                    let bye = raw.frame(CLOSE, &1000_u16.to_be_bytes());
                    raw.put(&[message.repeat(10), bye].concat()).await;
                }
                Seen::Alive
            })
        }),
    ),
];

/// Whether TCP ends in time.
async fn ended(raw: &mut Raw) -> bool {
    // A second closing frame would be one too many, and is not looked for here.
    let patience = raw.patience;
    let end = async { while raw.next().await.is_some() {} };
    tokio::time::timeout(patience, end).await.is_ok()
}
