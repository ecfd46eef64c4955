//! Keepalive, idle and close deadlines, all on the instants that the caller passes in.

use std::time::{Duration, Instant};

use super::closing::State;
use super::receive::Life;
use super::send::Sender;
use crate::close::{CloseCode, CloseFrame};

/// What the deadlines need to remember.
#[derive(Debug)]
pub(super) struct Timers {
    /// The newest ping that was not answered.
    ping: Option<Ping>,
    pings: u64,
    round_trip: Option<Duration>,
    last_pong: Instant,
    close_by: Option<Instant>,
    /// Data sent, in frames, when last looked at; and when that was.
    sent: (u64, Instant),
}

#[derive(Debug)]
struct Ping {
    payload: Box<[u8]>,
    sent: Instant,
    /// Whether the connection counts as lost without an answer.
    keepalive: bool,
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
    pub(super) fn new(now: Instant) -> Self {
        Self {
            ping: None,
            pings: 0,
            round_trip: None,
            last_pong: now,
            close_by: None,
            sent: (0, now),
        }
    }

    pub(super) fn pinged(&mut self, payload: &[u8], now: Instant) {
        let keepalive = false;
        self.ping = Some(Ping { payload: payload.into(), sent: now, keepalive });
    }

    pub(super) fn ponged(&mut self, payload: &[u8], now: Instant) {
        // A pong with another payload answers an older ping, or none (RFC 6455 §5.5.3).
        if let Some(ping) = self.ping.take_if(|ping| *ping.payload == *payload) {
            self.round_trip = Some(now.duration_since(ping.sent));
        }
    }
}

impl Sender {
    /// Time from the last answered ping to its pong.
    pub const fn round_trip(&self) -> Option<Duration> {
        self.timers.round_trip
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    ///
    /// Signs of life only move it later, so a timer that was set needs no resetting for them.
    pub fn poll_timeout(&self, life: Life) -> Option<Instant> {
        match self.state {
            State::Open => [
                self.ping_at(life),
                self.config.pong_interval.map(|every| self.timers.last_pong + every),
                self.config.idle_timeout.map(|limit| life.data.max(self.timers.sent.1) + limit),
            ]
            .into_iter()
            .flatten()
            .min(),
            State::CloseSent | State::Closed | State::Failed => self.timers.close_by,
        }
    }

    /// Does what is due at `now`. Early calls do nothing.
    ///
    /// After [`Expired`] nothing more is to be expected of the peer, and the byte stream may be cut
    /// once the outbox has been written as far as the peer takes it.
    pub fn handle_timeout(&mut self, life: Life, now: Instant) -> Option<Expired> {
        match self.state {
            State::Open => self.handle_open_timeout(life, now),
            State::CloseSent | State::Closed | State::Failed => {
                if self.timers.close_by.is_none_or(|by| now < by) {
                    return None;
                }
                self.timers.close_by = None;
                self.abort();
                Some(Expired::ClosingTooSlow)
            }
        }
    }

    /// Starts the clock of the closing handshake.
    pub(super) fn closing(&mut self, now: Instant) {
        self.timers.close_by = Some(now + self.config.close_timeout);
    }

    /// When to ask for life, or to stop waiting for it.
    fn ping_at(&self, life: Life) -> Option<Instant> {
        let interval = self.config.ping_interval?;
        Some(match &self.timers.ping {
            // Whatever came since the ping is life as good as a pong.
            Some(Ping { keepalive: true, sent, .. }) if life.received <= *sent => {
                *sent + self.config.pong_timeout
            }
            Some(Ping { keepalive: true, .. } | Ping { keepalive: false, .. }) | None => {
                life.received + interval
            }
        })
    }

    fn handle_open_timeout(&mut self, life: Life, now: Instant) -> Option<Expired> {
        if self.ping_at(life).is_some_and(|at| at <= now) {
            match &self.timers.ping {
                Some(ping) if ping.keepalive && life.received <= ping.sent => {
                    self.fail_with(
                        CloseFrame::new(CloseCode::INTERNAL_ERROR, "no pong in time").ok(),
                        now,
                    );
                    return Some(Expired::PeerSilent);
                }
                Some(_) | None => self.ask_for_life(now),
            }
        }
        if let Some(every) = self.config.pong_interval
            && self.timers.last_pong + every <= now
        {
            // Inside a large frame there is no room for a pong, and the frame is life enough.
            let _ = self.pong(&[]);
            self.timers.last_pong = now;
        }
        if let Some(limit) = self.config.idle_timeout {
            let sent = self.counts().messages + self.counts().frames;
            if sent != self.timers.sent.0 {
                self.timers.sent = (sent, now);
            }
            if life.data.max(self.timers.sent.1) + limit <= now {
                self.close(CloseFrame::new(CloseCode::GOING_AWAY, "idle").ok(), now);
            }
        }
        None
    }

    fn ask_for_life(&mut self, now: Instant) {
        self.timers.pings += 1;
        let payload = self.timers.pings.to_be_bytes();
        // An open frame leaves no room for a ping: the wait for the pong starts all the same.
        let _ = self.ping(&payload, now);
        self.timers.ping = Some(Ping { payload: payload.into(), sent: now, keepalive: true });
    }
}
