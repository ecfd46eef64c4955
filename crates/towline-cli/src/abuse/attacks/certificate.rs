//! What a client that speaks TLS must not put up with, and the one thing it should.

use super::due::GOES_ON;
use crate::abuse::attack::{Attack, Due, Good, Play, Shown};

/// The client must not talk to whoever that is.
const NOT_TRUSTED: Due = Due {
    good: &[Good::Cut],
    because: "RFC 6455 §4.1, RFC 9110 §4.3.4: without a certificate of its name it may be anybody",
};

pub(super) const ATTACKS: &[Attack] = &[
    // Without this one, a client that trusts nobody would be good at all the others.
    Attack::new(
        "certificate-good",
        "RFC 6455 §4.1",
        "a certificate of its name, from whom the client trusts",
        GOES_ON,
        Play::Show(Shown::Good),
    ),
    Attack::new(
        "certificate-name",
        "CVE-2020-11050",
        "a certificate of another name, from whom the client trusts",
        NOT_TRUSTED,
        Play::Show(Shown::AnotherName),
    ),
    Attack::new(
        "certificate-self-signed",
        "CVE-2020-15133",
        "a certificate of its name, from nobody the client trusts",
        NOT_TRUSTED,
        Play::Show(Shown::SelfSigned),
    ),
    Attack::new(
        "certificate-expired",
        "RFC 5280 §6.1.3",
        "a certificate of its name that has expired",
        NOT_TRUSTED,
        Play::Show(Shown::Expired),
    ),
    Attack::new(
        "clear-text",
        "D6",
        "an answer in clear text to one that speaks TLS",
        NOT_TRUSTED,
        Play::Show(Shown::ClearText),
    ),
];
