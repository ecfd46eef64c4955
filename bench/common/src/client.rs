//! The part of a client program that is the same for all: so many messages in flight on each of so
//! many connections, every reply compared, the process's own CPU time measured.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
#[cfg(feature = "tls")]
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::cycle::Cycle;
use crate::payload::Kind;
use crate::{proc, serve};

#[derive(Args, Clone, Debug)]
pub struct ClientArgs {
    #[arg(long)]
    pub addr: SocketAddr,
    #[arg(long, default_value_t = 1)]
    pub connections: usize,
    /// Messages in flight on each connection
    #[arg(long, default_value_t = 1)]
    pub depth: usize,
    #[arg(long, default_value_t = 16)]
    pub size: usize,
    #[arg(long, value_enum, default_value = "binary")]
    pub kind: Kind,
    /// One message on each connection, then the next connection
    #[arg(long)]
    pub churn: bool,
    /// Speak TLS, trusting this certificate (PEM)
    #[cfg(feature = "tls")]
    #[arg(long)]
    pub tls: Option<PathBuf>,
    /// How long to measure
    #[arg(long, default_value_t = 0.8)]
    pub seconds: f64,
    /// How long to run before that
    #[arg(long, default_value_t = 0.3)]
    pub warmup: f64,
}

/// A client.
pub trait Client: Copy + Send + Sync + 'static {
    /// Connects and shakes hands, then keeps `course.depth` messages in flight until there is an
    /// error.
    fn run(self, course: Course) -> impl Future<Output = io::Result<()>> + Send;
}

/// What one connection is to send, and to get back.
#[derive(Debug)]
pub struct Course {
    pub addr: SocketAddr,
    pub depth: usize,
    pub kind: Kind,
    #[cfg(feature = "tls")]
    pub tls: Option<Arc<rustls::ClientConfig>>,
    cycle: Arc<Cycle>,
    sent: u64,
    received: u64,
    /// Bytes of the message that comes back now.
    part: usize,
    /// Ends with the first reply.
    churn: bool,
    count: Arc<AtomicU64>,
}

impl Course {
    /// The ring's payloads made into what a library sends, once, for [`turn`](Self::turn).
    pub fn messages<T>(&self, make: impl Fn(&[u8]) -> T) -> Vec<T> {
        let count = u64::try_from(self.cycle.count).expect("small");
        (0..count).map(|number| make(self.cycle.payload(number))).collect()
    }

    /// Which of the ring's messages to send now.
    pub fn turn(&mut self) -> usize {
        let index = usize::try_from(self.sent).expect("64 bits") % self.cycle.count;
        self.sent += 1;
        index
    }

    /// A message has come back.
    ///
    /// # Errors
    /// It is not the one that must come.
    pub fn check(&mut self, is_text: bool, payload: &[u8]) -> io::Result<()> {
        self.check_part(is_text, payload, true)
    }

    /// The next part of a message has come back; `end` tells of its last.
    ///
    /// # Errors
    /// It is not what must come.
    pub fn check_part(&mut self, is_text: bool, part: &[u8], end: bool) -> io::Result<()> {
        let left = &self.cycle.payload(self.received)[self.part..];
        let good = if end { left == part } else { left.starts_with(part) };
        if !good || is_text != (self.kind.opcode() == 1) {
            return Err(io::Error::other(format!("message {} came back changed", self.received)));
        }
        if !end {
            self.part += part.len();
            return Ok(());
        }
        self.part = 0;
        self.received += 1;
        // Nobody else writes it.
        self.count.store(self.count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        if self.churn { Err(io::Error::other("the one reply has come")) } else { Ok(()) }
    }

    /// For a library that leaves it to its user.
    pub async fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.addr).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Runs the client for its time, and prints what it did as JSON.
pub fn run(args: &ClientArgs, client: impl Client) -> io::Result<()> {
    let cycle = Arc::new(if args.churn {
        // What a library sends is made from it on each connection.
        Cycle::of(1, args.kind, args.size, 1)
    } else {
        Cycle::new(args.kind, args.size, 1)
    });
    #[cfg(feature = "tls")]
    let tls = args.tls.as_deref().map(crate::tls::client).transpose()?;
    serve::runtime()?.block_on(async {
        let mut counts = Vec::new();
        for _ in 0..args.connections {
            let count = Arc::new(AtomicU64::new(0));
            counts.push(Arc::clone(&count));
            let (cycle, churn) = (Arc::clone(&cycle), args.churn);
            let (addr, depth, kind) = (args.addr, args.depth, args.kind);
            #[cfg(feature = "tls")]
            let tls = tls.clone();
            tokio::spawn(async move {
                loop {
                    let before = count.load(Ordering::Relaxed);
                    let course = Course {
                        addr,
                        depth,
                        kind,
                        #[cfg(feature = "tls")]
                        tls: tls.clone(),
                        cycle: Arc::clone(&cycle),
                        sent: 0,
                        received: 0,
                        part: 0,
                        churn,
                        count: Arc::clone(&count),
                    };
                    let error = client.run(course).await.err();
                    // Nothing else tells it to end.
                    if !churn || count.load(Ordering::Relaxed) != before + 1 {
                        eprintln!("a connection ended: {error:?}");
                        process::exit(1);
                    }
                }
            });
        }
        let total = || counts.iter().map(|count| count.load(Ordering::Relaxed)).sum::<u64>();
        sleep(Duration::from_secs_f64(args.warmup)).await;
        let (before, messages) = (proc::cpu(process::id())?, total());
        sleep(Duration::from_secs_f64(args.seconds)).await;
        let cpu: u64 = proc::cpu_since(process::id(), &before)?.iter().sum();
        let messages = total() - messages;
        println!("{}", json!({ "messages": messages, "cpu_ns": cpu }));
        io::Result::Ok(())
    })
}
