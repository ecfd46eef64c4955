//! So many messages in flight on each of so many connections.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use bench_common::cycle::Cycle;
use bench_common::payload::Kind;
use bench_common::tls;
use clap::Args;
use mio::{Events, Interest, Poll, Token};
use serde_json::Value;

use crate::Target;
use crate::check::Checker;
use crate::latency::{Latencies, Sent};
use crate::stream::Stream;
use crate::window::{Phase, Times, Window};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    times: Times,
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Messages in flight on each connection
    #[arg(long, default_value_t = 1)]
    depth: u64,
    /// Bytes of a payload
    #[arg(long, default_value_t = 16)]
    size: usize,
    #[arg(long, value_enum, default_value = "binary")]
    kind: Kind,
    /// Frames in a message
    #[arg(long, default_value_t = 1)]
    frames: usize,
}

/// Room for what a read brings: within the second-level cache.
const READ_BYTES: usize = 256 * 1024;

/// After the window every message must still come back, within this time.
const DRAIN: Duration = Duration::from_secs(10);

struct Connection {
    stream: Stream,
    checker: Checker,
    sent: Sent,
    /// Bytes written, and to be written, counted from the ring's beginning.
    written: u64,
    target: u64,
    in_flight: u64,
}

#[derive(Default)]
struct Counts {
    messages: u64,
    reads: u64,
    /// Messages, those of the warm-up and after the window included.
    total: u64,
}

pub(crate) fn run(options: &Options) -> io::Result<Value> {
    let cycle = Cycle::new(options.kind, options.size, options.frames);
    let mut poll = Poll::new()?;
    let mut connections = connect(options, &cycle, &poll)?;
    let mut latencies = Latencies::new()?;
    let mut counts = Counts::default();
    let mut buffer = vec![0; READ_BYTES];
    let mut window = Window::new(options.target.pid, &options.times);
    for connection in &mut connections {
        connection.send(&cycle, options.depth)?;
    }
    let mut events = Events::with_capacity(1024);
    let mut result = None;
    let mut stopped = Instant::now();
    while connections.iter().any(|connection| connection.in_flight > 0) || result.is_none() {
        poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        for event in &events {
            let connection = &mut connections[event.token().0];
            connection.write(&cycle)?;
            connection.read(&cycle, &mut buffer, &mut latencies, &mut counts, result.is_none())?;
        }
        let now = Instant::now();
        if result.is_some() {
            if now > stopped + DRAIN {
                return Err(io::Error::other("some messages never came back"));
            }
            continue;
        }
        match window.look(now)? {
            Phase::Same => {}
            Phase::Opened => {
                latencies.clear();
                counts = Counts { total: counts.total, ..Counts::default() };
            }
            Phase::Over => {
                let mut json = window.json()?;
                json["messages"] = counts.messages.into();
                json["reads"] = counts.reads.into();
                json["latency_us"] = latencies.json();
                result = Some(json);
                stopped = now;
            }
        }
    }
    let mut result = result.ok_or_else(|| io::Error::other("never measured"))?;
    result["total_messages"] = counts.total.into();
    Ok(result)
}

fn connect(options: &Options, cycle: &Cycle, poll: &Poll) -> io::Result<Vec<Connection>> {
    let tls = options.target.tls.as_deref().map(tls::client).transpose()?;
    let mut connections = Vec::with_capacity(options.connections);
    for token in 0..options.connections {
        let mut stream = Stream::open(&options.target, tls.as_ref())?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream.socket, Token(token), interest)?;
        // Each begins elsewhere in the ring, so that a mix-up of connections shows.
        let first = token * 61 % cycle.count;
        let at = u64::try_from(first * cycle.wire_len()).expect("64 bits");
        let first = u64::try_from(first).expect("64 bits");
        let checker = Checker::new(first, options.target.raw);
        let sent = Sent::default();
        connections.push(Connection {
            stream,
            checker,
            sent,
            written: at,
            target: at,
            in_flight: 0,
        });
    }
    Ok(connections)
}

impl Connection {
    fn send(&mut self, cycle: &Cycle, messages: u64) -> io::Result<()> {
        self.target += messages * u64::try_from(cycle.wire_len()).expect("64 bits");
        self.in_flight += messages;
        self.sent.push(messages, Instant::now());
        self.write(cycle)
    }

    fn write(&mut self, cycle: &Cycle) -> io::Result<()> {
        if !self.stream.flush()? {
            return Ok(());
        }
        while self.written < self.target {
            let left = usize::try_from(self.target - self.written).expect("64 bits");
            let at = usize::try_from(self.written).expect("64 bits") % cycle.wire.len();
            let first = left.min(cycle.wire.len() - at);
            let second = (left - first).min(cycle.wire.len());
            match self.stream.write(&cycle.wire[at..at + first], &cycle.wire[..second]) {
                Ok(count) => self.written += u64::try_from(count).expect("64 bits"),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn read(
        &mut self,
        cycle: &Cycle,
        buffer: &mut [u8],
        latencies: &mut Latencies,
        counts: &mut Counts,
        go_on: bool,
    ) -> io::Result<()> {
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err(io::Error::other("the server ended a connection")),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            counts.reads += 1;
            let done = self.checker.take(cycle, &buffer[..count])?;
            if done > 0 {
                counts.messages += done;
                counts.total += done;
                self.in_flight = self
                    .in_flight
                    .checked_sub(done)
                    .ok_or_else(|| io::Error::other("more came back than was sent"))?;
                self.sent.done(done, Instant::now(), latencies);
                if go_on {
                    self.send(cycle, done)?;
                }
            }
            // Of TCP, epoll tells when there is more; a TLS session may hold some itself.
            if self.stream.is_plain() && count < buffer.len() {
                return Ok(());
            }
        }
    }
}
