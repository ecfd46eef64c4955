//! Happy Eyeballs (RFC 8305): several addresses at once, a little apart; the first that connects
//! wins.
//!
//! The operating system sorts what it looks up (RFC 6724), so its order is kept within each family.
//! IPv4 addresses are not translated for networks that have IPv6 alone (RFC 8305 §7): where there is
//! NAT64, the name servers or the operating system do that.

mod queue;

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::time::{Instant, Timeout, timeout, timeout_at};

use super::family::Family;
use super::resolve::Answers;
use crate::attempt::{Attempt, AttemptOutcome};
use queue::Queue;

/// The rules of a race.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) port: u16,
    pub(super) family: Family,
    /// So long after an attempt began the next one does (RFC 8305 §5, Connection Attempt Delay).
    pub(super) delay: Duration,
    /// So long may one attempt take, and so long the look-up.
    pub(super) each: Duration,
    /// When all of it is over.
    pub(super) deadline: Option<Instant>,
}

/// RFC 8305 §5: attempts must not be closer to each other, for the network's sake.
const MIN_DELAY: Duration = Duration::from_millis(10);

/// With IPv4's addresses there and IPv6's not, wait so long for them (RFC 8305 §3, Resolution
/// Delay).
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// Answers to one look-up that are listened to. Two are usual, one for each family; a resolver that
/// never ends must not keep us busy.
const MAX_ANSWERS: usize = 16;

/// How a race ended.
#[derive(Debug)]
pub(super) struct Finish<T> {
    pub(super) winner: Option<T>,
    /// All that were begun, in that order.
    pub(super) attempts: Vec<Attempt>,
    /// The look-up's last error, if it had any.
    pub(super) look_up: Option<io::Error>,
    /// Whether the time ran out.
    pub(super) late: bool,
}

/// Runs the race to its end. Dropped, it ends all attempts.
pub(super) async fn race<T, F>(
    answers: Answers,
    rules: Rules,
    mut connect: impl FnMut(SocketAddr) -> F,
) -> Finish<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut race = Race::new(answers, rules);
    let (winner, late) = loop {
        race.begin_due(&mut connect);
        if race.is_over() {
            break (None, false);
        }
        match race.next_news().await {
            None if race.is_late() => break (None, true),
            None => {}
            Some(News::Answer(answer)) => race.answered(answer),
            Some(News::Ended(index, result)) => match result {
                Ok(winner) => {
                    race.end(index, AttemptOutcome::Connected);
                    break (Some(winner), false);
                }
                Err(outcome) => {
                    race.end(index, outcome);
                    // Who has failed is not waited for.
                    race.next_at = Some(Instant::now());
                }
            },
        }
    };
    race.end_all(late);
    Finish { winner, attempts: race.attempts, look_up: race.look_up, late }
}

struct Race<F> {
    rules: Rules,
    begun: Instant,
    queue: Queue,
    /// `None` once all have come.
    answers: Option<Answers>,
    answers_left: usize,
    /// Until then answers that may be better are waited for.
    patient_until: Option<Instant>,
    /// Then the next attempt begins; `None` if only once another one has failed.
    next_at: Option<Instant>,
    running: Vec<Running<F>>,
    attempts: Vec<Attempt>,
    look_up: Option<io::Error>,
}

struct Running<F> {
    /// Its place among the attempts.
    index: usize,
    began: Instant,
    connecting: Pin<Box<Timeout<F>>>,
}

/// What happens in a race.
enum News<T> {
    /// An attempt came to its end.
    Ended(usize, Result<T, AttemptOutcome>),
    /// An answer to the look-up; none follows `None`.
    Answer(Option<io::Result<Vec<SocketAddr>>>),
}

impl<F> Race<F> {
    fn new(answers: Answers, rules: Rules) -> Self {
        let begun = Instant::now();
        Self {
            rules,
            begun,
            queue: Queue::new(rules.family, rules.port),
            answers: Some(answers),
            answers_left: MAX_ANSWERS,
            patient_until: None,
            next_at: Some(begun),
            running: Vec::new(),
            attempts: Vec::new(),
            look_up: None,
        }
    }

    /// When the next attempt begins, if nothing happens before.
    fn wake_at(&self) -> Option<Instant> {
        let at = self.next_at.filter(|_| !self.queue.is_empty())?;
        Some(self.patient_until.map_or(at, |until| until.max(at)))
    }

    /// When all of it has taken too long. The look-up has no time of its own while an address is
    /// tried.
    fn give_up_at(&self) -> Option<Instant> {
        let only_answers = self.running.is_empty() && self.queue.is_empty();
        let look_up = only_answers.then(|| self.begun.checked_add(self.rules.each)).flatten();
        self.rules.deadline.into_iter().chain(look_up).min()
    }

    fn is_late(&self) -> bool {
        self.give_up_at().is_some_and(|at| at <= Instant::now())
    }

    /// Whether nothing is left to wait for.
    fn is_over(&self) -> bool {
        self.running.is_empty() && self.answers.is_none() && self.queue.is_empty()
    }

    fn answered(&mut self, answer: Option<io::Result<Vec<SocketAddr>>>) {
        match answer {
            None => self.answers = None,
            Some(Err(error)) => self.look_up = Some(error),
            Some(Ok(addresses)) => self.queue.take_in(addresses),
        }
        self.answers_left = self.answers_left.saturating_sub(1);
        if self.answers_left == 0 {
            self.answers = None;
        }
        self.be_patient();
    }

    /// RFC 8305 §3: waits a little for IPv6, if only IPv4 is there and more may come.
    fn be_patient(&mut self) {
        if !self.attempts.is_empty() {
            return;
        }
        if self.queue.has_v6() {
            // It has come in time, so it begins.
            if self.patient_until.take().is_some() {
                self.queue.begin_with_v6();
            }
        } else if self.answers.is_none() {
            self.patient_until = None;
        } else if !self.queue.is_empty() && self.rules.family.waits_for_v6() {
            self.patient_until.get_or_insert_with(|| Instant::now() + RESOLUTION_DELAY);
        }
    }

    /// Notes how an attempt ended.
    fn end(&mut self, index: usize, outcome: AttemptOutcome) {
        if let Some(place) = self.running.iter().position(|running| running.index == index) {
            let running = self.running.remove(place);
            let attempt = &mut self.attempts[index];
            attempt.took = running.began.elapsed();
            attempt.outcome = outcome;
        }
    }

    /// Ends what is still running.
    fn end_all(&mut self, late: bool) {
        while let Some(running) = self.running.first() {
            let outcome = if late { AttemptOutcome::TimedOut } else { AttemptOutcome::Overtaken };
            self.end(running.index, outcome);
        }
    }
}

impl<T, F: Future<Output = io::Result<T>>> Race<F> {
    /// Begins the next attempt if its time has come.
    fn begin_due(&mut self, connect: &mut impl FnMut(SocketAddr) -> F) {
        let now = Instant::now();
        if self.wake_at().is_none_or(|at| now < at) {
            return;
        }
        let Some(address) = self.queue.pop() else { return };
        self.running.push(Running {
            index: self.attempts.len(),
            began: now,
            connecting: Box::pin(timeout(self.rules.each, connect(address))),
        });
        self.attempts.push(Attempt {
            address,
            began: now - self.begun,
            took: Duration::ZERO,
            outcome: AttemptOutcome::Overtaken,
        });
        self.next_at = now.checked_add(self.rules.delay.max(MIN_DELAY));
    }

    /// Waits for news; `None` when there is something to do without.
    async fn next_news(&mut self) -> Option<News<T>> {
        let at = self.wake_at().into_iter().chain(self.give_up_at()).min();
        let news = poll_fn(|cx| self.poll_news(cx));
        match at {
            Some(at) => timeout_at(at, news).await.ok(),
            None => Some(news.await),
        }
    }

    fn poll_news(&mut self, cx: &mut Context<'_>) -> Poll<News<T>> {
        for running in &mut self.running {
            if let Poll::Ready(ended) = running.connecting.as_mut().poll(cx) {
                let result = match ended {
                    Ok(Ok(winner)) => Ok(winner),
                    Ok(Err(error)) => Err(AttemptOutcome::Failed(error.into())),
                    Err(_) => Err(AttemptOutcome::TimedOut),
                };
                return Poll::Ready(News::Ended(running.index, result));
            }
        }
        match &mut self.answers {
            Some(answers) => Pin::new(answers).poll_next(cx).map(News::Answer),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests;
