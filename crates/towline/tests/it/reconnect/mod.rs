//! Staying connected.

mod clock;
mod delivery;
mod hooks;
mod real;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::Instant;
use towline::proto::Role;
use towline::proto::handshake::Negotiated;
use towline::{
    Client, Config, LinkChange, LinkState, LinkStates, MessageWebSocket, ReconnectBuilder,
    Reconnecting, Transport, WebSocket,
};

/// The server's end of a connection.
type Far = MessageWebSocket<DuplexStream>;

/// What becomes of an attempt to connect.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// There is a connection.
    Open,
    /// The operating system says that nobody listens.
    Refused,
    /// A server answers with this head, and nothing more.
    Says(&'static str),
    /// Nobody answers, ever.
    Silence,
}

/// A server in memory: what it does with each attempt, the last of them again and again.
struct Line {
    /// Its ends of the connections there were.
    far: mpsc::UnboundedReceiver<Far>,
    /// When there was an attempt.
    attempts: Arc<Mutex<Vec<Instant>>>,
}

impl Line {
    async fn next(&mut self) -> Far {
        self.far.recv().await.unwrap()
    }

    fn attempts(&self) -> usize {
        self.attempts.lock().unwrap().len()
    }

    /// The time between each attempt and the next.
    fn waits(&self) -> Vec<Duration> {
        let attempts = self.attempts.lock().unwrap();
        attempts.windows(2).map(|two| two[1] - two[0]).collect()
    }
}

/// A connection that comes back, on the virtual clock, and its server.
fn line(fates: &'static [Fate]) -> (ReconnectBuilder, Line) {
    line_with(fates, Config::default().ping_interval(None))
}

fn line_with(fates: &'static [Fate], config: Config) -> (ReconnectBuilder, Line) {
    let (ends, far) = mpsc::unbounded_channel();
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&attempts);
    let builder = Reconnecting::builder(Client::new(), "ws://app.example/feed");
    let builder = builder.connect_with(move |opening| {
        let number = seen.lock().unwrap().len();
        seen.lock().unwrap().push(Instant::now());
        let (ends, config) = (ends.clone(), config.clone());
        async move {
            let (near, mut end) = duplex(64 * 1024);
            match *fates.get(number).or_else(|| fates.last()).unwrap() {
                Fate::Open => {
                    let terms = Negotiated::default();
                    let quiet = Config::default().ping_interval(None);
                    let far = WebSocket::new(end, Role::Server, terms.clone(), quiet);
                    ends.send(far.into()).ok();
                    let near = Transport::new(near);
                    Ok(WebSocket::new(near, Role::Client, terms, config))
                }
                Fate::Refused => {
                    Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into())
                }
                Fate::Says(head) => {
                    tokio::spawn(async move {
                        end.read_buf(&mut Vec::with_capacity(4096)).await.unwrap();
                        end.write_all(head.as_bytes()).await.unwrap();
                    });
                    Ok(opening.connect_over(near).await?)
                }
                Fate::Silence => std::future::pending().await,
            }
        }
    });
    (builder, Line { far, attempts })
}

/// What a stream of states has to tell by now, a word each.
async fn told(states: &mut LinkStates) -> Vec<String> {
    let mut told = Vec::new();
    while let Ok(Some(change)) = tokio::time::timeout(Duration::ZERO, states.next()).await {
        told.push(match change {
            LinkChange::State(LinkState::Connecting { attempt }) => format!("connecting {attempt}"),
            LinkChange::State(LinkState::Connected) => "connected".to_owned(),
            LinkChange::State(LinkState::Waiting { .. }) => "waiting".to_owned(),
            LinkChange::State(LinkState::Ended { .. }) => "ended".to_owned(),
            other => format!("{other:?}"),
        });
    }
    told
}

fn seconds(time: u64) -> Duration {
    Duration::from_secs(time)
}
