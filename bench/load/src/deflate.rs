//! Compressed text: JSON of one KiB, compressed beforehand, and inflated as it comes back.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use bench_common::cycle::{header, mask};
use bench_common::payload::Random;
use bench_common::tls;
use clap::Args;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use mio::{Events, Interest, Poll, Token};
use serde_json::Value;

use crate::Target;
use crate::frames::{Frames, Part};
use crate::latency::{Latencies, Sent};
use crate::stream::Stream;
use crate::window::{Phase, Times, Window};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    times: Times,
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Messages in flight on each connection
    #[arg(long, default_value_t = 8)]
    depth: u64,
    /// Ask for no takeover of the context, either way
    #[arg(long)]
    no_takeover: bool,
}

/// Messages in the ring: more than a window of 32 KiB holds, so that the second time round what
/// lies behind a message is the same as any later time.
const COUNT: usize = 64;

const PAYLOAD: usize = 1024;

/// RFC 7692 §7.2.1: what a sender takes away.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

const READ_BYTES: usize = 256 * 1024;

/// What both sides agreed on (RFC 7692 §7.1).
struct Terms {
    client_takeover: bool,
    server_takeover: bool,
    client_bits: u8,
}

/// Frames made beforehand.
struct Ring {
    payloads: Vec<Vec<u8>>,
    /// Sent the first time round, and ever after.
    first: Vec<Vec<u8>>,
    later: Vec<Vec<u8>>,
}

struct Connection {
    stream: Stream,
    inflate: Decompress,
    takeover: bool,
    frames: Frames,
    compressed: bool,
    /// The compressed payload of the message that is coming.
    coming: Vec<u8>,
    output: Vec<u8>,
    pending: Vec<u8>,
    sent: Sent,
    sent_count: usize,
    received: usize,
}

pub(crate) fn run(options: &Options) -> io::Result<Value> {
    let tls = options.target.tls.as_deref().map(tls::client).transpose()?;
    let offer = if options.no_takeover {
        "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; \
         server_no_context_takeover; client_max_window_bits\r\n"
    } else {
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    };
    let mut poll = Poll::new()?;
    let mut connections = Vec::with_capacity(options.connections);
    let mut agreed = None;
    for token in 0..options.connections {
        let (mut stream, head) = Stream::open_with(&options.target, tls.as_ref(), offer)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream.socket, Token(token), interest)?;
        let terms = Terms::of(&head)?;
        connections.push(Connection::new(stream, terms.server_takeover));
        agreed = Some(terms);
    }
    let terms = agreed.ok_or_else(|| io::Error::other("no connection"))?;
    let ring = Ring::new(&terms)?;
    let mut latencies = Latencies::new()?;
    let mut window = Window::new(options.target.pid, &options.times);
    for connection in &mut connections {
        connection.send(&ring, options.depth)?;
    }
    let mut buffer = vec![0; READ_BYTES];
    let mut events = Events::with_capacity(1024);
    let (mut messages, mut bytes, mut total) = (0_u64, 0_u64, 0_u64);
    loop {
        poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        for event in &events {
            let connection = &mut connections[event.token().0];
            connection.write()?;
            let (done, size) = connection.read(&ring, &mut buffer, &mut latencies)?;
            messages += done;
            total += done;
            bytes += size;
        }
        match window.look(Instant::now())? {
            Phase::Same => {}
            Phase::Opened => {
                latencies.clear();
                (messages, bytes) = (0, 0);
            }
            Phase::Over => break,
        }
    }
    let mut json = window.json()?;
    json["messages"] = messages.into();
    json["total_messages"] = total.into();
    json["reply_bytes"] = (bytes / messages.max(1)).into();
    json["takeover"] = terms.server_takeover.into();
    json["latency_us"] = latencies.json();
    Ok(json)
}

impl Terms {
    fn of(head: &str) -> io::Result<Self> {
        let value = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("sec-websocket-extensions").then_some(value)
        });
        let value = value.ok_or_else(|| io::Error::other("the server does not compress"))?;
        let parameters: Vec<_> = value.split(';').map(str::trim).collect();
        if parameters[0] != "permessage-deflate" {
            return Err(io::Error::other(format!("the server agreed on {value}")));
        }
        let bits = parameters.iter().find_map(|parameter| {
            parameter.strip_prefix("client_max_window_bits=")?.trim_matches('"').parse().ok()
        });
        Ok(Self {
            client_takeover: !parameters.contains(&"client_no_context_takeover"),
            server_takeover: !parameters.contains(&"server_no_context_takeover"),
            client_bits: bits.unwrap_or(15),
        })
    }
}

impl Ring {
    fn new(terms: &Terms) -> io::Result<Self> {
        let mut random = Random(0x1234_5678_9abc_def1);
        let payloads: Vec<_> = (0..COUNT).map(|number| document(number, &mut random)).collect();
        let bits = terms.client_bits.max(9);
        let mut compress = Compress::new_with_window_bits(Compression::new(6), false, bits);
        let mut rounds = [Vec::new(), Vec::new()];
        for round in &mut rounds {
            for payload in &payloads {
                if !terms.client_takeover {
                    compress.reset();
                }
                let mut out = Vec::with_capacity(2 * PAYLOAD);
                let flush = FlushCompress::Sync;
                compress.compress_vec(payload, &mut out, flush).map_err(io::Error::other)?;
                let body = out.strip_suffix(&TAIL);
                let body = body.ok_or_else(|| io::Error::other("a payload was not flushed"))?;
                let key = [0x5b, 0xd1, 0xe9, 0x95];
                let mut frame = Vec::new();
                header(&mut frame, 1 | RSV1, true, Some(key), body.len());
                let from = frame.len();
                frame.extend_from_slice(body);
                mask(key, &mut frame[from..]);
                round.push(frame);
            }
        }
        let [first, later] = rounds;
        Ok(Self { payloads, first, later })
    }

    fn frame(&self, number: usize) -> &[u8] {
        let round = if number < COUNT { &self.first } else { &self.later };
        &round[number % COUNT]
    }
}

/// RFC 7692 §6: this message is compressed.
const RSV1: u8 = 0x40;

/// A document as services send them: names that repeat, figures that do not.
fn document(number: usize, random: &mut Random) -> Vec<u8> {
    let mut text = format!("{{\"sequence\":{number},\"channel\":\"trades\",\"events\":[");
    let mut first = true;
    while text.len() < PAYLOAD - 110 {
        let comma = if first { "" } else { "," };
        first = false;
        let (price, amount) = (random.number() % 1_000_000, random.number() % 10_000);
        let side = if random.number().is_multiple_of(2) { "buy" } else { "sell" };
        text.push_str(&format!(
            "{comma}{{\"symbol\":\"EURUSD\",\"side\":\"{side}\",\"price\":{}.{:02},\
             \"amount\":{amount},\"maker\":true}}",
            price / 100,
            price % 100,
        ));
    }
    text.push_str("],\"note\":\"");
    text.extend(std::iter::repeat_n('.', PAYLOAD - text.len() - 2));
    text.push_str("\"}");
    text.into_bytes()
}

impl Connection {
    fn new(stream: Stream, takeover: bool) -> Self {
        Self {
            stream,
            inflate: Decompress::new(false),
            takeover,
            frames: Frames::default(),
            compressed: false,
            coming: Vec::new(),
            output: Vec::with_capacity(2 * PAYLOAD),
            pending: Vec::new(),
            sent: Sent::default(),
            sent_count: 0,
            received: 0,
        }
    }

    fn send(&mut self, ring: &Ring, messages: u64) -> io::Result<()> {
        for _ in 0..messages {
            self.pending.extend_from_slice(ring.frame(self.sent_count));
            self.sent_count += 1;
        }
        self.sent.push(messages, Instant::now());
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        if !self.stream.flush()? {
            return Ok(());
        }
        while !self.pending.is_empty() {
            match self.stream.write(&self.pending, &[]) {
                Ok(count) => drop(self.pending.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Messages that came, and their bytes on the wire.
    fn read(
        &mut self,
        ring: &Ring,
        buffer: &mut [u8],
        latencies: &mut Latencies,
    ) -> io::Result<(u64, u64)> {
        let (mut messages, mut bytes) = (0, 0);
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err(io::Error::other("the server ended a connection")),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
            let mut input = &buffer[..count];
            let mut done = 0;
            let mut frames = std::mem::take(&mut self.frames);
            while let Some(part) = frames.next(&mut input)? {
                match part {
                    Part::Begin(1, compressed) => self.compressed = compressed,
                    Part::Begin(..) => return Err(io::Error::other("it is no text")),
                    Part::Data(data) => self.coming.extend_from_slice(data),
                    Part::End => {
                        bytes += u64::try_from(self.coming.len()).expect("64 bits");
                        self.check(ring)?;
                        done += 1;
                    }
                }
            }
            self.frames = frames;
            if done > 0 {
                messages += done;
                self.sent.done(done, Instant::now(), latencies);
                self.send(ring, done)?;
            }
            if self.stream.is_plain() && count < buffer.len() {
                break;
            }
        }
        Ok((messages, bytes))
    }

    fn check(&mut self, ring: &Ring) -> io::Result<()> {
        let expected = &ring.payloads[self.received % COUNT];
        let same = if self.compressed {
            self.coming.extend_from_slice(&TAIL);
            self.output.clear();
            if !self.takeover {
                self.inflate.reset(false);
            }
            let flush = FlushDecompress::Sync;
            let status = self.inflate.decompress_vec(&self.coming, &mut self.output, flush);
            matches!(status, Ok(Status::Ok)) && self.output == *expected
        } else {
            self.coming == *expected
        };
        if !same {
            return Err(io::Error::other(format!("message {} came back changed", self.received)));
        }
        self.received += 1;
        self.coming.clear();
        Ok(())
    }
}
