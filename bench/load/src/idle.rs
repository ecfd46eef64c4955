//! Connections that do nothing, and what the server holds for each.

use std::io::{self, ErrorKind};
use std::thread::{sleep, yield_now};
use std::time::{Duration, Instant};

use bench_common::cycle::Cycle;
use bench_common::payload::Kind;
use bench_common::{proc, tls};
use clap::Args;
use serde_json::{Value, json};

use crate::Target;
use crate::check::Checker;
use crate::stream::Stream;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
}

/// The first connections pay for what all share.
const WARM: usize = 50;

/// Bytes that each echoes once, for the second figure.
const PAYLOAD: usize = 16 * 1024;

/// The server may have something to finish behind the last connection.
const SETTLE: Duration = Duration::from_millis(500);

/// An echo that takes longer is a failure.
const ECHO: Duration = Duration::from_secs(10);

pub(crate) fn run(options: &Options) -> io::Result<Value> {
    let tls = options.target.tls.as_deref().map(tls::client).transpose()?;
    let open = || Stream::open(&options.target, tls.as_ref());
    let cycle = Cycle::new(Kind::Binary, PAYLOAD, 1);
    let resident = || {
        sleep(SETTLE);
        proc::resident(options.target.pid)
    };
    let mut warm = (0..WARM).map(|_| open()).collect::<io::Result<Vec<_>>>()?;
    for stream in &mut warm {
        echo(stream, &cycle, options.target.raw)?;
    }
    let base = resident()?;
    let mut streams = (0..options.connections).map(|_| open()).collect::<io::Result<Vec<_>>>()?;
    let opened = resident()?;
    for stream in &mut streams {
        echo(stream, &cycle, options.target.raw)?;
    }
    let used = resident()?;
    let count = u64::try_from(options.connections).expect("64 bits").max(1);
    Ok(json!({
        "base": base,
        "opened": opened.saturating_sub(base) / count,
        "used": used.saturating_sub(base) / count,
    }))
}

/// One message there and back. Nobody measures how long that takes, so waiting is polling.
fn echo(stream: &mut Stream, cycle: &Cycle, raw: bool) -> io::Result<()> {
    let end = Instant::now() + ECHO;
    let wire = &cycle.wire[..cycle.wire_len()];
    let mut written = 0;
    let mut checker = Checker::new(0, raw);
    let mut buffer = vec![0; PAYLOAD];
    loop {
        if stream.flush()? && written < wire.len() {
            written += or_nothing(stream.write(&wire[written..], &[]))?;
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err(io::Error::other("the server ended a connection")),
            Ok(count) if checker.take(cycle, &buffer[..count])? == 1 => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => yield_now(),
            Err(error) => return Err(error),
        }
        if Instant::now() > end {
            return Err(io::Error::other("an echo did not come back"));
        }
    }
}

fn or_nothing(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        done => done,
    }
}
