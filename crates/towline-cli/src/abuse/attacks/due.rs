//! What is good, for more than one attack.

use crate::abuse::attack::{
    Due,
    Good::{Alive, Code, Cut, Refused, Waits},
};

/// The handshake must fail.
pub(super) const NO_HANDSHAKE: Due = Due {
    good: &[Refused, Cut],
    because: "RFC 6455 §4.2.1: the handshake stops; a status is asked for, but nobody is owed words",
};

/// A page from elsewhere, to a server that does not let every page in.
pub(super) const TURNED_AWAY: Due = Due {
    good: &[Refused, Cut],
    because: "RFC 6455 §10.2: a page cannot forge its origin, so who looks at it has to look well",
};

/// TLS cannot come about.
pub(super) const NO_TLS: Due = Due {
    good: &[Refused, Cut],
    because: "RFC 8446 §6.2: the handshake fails and the connection ends; HTTP may say which it was",
};

/// The request is no HTTP at all.
pub(super) const NO_HTTP: Due = Due {
    good: &[Refused, Cut],
    because: "RFC 9112 §5.1, §6.3: who guesses what was meant lets requests be smuggled past others",
};

/// An answer, whichever, and soon.
pub(super) const AN_ANSWER: Due = Due {
    good: &[Alive, Refused, Cut],
    because: "it may be let in or not, but it must cost no more than its bytes do",
};

/// A head has to have an end.
pub(super) const A_CAP: Due = Due {
    good: &[Refused, Cut],
    because: "RFC 9110 §5.4: a server may refuse a head for its size, and has to: it holds all of it",
};

/// RFC 6455 says that the connection fails.
pub(super) const FAIL_1002: Due = Due {
    good: &[Code(1002), Cut],
    because: "RFC 6455 §7.1.7, §7.4.1: the connection fails, with 1002 if anything is said",
};

/// Text that is none.
pub(super) const FAIL_1007: Due = Due {
    good: &[Code(1007), Cut],
    because: "RFC 6455 §8.1, §7.4.1: the connection fails, with 1007 if anything is said",
};

/// A length that nobody can hold, of a frame that is right.
pub(super) const HUGE: Due = Due {
    good: &[Code(1009), Cut, Waits],
    because: "RFC 6455 §5.2, §7.4.1: refused as too big, or waited for without holding memory",
};

/// A length that cannot be.
pub(super) const IMPOSSIBLE: Due = Due {
    good: &[Code(1002), Code(1009), Cut],
    because: "RFC 6455 §5.2, §5.5: no frame of its kind may be so long: it is wrong, and too big as well",
};

/// Right by the RFC, if odd.
pub(super) const GOES_ON: Due =
    Due { good: &[Alive], because: "RFC 6455 allows it, so the connection goes on" };

/// A flood: stood, or ended.
pub(super) const ENDURES: Due = Due {
    good: &[Alive, Code(1008), Code(1009), Cut],
    because: "no rule is broken: it is served in bounded memory, or ended by policy, 1008 or 1009",
};

/// Somebody who does not read.
pub(super) const BACK_PRESSURE: Due = Due {
    good: &[Alive, Waits, Code(1008), Code(1009), Code(1011), Code(1013), Cut],
    because: "whoever does not read is waited for or given up, but not held in memory",
};

/// What is looked at is whether others are served.
pub(super) const OTHERS: Due = Due {
    good: &[Alive],
    because: "nobody is left to react; what counts is memory, and that others are served",
};
