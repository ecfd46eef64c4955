//! Messages over one connection after another.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use towline_proto::{CloseCode, CloseFrame, Message};

use super::builder::ReconnectBuilder;
use super::closing::Closing;
use super::confirm::Confirm;
use super::losses::Losses;
use super::queue::Queue;
use super::reconnector::Reconnector;
use super::rules::Attempt;
use super::state::{LinkState, Why};
use super::states::LinkStates;
use super::ticket::{Delivery, Marks, Ticket, Tickets};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::message::MessageWebSocket;

#[doc = include_str!("reconnecting.md")]
pub struct Reconnecting {
    pub(super) reconnector: Reconnector,
    pub(super) stage: Stage,
    pub(super) queue: Queue,
    pub(super) marks: Marks,
    pub(super) confirm: Confirm,
    /// What happened and was not told yet: at most the loss, the end of it and a new connection.
    pub(super) events: VecDeque<LinkEvent>,
    pub(super) lost: Option<Lost>,
    pub(super) losses: Losses,
    /// With which the peer closed the last one.
    pub(super) frame: Option<CloseFrame>,
    pub(super) closing: Closing,
    pub(super) connections: u64,
}

pub(super) enum Stage {
    Away,
    Greeting(Attempt<MessageWebSocket>),
    Open(Box<MessageWebSocket>),
    /// Over, with an error if that was not told yet.
    Ended(Option<Error>),
}

/// What [`Reconnecting::recv_event`] gives.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LinkEvent {
    /// A message.
    Message(Message),
    /// There is a connection, the so-many-th. What was queued goes out on it.
    Connected(u64),
    /// The connection is gone, and what was sent may be gone with it.
    Lost(Lost),
}

/// A connection that is gone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Lost {
    /// Why.
    pub why: Why,
    /// What became of the messages. Those that may have arrived (`perhaps`) are not sent again, unless
    /// by you. Those that wait are sent when there is a connection again; if there will be none, never.
    pub delivery: Delivery,
    /// Whether it will be connected again.
    pub again: bool,
}

impl fmt::Debug for Reconnecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnecting")
            .field("reconnector", &self.reconnector)
            .field("delivery", &self.delivery())
            .finish_non_exhaustive()
    }
}

impl Reconnecting {
    /// Settings for connections to this address, with the settings of this client.
    pub fn builder(client: Client, uri: impl Into<String>) -> ReconnectBuilder {
        ReconnectBuilder::new(client, uri.into())
    }

    /// Connects with the default settings, and waits until that is done.
    ///
    /// # Errors
    /// As [`ReconnectBuilder::connect`].
    ///
    /// # Cancel safety
    /// If cancelled there is no connection.
    pub async fn connect(uri: impl Into<String>) -> Result<Self> {
        Self::builder(Client::new(), uri).connect().await
    }

    pub(super) fn new(
        reconnector: Reconnector,
        queue: Queue,
        confirm_interval: Option<Duration>,
    ) -> Self {
        Self {
            reconnector,
            stage: Stage::Away,
            queue,
            marks: Marks::default(),
            confirm: Confirm::new(confirm_interval),
            events: VecDeque::new(),
            lost: None,
            losses: Losses::default(),
            frame: None,
            closing: Closing::No,
            connections: 0,
        }
    }

    /// Receives the next message, from this connection or those after it; `None` once it is all over.
    ///
    /// Connects again meanwhile. What may have been lost on the way tells
    /// [`take_perhaps`](Self::take_perhaps); to be told at once, use [`recv_event`](Self::recv_event).
    ///
    /// # Errors
    /// That of the last attempt or connection, once, if it is of no use to try again or was tried often
    /// enough.
    ///
    /// # Cancel safety
    /// Safe: no part of a message is lost, and an attempt to connect, or the wait before it, goes on
    /// with the next call. Meanwhile all stands still.
    pub async fn recv(&mut self) -> Result<Option<Message>> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    /// Receives the next message, or that the connection is gone or is there again.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// As [`recv`](Self::recv); no event is lost.
    pub async fn recv_event(&mut self) -> Result<Option<LinkEvent>> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Waits until there is a connection, for whoever has nothing to receive yet.
    ///
    /// A connection that is gone is noticed in [`recv`](Self::recv) alone.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and [`Closed`](crate::ErrorKind::Closed) once that was told.
    ///
    /// # Cancel safety
    /// As [`recv`](Self::recv).
    pub async fn ready(&mut self) -> Result<()> {
        poll_fn(|cx| self.poll_ready(cx)).await
    }

    /// Sends a message; gives its number, by which [`Delivery`] tells what becomes of it.
    ///
    /// While there is no connection it is [queued](ReconnectBuilder::queue), if there is room. An error
    /// means that the message was not taken and never will be sent. A number means that it was taken:
    /// it may have arrived, or [`Lost`] tells that it perhaps did not. No message is sent twice.
    ///
    /// # Errors
    /// [`Disconnected`](crate::ErrorKind::Disconnected) while there is no connection and no room in the
    /// queue, [`Closed`](crate::ErrorKind::Closed) once all is over.
    ///
    /// # Cancel safety
    /// A message is never sent in part. If cancelled it may have been taken, and will then go out with
    /// the next thing that is sent: [`delivery`](Self::delivery) counts it.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<Ticket> {
        let ticket = self.feed(message).await?;
        if let Stage::Open(socket) = &mut self.stage {
            // That it is lost is told where one receives.
            let _ = socket.flush().await;
        }
        Ok(ticket)
    }

    /// Queues a message, to go out when [`recv`](Self::recv) next waits or with the next
    /// [`send`](Self::send).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// A message is never sent in part. If cancelled, it was not taken.
    pub async fn feed(&mut self, message: impl Into<Message>) -> Result<Ticket> {
        let mut message = Some(message.into());
        poll_fn(|cx| self.poll_feed(cx, &mut message)).await
    }

    /// Closes the connection, and connects no more.
    ///
    /// What waits in the queue goes out before, if there is a connection. Messages that come meanwhile
    /// are discarded.
    ///
    /// # Errors
    /// As [`MessageWebSocket::close`]. It is over all the same, but for
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput).
    ///
    /// # Cancel safety
    /// If cancelled the connection is closing, and there will be no other; [`recv`](Self::recv) goes on
    /// with it.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<()> {
        // Looked at before anything is done.
        let frame = crate::message::close_frame(code, reason)?;
        if !self.closing.is_on() {
            self.closing = Closing::Wanted(frame);
        }
        poll_fn(|cx| self.poll_closed(cx)).await
    }

    /// What became of the messages that were sent on this connection, or before there was one.
    pub fn delivery(&self) -> Delivery {
        self.marks.delivery()
    }

    /// Messages that perhaps did not arrive, of all connections that were lost since this was last
    /// asked.
    ///
    /// They are those that each [`Lost`] names, for whoever passes these over in [`recv`](Self::recv).
    /// Of more than 64 losses the oldest are given as one, with all that was sent between them.
    pub fn take_perhaps(&mut self) -> Vec<Tickets> {
        self.losses.take()
    }

    /// The last connection that was lost, or that what waits will wait for ever.
    pub fn last_lost(&self) -> Option<&Lost> {
        self.lost.as_ref()
    }

    /// The frame with which the peer closed the last connection, if it closed it with a code.
    pub fn close_frame(&self) -> Option<&CloseFrame> {
        self.frame.as_ref()
    }

    /// The connection as it is now, for looking at; `None` while there is none.
    pub fn socket(&self) -> Option<&MessageWebSocket> {
        match &self.stage {
            Stage::Open(socket) => Some(socket),
            Stage::Away | Stage::Greeting(_) | Stage::Ended(_) => None,
        }
    }

    /// What it is doing.
    pub fn state(&self) -> LinkState {
        self.reconnector.state()
    }

    /// Changes of that, from now on.
    pub fn states(&self) -> LinkStates {
        self.reconnector.states()
    }
}

/// The messages, without those events that are none.
impl Stream for Reconnecting {
    type Item = Result<Message>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_message(cx).map(Result::transpose)
    }
}
