//! One hand of one side: what it is to do, and its share of the ledger.

use std::time::Duration;

use tokio::time::Instant;
use towline::{Error, MessageKind, Stats};

use crate::ledger::{Fate, Ledger, NAMES};
use crate::link::Pipe;
use crate::payload::{UNIQUE, payload};
use crate::rng::Rng;
use crate::trace::note;
use crate::world::Limit;

/// Bytes that a socket may have read and not parsed: one read, of a large transfer.
const MAX_READ: u64 = 512 * 1024;

/// A reader, a writer, or both.
pub(crate) struct Player {
    pub(crate) me: usize,
    pub(crate) peer: usize,
    pub(crate) rng: Rng,
    pub(crate) ledger: Ledger,
    pub(crate) plan: Plan,
    /// Its number among those who write towards the peer.
    pub(crate) writer: usize,
    /// Messages still to send, and how many it has begun.
    pub(crate) left: usize,
    begun: usize,
    acts: usize,
    /// When what it does now was begun.
    since: Instant,
    /// Whether no other hand of its side sends messages.
    pub(crate) alone: bool,
    incoming: Pipe,
    outgoing: Pipe,
}

/// How a side behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) sound: bool,
    /// Messages of each writer, and the most bytes in one.
    pub(crate) messages: usize,
    pub(crate) size: usize,
    /// So often, of a hundred calls, the future may be dropped before its end.
    pub(crate) cancels: usize,
    /// Whether it may wait for the peer to take something without reading meanwhile.
    pub(crate) may_wait: bool,
    pub(crate) manners: Manners,
    /// So often, of a hundred acts, it does something else for a while.
    pub(crate) naps: usize,
    pub(crate) max_outbox: usize,
}

/// How a side means to end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Manners {
    /// Waits for the peer to close.
    Waits,
    /// Closes when all that both sides have to say was said and heard.
    ClosesWhenSettled,
    /// Closes after so many acts.
    ClosesAfter(usize),
    /// Drops everything after so many acts.
    VanishesAfter(usize),
    /// Drops its reader after so many acts, if that is a hand of its own; or vanishes.
    StopsReadingAfter(usize),
    /// Leaves a message unfinished after so many acts, if it can; or vanishes.
    AbandonsAfter(usize),
}

impl Manners {
    /// Whether a reader that is a hand of its own leaves before the end.
    pub(crate) fn leaves_reader(self) -> bool {
        matches!(self, Self::StopsReadingAfter(_) | Self::VanishesAfter(_))
    }
}

/// What to do next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Act {
    Send,
    Receive,
    Ping,
    Flush,
    Nap,
    Close,
    Vanish,
    Abandon,
}

impl Player {
    pub(crate) fn new(
        me: usize,
        rng: Rng,
        ledger: &Ledger,
        plan: Plan,
        pipes: (Pipe, Pipe),
    ) -> Self {
        let (incoming, outgoing) = pipes;
        Self {
            me,
            peer: 1 - me,
            rng,
            ledger: ledger.clone(),
            plan,
            writer: 0,
            left: 0,
            begun: 0,
            acts: 0,
            since: Instant::now(),
            alone: false,
            incoming,
            outgoing,
        }
    }

    /// Another hand of the same side.
    pub(crate) fn hand(&mut self) -> Self {
        let pipes = (self.incoming.clone(), self.outgoing.clone());
        Self::new(self.me, Rng::new(self.rng.next(), 1), &self.ledger, self.plan, pipes)
    }

    /// Makes it one who writes.
    pub(crate) fn writes(mut self) -> Self {
        self.writer = self.ledger.book().add_writer(self.peer);
        self.left = self.plan.messages;
        if self.left == 0 {
            self.ledger.book().writer_is_done(self.peer);
        }
        self
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ledger.book().sides[self.me].ended
    }

    /// Whether one who has nothing more to send still has something to do.
    pub(crate) fn has_plans(&self) -> bool {
        match self.plan.manners {
            Manners::ClosesWhenSettled | Manners::ClosesAfter(_) => self.writer == 0,
            Manners::VanishesAfter(_) | Manners::AbandonsAfter(_) => true,
            Manners::Waits | Manners::StopsReadingAfter(_) => false,
        }
    }

    /// Whether its turn to leave has come: it does it once.
    pub(crate) fn leaves(&mut self) -> Option<Act> {
        self.acts += 1;
        let acts = self.acts;
        match self.plan.manners {
            Manners::ClosesAfter(at) if acts == at && self.writer == 0 => Some(Act::Close),
            Manners::VanishesAfter(at) | Manners::StopsReadingAfter(at) if acts == at => {
                Some(Act::Vanish)
            }
            Manners::AbandonsAfter(at) if acts == at => Some(Act::Abandon),
            Manners::ClosesWhenSettled if self.left == 0 && self.writer == 0 => {
                let settled = self.ledger.book().is_settled();
                // On a link that is not sound it may never be.
                (settled || (!self.plan.sound && acts > 3000)).then_some(Act::Close)
            }
            _ => None,
        }
    }

    /// Has it close with its next act.
    pub(crate) fn closes_next(&mut self) {
        self.plan.manners = Manners::ClosesAfter(self.acts + 1);
    }

    /// What one who writes does next.
    pub(crate) fn next_act(&mut self) -> Act {
        if let Some(act) = self.leaves() {
            return act;
        }
        if self.rng.percent(self.plan.naps) {
            return Act::Nap;
        }
        if self.left == 0 {
            return Act::Receive;
        }
        match self.rng.below(20) {
            0 => Act::Ping,
            1 | 2 => Act::Flush,
            3..=11 => Act::Send,
            _ => Act::Receive,
        }
    }

    /// What it does next begins now.
    pub(crate) fn begins(&mut self) {
        self.since = Instant::now();
    }

    /// How far that may come.
    pub(crate) fn limit(&mut self) -> Limit {
        self.begins();
        if !self.rng.percent(self.plan.cancels) {
            return Limit::None;
        }
        if self.rng.percent(70) {
            Limit::Polls(self.rng.between(1, 4))
        } else {
            Limit::Time(self.millis(50))
        }
    }

    /// A limit for one who must not wait without reading.
    pub(crate) fn sending_limit(&mut self) -> Limit {
        match self.limit() {
            Limit::None if !self.plan.may_wait => Limit::Polls(self.rng.between(1, 50)),
            limit => limit,
        }
    }

    pub(crate) fn millis(&mut self, most: usize) -> Duration {
        Duration::from_millis(u64::try_from(self.rng.below(most + 1)).unwrap())
    }

    /// How long a nap is: no more than the deadlines bear, if nothing is to go wrong.
    pub(crate) fn nap(&mut self) -> Duration {
        let most = if self.plan.sound { 300 } else { 40_000 };
        Duration::from_millis(u64::try_from(self.rng.size(most)).unwrap())
    }

    pub(crate) fn kind(&mut self) -> MessageKind {
        self.rng.pick(&[MessageKind::Text, MessageKind::Binary])
    }

    /// The next message, written down; its number and payload.
    pub(crate) fn begin(&mut self, kind: MessageKind, least: usize) -> (usize, Vec<u8>) {
        let number = self.begun;
        self.begun += 1;
        // An empty message does not say whose it is: only the first writer sends any.
        let least = least.max(usize::from(self.writer > 0));
        let len = self.rng.size(self.plan.size).max(least);
        let payload = payload(kind, self.peer, self.writer, number, len);
        note(NAMES[self.me], || {
            format!("sends message {}/{number}, {kind:?}, {len} bytes", self.writer)
        });
        let options = vec![payload.clone()];
        self.ledger.book().begin(self.peer, self.writer, number, kind, options);
        (number, payload)
    }

    /// A message's shortest length, if its sending may be cut short.
    pub(crate) fn least(limit: Limit) -> usize {
        if matches!(limit, Limit::None) { 0 } else { UNIQUE }
    }

    /// Writes down what became of it.
    pub(crate) fn settle(&mut self, number: usize, fate: Fate) {
        note(NAMES[self.me], || format!("message {}/{number}: {fate:?}", self.writer));
        self.ledger.book().settle(self.peer, self.writer, number, fate);
        if fate == Fate::Not {
            return;
        }
        self.left -= 1;
        if self.left == 0 {
            self.ledger.book().writer_is_done(self.peer);
        }
    }

    /// One who writes stops before it has sent all.
    pub(crate) fn gives_up(&mut self) {
        if self.left > 0 {
            self.left = 0;
            self.ledger.book().writer_is_done(self.peer);
        }
    }

    pub(crate) fn send_failed(&mut self, error: &Error) {
        self.ledger.book().send_failed(self.me, self.since, error);
        self.gives_up();
    }

    /// Nothing is held that has no bound.
    pub(crate) fn check_memory(&self, stats: Stats) {
        let waits = stats.bytes_out.saturating_sub(self.outgoing.taken());
        // One message, or one fragment of a stream, may be added while there is room; and the
        // closing frame and a pong.
        let message = self.plan.size.max(64 * 1024);
        let most = u64::try_from(self.plan.max_outbox + message + 300).unwrap();
        assert!(waits <= most, "{waits} bytes wait to be written, {most} are the most");
        let unparsed = self.incoming.given().saturating_sub(stats.bytes_in);
        assert!(unparsed <= MAX_READ, "{unparsed} bytes were read and not parsed");
    }
}
