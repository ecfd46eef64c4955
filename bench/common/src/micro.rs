//! User space alone: a server over a stream in memory that hands out masked frames, so many a
//! read, and swallows the echo.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::process;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use clap::Args;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::cycle::Cycle;
use crate::payload::Kind;
use crate::{proc, serve};

#[derive(Args, Clone, Debug)]
pub struct MicroArgs {
    /// How many messages are echoed
    #[arg(long, default_value_t = 200_000)]
    pub messages: usize,
    #[arg(long, default_value_t = 16)]
    pub size: usize,
    #[arg(long, value_enum, default_value = "binary")]
    pub kind: Kind,
    /// Messages handed out by one read
    #[arg(long, default_value_t = 64)]
    pub depth: usize,
}

/// The stream. It has nothing to read after each handful of messages, once, as a socket would.
#[derive(Debug)]
pub struct Memory {
    cycle: Cycle,
    depth: usize,
    /// Bytes of messages yet to be handed out, and of those handed out.
    left: usize,
    read: usize,
    paused: bool,
    /// Bytes of the echo that came.
    written: usize,
    writes: usize,
    outcome: Arc<Mutex<Outcome>>,
}

#[derive(Debug, Default)]
struct Outcome {
    written: usize,
    writes: usize,
    wrong: bool,
}

/// Runs a server on such a stream to its end, and prints what it took as JSON.
pub fn run<F: Future<Output = ()>>(
    args: &MicroArgs,
    server: impl FnOnce(Memory) -> F,
) -> io::Result<()> {
    let cycle = Cycle::new(args.kind, args.size, 1);
    if !cycle.count.is_multiple_of(args.depth) {
        return Err(io::Error::other(format!("depth must divide {}", cycle.count)));
    }
    let expected = args.messages * cycle.reply_len();
    let outcome = Arc::<Mutex<Outcome>>::default();
    let memory = Memory {
        left: args.messages * cycle.wire_len(),
        cycle,
        depth: args.depth,
        read: 0,
        paused: false,
        written: 0,
        writes: 0,
        outcome: Arc::clone(&outcome),
    };
    let runtime = serve::runtime()?;
    let before = proc::cpu(process::id())?;
    runtime.block_on(server(memory));
    let nanos: u64 = proc::cpu_since(process::id(), &before)?.iter().sum();
    let outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
    if outcome.wrong || outcome.written != expected {
        return Err(io::Error::other(format!(
            "the echo is not what was sent: {} of {expected} bytes",
            outcome.written
        )));
    }
    let (writes, messages) = (outcome.writes, args.messages);
    println!("{}", json!({ "messages": messages, "cpu_ns": nanos, "writes": writes }));
    Ok(())
}

impl AsyncRead for Memory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.paused {
            this.paused = false;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let handful = this.depth * this.cycle.wire_len();
        let count = (handful - this.read % handful).min(into.remaining()).min(this.left);
        let at = this.read % this.cycle.wire.len();
        into.put_slice(&this.cycle.wire[at..at + count]);
        this.read += count;
        this.left -= count;
        this.paused = count > 0 && (this.read.is_multiple_of(handful) || this.left == 0);
        Poll::Ready(Ok(()))
    }
}

impl Memory {
    fn swallow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let at = self.written % self.cycle.reply.len();
            let count = bytes.len().min(self.cycle.reply.len() - at);
            let (head, rest) = bytes.split_at(count);
            if head != &self.cycle.reply[at..at + count] {
                self.outcome.lock().unwrap_or_else(PoisonError::into_inner).wrong = true;
            }
            self.written += count;
            bytes = rest;
        }
    }
}

impl AsyncWrite for Memory {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writes += 1;
        self.swallow(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes += 1;
        let mut count = 0;
        for slice in slices {
            self.swallow(slice);
            count += slice.len();
        }
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        (outcome.written, outcome.writes) = (self.written, self.writes);
    }
}
