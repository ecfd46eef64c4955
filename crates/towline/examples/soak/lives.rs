//! The ways in which a connection spends its life and ends well. Every message has to come back.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep};
use towline::{
    Client, CloseCode, Config, Deflate, Event, Message, MessageKind, MessageWebSocket,
    StreamWebSocket, WebSocket,
};

use crate::content::{compare, message};
use crate::tally::Tally;

/// What went wrong, for people.
pub(crate) type Wrong = Box<dyn std::error::Error + Send + Sync>;

/// A connection to come.
pub(crate) struct Life<'a> {
    pub(crate) url: &'a str,
    /// No other connection has it.
    pub(crate) id: u64,
    pub(crate) rng: &'a mut StdRng,
    /// Between two exchanges, on average.
    pub(crate) pace: Duration,
    /// When to come to an end.
    pub(crate) end: Instant,
    pub(crate) tally: &'a Tally,
    pub(crate) way: &'static Way,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Small,
    Pipeline,
    Large,
    Stream,
    Slow,
    Reset,
    Vanish,
    HalfOpen,
    Garbage,
    GarbageFrames,
}

/// A way to live, and how common it is.
pub(crate) struct Way {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) weight: u32,
    pub(crate) compressed: bool,
}

impl Way {
    const fn new(kind: Kind, name: &'static str, weight: u32) -> Self {
        Self { kind, name, weight, compressed: false }
    }

    const fn compressed(self) -> Self {
        Self { compressed: true, ..self }
    }
}

/// All of them. What is large repeats itself so much that no server would inflate it.
pub(crate) const WAYS: &[Way] = &[
    Way::new(Kind::Small, "small messages and pings", 30),
    Way::new(Kind::Small, "small, compressed", 10).compressed(),
    Way::new(Kind::Pipeline, "64 in flight", 15),
    Way::new(Kind::Pipeline, "64 in flight, compressed", 5).compressed(),
    Way::new(Kind::Large, "1 MiB messages", 5),
    Way::new(Kind::Stream, "streams, 1 to 8 MiB", 3),
    Way::new(Kind::Slow, "slow reader", 4),
    Way::new(Kind::Slow, "slow reader, compressed", 1).compressed(),
    Way::new(Kind::Reset, "reset in a message", 8),
    Way::new(Kind::Vanish, "ended without a close", 8),
    Way::new(Kind::HalfOpen, "half-open", 3),
    Way::new(Kind::Garbage, "garbage for a request", 4),
    Way::new(Kind::GarbageFrames, "garbage for frames", 4),
];

impl Life<'_> {
    pub(crate) async fn live(mut self, kind: Kind) -> Result<(), Wrong> {
        match kind {
            Kind::Small => self.small().await,
            Kind::Pipeline => self.pipeline().await,
            Kind::Large => self.large().await,
            Kind::Stream => self.stream().await,
            Kind::Slow => self.slow().await,
            Kind::Reset => self.reset().await,
            Kind::Vanish => self.vanish().await,
            Kind::HalfOpen => self.half_open().await,
            Kind::Garbage => self.garbage().await,
            Kind::GarbageFrames => self.garbage_frames().await,
        }
    }

    pub(crate) async fn connect(&self) -> Result<WebSocket, Wrong> {
        // A machine that is busy with thousands of connections may be late.
        let late = Duration::from_secs(60);
        let config = Config::default().pong_timeout(late).write_timeout(late).close_timeout(late);
        let mut client = Client::builder().connect_timeout(late).handshake_timeout(late);
        if self.way.compressed {
            client = client.deflate(Deflate::default());
        }
        let socket = client.config(config).build()?.connect(self.url).await?;
        match socket.info().deflate().is_some() == self.way.compressed {
            true => Ok(socket),
            false => Err("client and server disagree on compression".into()),
        }
    }

    /// One message at a time, of a few bytes to a few KiB, and a ping here and there.
    async fn small(&mut self) -> Result<(), Wrong> {
        let mut socket = MessageWebSocket::from(self.connect().await?);
        for number in 0..self.rng.random_range(10..50) {
            if Instant::now() > self.end {
                break;
            }
            let sent = self.message(number, 4000);
            socket.send(sent.clone()).await?;
            if number % 16 == 7 {
                socket.ping(number.to_be_bytes()).await?;
            }
            let got = socket.recv().await?.ok_or("the server closed")?;
            self.check(&sent, &got)?;
            if number % 16 == 7 {
                match socket.recv_event().await? {
                    Some(Event::Pong(payload)) if *payload == number.to_be_bytes() => {}
                    other => return Err(format!("no pong but {other:?}").into()),
                }
            }
            self.rest().await;
        }
        socket.close(CloseCode::NORMAL, "done").await?;
        let nothing = socket.recv().await?;
        if nothing.is_some()
            || socket.close_frame().map(|frame| frame.code) != Some(CloseCode::NORMAL)
        {
            return Err(format!("after the close: {nothing:?}, {:?}", socket.close_frame()).into());
        }
        Ok(())
    }

    /// Many at a time.
    async fn pipeline(&mut self) -> Result<(), Wrong> {
        let mut socket = MessageWebSocket::from(self.connect().await?);
        for round in 0..self.rng.random_range(2..8) {
            if Instant::now() > self.end {
                break;
            }
            let sent: Vec<_> = (0..64).map(|n| self.message(round * 64 + n, 200)).collect();
            for message in &sent {
                socket.feed(message.clone()).await?;
            }
            socket.flush().await?;
            for sent in &sent {
                let got = socket.recv().await?.ok_or("the server closed")?;
                self.check(sent, &got)?;
            }
            self.rest().await;
        }
        Ok(socket.close(CloseCode::NORMAL, "").await?)
    }

    async fn large(&mut self) -> Result<(), Wrong> {
        let (mut receiver, sender) = MessageWebSocket::from(self.connect().await?).split();
        for number in 0..self.rng.random_range(1..4) {
            let sent = message(self.kind(), self.id, number, 1 << 20);
            let (sending, got) = tokio::join!(sender.send(sent.clone()), receiver.recv());
            sending?;
            self.check(&sent, &got?.ok_or("the server closed")?)?;
            self.rest().await;
        }
        let (closing, end) = tokio::join!(sender.close(CloseCode::NORMAL, ""), receiver.recv());
        closing?;
        if end?.is_none() { Ok(()) } else { Err("a message after the last".into()) }
    }

    /// One message larger than anybody holds, in fragments or in one frame, compared by its hash.
    async fn stream(&mut self) -> Result<(), Wrong> {
        let (mut receiver, mut sender) = StreamWebSocket::from(self.connect().await?).split();
        let block = message(MessageKind::Binary, self.id, 0, 50_000).into_bytes();
        let blocks = self.rng.random_range(20..160_u32);
        let one_frame = self.rng.random_bool(0.5);
        let len = u64::from(blocks) * u64::try_from(block.len())?;
        let send = async {
            let mut hash = Sha256::new();
            let mut writer = if one_frame {
                sender.message_writer_sized(MessageKind::Binary, len)
            } else {
                sender.message_writer(MessageKind::Binary)
            };
            for number in 0..blocks {
                let mut block = block.to_vec();
                block[..4].copy_from_slice(&number.to_be_bytes());
                writer.write_all(&block).await?;
                hash.update(&block);
            }
            writer.finish().await?;
            Ok::<_, Wrong>(hash.finalize())
        };
        let receive = async {
            let mut hash = Sha256::new();
            let mut message = receiver.next_message().await?.ok_or("the server closed")?;
            while let Some(chunk) = message.chunk().await? {
                hash.update(chunk.bytes);
            }
            Ok::<_, Wrong>(hash.finalize())
        };
        let (sent, got) = tokio::join!(send, receive);
        if sent? != got? {
            return Err("what came back has another hash".into());
        }
        self.tally.message(self.way.name, usize::try_from(len)?);
        sender.close(CloseCode::NORMAL, "").await?;
        let after = receiver.next_message().await?.is_some();
        if after { Err("a message after the last".into()) } else { Ok(()) }
    }

    /// Has much sent back and takes it late, so that the server has to wait.
    async fn slow(&mut self) -> Result<(), Wrong> {
        let (mut receiver, sender) = MessageWebSocket::from(self.connect().await?).split();
        let all: Vec<_> =
            (0..40).map(|number| message(self.kind(), self.id, number, 60_000)).collect();
        let messages = all.clone();
        let send = async {
            for message in messages {
                sender.send(message).await?;
            }
            Ok::<_, Wrong>(())
        };
        let pause = Duration::from_millis(self.rng.random_range(0..100));
        let receive = async {
            for sent in &all {
                sleep(pause).await;
                let got = receiver.recv().await?.ok_or("the server closed")?;
                self.check(sent, &got)?;
            }
            Ok::<_, Wrong>(())
        };
        let (sending, receiving) = tokio::join!(send, receive);
        sending?;
        receiving?;
        let (closing, end) = tokio::join!(sender.close(CloseCode::NORMAL, ""), receiver.recv());
        closing?;
        if end?.is_none() { Ok(()) } else { Err("a message after the last".into()) }
    }

    pub(crate) fn kind(&mut self) -> MessageKind {
        if self.rng.random_bool(0.5) { MessageKind::Text } else { MessageKind::Binary }
    }

    /// Short ones are the most common.
    pub(crate) fn message(&mut self, number: u32, most: usize) -> Message {
        let most = self.rng.random_range(1..=most);
        let len = self.rng.random_range(0..=most);
        message(self.kind(), self.id, number, len)
    }

    fn check(&self, sent: &Message, got: &Message) -> Result<(), Wrong> {
        compare(sent, got)?;
        self.tally.message(self.way.name, got.len());
        Ok(())
    }

    pub(crate) async fn rest(&mut self) {
        sleep(self.pace.mul_f64(self.rng.random_range(0.0..2.0))).await;
    }
}
