//! What perhaps was lost, until somebody asks.

use super::ticket::Tickets;

/// Messages that perhaps were lost, with one connection after another.
#[derive(Debug, Default)]
pub(super) struct Losses(Vec<Tickets>);

/// Most losses that are kept apart: nobody may ever ask.
const MAX_LOSSES: usize = 64;

impl Losses {
    pub(super) fn add(&mut self, perhaps: &Tickets) {
        if perhaps.is_empty() {
            return;
        }
        if self.0.len() == MAX_LOSSES {
            let first = self.0.remove(0);
            self.0[0].begin_with(&first);
        }
        self.0.push(perhaps.clone());
    }

    pub(super) fn take(&mut self) -> Vec<Tickets> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_more_losses_than_are_kept_the_oldest_are_one() {
        let mut losses = Losses::default();
        for loss in 0..70 {
            losses.add(&Tickets::between(loss * 10, loss * 10 + 2));
            losses.add(&Tickets::between(loss * 10 + 2, loss * 10 + 2));
        }
        let lost = losses.take();
        assert_eq!((lost.len(), lost[0].len(), lost[1].len()), (MAX_LOSSES, 62, 2));
        assert_eq!(lost[0], Tickets::between(0, 62));
        assert_eq!(lost[63], Tickets::between(690, 692));
        assert!(losses.take().is_empty());
    }
}
