//! Text that is no UTF-8 (RFC 6455 §8.1).

use super::due::{FAIL_1007, GOES_ON};
use crate::abuse::attack::{Attack, Play, Seen};
use crate::abuse::bytes::{LAST, TEXT, begun, frame};
use crate::abuse::raw::AT_ONCE;

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new(
        "utf8-bad",
        "RFC 6455 §8.1",
        "text with the byte FF",
        FAIL_1007,
        Play::Say(|side| frame(side, TEXT, b"a\xFFb")),
    ),
    Attack::new(
        "utf8-overlong",
        "RFC 3629 §3",
        "a slash in two bytes",
        FAIL_1007,
        Play::Say(|side| frame(side, TEXT, b"\xC0\xAF")),
    ),
    Attack::new(
        "utf8-surrogate",
        "RFC 3629 §3",
        "half a surrogate pair",
        FAIL_1007,
        Play::Say(|side| frame(side, TEXT, b"\xED\xA0\x80")),
    ),
    Attack::new(
        "utf8-too-high",
        "RFC 3629 §3",
        "a character above U+10FFFF",
        FAIL_1007,
        Play::Say(|side| frame(side, TEXT, b"\xF4\x90\x80\x80")),
    ),
    Attack::new(
        "utf8-cut",
        "RFC 6455 §8.1",
        "text that ends inside of a character",
        FAIL_1007,
        Play::Say(|side| frame(side, TEXT, b"caf\xC3")),
    ),
    Attack::new(
        "utf8-across",
        "RFC 6455 §5.6",
        "a bad character across two fragments",
        FAIL_1007,
        Play::Say(|side| [frame(side, begun(TEXT), b"\xE2\x82"), frame(side, LAST, b"(")].concat()),
    ),
    Attack::new(
        "utf8-split",
        "RFC 6455 §5.6",
        "a good character across two fragments",
        GOES_ON,
        Play::Say(|side| {
            [frame(side, begun(TEXT), b"\xE2\x82"), frame(side, LAST, b"\xAC")].concat()
        }),
    ),
    Attack::new(
        "utf8-at-once",
        "RFC 6455 §8.1",
        "a bad character in a fragment, with the message's end a second later",
        FAIL_1007,
        Play::Talk(|raw| {
            Box::pin(async move {
                let first = raw.frame(begun(TEXT), b"\xFF");
                raw.put(&first).await;
                // To notice it here is better, and not asked for: the message is what is text.
                match raw.listen(raw.patience.min(AT_ONCE)).await {
                    Seen::Silent => {
                        let last = raw.frame(LAST, b"");
                        raw.goes_on_after(&last, raw.patience).await
                    }
                    seen => seen,
                }
            })
        }),
    ),
];
