//! Which messages have arrived, as far as one can know.

use std::ops::Range;

/// The number of a message that was taken to be sent: 1, 2, 3, …
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(u64);

impl Ticket {
    pub(super) fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

/// Messages that were taken one after another, perhaps none.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tickets(Range<u64>);

impl Tickets {
    /// Those after `before`, up to `last`.
    pub(super) fn between(before: u64, last: u64) -> Self {
        Self(before + 1..last + 1)
    }

    /// Has those too that come before, and all between.
    pub(super) fn begin_with(&mut self, before: &Self) {
        self.0.start = before.0.start;
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.0.end.saturating_sub(self.0.start)
    }

    /// Whether this message is one of them.
    pub fn contains(&self, ticket: Ticket) -> bool {
        self.0.contains(&ticket.0)
    }

    /// Each of them, in the order in which they were taken.
    pub fn iter(&self) -> impl Iterator<Item = Ticket> + use<> {
        self.0.clone().map(Ticket)
    }
}

/// What became of the messages that were taken since the connection was opened.
///
/// Each of them is in one of the three, and goes from the last to the first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Delivery {
    /// They have arrived at the peer: it has answered a ping that was sent behind them.
    pub confirmed: Tickets,
    /// They were written. Whether they have arrived is not known.
    pub perhaps: Tickets,
    /// They wait in the queue.
    pub waiting: Tickets,
}

/// How far each has come, of all messages that were ever taken.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    /// Before this connection.
    pub(super) before: u64,
    pub(super) confirmed: u64,
    pub(super) written: u64,
    pub(super) taken: u64,
}

impl Marks {
    pub(super) fn delivery(self) -> Delivery {
        Delivery {
            confirmed: Tickets::between(self.before, self.confirmed),
            perhaps: Tickets::between(self.confirmed, self.written),
            waiting: Tickets::between(self.written, self.taken),
        }
    }

    /// The connection is gone: what was written on it is settled, as far as it ever will be.
    pub(super) fn settle(&mut self) {
        (self.before, self.confirmed) = (self.written, self.written);
    }
}
