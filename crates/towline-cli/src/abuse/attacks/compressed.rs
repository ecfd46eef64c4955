//! Messages that are small until they are inflated, and data that is not compressed at all
//! (RFC 7692). Only where the other side agrees to permessage-deflate.

use std::sync::Arc;
use std::time::Duration;

use super::due::FAIL_1002;
use crate::abuse::attack::{Attack, Due, Good, MESSAGE_MIB, Play, Playing, Seen};
use crate::abuse::bytes::{BINARY, CONTINUATION, LAST, PING, TEXT, begun};
use crate::abuse::raw::Raw;
use crate::abuse::target::Target;

/// RSV1: this message is compressed (RFC 7692 §6).
const COMPRESSED: u8 = 0x40;

/// A bomb goes off within this time, in either form.
const BOMB: Duration = Duration::from_secs(30);

/// The beginning of a bomb: a block with its own codes (RFC 1951 §3.2.7), in which one bit stands
/// for 258 bytes, one for the distance 1, and two for a zero byte; and that zero byte. So each byte
/// of zeros behind it stands for 1,032 bytes, which is the most that DEFLATE can.
const FUSE: [u8; 14] = [0xEC, 0xC0, 0x81, 0, 0, 0, 0, 0x80, 0xA0, 0xFD, 0xA9, 0x17, 0xA9, 0];

/// The rest of the last code, the block's end, and the beginning of an empty one, whose end RFC 7692
/// §7.2.1 takes away.
const END: u8 = 0x06;

/// What the bomb inflates to: 1 GiB and 513 bytes.
const CHARGE: usize = 1024 * 1024 * 1024 / 1032;

const BOUNDED: Due = Due {
    good: &[Good::Code(1009), Good::Code(1008), Good::Cut, Good::Alive],
    because: "RFC 7692 §8, RFC 6455 §7.4.1: refused as too big once inflated, or streamed",
};

const NO_DEFLATE: Due = Due {
    good: &[Good::Code(1007), Good::Code(1002), Good::Cut],
    because: "RFC 7692 §7.2.2 names no code: data of no sense is 1007 to some and 1002 to others",
};

const GOES_ON: Due =
    Due { good: &[Good::Alive], because: "RFC 7692 §7.2.1 allows it, so the connection goes on" };

const BITS: Due = Due {
    good: &[Good::Alive],
    because: "RFC 7692 §5.1, §7.1.2: an offer with a bad value is declined, not agreed to",
};

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new(
        "window-bits",
        "CVE-2026-2229, RFC 7692 §7.1.2",
        "offers with window bits of 0, 7, 16, 99, none, two and no number",
        BITS,
        Play::Offer(window_bits),
    ),
    Attack::new(
        "inflate-bomb",
        "D1, CVE-2026-1526",
        "1 MiB that inflates to 1 GiB, in one frame",
        BOUNDED,
        Play::Deflated(|raw| bomb(raw, CHARGE)),
    )
    .memory(MESSAGE_MIB),
    Attack::new(
        "inflate-bomb-fragments",
        "D1, CVE-2026-1526",
        "the same in fragments of 1 KiB",
        BOUNDED,
        Play::Deflated(|raw| bomb(raw, 1024)),
    )
    .memory(MESSAGE_MIB),
    Attack::new(
        "inflate-bomb-unread",
        "D1, RUSTSEC-2020-0043",
        "the same from one that never reads",
        BOUNDED_UNREAD,
        Play::Deflated(|raw| {
            Box::pin(async move {
                let whole = raw.frame(BINARY | COMPRESSED, &charge(CHARGE));
                raw.put(&whole).await;
                tokio::time::sleep(raw.patience.min(Duration::from_secs(3))).await;
                Seen::Silent
            })
        }),
    )
    .memory(MESSAGE_MIB),
    // What the bombs are made of is a message like any other, where it is small.
    Attack::new(
        "deflate-dense",
        "RFC 1951 §3.2.7",
        "11 KiB in 25 bytes",
        GOES_ON,
        Play::Deflated(|raw| says(raw, BINARY | COMPRESSED, &charge(10))),
    ),
    Attack::new(
        "deflate-bad-block",
        "RFC 1951 §3.2.3",
        "a block of a type that is not",
        NO_DEFLATE,
        Play::Deflated(|raw| says(raw, TEXT | COMPRESSED, &[0xFF; 16])),
    ),
    Attack::new(
        "deflate-too-far",
        "RFC 1951 §3.2.3",
        "a copy from before the beginning",
        NO_DEFLATE,
        Play::Deflated(|raw| {
            // A block of fixed codes: 3 bytes from 1 byte back, where nothing is.
            says(raw, TEXT | COMPRESSED, &[0x02, 0x02, 0x00])
        }),
    ),
    Attack::new(
        "deflate-cut",
        "RFC 7692 §7.2.2",
        "a message that ends inside of a block",
        NO_DEFLATE,
        Play::Deflated(|raw| says(raw, BINARY | COMPRESSED, &FUSE[..5])),
    ),
    Attack::new(
        "deflate-bad-utf8",
        "RFC 6455 §8.1",
        "text that is no UTF-8 once inflated",
        NO_DEFLATE,
        Play::Deflated(|raw| {
            // A stored block (RFC 1951 §3.2.4) of the byte FF.
            says(raw, TEXT | COMPRESSED, &[0x00, 0x01, 0x00, 0xFE, 0xFF, 0xFF, 0x00])
        }),
    ),
    Attack::new(
        "deflate-continued",
        "RFC 7692 §6.1",
        "RSV1 on a continuation",
        FAIL_1002,
        Play::Deflated(|raw| {
            Box::pin(async move {
                let first = raw.frame(begun(TEXT), b"a");
                let last = raw.frame(LAST | COMPRESSED, b"b");
                raw.goes_on_after(&[first, last].concat(), raw.patience).await
            })
        }),
    ),
    Attack::new(
        "deflate-control",
        "RFC 7692 §6.1",
        "RSV1 on a ping",
        FAIL_1002,
        Play::Deflated(|raw| says(raw, PING | COMPRESSED, b"hi")),
    ),
    Attack::new(
        "deflate-empty",
        "RFC 7692 §7.2.3.6, dart #35540",
        "empty messages, and empty fragments between",
        GOES_ON,
        Play::Deflated(|raw| {
            Box::pin(async move {
                let empty = raw.frame(TEXT | COMPRESSED, &[0x00]);
                // RFC 7692 §7.2.3.1: "Hello"
                let hello = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
                let (head, tail) = hello.split_at(3);
                let split = [
                    raw.frame(begun(TEXT) | COMPRESSED, b""),
                    raw.frame(CONTINUATION, head),
                    raw.frame(CONTINUATION, b""),
                    raw.frame(CONTINUATION, tail),
                    raw.frame(LAST, b""),
                ];
                raw.goes_on_after(&[empty, split.concat()].concat(), raw.patience).await
            })
        }),
    ),
];

const BOUNDED_UNREAD: Due = Due {
    good: &[Good::Waits],
    because: "nothing is read, so nothing is seen; what counts is the memory",
};

/// The whole bomb.
fn charge(zeros: usize) -> Vec<u8> {
    let mut bomb = FUSE.to_vec();
    bomb.resize(FUSE.len() + zeros, 0);
    bomb.push(END);
    bomb
}

fn bomb(raw: &mut Raw, size: usize) -> Playing<'_> {
    Box::pin(async move {
        let whole = charge(CHARGE);
        let mut pieces = whole.chunks(size.min(whole.len())).peekable();
        let mut first = BINARY | COMPRESSED;
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.next() {
            let fin = if pieces.peek().is_some() { begun(first) } else { first };
            bytes.extend(raw.frame(fin, piece));
            first = LAST;
        }
        match raw.goes_on_after(&bytes, BOMB).await {
            // What it sends back is still on its way.
            Seen::Took(_) => Seen::Alive,
            seen => seen,
        }
    })
}

fn says<'a>(raw: &'a mut Raw, first: u8, payload: &[u8]) -> Playing<'a> {
    let frame = raw.frame(first, payload);
    Box::pin(async move { raw.goes_on_after(&frame, raw.patience).await })
}

/// None of these is an offer that a server may agree to.
fn window_bits(target: Arc<Target>) -> Playing<'static> {
    Box::pin(async move {
        for name in ["server_max_window_bits", "client_max_window_bits"] {
            for value in
                ["=0", "=7", "=16", "=99", "=4294967304", "=", "=ten", "=\"\"", "=-9", "=10; {}=10"]
            {
                let bits = format!("{name}{}", value.replace("{}", name));
                let offer = format!("permessage-deflate; {bits}");
                match target.open(&[("Sec-WebSocket-Extensions", Some(&offer))]).await {
                    Ok((_, head)) if head.to_ascii_lowercase().contains("permessage-deflate") => {
                        return Seen::Wrong(format!("it agreed to {bits}"));
                    }
                    // To decline it, or the whole handshake, is the same to whoever sent that.
                    Ok(_) | Err(Seen::Refused(_) | Seen::Cut) => {}
                    Err(seen) => return seen,
                }
            }
        }
        Seen::Alive
    })
}

#[cfg(test)]
mod tests {
    use super::{CHARGE, charge};

    #[test]
    fn a_bomb_is_a_mebibyte_that_stands_for_a_gibibyte() {
        let bomb = charge(CHARGE);
        assert!(bomb.len() < 1024 * 1024, "{}", bomb.len());
        // Two bits, both 0, stand for 258 bytes. The header has 105 bits, and so leaves 7 of its
        // last byte; the last bit of the last pair is in `END`.
        let zeros = 7 + 8 * CHARGE + 1;
        assert_eq!(1 + zeros / 2 * 258, 1024 * 1024 * 1024 + 513);
    }
}
