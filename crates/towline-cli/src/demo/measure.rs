//! What the demo does with one server.

use std::path::Path;
use std::time::Duration;

use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use towline::{
    Client, CloseCode, Message, MessageKind, MessageWebSocket, StreamWebSocket, TlsConfig,
    WebSocket,
};

use crate::client::streaming;
use crate::exit::{Code, Failure, Outcome};
use crate::progress::{Done, Progress};

/// Messages that go out and come back to measure how many do so in a second.
const MESSAGES: u32 = 50_000;

/// Round trips, of which the middle one counts.
const ROUND_TRIPS: usize = 101;

/// Bytes read of the file at once.
const PIECE: usize = 64 * 1024;

/// What was found out about one server.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) handshake: Duration,
    pub(super) round_trip: Duration,
    pub(super) messages_per_second: f64,
    pub(super) file_sha256: String,
    /// As the server received it, by its own word.
    pub(super) up: Done,
    /// As the client received it.
    pub(super) down: Done,
    pub(super) differences: Vec<String>,
}

pub(super) async fn all(url: &str, trust: Option<TlsConfig>, file: &Path) -> Outcome<Measured> {
    let mut client = Client::builder().config(streaming());
    if let Some(trust) = trust {
        client = client.tls(trust);
    }
    let client = client.build()?;

    let begun = Instant::now();
    let mut socket: MessageWebSocket = client.connect(format!("{url}/echo")).await?.into();
    let handshake = begun.elapsed();
    let differences = exchange(&mut socket).await?;
    let round_trip = round_trip(&mut socket).await?;
    let messages_per_second = burst(socket).await?;

    let (file_sha256, up) = up(client.connect(format!("{url}/upload")).await?, file).await?;
    let down = down(client.connect(format!("{url}/download")).await?, up.bytes).await?;
    Ok(Measured { handshake, round_trip, messages_per_second, file_sha256, up, down, differences })
}

/// Sends one of each kind and tells what came back changed.
async fn exchange(socket: &mut MessageWebSocket) -> Outcome<Vec<String>> {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let mut differences = Vec::new();
    for (what, sent) in [
        ("text", Message::text("Hello, žluťoučký kůň, 你好 🚢")),
        ("empty text", Message::text("")),
        ("binary", Message::binary(every_byte)),
    ] {
        socket.send(sent.clone()).await?;
        if socket.recv().await?.as_ref() != Some(&sent) {
            differences.push(format!("{what} came back changed"));
        }
    }
    Ok(differences)
}

async fn round_trip(socket: &mut MessageWebSocket) -> Outcome<Duration> {
    let mut times = Vec::with_capacity(ROUND_TRIPS);
    for _ in 0..ROUND_TRIPS {
        let begun = Instant::now();
        socket.send("there and back").await?;
        socket.recv().await?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times[ROUND_TRIPS / 2])
}

async fn burst(socket: MessageWebSocket) -> Outcome<f64> {
    let (mut receiver, sender) = socket.split();
    let begun = Instant::now();
    let sending = async {
        for _ in 0..MESSAGES {
            sender.feed("as long as what people say in chats").await?;
        }
        sender.flush().await
    };
    let receiving = async {
        for _ in 0..MESSAGES {
            receiver.recv().await?;
        }
        Ok(())
    };
    tokio::try_join!(sending, receiving)?;
    let rate = f64::from(MESSAGES) / begun.elapsed().as_secs_f64();
    sender.close(CloseCode::NORMAL, "").await?;
    while receiver.recv().await?.is_some() {}
    Ok(rate)
}

/// Sends the file as one message; gives its SHA-256 here, and what the server says it received.
async fn up(socket: WebSocket, path: &Path) -> Outcome<(String, Done)> {
    let failed = |error| Failure::reading(path.display(), &error);
    let mut socket = StreamWebSocket::from(socket);
    let mut file = File::open(path).await.map_err(failed)?;
    let mut progress = Progress::new(file.metadata().await.ok().map(|metadata| metadata.len()));
    let mut message = socket.message_writer(MessageKind::Binary);
    let mut piece = vec![0; PIECE];
    loop {
        let len = file.read(&mut piece).await.map_err(failed)?;
        if len == 0 {
            break;
        }
        message.write_all(&piece[..len]).await?;
        progress.add(&piece[..len]);
    }
    message.finish().await?;
    let mut answer = String::new();
    if let Some(mut message) = socket.next_message().await? {
        message.read_to_string(&mut answer).await?;
    }
    // The time up to the answer: all of it has arrived.
    let here = progress.finish();
    socket.close(CloseCode::NORMAL, "").await?;
    let answer: serde_json::Value = serde_json::from_str(&answer).map_err(|error| {
        Failure::new(Code::Other, format!("the upload was not understood: {error}"))
    })?;
    let there = Done {
        bytes: answer["bytes"].as_u64().unwrap_or_default(),
        sha256: answer["sha256"].as_str().unwrap_or_default().to_owned(),
        time: here.time,
    };
    Ok((here.sha256, there))
}

async fn down(socket: WebSocket, len: u64) -> Outcome<Done> {
    let mut socket = StreamWebSocket::from(socket);
    let mut progress = Progress::new(Some(len));
    if let Some(mut message) = socket.next_message().await? {
        while let Some(chunk) = message.chunk().await? {
            progress.add(chunk.bytes);
        }
    }
    let done = progress.finish();
    socket.close(CloseCode::NORMAL, "").await?;
    Ok(done)
}
