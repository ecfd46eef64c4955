//! Lengths that are declared, and never come (RFC 6455 §5.2).

use super::due::{HUGE, IMPOSSIBLE};
use crate::abuse::attack::{Attack, Due, Good, Play, Side};
use crate::abuse::bytes::{BINARY, LAST, begun, declaring, frame};

/// The sum of two lengths that are each right is right or too big, and nothing else.
const SUM: Due = Due {
    good: &[Good::Code(1009), Good::Cut, Good::Waits],
    because: "RFC 6455 §7.4.1: too big, or waited for; a sum that turned small would be let in",
};

/// The beginning of a frame of so many bytes, and ten of them.
fn declared(side: Side, len: u64) -> Vec<u8> {
    [declaring(side, BINARY, len), b"ten bytes.".to_vec()].concat()
}

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new(
        "length-2g",
        "CVE-2026-1528",
        "a frame that declares 2^31 bytes",
        HUGE,
        Play::Begin(|side| declared(side, 1 << 31)),
    ),
    Attack::new(
        "length-4g",
        "CVE-2026-1528",
        "a frame that declares 2^32 bytes",
        HUGE,
        Play::Begin(|side| declared(side, 1 << 32)),
    ),
    Attack::new(
        "length-2-53",
        "CVE-2026-1528",
        "a frame that declares 2^53 bytes",
        HUGE,
        Play::Begin(|side| declared(side, 1 << 53)),
    ),
    Attack::new(
        "length-2-62",
        "RUSTSEC-2022-0035, CVE-2022-35922",
        "a frame that declares 2^62 bytes",
        HUGE,
        Play::Begin(|side| declared(side, 1 << 62)),
    ),
    Attack::new(
        "length-most",
        "CVE-2026-1528",
        "a frame that declares 2^63 - 1 bytes",
        HUGE,
        Play::Begin(|side| declared(side, (1 << 63) - 1)),
    ),
    Attack::new(
        "length-top-bit",
        "CVE-2020-13935, CVE-2026-1528",
        "a frame that declares 2^63 bytes",
        IMPOSSIBLE,
        Play::Begin(|side| declared(side, 1 << 63)),
    ),
    Attack::new(
        "length-all-bits",
        "CVE-2020-13935",
        "a length of all ones",
        IMPOSSIBLE,
        Play::Begin(|side| declared(side, u64::MAX)),
    ),
    Attack::new(
        "length-sum",
        "CVE-2020-27813",
        "1000 bytes, and a fragment of 2^63 - 1 behind them",
        SUM,
        Play::Begin(|side| {
            let first = frame(side, begun(BINARY), &[7; 1000]);
            [first, declaring(side, LAST, (1 << 63) - 1), b"ten bytes.".to_vec()].concat()
        }),
    ),
];
