//! Much of what is cheap to send and dear to receive.

use std::time::Duration;

use tokio::time::Instant;

use super::due::{BACK_PRESSURE, ENDURES};
use crate::abuse::attack::{Attack, Due, Good, LITTLE_MIB, MESSAGE_MIB, Play, Playing, Seen};
use crate::abuse::bytes::{BINARY, CONTINUATION, PING, PONG, TEXT, begun, widened};
use crate::abuse::raw::{AT_ONCE, Raw};

/// A flood goes on for so long at most.
const FLOOD: Duration = Duration::from_secs(15);

/// One that never reads writes for so long at most; to answer it is slower than to drop it.
const UNREAD: Duration = Duration::from_secs(30);

/// Frames in one write.
const BATCH: usize = 1000;

/// Writes of so many tiny frames: 3 million. At the 50 bytes of bookkeeping that a list of
/// fragments costs at the least, they are twice the bound.
const BATCHES: u64 = 3000;

/// Writes of so many messages or control frames, each of which is answered: 200,000.
const ANSWERED: u64 = 200;

/// A message without end stops after so many MiB: twice the bound.
const ENDLESS_MIB: u64 = 2 * MESSAGE_MIB;

/// What one that never reads sends at most, in MiB: four times the bound.
const UNREAD_MIB: u64 = 4 * LITTLE_MIB;

const ONE_MIB: usize = 1024 * 1024;

/// A message that is too big: refused, or handed on as it comes.
const TOO_BIG: Due = Due {
    good: &[Good::Code(1009), Good::Code(1008), Good::Cut, Good::Alive],
    because: "RFC 6455 §7.4.1, §10.4: refused as too big, or streamed in bounded memory",
};

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new(
        "empty-fragments",
        "D2, CVE-2026-48779",
        "3 million fragments of 0 bytes",
        ENDURES,
        Play::Talk(|raw| {
            let (first, each) = (raw.frame(begun(BINARY), b""), raw.frame(CONTINUATION, b""));
            flood(raw, first, each, BATCHES)
        }),
    ),
    Attack::new(
        "tiny-fragments",
        "D2, CVE-2026-48779",
        "3 million fragments of 1 byte",
        ENDURES,
        Play::Talk(|raw| {
            let (first, each) = (raw.frame(begun(BINARY), b"x"), raw.frame(CONTINUATION, b"x"));
            flood(raw, first, each, BATCHES)
        }),
    ),
    Attack::new(
        "empty-messages",
        "CVE-2025-5399",
        "200,000 messages of 0 bytes",
        ENDURES,
        Play::Talk(|raw| answered(raw, TEXT, b"")),
    ),
    Attack::new(
        "tiny-messages",
        "CVE-2026-48779",
        "200,000 messages of 1 byte",
        ENDURES,
        Play::Talk(|raw| answered(raw, TEXT, b"x")),
    ),
    Attack::new(
        "ping-flood",
        "CVE-2016-10518, RFC 6455 §5.5.2",
        "200,000 pings",
        ENDURES,
        Play::Talk(|raw| answered(raw, PING, &[7; 125])),
    ),
    Attack::new(
        "pong-flood",
        "RFC 6455 §5.5.3",
        "200,000 pongs that nobody asked for",
        ENDURES,
        Play::Talk(|raw| answered(raw, PONG, &[7; 125])),
    ),
    Attack::new(
        "pings-unread",
        "curl 2026, RFC 6455 §5.5.3",
        "256 MiB of pings from one that never reads",
        BACK_PRESSURE,
        Play::Talk(|raw| {
            let each = raw.frame(PING, &[7; 125]);
            unread(raw, each)
        }),
    ),
    Attack::new(
        "never-reads",
        "RUSTSEC-2020-0043, CVE-2020-35896",
        "256 MiB of messages from one that never reads the echo",
        BACK_PRESSURE,
        Play::Talk(|raw| {
            let each = raw.frame(BINARY, &[7; 16 * 1024]);
            unread(raw, each)
        }),
    ),
    Attack::new(
        "endless-message",
        "D3, CVE-2016-10542",
        "256 MiB of fragments of 1 MiB, without an end",
        TOO_BIG,
        Play::Talk(|raw| {
            Box::pin(async move {
                let first = raw.frame(begun(BINARY), b"");
                raw.put(&first).await;
                let each = raw.frame(CONTINUATION, &vec![7; ONE_MIB]);
                went(raw, &each, ENDLESS_MIB).await
            })
        }),
    )
    .memory(MESSAGE_MIB),
];

/// Sends frames that may each be answered.
fn answered<'a>(raw: &'a mut Raw, first: u8, payload: &[u8]) -> Playing<'a> {
    let each = raw.frame(first, payload);
    flood(raw, Vec::new(), each, ANSWERED)
}

/// Sends `first`, and then as many batches of `each` as are taken in time, and asks for life.
fn flood(raw: &mut Raw, first: Vec<u8>, each: Vec<u8>, batches: u64) -> Playing<'_> {
    Box::pin(async move {
        raw.put(&first).await;
        went(raw, &each.repeat(BATCH), batches).await
    })
}

async fn went(raw: &mut Raw, batch: &[u8], times: u64) -> Seen {
    let seen = match raw.pour(batch, times, FLOOD).await {
        // The last of it may still be on its way.
        Seen::Took(bytes) if bytes == widened(batch.len()) * times => raw.alive_within(FLOOD).await,
        seen => seen,
    };
    match seen {
        // It takes more or answers more, if slowly; a ping would wait behind all of it.
        Seen::Took(_) => Seen::Alive,
        seen => seen,
    }
}

/// Writes until nothing more is taken for a second, and never reads.
fn unread(raw: &mut Raw, each: Vec<u8>) -> Playing<'_> {
    Box::pin(async move {
        let batch = each.repeat(ONE_MIB / each.len());
        raw.patience = raw.patience.min(AT_ONCE);
        let begun = Instant::now();
        for _ in 0..UNREAD_MIB {
            if begun.elapsed() > UNREAD {
                break;
            }
            if !raw.put(&batch).await {
                // Held back, or cut: either is right.
                return Seen::Silent;
            }
        }
        Seen::Alive
    })
}
