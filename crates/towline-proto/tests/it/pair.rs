//! Two connections, a wire between them, and a clock that jumps to whatever is due next.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Buf;
use towline_proto::{Config, Connection, Expired, ProtocolError, Role};

use crate::check::{Got, Joined, receive_all};

/// A client and a server that talk.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) client: Side,
    pub(crate) server: Side,
    pub(crate) now: Instant,
    pub(crate) start: Instant,
    /// One way.
    pub(crate) latency: Duration,
    /// So many bytes are delivered at once; the rest follows a latency later.
    pub(crate) gulp: usize,
}

/// One side, what happened to it, and what is on its way to it.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) connection: Connection,
    pub(crate) events: Vec<Got>,
    pub(crate) error: Option<ProtocolError>,
    pub(crate) expired: Vec<(Duration, Expired)>,
    /// Whether this side's writes get anywhere: false is a peer that never reads.
    pub(crate) writes: bool,
    /// Whether what is written to this side arrives: false is a cut wire.
    pub(crate) arrives: bool,
    /// Bytes that ever left its outbox.
    pub(crate) written: usize,
    joined: Joined,
    coming: VecDeque<(Instant, Vec<u8>)>,
}

impl Side {
    fn new(role: Role, config: Config, now: Instant) -> Self {
        Self {
            connection: Connection::new(role, config, [42; 32], now),
            events: Vec::new(),
            error: None,
            expired: Vec::new(),
            writes: true,
            arrives: true,
            written: 0,
            joined: Joined::default(),
            coming: VecDeque::new(),
        }
    }

    /// Takes what happened since the last look.
    pub(crate) fn take_events(&mut self) -> Vec<Got> {
        std::mem::take(&mut self.events)
    }
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::with(Config::default(), Config::default())
    }

    pub(crate) fn with(client: Config, server: Config) -> Self {
        let now = Instant::now();
        Self {
            client: Side::new(Role::Client, client, now),
            server: Side::new(Role::Server, server, now),
            now,
            start: now,
            latency: Duration::from_millis(10),
            gulp: usize::MAX,
        }
    }

    /// Both directions of the wire are cut; neither side is told.
    pub(crate) fn cut(&mut self) {
        self.client.arrives = false;
        self.server.arrives = false;
        self.client.coming.clear();
        self.server.coming.clear();
    }

    /// Lets everything happen that happens within this time.
    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        // Every turn moves bytes, or moves the clock: a pair that never rests is a fault.
        for _ in 0..1_000_000 {
            self.turn();
            match self.next_due() {
                Some(due) if due <= end => self.now = self.now.max(due),
                Some(_) | None => {
                    self.now = end;
                    return;
                }
            }
        }
        panic!("the pair does not come to rest");
    }

    /// Lets pass just enough time for everything written to be answered, a few times over.
    pub(crate) fn settle(&mut self) {
        self.run_for(self.latency * 10);
    }

    /// Does what is due now, on both sides.
    fn turn(&mut self) {
        let Self { client, server, now, start, latency, gulp } = self;
        for side in [&mut *client, &mut *server] {
            while side.coming.front().is_some_and(|(at, _)| at <= now) {
                let Some((_, mut bytes)) = side.coming.pop_front() else { break };
                let received = receive_all(
                    &mut side.connection,
                    &mut bytes,
                    *now,
                    &mut side.joined,
                    &mut side.events,
                );
                if let Err(error) = received {
                    assert_eq!(side.error.replace(error), None, "a connection fails once");
                }
            }
            if side.connection.poll_timeout().is_some_and(|at| at <= *now) {
                let expired = side.connection.handle_timeout(*now);
                side.expired.extend(expired.map(|expired| (*now - *start, expired)));
                let next = side.connection.poll_timeout();
                assert!(next.is_none_or(|at| at > *now), "what was due has been done");
            }
        }
        write(client, server, *now, *latency, *gulp);
        write(server, client, *now, *latency, *gulp);
    }

    fn next_due(&self) -> Option<Instant> {
        [&self.client, &self.server]
            .into_iter()
            .flat_map(|side| {
                [side.connection.poll_timeout(), side.coming.front().map(|(at, _)| *at)]
            })
            .flatten()
            .min()
    }
}

fn write(from: &mut Side, to: &mut Side, now: Instant, latency: Duration, gulp: usize) {
    let mut at = now + latency;
    while from.writes && !from.connection.outbox().is_empty() {
        let outbox = from.connection.outbox();
        let len = outbox.chunk().len().min(gulp);
        let bytes = outbox.copy_to_bytes(len).to_vec();
        from.written += len;
        if to.arrives {
            to.coming.push_back((at, bytes));
        }
        at += latency;
    }
}
