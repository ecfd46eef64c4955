//! Reasons to close for, of every length: what comes back has to be ours (RFC 6455 §5.5.1).

use std::sync::Arc;

use super::due::FAIL_1002;
use crate::abuse::attack::{Attack, Due, Good, Play, Playing, Seen, Side};
use crate::abuse::bytes::{CLOSE, close};
use crate::abuse::raw::Raw;
use crate::abuse::reader::Frame;
use crate::abuse::target::Target;
use crate::abuse::verdict::told;

const OWN: Due = Due {
    good: &[Good::Code(4000), Good::Code(1000), Good::Code(1005)],
    because: "RFC 6455 §5.5.1: the answer usually has the same code; its reason may be ours or none",
};

/// Longest reason: a control frame has at most 125 bytes, two of which are the code (RFC 6455 §5.5).
const LONGEST: usize = 123;

const fn reasons(
    name: &'static str,
    does: &'static str,
    talk: for<'a> fn(&'a mut Raw) -> Playing<'a>,
) -> Attack {
    let (source, play) = ("CVE-2026-45736", Play::Talk(talk));
    Attack::new(name, source, does, OWN, play)
}

pub(super) const ATTACKS: &[Attack] = &[
    reasons("close-no-reason", "a code and no reason, to compare the answer", |raw| reason(raw, 0)),
    reasons("close-reason-1", "a reason of 1 byte, to compare the answer's", |raw| reason(raw, 1)),
    reasons("close-reason-122", "a reason of 122 bytes, to compare the answer's", |raw| {
        reason(raw, LONGEST - 1)
    }),
    reasons("close-reason", "a reason of 123 bytes, to compare the answer's", |raw| {
        reason(raw, LONGEST)
    }),
    Attack::new(
        "close-reason-124",
        "RFC 6455 §5.5",
        "a reason of 124 bytes",
        FAIL_1002,
        Play::Say(|side| close(side, 4000, &[b'r'; LONGEST + 1])),
    ),
    Attack::new(
        "close-reasons",
        "CVE-2026-45736",
        "reasons of every length from 123 to 0, to compare the answers'",
        OWN,
        Play::Act(every_reason),
    ),
];

/// The answer's reason has to be ours, its beginning or none: anything else was in its memory.
fn reason(raw: &mut Raw, len: usize) -> Playing<'_> {
    Box::pin(async move {
        let reason = of_length(len);
        let bye = close(raw.side, 4000, reason.as_bytes());
        raw.put(&bye).await;
        let patience = raw.patience;
        let closed = async {
            while let Some(frame) = raw.next().await {
                if frame.first == CLOSE {
                    return answered(&frame, &reason);
                }
            }
            Seen::Cut
        };
        tokio::time::timeout(patience, closed).await.unwrap_or(Seen::Silent)
    })
}

/// The longest come first: what a longer one left behind would show in a shorter one.
fn every_reason(target: Arc<Target>) -> Playing<'static> {
    Box::pin(async move {
        let mut last = Seen::Silent;
        for len in (0..=LONGEST).rev() {
            last = match target.open(&[]).await {
                Ok((mut raw, _)) => reason(&mut raw, len).await,
                Err(Seen::Gone) => return Seen::Gone,
                Err(seen) => {
                    return Seen::Hung(format!("no honest client got in: {}", told(&seen)));
                }
            };
            match &last {
                Seen::Closed(_) if OWN.is_met_by(&last, Side::Client) => {}
                Seen::Wrong(why) => return Seen::Wrong(format!("{why}, at {len} bytes")),
                _ => return last,
            }
        }
        last
    })
}

/// A reason of so many bytes: characters of three, and of one where they do not go in, which differ
/// from length to length.
fn of_length(len: usize) -> String {
    let letter = char::from(b"abcdefghijklmnopqrstuvwxyz"[len % 26]);
    "€".repeat(len / 3) + &letter.to_string().repeat(len % 3)
}

fn answered(frame: &Frame, reason: &str) -> Seen {
    if frame.len > 125 {
        return Seen::Wrong(format!("a closing frame of {} bytes", frame.len));
    }
    let said = str::from_utf8(frame.payload.get(2..).unwrap_or_default());
    match said {
        Err(_) => Seen::Wrong("a reason that is no UTF-8".to_owned()),
        // With 1000 it may have words of its own.
        Ok(said) if frame.code() != 1000 && !reason.starts_with(said) => {
            Seen::Wrong("a reason that nobody gave".to_owned())
        }
        Ok(_) => Seen::Closed(frame.code()),
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, answered, of_length};
    use crate::abuse::attack::Seen;
    use crate::abuse::bytes::CLOSE;
    use crate::abuse::reader::Frame;

    #[test]
    fn a_reason_is_of_the_length_it_should_have() {
        for len in 0..=LONGEST {
            assert_eq!(of_length(len).len(), len);
        }
    }

    #[test]
    fn an_answer_has_our_reason_a_beginning_of_it_or_none() {
        let check = |payload: &[u8]| {
            let len = payload.len().try_into().unwrap();
            let frame = Frame { first: CLOSE, key: None, payload: payload.to_vec(), len };
            answered(&frame, "€€b")
        };
        for good in ["", "€", "€€", "€€b"] {
            assert_eq!(
                check(&[b"\x0F\xA0", good.as_bytes()].concat()),
                Seen::Closed(4000),
                "{good}"
            );
        }
        assert_eq!(check(b""), Seen::Closed(1005));
        assert_eq!(check(b"\x03\xE8bye"), Seen::Closed(1000));
        for bad in [&b"\x0F\xA0b"[..], b"\x0F\xA0\xE2\x82", b"\x0F\xA0\xE2\x82\xACb", &[0; 126]] {
            assert!(matches!(check(bad), Seen::Wrong(_)), "{bad:?}");
        }
    }
}
