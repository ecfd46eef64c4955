//! What a client that speaks TLS must not put up with, and the one thing it should.

use super::due::GOES_ON;
use crate::abuse::attack::{Attack, Due, Good, LITTLE_MIB, Play, Shown};

/// The client must not talk to whoever that is.
const NOT_TRUSTED: Due = Due {
    good: &[Good::Cut],
    because: "RFC 6455 §4.1, RFC 9110 §4.3.4: without a certificate of its name it may be anybody",
};

const fn shows(
    name: &'static str,
    source: &'static str,
    does: &'static str,
    due: Due,
    shown: Shown,
) -> Attack {
    Attack { name, source, does, due, memory: LITTLE_MIB, slow: false, play: Play::Show(shown) }
}

pub(super) const ATTACKS: &[Attack] = &[
    // Without this one, a client that trusts nobody would be good at all the others.
    shows(
        "certificate-good",
        "RFC 6455 §4.1",
        "a certificate of its name, from whom the client trusts",
        GOES_ON,
        Shown::Good,
    ),
    shows(
        "certificate-name",
        "CVE-2020-11050",
        "a certificate of another name, from whom the client trusts",
        NOT_TRUSTED,
        Shown::AnotherName,
    ),
    shows(
        "certificate-self-signed",
        "CVE-2020-15133",
        "a certificate of its name, from nobody the client trusts",
        NOT_TRUSTED,
        Shown::SelfSigned,
    ),
    shows(
        "certificate-expired",
        "RFC 5280 §6.1.3",
        "a certificate of its name that has expired",
        NOT_TRUSTED,
        Shown::Expired,
    ),
    shows(
        "clear-text",
        "D6",
        "an answer in clear text to one that speaks TLS",
        NOT_TRUSTED,
        Shown::ClearText,
    ),
];
