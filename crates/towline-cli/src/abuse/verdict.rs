//! What to make of what was seen.

use std::fmt;
use std::time::Duration;

use super::attack::{Attack, Play, Seen, Side};
use super::process::Processes;
use crate::print::size;

/// One attack, played.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) attack: &'static Attack,
    pub(super) verdict: Verdict,
    pub(super) is_good: bool,
    /// What more there is to say, or nothing.
    pub(super) note: String,
    /// What the other side's memory grew by, in bytes, if it could be measured.
    pub(super) growth: Option<u64>,
    pub(super) time: Duration,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    Held,
    Closed(u16),
    Refused(u16),
    Cut,
    Leaked,
    Hung,
    Crashed,
    Accepted,
    /// Something that no peer may do.
    Wrong,
    Skipped,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("held"),
            Self::Closed(code) => write!(f, "closed {code}"),
            Self::Refused(status) => write!(f, "refused {status}"),
            Self::Cut => f.write_str("cut"),
            Self::Leaked => f.write_str("leaked"),
            Self::Hung => f.write_str("hung"),
            Self::Crashed => f.write_str("crashed"),
            Self::Accepted => f.write_str("accepted"),
            Self::Wrong => f.write_str("wrong"),
            Self::Skipped => f.write_str("skipped"),
        }
    }
}

/// What was found out about one attack.
#[derive(Debug)]
pub(super) struct Findings {
    /// The side that we played.
    pub(super) side: Side,
    pub(super) seen: Seen,
    /// Whether somebody who means well is served afterwards; of a client that cannot be asked.
    pub(super) afterwards: Result<(), Seen>,
    /// The processes there were, if they are gone.
    pub(super) gone: Option<Processes>,
    pub(super) growth: Option<u64>,
    /// Most that the memory may grow by, in bytes.
    pub(super) bound: u64,
    pub(super) time: Duration,
}

impl Row {
    pub(super) fn new(attack: &'static Attack, findings: &Findings) -> Self {
        let (verdict, is_good, note) = judge(attack, findings);
        let (growth, time) = (findings.growth, findings.time);
        Self { attack, verdict, is_good, note, growth, time }
    }
}

/// What it was, whether it is good, and what more there is to say.
fn judge(attack: &Attack, findings: &Findings) -> (Verdict, bool, String) {
    let bad = |verdict, note: String| (verdict, false, note);
    if let Some(Processes(gone)) = &findings.gone {
        return bad(Verdict::Crashed, format!("process {gone:?} is gone"));
    }
    let nobody = || "nobody listens there any more".to_owned();
    match &findings.afterwards {
        Ok(()) => {}
        Err(Seen::Gone) => return bad(Verdict::Crashed, nobody()),
        Err(seen) => {
            return bad(Verdict::Hung, format!("whoever comes next is not served: {}", told(seen)));
        }
    }
    let bound = findings.bound;
    if let Some(growth) = findings.growth.filter(|growth| *growth > bound) {
        let note = format!("its memory grew by {}; the bound is {}", size(growth), size(bound));
        return bad(Verdict::Leaked, note);
    }
    let due = attack.due;
    let is_good = due.is_met_by(&findings.seen, findings.side);
    let expected = || {
        let good: Vec<String> = due.good.iter().map(|good| good.words()).collect();
        format!("good is {}: {}", good.join(", "), due.because)
    };
    let verdict = match &findings.seen {
        Seen::Skipped(why) => return (Verdict::Skipped, true, (*why).to_owned()),
        Seen::Alive | Seen::Took(_) | Seen::Silent if is_good => Verdict::Held,
        Seen::Closed(code) => Verdict::Closed(*code),
        Seen::Refused(status) => Verdict::Refused(*status),
        Seen::Cut => Verdict::Cut,
        Seen::Alive => Verdict::Accepted,
        Seen::Took(bytes) => {
            let note = format!("it took all {}; {}", size(*bytes), expected());
            return bad(Verdict::Accepted, note);
        }
        Seen::Silent => return bad(Verdict::Hung, format!("no reaction; {}", expected())),
        Seen::Gone => return bad(Verdict::Crashed, nobody()),
        Seen::Hung(why) => return bad(Verdict::Hung, why.clone()),
        Seen::Wrong(why) => return bad(Verdict::Wrong, why.clone()),
    };
    (verdict, is_good, if is_good { String::new() } else { expected() })
}

/// What was seen, for people.
pub(super) fn told(seen: &Seen) -> String {
    match seen {
        Seen::Alive => "it goes on".to_owned(),
        Seen::Took(bytes) => format!("it took {} and said nothing", size(*bytes)),
        Seen::Closed(code) => format!("it closed with {code}"),
        Seen::Refused(status) => format!("it answered {status}"),
        Seen::Cut => "it cut the connection".to_owned(),
        Seen::Silent => "it did not answer in time".to_owned(),
        Seen::Gone => "nobody listens there".to_owned(),
        Seen::Hung(why) | Seen::Wrong(why) => why.clone(),
        Seen::Skipped(why) => (*why).to_owned(),
    }
}

/// Whether an attack's memory is that of its time alone: what waits beside the others cannot be
/// told apart.
pub(super) fn is_measured(attack: &Attack) -> bool {
    !matches!(attack.play, Play::Wait(_))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Findings, Row, Verdict};
    use crate::abuse::attack::{Attack, Seen, Side};
    use crate::abuse::attacks::by;
    use crate::abuse::process::Processes;

    fn attack(name: &str) -> &'static Attack {
        by(Side::Client).into_iter().find(|attack| attack.name == name).unwrap()
    }

    fn findings(seen: Seen) -> Findings {
        let (growth, bound, time) = (Some(5), 10, Duration::ZERO);
        Findings { side: Side::Client, seen, afterwards: Ok(()), gone: None, growth, bound, time }
    }

    #[track_caller]
    fn check(name: &str, findings: &Findings, verdict: Verdict, is_good: bool) {
        let row = Row::new(attack(name), findings);
        assert_eq!((row.verdict, row.is_good), (verdict, is_good), "{row:?}");
        assert!(is_good || !row.note.is_empty(), "{row:?}");
    }

    #[test]
    fn what_was_seen_is_good_or_bad_by_what_is_due() {
        for (name, seen, verdict, is_good) in [
            ("rsv1", Seen::Closed(1002), Verdict::Closed(1002), true),
            ("rsv1", Seen::Closed(1011), Verdict::Closed(1011), false),
            ("rsv1", Seen::Closed(1000), Verdict::Closed(1000), false),
            ("rsv1", Seen::Cut, Verdict::Cut, true),
            ("rsv1", Seen::Alive, Verdict::Accepted, false),
            ("rsv1", Seen::Silent, Verdict::Hung, false),
            ("control-inside", Seen::Alive, Verdict::Held, true),
            ("control-inside", Seen::Cut, Verdict::Cut, false),
            ("not-upgrade", Seen::Refused(400), Verdict::Refused(400), true),
            ("not-upgrade", Seen::Refused(500), Verdict::Refused(500), false),
            ("not-upgrade", Seen::Alive, Verdict::Accepted, false),
            ("endless-header", Seen::Took(1 << 30), Verdict::Accepted, false),
            ("length-2-62", Seen::Silent, Verdict::Held, true),
            ("length-2-62", Seen::Alive, Verdict::Accepted, false),
            ("rsv1", Seen::Gone, Verdict::Crashed, false),
            ("rsv1", Seen::Hung("x".to_owned()), Verdict::Hung, false),
            ("rsv1", Seen::Wrong("x".to_owned()), Verdict::Wrong, false),
            ("rsv1", Seen::Skipped("x"), Verdict::Skipped, true),
        ] {
            check(name, &findings(seen), verdict, is_good);
        }
    }

    #[test]
    fn a_good_reaction_is_bad_if_it_cost_too_much_or_nobody_is_served_after_it() {
        let good = || findings(Seen::Closed(1002));
        check("rsv1", &Findings { growth: Some(11), ..good() }, Verdict::Leaked, false);
        check("rsv1", &Findings { growth: None, ..good() }, Verdict::Closed(1002), true);
        let afterwards = Err(Seen::Gone);
        check("rsv1", &Findings { afterwards, ..good() }, Verdict::Crashed, false);
        let afterwards = Err(Seen::Silent);
        check("rsv1", &Findings { afterwards, ..good() }, Verdict::Hung, false);
        let gone = Some(Processes(vec![7]));
        check("rsv1", &Findings { gone, ..good() }, Verdict::Crashed, false);
    }

    #[test]
    fn a_client_may_leave_where_it_may_stay() {
        let left = || findings(Seen::Closed(1000));
        check("control-inside", &left(), Verdict::Closed(1000), false);
        let client = Findings { side: Side::Server, ..left() };
        check("control-inside", &client, Verdict::Closed(1000), true);
        check("rsv1", &client, Verdict::Closed(1000), false);
    }
}
