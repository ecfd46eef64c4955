//! Keepalive, idle and close deadlines, all on the instants that the caller passes in.

use std::time::{Duration, Instant};

use super::closing::State;
use super::incoming::Life;
use super::round_trip::RoundTrip;
use super::send::Sender;
use crate::close::{CloseCode, CloseFrame};
use crate::config::Config;

/// What the deadlines need to remember. Boxed, what a connection at rest has not.
#[derive(Debug)]
pub(super) struct Timers {
    /// The newest ping that was not answered.
    ping: Option<Box<Ping>>,
    round_trip: RoundTrip,
    /// Since the peer was last asked for life, or, once the connection is not open any more, since
    /// the closing handshake began.
    wait: Option<Box<Wait>>,
    /// There if a setting asks for it.
    ours: Option<Box<Ours>>,
}

/// What we did last: for a heartbeat of ours, and for the idle timeout.
#[derive(Debug)]
struct Ours {
    last_pong: Instant,
    /// How far data had gone out when last looked at; and when that was.
    sent: (u64, Instant),
}

#[derive(Debug)]
struct Ping {
    payload: Box<[u8]>,
    sent: Instant,
}

/// A wait for the answer to a frame of ours.
///
/// While the frame waits behind others that the peer is taking, the peer is slow, not silent.
#[derive(Debug)]
struct Wait {
    since: Instant,
    /// Bytes that had been written then.
    written: u64,
    /// Bytes that are written before the frame; not known while it waits for an open frame's end.
    before: u64,
}

impl Wait {
    /// The wait that begins now, if the frame had to wait in turn and there has been progress.
    fn renewed(&self, written: u64, now: Instant) -> Option<Box<Self>> {
        let waited = self.written < self.before && self.written < written;
        waited.then(|| Box::new(Self { since: now, written, before: self.before }))
    }
}

/// A deadline passed that ends the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Expired {
    /// The peer gave no sign of life after a ping.
    PeerSilent,
    /// The closing handshake took too long.
    ClosingTooSlow,
}

impl Timers {
    pub(super) fn new(config: &Config, now: Instant) -> Self {
        let wanted = config.pong_interval.is_some() || config.idle_timeout.is_some();
        Self {
            ping: None,
            round_trip: RoundTrip::default(),
            wait: None,
            ours: wanted.then(|| Box::new(Ours { last_pong: now, sent: (0, now) })),
        }
    }

    pub(super) fn pinged(&mut self, payload: &[u8], now: Instant) {
        self.ping = Some(Box::new(Ping { payload: payload.into(), sent: now }));
    }

    pub(super) fn ponged(&mut self, payload: &[u8], now: Instant) {
        // A pong with another payload answers an older ping, or none (RFC 6455 §5.5.3).
        if let Some(ping) = self.ping.take_if(|ping| *ping.payload == *payload) {
            self.round_trip.took(now.duration_since(ping.sent));
        }
    }

    /// The peer has answered for its life: nothing of the question has to be kept.
    pub(super) fn lives(&mut self, now: Instant) {
        self.wait.take_if(|wait| wait.since <= now);
    }

    /// There is nothing to wait for any more.
    pub(super) fn stop(&mut self) {
        self.wait = None;
    }

    /// The closing frame will follow so many bytes.
    pub(super) fn close_starts_at(&mut self, before: u64) {
        if let Some(wait) = &mut self.wait {
            wait.before = before;
        }
    }
}

impl Sender {
    /// Time from the last answered ping to its pong.
    pub fn round_trip(&self) -> Option<Duration> {
        self.timers.round_trip.last()
    }

    /// The same of all pings that were answered, the newer the more.
    ///
    /// Each counts for an eighth beside those before it, as in TCP (RFC 6298 §2).
    pub fn smoothed_round_trip(&self) -> Option<Duration> {
        self.timers.round_trip.smoothed()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    ///
    /// Signs of life only move it later, so a timer that was set needs no resetting for them; but for
    /// [`look_again_after`](Self::look_again_after).
    pub fn poll_timeout(&self, life: Life) -> Option<Instant> {
        match self.state {
            State::Open => {
                [self.ping_at(life), self.pong_at(), self.idle_at(life)].into_iter().flatten().min()
            }
            State::CloseSent | State::Closed | State::Failed => self.cut_at(),
        }
    }

    /// How soon to ask [`poll_timeout`](Self::poll_timeout) again, though it be later: while a ping
    /// waits for its answer, whatever comes brings the next ping nearer.
    pub fn look_again_after(&self) -> Option<Duration> {
        let open = self.state == State::Open;
        self.config.ping_every().filter(|_| open && self.timers.wait.is_some())
    }

    /// Does what is due at `now`. Early calls do nothing.
    ///
    /// After [`Expired`] nothing more is to be expected of the peer, and the byte stream may be cut
    /// once the outbox has been written as far as the peer takes it.
    pub fn handle_timeout(&mut self, life: Life, now: Instant) -> Option<Expired> {
        match self.state {
            State::Open => self.handle_open_timeout(life, now),
            State::CloseSent | State::Closed | State::Failed => {
                if self.cut_at().is_none_or(|at| now < at) {
                    return None;
                }
                let wait = self.timers.wait.take()?;
                // What was sent before the closing frame may still be on its way.
                if self.state != State::Failed {
                    self.timers.wait = wait.renewed(self.written(), now);
                }
                if self.timers.wait.is_some() {
                    return None;
                }
                self.abort();
                Some(Expired::ClosingTooSlow)
            }
        }
    }

    /// Starts the clock of the closing handshake; the closing frame comes next.
    pub(super) fn closing(&mut self, now: Instant) {
        let before = if self.must_finish_first() { u64::MAX } else { self.counts().bytes };
        let wait = Wait { since: now, written: self.written(), before };
        self.timers.wait = Some(Box::new(wait));
    }

    fn cut_at(&self) -> Option<Instant> {
        self.timers.wait.as_ref().and_then(|wait| wait.since.checked_add(self.config.close_timeout))
    }

    /// When to ask for life, or to stop waiting for it.
    fn ping_at(&self, life: Life) -> Option<Instant> {
        let interval = self.config.ping_every()?;
        match self.unanswered(life) {
            Some(wait) => wait.since.checked_add(self.config.pong_timeout),
            // An open frame leaves no room for a ping: it has to wait, and `write_timeout` watches.
            None if self.has_open_frame() => None,
            None => life.received.checked_add(interval),
        }
    }

    /// The wait for a sign of life. Whatever came since it began is as good as a pong.
    fn unanswered(&self, life: Life) -> Option<&Wait> {
        self.timers.wait.as_deref().filter(|wait| life.received < wait.since)
    }

    /// When to give a sign of life unasked.
    fn pong_at(&self) -> Option<Instant> {
        self.timers.ours.as_ref()?.last_pong.checked_add(self.config.actual_pong_interval()?)
    }

    fn idle_at(&self, life: Life) -> Option<Instant> {
        let (_, sent) = self.timers.ours.as_ref()?.sent;
        life.data.max(sent).checked_add(self.config.idle_timeout?)
    }

    fn handle_open_timeout(&mut self, life: Life, now: Instant) -> Option<Expired> {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_due(self.ping_at(life)) {
            match self.unanswered(life).map(|wait| wait.renewed(self.written(), now)) {
                None => self.ask_for_life(now),
                Some(renewed) => {
                    self.timers.wait = renewed;
                    if self.timers.wait.is_none() {
                        let why = CloseFrame::new(CloseCode::INTERNAL_ERROR, "no pong in time");
                        self.fail_with(why.ok(), now);
                        return Some(Expired::PeerSilent);
                    }
                }
            }
        }
        if is_due(self.pong_at()) {
            // Inside a large frame, or behind a full outbox, what waits is life enough.
            if self.has_room() {
                let _ = self.pong(&[]);
            }
            if let Some(ours) = &mut self.timers.ours {
                ours.last_pong = now;
            }
        }
        let progress = self.data_progress();
        if let Some(ours) = &mut self.timers.ours
            && ours.sent.0 != progress
        {
            ours.sent = (progress, now);
        }
        if is_due(self.idle_at(life)) {
            self.close(CloseFrame::new(CloseCode::GOING_AWAY, "idle").ok(), now);
        }
        None
    }

    fn ask_for_life(&mut self, now: Instant) {
        let (written, before) = (self.written(), self.counts().bytes);
        self.timers.wait = Some(Box::new(Wait { since: now, written, before }));
        // The number of its frame: no two that ask for life are the same.
        let payload = (self.tally.counts().frames + 1).to_be_bytes();
        // No frame is open, and the connection is: a ping of eight bytes is always taken.
        let _ = self.ping(&payload, now);
    }
}
