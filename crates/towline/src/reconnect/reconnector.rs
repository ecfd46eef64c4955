//! One connection after another.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use tokio::time::{Instant, Sleep, sleep};

use super::backoff::Failures;
use super::builder::ReconnectBuilder;
use super::permanence::Verdict;
use super::retry_after::retry_after;
use super::rules::{Attempt, Rules};
use super::state::{LinkState, Why};
use super::states::{LinkStates, Told};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::websocket::WebSocket;

/// Gives one connection after another, for whoever wants more than messages of them.
///
/// [`Reconnecting`](super::Reconnecting) is this with messages, and has the rules in its documentation:
/// what is tried again, and after what.
///
/// ```no_run
/// use std::sync::Arc;
/// use towline::{Client, Reconnecting, StreamWebSocket, Why};
///
/// # async fn copy(_: &mut StreamWebSocket) -> towline::Result<()> { Ok(()) }
/// # async fn run() -> towline::Result<()> {
/// let builder = Reconnecting::builder(Client::new(), "wss://example.com/film");
/// let mut reconnector = builder.reconnector();
/// loop {
///     let mut socket = StreamWebSocket::from(reconnector.connect().await?);
///     let why = match copy(&mut socket).await {
///         Ok(()) => Why::ClosedByPeer(socket.close_frame().cloned()),
///         Err(error) => Why::Failed(Arc::new(error)),
///     };
///     if !reconnector.lost(why)? {
///         return Ok(());
///     }
/// }
/// # }
/// ```
pub struct Reconnector {
    pub(super) rules: Rules,
    told: Told,
    stage: Stage,
    /// Attempts in a row.
    attempt: u32,
    /// Failures in a row, and when the first was.
    failures: u32,
    failing_since: Option<Instant>,
    /// Why the last one ended.
    why: Option<Why>,
}

enum Stage {
    Idle,
    Connecting(Attempt<WebSocket>),
    Waiting(Pin<Box<Sleep>>),
    /// There is a connection, which somebody prepares: it was of no use to anybody yet.
    Given,
    /// A connection is in use, since that time.
    Open(Instant),
    Ended,
}

impl fmt::Debug for Reconnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnector")
            .field("rules", &self.rules)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl Reconnector {
    /// Settings for connections to this address, with the settings of this client.
    pub fn builder(client: Client, uri: impl Into<String>) -> ReconnectBuilder {
        ReconnectBuilder::new(client, uri.into())
    }

    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            told: Told::new(LinkState::Connecting { attempt: 1 }),
            stage: Stage::Idle,
            attempt: 0,
            failures: 0,
            failing_since: None,
            why: None,
        }
    }

    /// The next connection. Waits first, if that is to be, and tries until there is one.
    ///
    /// Say what became of the last one with [`lost`](Self::lost) before. If that was not said, it
    /// counts as neither good nor bad.
    ///
    /// # Errors
    /// That of the last attempt, if it is of no use to try again, or was tried often enough; from then
    /// on [`Closed`](crate::ErrorKind::Closed).
    ///
    /// # Cancel safety
    /// Safe: the attempt, or the wait, goes on with the next call. Meanwhile it stands still.
    pub async fn connect(&mut self) -> Result<WebSocket> {
        let socket = poll_fn(|cx| self.poll_connect(cx)).await?;
        self.opened();
        Ok(socket)
    }

    /// Says why the connection that was given last is no more. True: there will be another, so
    /// [connect](Self::connect). False: all is done.
    ///
    /// # Errors
    /// The reason, if it is of no use to try again or was tried often enough.
    pub fn lost(&mut self, why: Why) -> Result<bool> {
        if let Stage::Ended = self.stage {
            return Ok(false);
        }
        if let Stage::Open(at) = self.stage
            && self.rules.backoff.is_healthy(at.elapsed())
        {
            (self.attempt, self.failures, self.failing_since) = (0, 0, None);
        }
        match self.rules.judge(&why) {
            // Those of the peer's frames that end it are no errors, as without reconnecting.
            Verdict::Never if matches!(why, Why::Failed(_)) => Err(self.give_up(why)),
            Verdict::Done | Verdict::Never => {
                self.end(why);
                Ok(false)
            }
            Verdict::Again => self.wait(why).map(|()| true),
        }
    }

    /// What it is doing.
    pub fn state(&self) -> LinkState {
        self.told.state()
    }

    /// Changes of that, from now on.
    pub fn states(&self) -> LinkStates {
        self.told.reader()
    }

    /// The same as [`connect`](Self::connect), but that nobody is told that it is open.
    pub(super) fn poll_connect(&mut self, cx: &mut Context<'_>) -> Poll<Result<WebSocket>> {
        loop {
            match &mut self.stage {
                Stage::Idle | Stage::Given | Stage::Open(_) => {
                    self.attempt = self.attempt.saturating_add(1);
                    let attempt = self.rules.attempt(self.attempt, self.why.clone());
                    self.stage = Stage::Connecting(attempt);
                    // The first one is how it begins, of which everybody knows.
                    if self.why.is_some() {
                        self.told.tell(LinkState::Connecting { attempt: self.attempt });
                    }
                }
                Stage::Connecting(attempt) => match ready!(attempt.as_mut().poll(cx)) {
                    Ok(socket) => {
                        self.stage = Stage::Given;
                        return Poll::Ready(Ok(socket));
                    }
                    Err(error) => {
                        self.lost(Why::Failed(error.into()))?;
                    }
                },
                Stage::Waiting(wait) => {
                    ready!(wait.as_mut().poll(cx));
                    self.stage = Stage::Idle;
                }
                Stage::Ended => {
                    let over = Error::new(ErrorKind::Closed, "connecting again");
                    return Poll::Ready(Err(over.cause("it has ended before")));
                }
            }
        }
    }

    /// The connection is ready to be used.
    pub(super) fn opened(&mut self) {
        self.stage = Stage::Open(Instant::now());
        self.told.tell(LinkState::Connected);
    }

    pub(super) fn end(&mut self, why: Why) {
        self.stage = Stage::Ended;
        self.told.tell(LinkState::Ended { why });
    }

    /// Ends with an error, and gives it.
    fn give_up(&mut self, why: Why) -> Error {
        let error = why.into_error();
        self.end(Why::of(&error));
        error
    }

    fn wait(&mut self, why: Why) -> Result<()> {
        self.failures = self.failures.saturating_add(1);
        let seen = Failures {
            count: self.failures,
            since: self.failing_since.get_or_insert_with(Instant::now).elapsed(),
            retry_after: match &why {
                Why::Failed(error) => retry_after(error, SystemTime::now()),
                Why::ClosedByPeer(_) | Why::ClosedByUs => None,
            },
        };
        let Some(delay) = self.rules.backoff.wait(&seen, rand::random()) else {
            let error = self.give_up(why);
            return Err(match self.attempt {
                0 | 1 => error,
                attempts => error.on_the_way(&format!("giving up after {attempts} attempts")),
            });
        };
        self.stage = Stage::Waiting(Box::pin(sleep(delay)));
        self.why = Some(why.clone());
        self.told.tell(LinkState::Waiting { delay, why });
        Ok(())
    }
}
