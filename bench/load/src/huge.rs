//! One huge message, sent while its echo is read, compared and forgotten.

use std::io::{self, ErrorKind};
use std::process;
use std::time::{Duration, Instant};

use bench_common::cycle::{header, mask};
use bench_common::payload::{Kind, payload};
use bench_common::{proc, tls};
use clap::Args;
use mio::{Events, Interest, Poll, Token};
use serde_json::{Value, json};

use crate::Target;
use crate::frames::{Frames, Part};
use crate::stream::Stream;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    /// Bytes of the message
    #[arg(long, default_value_t = 1024 * 1024 * 1024)]
    size: u64,
    /// Bytes of a frame; 0 for one frame
    #[arg(long, default_value_t = 0)]
    frame: u64,
}

/// The payload repeats after so many bytes: a multiple of four, so that the mask falls alike, and
/// of little else, so that what is shifted by a buffer's size shows.
const PATTERN: usize = 4 * 130_981;

const KEY: [u8; 4] = [0x91, 0x3c, 0x5a, 0xe7];

const READ_BYTES: usize = 256 * 1024;

/// What travels to the server: frames of one size, over a payload that repeats.
struct Wire {
    headers: [Vec<u8>; 3],
    frame: u64,
    frames: u64,
    plain: Vec<u8>,
    masked: Vec<u8>,
}

impl Wire {
    fn new(size: u64, frame: u64) -> io::Result<Self> {
        let frame = if frame == 0 { size } else { frame };
        if !frame.is_multiple_of(4) || !size.is_multiple_of(frame) {
            return Err(io::Error::other("frames must be equal, and of a multiple of 4 bytes"));
        }
        let frames = size / frame;
        let len = usize::try_from(frame).expect("64 bits");
        let make = |opcode, fin| {
            let mut bytes = Vec::new();
            header(&mut bytes, opcode, fin, Some(KEY), len);
            bytes
        };
        let headers = [make(2, frames == 1), make(0, false), make(0, true)];
        let plain = payload(Kind::Binary, PATTERN, 1);
        let mut masked = plain.clone();
        mask(KEY, &mut masked);
        Ok(Self { headers, frame, frames, plain, masked })
    }

    fn len(&self) -> u64 {
        self.frames * self.frame_len()
    }

    fn frame_len(&self) -> u64 {
        self.frame + u64::try_from(self.headers[0].len()).expect("small")
    }

    /// What stands at a place, as far as it lies in one piece; nothing beyond the end.
    fn at(&self, place: u64) -> &[u8] {
        let (index, offset) = (place / self.frame_len(), place % self.frame_len());
        if index >= self.frames {
            return &[];
        }
        let header = match index {
            0 => &self.headers[0],
            last if last + 1 == self.frames => &self.headers[2],
            _ => &self.headers[1],
        };
        let offset = usize::try_from(offset).expect("64 bits");
        if offset < header.len() {
            return &header[offset..];
        }
        let within = u64::try_from(offset - header.len()).expect("64 bits");
        let piece = pattern(&self.masked, index * self.frame + within);
        let left = usize::try_from(self.frame - within).unwrap_or(usize::MAX);
        &piece[..piece.len().min(left)]
    }
}

/// The pattern from a place of the payload on, up to where it begins anew.
fn pattern(block: &[u8], place: u64) -> &[u8] {
    &block[usize::try_from(place % u64::try_from(PATTERN).expect("small")).expect("small")..]
}

/// What has come back.
struct Reply {
    raw: bool,
    frames: Frames,
    place: u64,
    over: bool,
}

impl Reply {
    fn take(&mut self, wire: &Wire, mut bytes: &[u8]) -> io::Result<()> {
        if self.raw {
            self.compare(bytes, |place| wire.at(place))?;
            self.over = self.place == wire.len();
            return Ok(());
        }
        let mut frames = std::mem::take(&mut self.frames);
        while let Some(part) = frames.next(&mut bytes)? {
            match part {
                Part::Begin(2, false) if self.place == 0 => {}
                Part::Begin(..) => return Err(io::Error::other("another message came back")),
                Part::Data(data) => self.compare(data, |place| pattern(&wire.plain, place))?,
                Part::End if self.place == wire.frames * wire.frame => self.over = true,
                Part::End => return Err(io::Error::other("the message came back cut short")),
            }
        }
        self.frames = frames;
        Ok(())
    }

    fn compare<'a>(&mut self, mut got: &[u8], at: impl Fn(u64) -> &'a [u8]) -> io::Result<()> {
        while !got.is_empty() {
            let expected = at(self.place);
            let count = expected.len().min(got.len());
            if count == 0 || expected[..count] != got[..count] {
                let place = self.place;
                return Err(io::Error::other(format!("changed within {count} bytes of {place}")));
            }
            self.place += u64::try_from(count).expect("64 bits");
            got = &got[count..];
        }
        Ok(())
    }
}

pub(crate) fn run(options: &Options) -> io::Result<Value> {
    let wire = Wire::new(options.size, options.frame)?;
    let tls = options.target.tls.as_deref().map(tls::client).transpose()?;
    let mut stream = Stream::open(&options.target, tls.as_ref())?;
    let mut poll = Poll::new()?;
    let interest = Interest::READABLE | Interest::WRITABLE;
    poll.registry().register(&mut stream.socket, Token(0), interest)?;
    let mut buffer = vec![0; READ_BYTES];
    let raw = options.target.raw;
    let mut reply = Reply { raw, frames: Frames::default(), place: 0, over: false };
    let mut events = Events::with_capacity(4);
    let mut written = 0;
    let mut first = None;
    let (server, load) = (proc::cpu(options.target.pid)?, proc::cpu(process::id())?);
    let began = Instant::now();
    while !reply.over {
        let mut moved = stream.flush()? && write(&mut stream, &wire, &mut written)?;
        match stream.read(&mut buffer) {
            Ok(0) => return Err(io::Error::other("the server ended the connection")),
            Ok(count) => {
                reply.take(&wire, &buffer[..count])?;
                if first.is_none() && reply.place > 0 {
                    first = Some(began.elapsed());
                }
                moved = true;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if !moved {
            poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        }
    }
    let cpu: u64 = proc::cpu_since(options.target.pid, &server)?.iter().sum();
    let load: u64 = proc::cpu_since(process::id(), &load)?.iter().sum();
    Ok(json!({
        "bytes": options.size,
        "seconds": began.elapsed().as_secs_f64(),
        "first_byte_ms": first.map(|first| first.as_secs_f64() * 1000.0),
        "cpu_ns": cpu,
        "load_cpu_ns": load,
    }))
}

/// Whether anything was taken.
fn write(stream: &mut Stream, wire: &Wire, written: &mut u64) -> io::Result<bool> {
    let first = wire.at(*written);
    if first.is_empty() {
        return Ok(false);
    }
    let second = wire.at(*written + u64::try_from(first.len()).expect("64 bits"));
    match stream.write(first, second) {
        Ok(count) => *written += u64::try_from(count).expect("64 bits"),
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
        Err(error) => return Err(error),
    }
    Ok(true)
}
