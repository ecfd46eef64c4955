//! Raw peers over TCP: bytes in, bytes out, no WebSocket library between.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use towline::proto::handshake::accept_key;
use towline::{Error, Incoming, MessageWebSocket, Server, ServerBuilder};

/// Nothing here takes so long, even on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    timeout(PATIENCE, future).await.expect("this should not take a minute")
}

/// Waits until something is so.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    within(async {
        while !is_so() {
            sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// Headers to set, or to leave out (`None`).
pub(crate) type Headers<'a> = &'a [(&'a str, Option<&'a str>)];

/// The opening request of RFC 6455 §1.2, with headers changed, left out (`None`) or added.
pub(crate) fn opening(changes: Headers<'_>) -> String {
    opening_by("GET /chat HTTP/1.1", changes)
}

pub(crate) fn opening_by(line: &str, changes: Headers<'_>) -> String {
    let own = [
        ("Host", "localhost"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
    ];
    let mut head = format!("{line}\r\n");
    for (name, value) in own {
        if !changes.iter().any(|(changed, _)| *changed == name) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    for (name, value) in changes {
        if let Some(value) = value {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head + "\r\n"
}

/// An HTTP answer, as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| {
            panic!("no whole head: {:?}", String::from_utf8_lossy(bytes));
        });
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Self { status: status.unwrap(), head, body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.head.lines().skip(1).filter_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        });
        let value = found.next();
        assert!(found.next().is_none(), "{name} is there twice: {}", self.head);
        value
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// One end of a TCP connection that says what a test tells it.
#[derive(Debug)]
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        let stream = within(TcpStream::connect(addr)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// A connection whose opening handshake is done.
    pub(crate) async fn opened(addr: SocketAddr) -> Self {
        let mut raw = Self::connect(addr).await;
        raw.put(opening(&[]).as_bytes()).await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        raw
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    pub(crate) async fn put(&mut self, bytes: &[u8]) {
        within(self.0.write_all(bytes)).await.unwrap();
    }

    pub(crate) async fn put_bytewise(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.put(&[*byte]).await;
        }
    }

    /// Reads exactly these bytes.
    pub(crate) async fn expect(&mut self, bytes: &[u8]) {
        let mut got = vec![0; bytes.len()];
        within(self.0.read_exact(&mut got)).await.unwrap();
        assert_eq!(got, bytes);
    }

    /// Reads a head to its blank line, and not a byte more.
    pub(crate) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match within(self.0.read_u8()).await {
                Ok(byte) => head.push(byte),
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&head)),
            }
        }
        String::from_utf8(head).unwrap()
    }

    /// Reads to an orderly end: a reset fails.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        within(self.0.read_to_end(&mut rest)).await.unwrap();
        rest
    }

    /// Reads to the end, be it orderly or not.
    pub(crate) async fn rest_however(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        within(self.0.read_to_end(&mut rest)).await.ok();
        rest
    }
}

/// Sends a request and reads the answer to its end.
pub(crate) async fn ask(addr: SocketAddr, request: &str) -> Answer {
    let mut raw = Raw::connect(addr).await;
    raw.put(request.as_bytes()).await;
    Answer::parse(&raw.rest().await)
}

/// A step of a scripted server.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Reads a request's head.
    Head,
    /// Reads exactly these bytes.
    Expect(Vec<u8>),
    /// Sends this. `{accept}` stands for what answers the request's key.
    Send(Vec<u8>),
    /// The same, each byte by itself.
    Bytewise(Vec<u8>),
    /// Reads until the client ends the connection.
    End,
    /// Does nothing until the test has had enough.
    Wait,
}

/// The answer that opens a WebSocket.
pub(crate) const OPEN: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n";

pub(crate) fn send(text: &str) -> Step {
    Step::Send(text.as_bytes().to_vec())
}

/// A server that plays its part once. Gives its address, and the head of the request that it got.
pub(crate) async fn script(steps: impl Into<Vec<Step>>) -> (String, JoinHandle<String>) {
    let steps = steps.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let play = tokio::spawn(async move {
        let (stream, _) = within(listener.accept()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut raw = Raw(stream);
        let mut head = String::new();
        for step in steps {
            match step {
                Step::Head => head = raw.head().await,
                Step::Expect(bytes) => raw.expect(&bytes).await,
                Step::Send(bytes) => raw.put(&with_accept(bytes, &head)).await,
                Step::Bytewise(bytes) => raw.put_bytewise(&with_accept(bytes, &head)).await,
                Step::End => drop(raw.rest_however().await),
                Step::Wait => std::future::pending().await,
            }
        }
        head
    });
    (url, play)
}

pub(crate) fn header_of<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

fn with_accept(bytes: Vec<u8>, head: &str) -> Vec<u8> {
    let Some(at) = bytes.windows(8).position(|eight| eight == b"{accept}") else { return bytes };
    let accept = accept_key(header_of(head, "Sec-WebSocket-Key")[0]);
    [&bytes[..at], accept.as_bytes(), &bytes[at + 8..]].concat()
}

/// How a connection ended at the server.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) peer: SocketAddr,
    /// The errors of shaking hands and receiving, in order.
    pub(crate) errors: Vec<Error>,
    /// The error of sending, if it came to that.
    pub(crate) send_error: Option<Error>,
}

/// A server that echoes messages and keeps account of how connections ended.
#[derive(Debug)]
pub(crate) struct Echo {
    pub(crate) server: Arc<Server>,
    pub(crate) addr: SocketAddr,
    ends: mpsc::UnboundedReceiver<Ended>,
    seen: Vec<Ended>,
    accepting: JoinHandle<Error>,
}

impl Echo {
    pub(crate) async fn new(builder: ServerBuilder) -> Self {
        let server = Arc::new(builder.bind("127.0.0.1:0").await.unwrap());
        let addr = server.local_addr();
        let (account, ends) = mpsc::unbounded_channel();
        let listening = Arc::clone(&server);
        let accepting = tokio::spawn(async move {
            loop {
                match listening.accept().await {
                    Ok(incoming) => drop(tokio::spawn(echo(incoming, account.clone()))),
                    Err(error) => return error,
                }
            }
        });
        Self { server, addr, ends, seen: Vec::new(), accepting }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/", self.addr)
    }

    /// How the connection from there ended, once it has.
    pub(crate) async fn end_of(&mut self, peer: SocketAddr) -> Ended {
        loop {
            if let Some(at) = self.seen.iter().position(|ended| ended.peer == peer) {
                return self.seen.swap_remove(at);
            }
            self.seen.push(within(self.ends.recv()).await.unwrap());
        }
    }

    /// How a connection ended of which nothing was said yet, whoever it was.
    pub(crate) async fn any_end(&mut self) -> Ended {
        match self.seen.pop() {
            Some(ended) => ended,
            None => within(self.ends.recv()).await.unwrap(),
        }
    }

    /// The one error with which the connection from there ended.
    pub(crate) async fn error_of(&mut self, peer: SocketAddr) -> Error {
        let mut ended = self.end_of(peer).await;
        assert_eq!(ended.errors.len(), 1, "{ended:?}");
        ended.errors.remove(0)
    }

    /// Why it stopped accepting.
    pub(crate) async fn stopped(self) -> Error {
        within(self.accepting).await.unwrap()
    }
}

async fn echo(incoming: Incoming, account: mpsc::UnboundedSender<Ended>) {
    let mut ended = Ended { peer: incoming.peer_addr(), errors: Vec::new(), send_error: None };
    let shaken = async { incoming.handshake().await?.accept_message().await };
    match shaken.await {
        Err(error) => ended.errors.push(error),
        Ok(mut socket) => {
            ended.send_error = echo_messages(&mut socket, &mut ended.errors).await;
            // The end is told once.
            assert!(matches!(socket.recv().await, Ok(None)));
        }
    }
    account.send(ended).ok();
}

async fn echo_messages(socket: &mut MessageWebSocket, errors: &mut Vec<Error>) -> Option<Error> {
    let mut send_error = None;
    loop {
        match socket.recv().await {
            Ok(Some(message)) if send_error.is_none() => {
                send_error = socket.send(message).await.err();
            }
            Ok(Some(_)) => {}
            Ok(None) => return send_error,
            Err(error) => {
                errors.push(error);
                if errors.len() > 1 {
                    return send_error;
                }
            }
        }
    }
}

/// A server's frames, taken apart: opcode with its FIN bit, and payload. What is cut is left out.
pub(crate) fn frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, len, rest @ ..] = bytes {
        let (len, rest) = match (len, rest) {
            (126, [high, low, rest @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            (..126, rest) => (usize::from(*len), rest),
            _ => break,
        };
        let Some((payload, rest)) = rest.split_at_checked(len) else { break };
        frames.push((*first, payload.to_vec()));
        bytes = rest;
    }
    frames
}

/// The code of the closing frame with which the bytes end.
pub(crate) fn close_code(bytes: &[u8]) -> Option<u16> {
    match frames(bytes).last() {
        Some((0x88, payload)) => {
            Some(payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code)))
        }
        _ => None,
    }
}

/// A server that answers one request after another, each as it is told; and what it was asked.
#[derive(Debug)]
pub(crate) struct Answering {
    pub(crate) addr: SocketAddr,
    asked: Arc<std::sync::Mutex<Vec<(usize, String)>>>,
}

impl Answering {
    /// `answer` is given the number of the request and its head. Where it says `Connection: close`
    /// the connection ends.
    pub(crate) async fn new(
        answer: impl Fn(usize, &str) -> String + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
        let account = Arc::clone(&asked);
        tokio::spawn(async move {
            for connection in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                while let Some(head) = next_head(&mut stream).await {
                    let number = {
                        let mut asked = account.lock().unwrap();
                        asked.push((connection, head.clone()));
                        asked.len() - 1
                    };
                    let answer = answer(number, &head);
                    let bytes = with_accept(answer.clone().into_bytes(), &head);
                    stream.write_all(&bytes).await.unwrap();
                    if answer.contains("Connection: close") || answer.contains(" 101 ") {
                        break;
                    }
                }
                // Our direction ends; what the client still says is read out.
                stream.shutdown().await.ok();
                tokio::spawn(async move { stream.read_to_end(&mut Vec::new()).await.ok() });
            }
        });
        Self { addr, asked }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.addr)
    }

    /// The connection of each request, and its head.
    pub(crate) fn asked(&self) -> Vec<(usize, String)> {
        self.asked.lock().unwrap().clone()
    }

    /// What each request said in this header; nothing for one that lacks it.
    pub(crate) fn said(&self, name: &str) -> Vec<String> {
        let of = |(_, head): &(usize, String)| header_of(head, name).join(", ");
        self.asked().iter().map(of).collect()
    }
}

async fn next_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}
