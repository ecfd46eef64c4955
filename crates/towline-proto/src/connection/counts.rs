//! What travelled so far.

/// What was received, or sent, so far. Of a connection that has failed, frames behind the one that
/// broke a rule are among it if they came with it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// Bytes of frames, headers included.
    pub bytes: u64,
    /// Frames of every kind.
    pub frames: u64,
    /// Whole messages.
    pub messages: u64,
}

/// Counts as it travels. A message in one frame, as most are, is one count and not two.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) bytes: u64,
    messages: u64,
    /// Frames that ended no message.
    others: u64,
}

impl Tally {
    pub(super) const fn counts(&self) -> Counts {
        let Self { bytes, messages, others } = *self;
        Counts { bytes, frames: messages + others, messages }
    }

    /// A frame, which ends no message so far.
    pub(super) fn frames(&mut self, count: u64) {
        self.others += count;
    }

    /// The last frame has ended a message.
    pub(super) fn message(&mut self) {
        self.messages += 1;
        self.others = self.others.saturating_sub(1);
    }

    /// A message in one frame.
    #[inline(always)]
    pub(super) fn whole(&mut self) {
        self.messages += 1;
    }

    /// That was a frame, and ends no message so far.
    pub(super) fn only_a_frame(&mut self) {
        self.messages = self.messages.saturating_sub(1);
        self.others += 1;
    }
}
