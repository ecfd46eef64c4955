//! The deadlines of a connection, and what its server wants of it.

use std::future::Future;
use std::task::Context;

use tokio::time::{Instant, sleep_until};
use towline_proto::{CloseCode, CloseFrame, Expired, State};

use super::Inbound;
use crate::error::Error;
use crate::registry::Phase;
use crate::websocket::link::Link;

impl Inbound {
    pub(super) fn too_slow() -> Error {
        Error::timed_out("closing", "the peer did not answer the closing frame")
    }

    /// Whether the closing handshake has taken too long.
    pub(super) fn closing_expired(&mut self, link: &mut impl Link) -> bool {
        let life = self.receiver.life();
        let now = Instant::now().into_std();
        link.look(|sender| sender.poll_timeout(life)).is_some_and(|at| at <= now)
            && link.sender(|sender| sender.handle_timeout(life, now)).is_some()
    }

    /// Whether it has, or a promise to wake `cx` when it may have.
    pub(super) fn poll_closing_expired(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut impl Link,
    ) -> bool {
        while self.poll_timer(cx, link) {
            if self.closing_expired(link) {
                return true;
            }
        }
        false
    }

    /// Whether a deadline has come, or a promise to wake `cx` when it does.
    pub(super) fn poll_timer(&mut self, cx: &mut Context<'_>, link: &impl Link) -> bool {
        let deadline = match &mut self.deadline {
            Some(deadline) => deadline,
            None => {
                let life = self.receiver.life();
                let (at, again) =
                    link.look(|sender| (sender.poll_timeout(life), sender.look_again_after()));
                let Some(at) = at.map(Instant::from_std) else { return false };
                let at = again.map_or(at, |again| at.min(Instant::now() + again));
                self.deadline.insert(Box::pin(sleep_until(at)))
            }
        };
        if deadline.as_mut().poll(cx).is_pending() {
            return false;
        }
        self.deadline = None;
        true
    }

    /// Looks at the deadlines; whether something happened that has to be acted on.
    pub(super) fn poll_deadlines(&mut self, cx: &mut Context<'_>, link: &mut impl Link) -> bool {
        // Whoever knows whom to wake was told together with the link.
        let known = link.know_reader(cx);
        if self.obey_server(cx, link, known) {
            return true;
        }
        if link.take_news() {
            self.deadline = None;
            if let Some(error) = link.broken() {
                self.lose(error);
                return true;
            }
            if link.has_output() {
                return true;
            }
        }
        // A timer that knows whom to wake and has not done so needs no polling.
        if known && self.deadline.as_ref().is_some_and(|timer| !timer.is_elapsed()) {
            return false;
        }
        while self.poll_timer(cx, link) {
            let life = self.receiver.life();
            let now = Instant::now().into_std();
            match link.sender(|sender| sender.handle_timeout(life, now)) {
                None => {
                    if link.has_output() {
                        return true;
                    }
                }
                Some(expired) => {
                    self.give_up(match expired {
                        Expired::PeerSilent => {
                            Error::timed_out("receiving", "the peer answered no ping")
                        }
                        _ => Self::too_slow(),
                    });
                    return true;
                }
            }
        }
        false
    }

    /// Does what the server wants of its connections; whether that changed anything.
    ///
    /// `known` says whether the server knows whom to wake.
    pub(super) fn obey_server(
        &mut self,
        cx: &Context<'_>,
        link: &mut impl Link,
        known: bool,
    ) -> bool {
        let Some(registration) = link.registration() else { return false };
        // Without the lock: a phase that changes from here on wakes us.
        if known && registration.phase() == Phase::Running {
            return false;
        }
        match registration.poll_phase(cx) {
            Phase::Running => false,
            Phase::Closing => {
                let open = link.look(|sender| sender.state()) == State::Open;
                if open {
                    link.close(CloseFrame::new(CloseCode::GOING_AWAY, "").ok());
                }
                open
            }
            Phase::Aborting => {
                let error = Error::timed_out("shutting down", "the deadline passed");
                link.break_with(&error);
                self.lose(error);
                true
            }
        }
    }
}
