//! What was asked of a name server and is not answered yet.

use std::collections::VecDeque;

use super::names::Question;

/// The questions of one flow that are not answered.
#[derive(Debug, Default)]
pub(super) struct Asked(VecDeque<Question>);

/// Questions at a time by one flow, of a few hundred bytes each. Of more the oldest counts as given up: its
/// answer arrives, and its addresses are not known for the name's.
const MAX_ASKED: usize = 64;

impl Asked {
    /// Remembers a question that goes out.
    pub(super) fn add(&mut self, question: Question) {
        // Asked again it is still one.
        self.0.retain(|asked| *asked != question);
        if self.0.len() >= MAX_ASKED {
            self.0.pop_front();
        }
        self.0.push_back(question);
    }

    /// Whether a question was asked, which is answered by this.
    pub(super) fn is_answered(&mut self, question: &Question) -> bool {
        let at = self.0.iter().position(|asked| asked == question);
        at.and_then(|at| self.0.remove(at)).is_some()
    }
}
