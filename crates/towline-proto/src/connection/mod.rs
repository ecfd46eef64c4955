//! One side of a connection after the opening handshake (RFC 6455 §5 to §7).

mod closing;
mod compress;
mod control;
mod counts;
mod incoming;
mod join;
mod receive;
mod round_trip;
mod send;
mod timers;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use closing::State;
pub use counts::Counts;
pub use incoming::{Data, Incoming, Life, Received, WholeMessage};
pub use receive::Receiver;
pub use send::{MaskKeys, Sender};
pub use timers::Expired;

use crate::Role;
use crate::close::CloseFrame;
use crate::config::Config;
use crate::error::{ProtocolError, SendError};
use crate::message::{Message, MessageKind, Piece};
use crate::outbox::Outbox;

/// One side of a WebSocket connection after the opening handshake. Performs no I/O.
///
/// Its methods are of four kinds:
///
/// 1. input: [`receive`](Self::receive), [`handle_timeout`](Self::handle_timeout)
/// 2. commands: [`send`](Self::send), [`send_fragment`](Self::send_fragment),
///    [`ping`](Self::ping), [`close`](Self::close)
/// 3. output: [`outbox`](Self::outbox), [`poll_timeout`](Self::poll_timeout)
/// 4. getters: [`state`](Self::state), [`round_trip`](Self::round_trip)
///
/// They may be called in any order. After a call of kind 1 or 2 write out the outbox and look at
/// the timeout when convenient; nothing breaks if you do so later.
///
/// ```text
///   bytes in --> receive --> Event (lent)          Message --> send --> outbox --> bytes out
///                  |                                             ^
///                  +---- pongs, the echo of a close, failures ---+
/// ```
///
/// It is made of two halves that share nothing, [`Receiver`] and [`Sender`]; a driver that reads
/// and writes on two threads takes them apart with [`into_parts`](Self::into_parts).
#[derive(Debug)]
pub struct Connection {
    receiver: Receiver,
    sender: Sender,
}

/// What happened, lent out of the buffer where it landed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A part of a message, as it arrived. A message that came whole is one piece.
    Piece(Piece<'a>),
    /// A ping. It has been answered.
    Ping(&'a [u8]),
    /// A pong.
    Pong(&'a [u8]),
    /// The peer's closing frame; it has been answered, and nothing follows.
    Closed(Option<CloseFrame>),
}

impl Connection {
    /// A connection on which nothing was sent yet.
    ///
    /// A server shares one `config` among its connections. A client masks with `keys`, made of a
    /// seed that nobody can predict (RFC 6455 §10.3); a server has no use for them.
    pub fn new(
        role: Role,
        config: impl Into<Arc<Config>>,
        keys: impl Into<MaskKeys>,
        now: Instant,
    ) -> Self {
        let config = config.into();
        Self {
            receiver: Receiver::new(role, Arc::clone(&config), now),
            sender: Sender::new(role, config, keys, now),
        }
    }

    /// The same connection, on which messages are compressed as was agreed (RFC 7692).
    ///
    /// To be called before anything is sent or received.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, terms: &crate::DeflateTerms) -> Self {
        let role = self.receiver.role();
        self.receiver.inflater = Some(Box::new(crate::deflate::Inflater::new(role, terms)));
        self.sender.compress_with(crate::deflate::Deflater::new(role, terms));
        self
    }

    /// Parses `input` from its front, until there is an event or no more input.
    ///
    /// Gives the number of bytes used up and the event. Pass the rest of the input again until all
    /// is used up; an input that is used up is not needed any more.
    ///
    /// # Errors
    /// The rule that the peer broke. The closing frame that tells it so is in the outbox; nothing
    /// more will be received.
    pub fn receive<'a>(
        &'a mut self,
        input: &'a mut [u8],
        now: Instant,
    ) -> Result<(usize, Option<Event<'a>>), ProtocolError> {
        let sender = &mut self.sender;
        let received = self.receiver.receive(input, now).inspect_err(|e| sender.fail(e, now))?;
        let event = match received.event {
            None => None,
            Some(Incoming::Data(data)) => {
                let piece =
                    self.receiver.lend(&data, input).inspect_err(|e| sender.fail(e, now))?;
                Some(Event::Piece(piece))
            }
            Some(Incoming::Ping) => {
                let payload = self.receiver.control_payload();
                sender.handle_ping(payload);
                Some(Event::Ping(payload))
            }
            Some(Incoming::Pong) => {
                let payload = self.receiver.control_payload();
                sender.handle_pong(payload, now);
                Some(Event::Pong(payload))
            }
            Some(Incoming::Close(frame)) => {
                sender.handle_close(frame.as_ref(), now);
                Some(Event::Closed(frame))
            }
        };
        Ok((received.consumed, event))
    }

    /// Does what is due at `now`: a ping, a close, the end. Early calls do nothing.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Expired> {
        self.sender.handle_timeout(self.receiver.life(), now)
    }

    /// Sends a whole message, in one frame.
    ///
    /// # Errors
    /// See [`Sender::send`].
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.sender.send(message.into())
    }

    /// Sends a part of a message, in one frame; `fin` ends the message.
    ///
    /// # Errors
    /// See [`Sender::send_fragment`].
    pub fn send_fragment(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        fin: bool,
    ) -> Result<(), SendError> {
        self.sender.send_fragment(kind, payload, fin)
    }

    /// Asks the peer for life.
    ///
    /// # Errors
    /// See [`Sender::ping`].
    pub fn ping(&mut self, payload: &[u8], now: Instant) -> Result<(), SendError> {
        self.sender.ping(payload, now)
    }

    /// Begins the closing handshake. Only the first call acts.
    pub fn close(&mut self, frame: Option<CloseFrame>, now: Instant) {
        self.sender.close(frame, now);
    }

    /// The bytes to write, in order.
    pub fn outbox(&mut self) -> &mut Outbox {
        self.sender.outbox()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.sender.poll_timeout(self.receiver.life())
    }

    /// Where the connection stands.
    pub const fn state(&self) -> State {
        self.sender.state()
    }

    /// Time from the last answered ping to its pong.
    pub fn round_trip(&self) -> Option<Duration> {
        self.sender.round_trip()
    }

    /// The same of all pings that were answered; see [`Sender::smoothed_round_trip`].
    pub fn smoothed_round_trip(&self) -> Option<Duration> {
        self.sender.smoothed_round_trip()
    }

    /// The two halves, which share nothing.
    pub fn into_parts(self) -> (Receiver, Sender) {
        (self.receiver, self.sender)
    }

    /// The receiving half.
    pub const fn receiver(&mut self) -> &mut Receiver {
        &mut self.receiver
    }

    /// The sending half.
    pub const fn sender(&mut self) -> &mut Sender {
        &mut self.sender
    }
}
