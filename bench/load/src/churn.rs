//! Connect, shake hands, echo one message, reset; so many at a time.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use bench_common::cycle::Cycle;
use bench_common::payload::Kind;
use clap::Args;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde_json::Value;
use socket2::SockRef;

use crate::Target;
use crate::check::Checker;
use crate::latency::Latencies;
use crate::stream::{check_response, request};
use crate::window::{Phase, Times, Window};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    times: Times,
    /// Connections at a time
    #[arg(long, default_value_t = 64)]
    connections: usize,
}

const PAYLOAD: usize = 16;

struct Visit {
    socket: TcpStream,
    began: Instant,
    stage: Stage,
    /// Which of the ring's messages it sends.
    message: u64,
}

enum Stage {
    Connecting,
    /// The response's head so far.
    Head(Vec<u8>),
    Echo(Checker),
}

pub(crate) fn run(options: &Options) -> io::Result<Value> {
    if options.target.tls.is_some() {
        return Err(io::Error::other("handshakes are measured without TLS"));
    }
    let cycle = Cycle::new(Kind::Binary, PAYLOAD, 1);
    let request = request(options.target.addr, "");
    let mut poll = Poll::new()?;
    let mut total = 0_u64;
    let mut visits = Vec::with_capacity(options.connections);
    for slot in 0..options.connections {
        visits.push(Visit::new(options, &poll, slot, total)?);
        total += 1;
    }
    let mut latencies = Latencies::new()?;
    let mut window = Window::new(options.target.pid, &options.times);
    let mut events = Events::with_capacity(1024);
    let mut done = 0_u64;
    loop {
        poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        for event in &events {
            let slot = event.token().0;
            if visits[slot].go_on(options, &cycle, &request)? {
                done += 1;
                latencies.record(visits[slot].began.elapsed().as_nanos(), 1);
                // What was there is dropped, and so reset.
                visits[slot] = Visit::new(options, &poll, slot, total)?;
                total += 1;
            }
        }
        match window.look(Instant::now())? {
            Phase::Same => {}
            Phase::Opened => {
                latencies.clear();
                done = 0;
            }
            Phase::Over => break,
        }
    }
    let mut json = window.json()?;
    json["messages"] = done.into();
    json["total_messages"] = total.into();
    json["latency_us"] = latencies.json();
    Ok(json)
}

impl Visit {
    fn new(options: &Options, poll: &Poll, slot: usize, message: u64) -> io::Result<Self> {
        let mut socket = TcpStream::connect(options.target.addr)?;
        socket.set_nodelay(true)?;
        SockRef::from(&socket).set_linger(Some(Duration::ZERO))?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut socket, Token(slot), interest)?;
        Ok(Self { socket, began: Instant::now(), stage: Stage::Connecting, message })
    }

    /// Whether it is over.
    fn go_on(&mut self, options: &Options, cycle: &Cycle, request: &[u8]) -> io::Result<bool> {
        if let Stage::Connecting = self.stage {
            if let Some(error) = self.socket.take_error()? {
                return Err(error);
            }
            match self.socket.write(request) {
                Ok(count) if count == request.len() => self.stage = Stage::Head(Vec::new()),
                // A new socket's buffer is larger than a request.
                Ok(_) => return Err(ErrorKind::WriteZero.into()),
                Err(error) if is_early(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        let mut buffer = [0; 4096];
        loop {
            let count = match self.socket.read(&mut buffer) {
                Ok(0) => return Err(io::Error::other("the server ended a connection")),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            };
            match &mut self.stage {
                Stage::Connecting => unreachable!("it has connected above"),
                Stage::Head(head) => {
                    head.extend_from_slice(&buffer[..count]);
                    if !head.ends_with(b"\r\n\r\n") {
                        continue;
                    }
                    check_response(&String::from_utf8_lossy(head))?;
                    let at = usize::try_from(self.message).expect("64 bits") % cycle.count
                        * cycle.wire_len();
                    self.socket.write_all(&cycle.wire[at..at + cycle.wire_len()])?;
                    self.stage = Stage::Echo(Checker::new(self.message, options.target.raw));
                }
                Stage::Echo(checker) => {
                    if checker.take(cycle, &buffer[..count])? == 1 {
                        return Ok(true);
                    }
                }
            }
            if count < buffer.len() {
                return Ok(false);
            }
        }
    }
}

/// Whether a connection is not there yet.
fn is_early(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected)
}
