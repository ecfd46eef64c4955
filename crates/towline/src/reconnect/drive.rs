//! What moves a [`Reconnecting`] on, each time that somebody waits for something of it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_sink::Sink;
use towline_proto::Message;

use super::messages::{LinkEvent, Lost, Reconnecting, Stage};
use super::state::Why;
use super::ticket::{Marks, Ticket};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Event;

impl Reconnecting {
    pub(super) fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>>> {
        loop {
            match ready!(self.poll_event(cx))? {
                Some(LinkEvent::Message(message)) => return Poll::Ready(Ok(Some(message))),
                Some(LinkEvent::Connected(_) | LinkEvent::Lost(_)) => {}
                None => return Poll::Ready(Ok(None)),
            }
        }
    }

    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<LinkEvent>>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Ok(Some(event)));
            }
            if let Stage::Ended(error) = &mut self.stage {
                return Poll::Ready(error.take().map_or(Ok(None), Err));
            }
            if !ready!(self.poll_connected(cx)) {
                continue;
            }
            match ready!(self.poll_open(cx)) {
                Ok(Some(message)) => return Poll::Ready(Ok(Some(LinkEvent::Message(message)))),
                Ok(None) => {
                    self.frame = self.socket().and_then(|socket| socket.close_frame().cloned());
                    self.lose(Why::ClosedByPeer(self.frame.clone()));
                }
                Err(error) => {
                    self.frame = None;
                    self.lose(Why::Failed(Arc::new(error)));
                }
            }
        }
    }

    /// The next message of the connection there is; `None` once it has closed, or if there is none.
    pub(super) fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>>> {
        loop {
            // Before waiting, let out what gathered; it does not hold up what comes.
            let _ = self.poll_drain(cx);
            let Marks { confirmed, written, .. } = self.marks;
            let ping = self.confirm.poll_ask(cx, confirmed, written);
            let Stage::Open(socket) = &mut self.stage else { return Poll::Ready(Ok(None)) };
            // While much waits to be written pings would pile up behind it. On a connection that is
            // closing there is no asking.
            if let Some(payload) = ping
                && Pin::new(&mut **socket).poll_ready(cx).is_ready()
            {
                let _ = socket.feed_ping(&payload);
            }
            if self.queue.is_empty()
                && let Some(frame) = self.closing.begin()
            {
                socket.begin_close(frame);
            }
            match ready!(socket.poll_event(cx))? {
                Some(Event::Message(message)) => return Poll::Ready(Ok(Some(message))),
                Some(Event::Pong(payload)) => {
                    if let Some(arrived) = self.confirm.heard(&payload) {
                        self.marks.confirmed = self.marks.confirmed.max(arrived);
                    }
                }
                Some(Event::Ping(_)) => {}
                None => return Poll::Ready(Ok(None)),
            }
        }
    }

    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            if let Stage::Ended(error) = &mut self.stage {
                return Poll::Ready(Err(error.take().unwrap_or_else(over)));
            }
            if ready!(self.poll_connected(cx)) {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Goes on with connecting; whether there is a connection, and not the end.
    fn poll_connected(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            match &mut self.stage {
                Stage::Open(_) => return Poll::Ready(true),
                Stage::Ended(_) => return Poll::Ready(false),
                Stage::Away => match ready!(self.reconnector.poll_connect(cx)) {
                    Ok(socket) => {
                        let greeting = self.reconnector.rules.greet(socket.into());
                        self.stage = Stage::Greeting(greeting);
                    }
                    Err(error) => self.give_up(error),
                },
                Stage::Greeting(greeting) => match ready!(greeting.as_mut().poll(cx)) {
                    Ok(socket) => {
                        self.reconnector.opened();
                        self.confirm.start_again();
                        self.connections += 1;
                        self.events.push_back(LinkEvent::Connected(self.connections));
                        self.stage = Stage::Open(Box::new(socket));
                    }
                    Err(error) => {
                        let why = Why::Failed(Arc::new(error));
                        match self.reconnector.lost(why) {
                            Ok(_) => self.stage = Stage::Away,
                            Err(error) => self.give_up(error),
                        }
                    }
                },
            }
        }
    }

    /// The connection is gone.
    fn lose(&mut self, why: Why) {
        let why = if self.closing.is_on() { Why::ClosedByUs } else { why };
        let told = match &why {
            Why::Failed(error) => Why::of(error),
            other => other.clone(),
        };
        let (stage, again) = match self.reconnector.lost(why) {
            Ok(true) => (Stage::Away, true),
            Ok(false) => (Stage::Ended(None), false),
            Err(error) => (Stage::Ended(Some(error)), false),
        };
        self.stage = stage;
        self.tell_lost(told, again);
    }

    /// There will be no connection.
    fn give_up(&mut self, error: Error) {
        let why = Why::of(&error);
        self.stage = Stage::Ended(Some(error));
        // Of the last connection's loss was told; but not that what waits will wait for ever.
        if !self.queue.is_empty() {
            self.tell_lost(why, false);
        }
    }

    fn tell_lost(&mut self, why: Why, again: bool) {
        let lost = Lost { why, delivery: self.marks.delivery(), again };
        self.losses.add(&lost.delivery.perhaps);
        if again {
            self.marks.settle();
        }
        self.lost = Some(lost.clone());
        self.events.push_back(LinkEvent::Lost(lost));
    }

    /// Sends what waits in the queue, as far as the connection takes it now.
    pub(super) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Stage::Open(socket) = &mut self.stage else { return Poll::Ready(()) };
        let mut socket = Pin::new(&mut **socket);
        if self.queue.is_empty() {
            return Poll::Ready(());
        }
        while let Some(message) = self.queue.first() {
            let Ok(()) = ready!(socket.as_mut().poll_ready(cx)) else { return Poll::Ready(()) };
            if let Err(error) = socket.as_mut().start_send(message.clone())
                && error.kind() == ErrorKind::Closed
            {
                return Poll::Ready(());
            }
            self.queue.pop();
            self.marks.written += 1;
        }
        // It has waited long enough. What is not taken now goes out with what comes next.
        let _ = socket.poll_flush(cx);
        Poll::Ready(())
    }

    pub(super) fn poll_feed(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<Ticket>> {
        ready!(self.poll_drain(cx));
        if self.closing.is_on() || matches!(self.stage, Stage::Ended(_)) {
            return Poll::Ready(Err(over()));
        }
        if let Stage::Open(socket) = &mut self.stage
            && self.queue.is_empty()
            && ready!(Pin::new(&mut **socket).poll_ready(cx)).is_ok()
            && let Some(taken) = message.take()
        {
            // A copy is another handle of the same bytes, and needed if they have to wait.
            let copy = (!self.queue.is_off()).then(|| taken.clone());
            match Pin::new(&mut **socket).start_send(taken) {
                // It was not looked at: the peer has closed.
                Err(error) if error.kind() == ErrorKind::Closed => *message = copy,
                // Whatever else failed, some of it may have been written.
                Ok(()) | Err(_) => {
                    self.marks.written += 1;
                    return Poll::Ready(Ok(self.taken()));
                }
            }
        }
        let queued = message.take().map(|message| self.queue.push(message));
        match queued {
            Some(Ok(())) => Poll::Ready(Ok(self.taken())),
            Some(Err(_)) | None => Poll::Ready(Err(self.absent())),
        }
    }

    fn taken(&mut self) -> Ticket {
        self.marks.taken += 1;
        Ticket::new(self.marks.taken)
    }

    fn absent(&self) -> Error {
        let error = Error::new(ErrorKind::Disconnected, "sending");
        match self.queue.is_off() {
            true => error.cause("there is no connection at the moment").advise(
                "wait for it in recv or ready, or let messages wait with ReconnectBuilder::queue",
            ),
            false => error
                .cause("there is no connection at the moment, and no more room in the queue")
                .advise("wait for it in recv or ready; ReconnectBuilder::queue sets the room"),
        }
    }
}

fn over() -> Error {
    Error::new(ErrorKind::Closed, "staying connected").cause("it is over")
}
