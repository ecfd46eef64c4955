//! Peers that mean harm: what they cost, what they are told, and that nobody else notices.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use towline::{
    Client, CloseCode, Config, Error, ErrorKind, Message, MessageWebSocket, Server, ServerBuilder,
};

use crate::harness::masked;
use crate::raw::{
    Answer, Echo, OPEN, Raw, Step, close_code, frames, opening, script, send, until, within,
};

/// A well-behaved client that goes on, whatever others do.
struct Neighbour {
    enough: Arc<AtomicBool>,
    talking: JoinHandle<u32>,
}

impl Neighbour {
    async fn new(echo: &Echo) -> Self {
        let mut socket = within(MessageWebSocket::connect(echo.url())).await.unwrap();
        let enough = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&enough);
        let talking = tokio::spawn(async move {
            let mut rounds = 0;
            while !stop.load(Ordering::Relaxed) || rounds < 10 {
                let message = Message::text(format!("round {rounds}"));
                within(socket.send(message.clone())).await.unwrap();
                assert_eq!(within(socket.recv()).await.unwrap(), Some(message));
                rounds += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            within(socket.close(CloseCode::NORMAL, "")).await.unwrap();
            rounds
        });
        Self { enough, talking }
    }

    /// It has not been disturbed.
    async fn stays_well(self) {
        self.enough.store(true, Ordering::Relaxed);
        assert!(within(self.talking).await.unwrap() >= 10);
    }
}

/// A peer that sends all of this, unless it is stopped, and reads all that comes.
async fn attack(raw: Raw, bytes: Vec<u8>) -> Vec<u8> {
    attack_with(raw, bytes, Vec::new(), 0).await
}

/// The same, with a batch of frames behind it, so many times.
async fn attack_with(raw: Raw, first: Vec<u8>, batch: Vec<u8>, times: usize) -> Vec<u8> {
    let (mut read, mut write) = raw.0.into_split();
    let writing = tokio::spawn(async move {
        let mut taken = within(write.write_all(&first)).await.is_ok();
        for _ in 0..times {
            // The other side may well have had enough.
            taken = taken && within(write.write_all(&batch)).await.is_ok();
        }
        // Given back, so that this direction stays open until all has been read.
        write
    });
    let mut got = Vec::new();
    within(read.read_to_end(&mut got)).await.ok();
    drop(within(writing).await.unwrap());
    got
}

/// What a peer that sends this behind an opening handshake is told, and the server's account of it.
async fn is_told(builder: ServerBuilder, bytes: Vec<u8>) -> (Option<u16>, Error) {
    is_told_flood(builder, bytes, Vec::new(), 0).await
}

async fn is_told_flood(
    builder: ServerBuilder,
    first: Vec<u8>,
    batch: Vec<u8>,
    times: usize,
) -> (Option<u16>, Error) {
    let mut echo = Echo::new(builder).await;
    let neighbour = Neighbour::new(&echo).await;
    let raw = Raw::opened(echo.addr).await;
    let from = raw.addr();
    let got = attack_with(raw, first, batch, times).await;
    // `Echo` has checked that there is one terminal error and `None` after it.
    let error = echo.error_of(from).await;
    neighbour.stays_well().await;
    until(|| echo.server.connections() == 0).await;
    (close_code(&got), error)
}

fn repeated(frame: &[u8], count: usize) -> Vec<u8> {
    frame.repeat(count)
}

/// The header of a client's frame with a 64-bit length, masked with a key of zeros.
fn declaring(first: u8, len: u64) -> Vec<u8> {
    let mut header = vec![first, 0xFF];
    header.extend(len.to_be_bytes());
    header.extend([0; 4]);
    header
}

#[tokio::test]
async fn a_frame_without_a_mask_is_a_protocol_error() {
    let (code, error) = is_told(Server::builder(), b"\x81\x02hi".to_vec()).await;
    assert_eq!(code, Some(1002));
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(error.close_code(), Some(CloseCode::PROTOCOL_ERROR));
    assert!(error.to_string().contains("not masked"), "{error}");
}

#[tokio::test]
async fn what_breaks_the_protocol_is_told_its_code() {
    for (bytes, code, why) in [
        (masked(0x81, b"\xFF"), 1007, "UTF-8"),
        (masked(0x81, b"\xED\xA0\x80"), 1007, "UTF-8"),
        ([masked(0x01, b"\xC3"), masked(0x80, b"(")].concat(), 1007, "UTF-8"),
        (masked(0x81, b"\xE2\x82"), 1007, "UTF-8"),
        (masked(0x88, b"\x03\xE8\xFF"), 1007, "reason"),
        (masked(0xC1, b"rsv"), 1002, "reserved bit"),
        (masked(0x83, b""), 1002, "opcode"),
        (masked(0x80, b"x"), 1002, "continues no message"),
        ([masked(0x01, b"a"), masked(0x81, b"b")].concat(), 1002, "before the last one"),
        (masked(0x09, b""), 1002, "fragmented"),
        (masked(0x89, &[0; 126]), 1002, "longer than 125"),
        (masked(0x88, b"x"), 1002, "one byte"),
        (masked(0x88, b"\x03\xE7"), 1002, "999"),
        (masked(0x88, b"\x03\xED"), 1002, "1005"),
        (masked(0x88, b"\x13\x88"), 1002, "5000"),
        (declaring(0x82, 1), 1002, "shortest form"),
        (declaring(0x82, 1 << 63), 1002, "top bit"),
        (declaring(0x82, u64::MAX), 1002, "top bit"),
    ] {
        let (told, error) = is_told(Server::builder(), bytes.clone()).await;
        assert_eq!(told, Some(code), "{bytes:?}: {error}");
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    }
}

#[tokio::test]
async fn a_bad_frame_is_told_its_code_though_a_megabyte_follows_it() {
    let mut echo = Echo::new(Server::builder()).await;
    let raw = Raw::opened(echo.addr).await;
    let from = raw.addr();
    let (mut read, mut write) = raw.0.into_split();
    let mut bytes = b"\x81\x02hi".to_vec();
    bytes.resize(1_000_000, 0);
    let writing = tokio::spawn(async move { (write.write_all(&bytes).await, write) });
    let mut got = Vec::new();
    within(read.read_to_end(&mut got)).await.expect("an orderly end");
    assert_eq!(close_code(&got), Some(1002));
    assert_eq!(echo.error_of(from).await.kind(), ErrorKind::Protocol);
    // What is unread when a socket is closed resets it, and the reset may overtake the frame: so
    // all of it has been read.
    let (written, write) = within(writing).await.unwrap();
    written.expect("no reset while writing");
    let reset = read.reunite(write).unwrap().take_error().unwrap();
    assert!(reset.is_none(), "{reset:?}");
}

#[tokio::test]
async fn three_bytes_of_garbage_are_a_protocol_error_or_a_lost_connection() {
    for garbage in [*b"\xFF\xFF\xFF", *b"\r\n\r", *b"GET"] {
        let (code, error) = is_told(Server::builder(), garbage.to_vec()).await;
        assert_eq!((code, error.kind()), (Some(1002), ErrorKind::Protocol), "{error}");
    }
    // These begin a binary message of 126 bytes or more, and then it is gone.
    let mut echo = Echo::new(Server::builder()).await;
    let mut raw = Raw::opened(echo.addr).await;
    raw.put(b"\x82\xFE\x00").await;
    let from = raw.addr();
    drop(raw);
    assert_eq!(echo.error_of(from).await.kind(), ErrorKind::Disconnected);
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_told_1009_by_its_header() {
    let config = || Config::default().max_message_size(1000);
    for bytes in [
        declaring(0x82, 1 << 62),
        declaring(0x82, (1 << 63) - 1),
        declaring(0x82, 100_000),
        [masked(0x02, &[0; 600]), masked(0x80, &[0; 401])].concat(),
        // The sum of lengths stands near the integers' end.
        [masked(0x02, &[0; 600]), declaring(0x80, (1 << 63) - 1)].concat(),
    ] {
        let (code, error) = is_told(Server::builder().config(config()), bytes).await;
        assert_eq!((code, error.kind()), (Some(1009), ErrorKind::TooBig), "{error}");
        assert_eq!(error.close_code(), Some(CloseCode::MESSAGE_TOO_BIG));
        assert!(error.to_string().contains("limit of 1000 bytes"), "{error}");
    }
    // By default there is a limit as well.
    let (code, error) = is_told(Server::builder(), declaring(0x82, 1 << 62)).await;
    assert_eq!((code, error.kind()), (Some(1009), ErrorKind::TooBig), "{error}");
}

#[tokio::test]
async fn a_frame_beyond_the_limit_is_told_1009() {
    let config = Config::default().max_frame_size(100);
    let (code, error) = is_told(Server::builder().config(config), masked(0x82, &[0; 101])).await;
    assert_eq!((code, error.kind()), (Some(1009), ErrorKind::TooBig), "{error}");
}

/// Runs in a process of its own, and bounds what its peak memory grows by.
///
/// `test` is the calling test's full name. The process is this one's program again, which then
/// runs the scenario instead of starting another.
fn with_bounded_memory<F: Future<Output = ()>>(test: &str, kib: u64, scenario: impl FnOnce() -> F) {
    const INSIDE: &str = "TOWLINE_TEST_MEASURES";
    if std::env::var_os(INSIDE).is_none() {
        let program = std::env::current_exe().unwrap();
        let run = std::process::Command::new(program)
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .env(INSIDE, "1")
            .output()
            .unwrap();
        let (out, err) =
            (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success(), "{out}{err}");
        assert!(out.contains("1 passed"), "no such test: {test}\n{out}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // What every connection needs is there before it is measured.
        let mut echo = Echo::new(Server::builder()).await;
        let mut raw = Raw::opened(echo.addr).await;
        let from = raw.addr();
        raw.put(&masked(0x82, &[0; 60_000])).await;
        raw.expect(b"\x82\x7E").await;
        drop(raw);
        echo.error_of(from).await;
        let before = peak_kib();
        scenario().await;
        if let (Some(before), Some(after)) = (before, peak_kib()) {
            println!("{test}: {} KiB more at the peak", after - before);
            assert!(after - before <= kib, "{} KiB more than before", after - before);
        }
    });
}

/// Most memory that this process has had, where the system tells.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn a_length_that_is_declared_costs_nothing_until_it_comes() {
    with_bounded_memory(
        "hostile::a_length_that_is_declared_costs_nothing_until_it_comes",
        2048,
        || async {
            // No limit, so that the length is believed, and then nothing comes.
            let config = Config::default()
                .max_message_size(u64::MAX)
                .ping_interval(Some(Duration::from_millis(100)))
                .pong_timeout(Duration::from_millis(100));
            let mut echo = Echo::new(Server::builder().config(config)).await;
            let mut peers = Vec::new();
            for _ in 0..20 {
                let mut raw = Raw::opened(echo.addr).await;
                raw.put(&declaring(0x82, 1 << 62)).await;
                raw.put(b"a few bytes").await;
                peers.push(raw);
            }
            for mut raw in peers {
                let got = raw.rest_however().await;
                assert_eq!(frames(&got)[0].0, 0x89, "it was asked for life");
                assert_eq!(close_code(&got), Some(1011));
                let error = echo.error_of(raw.addr()).await;
                assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
            }
        },
    );
}

#[test]
fn a_million_empty_fragments_are_told_1008() {
    with_bounded_memory("hostile::a_million_empty_fragments_are_told_1008", 2048, || async {
        let (first, batch) = (masked(0x02, b""), repeated(&masked(0x00, b""), 1000));
        let (code, error) = is_told_flood(Server::builder(), first, batch, 1000).await;
        assert_eq!((code, error.kind()), (Some(1008), ErrorKind::Protocol), "{error}");
        assert!(error.to_string().contains("1024 empty frames"), "{error}");
    });
}

#[test]
fn tiny_fragments_are_told_1008() {
    with_bounded_memory("hostile::tiny_fragments_are_told_1008", 2048, || async {
        let (first, batch) = (masked(0x02, b"x"), repeated(&masked(0x00, b"x"), 1000));
        let (code, error) = is_told_flood(Server::builder(), first, batch, 400).await;
        assert_eq!((code, error.kind()), (Some(1008), ErrorKind::Protocol), "{error}");
        assert!(error.to_string().contains("131072 frames"), "{error}");
    });
}

#[tokio::test]
async fn as_many_fragments_as_the_limit_are_a_message() {
    let config = Config::default().max_fragments(1000);
    let mut echo = Echo::new(Server::builder().config(config)).await;
    let mut raw = Raw::opened(echo.addr).await;
    let mut bytes = masked(0x02, b"x");
    bytes.extend(repeated(&masked(0x00, b"x"), 998));
    bytes.extend(masked(0x80, b"x"));
    bytes.extend(masked(0x88, b""));
    raw.put(&bytes).await;
    let got = frames(&raw.rest().await);
    assert_eq!(got, [(0x82, vec![b'x'; 1000]), (0x88, vec![])]);
    assert!(echo.end_of(raw.addr()).await.errors.is_empty());
}

#[test]
fn a_flood_of_pings_is_told_1008() {
    with_bounded_memory("hostile::a_flood_of_pings_is_told_1008", 2048, || async {
        for opcode in [0x89, 0x8A] {
            let batch = repeated(&masked(opcode, &[7; 20]), 1000);
            let (code, error) = is_told_flood(Server::builder(), Vec::new(), batch, 300).await;
            assert_eq!((code, error.kind()), (Some(1008), ErrorKind::Protocol), "{error}");
            assert!(error.to_string().contains("1000 control frames"), "{error}");
        }
    });
}

#[test]
fn a_flood_of_pings_from_one_that_never_reads_costs_no_memory() {
    with_bounded_memory(
        "hostile::a_flood_of_pings_from_one_that_never_reads_costs_no_memory",
        4096,
        || async {
            let config = Config::default()
                .max_control_frames_per_second(u32::MAX)
                .ping_interval(None)
                .write_timeout(Duration::from_millis(300));
            let mut echo = Echo::new(Server::builder().config(config)).await;
            let neighbour = Neighbour::new(&echo).await;
            let raw = Raw::opened(echo.addr).await;
            let from = raw.addr();
            let (read, mut write) = raw.0.into_split();
            let batch = repeated(&masked(0x89, &[7; 125]), 1000);
            // 64 MiB of pings, if the server takes them all: it may answer the last one only.
            let flood = tokio::spawn(async move {
                for _ in 0..512 {
                    if write.write_all(&batch).await.is_err() {
                        break;
                    }
                }
                write
            });
            let write = within(flood).await.unwrap();
            drop((read, write));
            let ended = echo.end_of(from).await;
            assert_eq!(ended.errors.len(), 1, "{ended:?}");
            neighbour.stays_well().await;
        },
    );
}

#[test]
fn a_peer_that_never_reads_is_given_up_and_costs_a_bounded_memory() {
    with_bounded_memory(
        "hostile::a_peer_that_never_reads_is_given_up_and_costs_a_bounded_memory",
        2048,
        || async {
            let config = Config::default().write_timeout(Duration::from_millis(300));
            let server = Server::builder().config(config).bind("127.0.0.1:0").await.unwrap();
            let deaf = Raw::connect(server.local_addr()).await;
            let mut deaf = deaf;
            deaf.put(opening(&[]).as_bytes()).await;
            let incoming = within(server.accept()).await.unwrap();
            let mut socket = incoming.handshake().await.unwrap().accept_message().await.unwrap();
            let message = bytes::Bytes::from(vec![7; 64 * 1024]);
            let mut sent = 0;
            // What TCP holds is a few megabytes; what we hold is `max_outbox` and one message.
            let error = within(async {
                loop {
                    if let Err(error) = socket.send(message.clone()).await {
                        break error;
                    }
                    sent += 1;
                    assert!(sent < 10_000, "it is all taken, but by whom?");
                }
            })
            .await;
            assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
            assert!(error.to_string().contains("Config::write_timeout"), "{error}");
            // Whoever reads is told too, once.
            let error = within(socket.recv()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
            assert_eq!(within(socket.recv()).await.unwrap(), None);
            let error = within(socket.send("more")).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Closed), "{error}");
            drop(socket);
            assert_eq!(server.connections(), 0);
        },
    );
}

#[tokio::test]
async fn one_that_asks_for_echoes_and_never_reads_them_is_given_up() {
    let config = Config::default().write_timeout(Duration::from_millis(300));
    let mut echo = Echo::new(Server::builder().config(config)).await;
    let neighbour = Neighbour::new(&echo).await;
    let raw = Raw::opened(echo.addr).await;
    let from = raw.addr();
    let (_read, mut write) = raw.0.into_split();
    let batch = repeated(&masked(0x82, &[7; 60_000]), 10);
    let flood = tokio::spawn(async move {
        let mut batches = 0;
        while batches < 1000 && write.write_all(&batch).await.is_ok() {
            batches += 1;
        }
        batches
    });
    let ended = echo.end_of(from).await;
    assert_eq!(ended.send_error.as_ref().map(Error::kind), Some(ErrorKind::TimedOut), "{ended:?}");
    assert_eq!(ended.errors.len(), 1, "{ended:?}");
    assert!(within(flood).await.unwrap() < 1000, "back-pressure reaches it");
    neighbour.stays_well().await;
}

#[tokio::test]
async fn a_page_that_nobody_takes_is_given_up() {
    let config = Config::default().write_timeout(Duration::from_millis(300));
    let server = Server::builder().config(config).bind("127.0.0.1:0").await.unwrap();
    let mut raw = Raw::connect(server.local_addr()).await;
    raw.put(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let upgrade = within(server.accept()).await.unwrap().handshake().await.unwrap();
    let endless = tokio::io::repeat(7);
    let responding = upgrade.respond_stream(http::Response::new(()), endless);
    let error = within(responding).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert_eq!(Answer::parse(raw.head().await.as_bytes()).status, 200);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn what_comes_after_a_closing_frame_is_not_delivered() {
    let mut echo = Echo::new(Server::builder()).await;
    let neighbour = Neighbour::new(&echo).await;
    let raw = Raw::opened(echo.addr).await;
    let from = raw.addr();
    let mut bytes = masked(0x81, b"before");
    bytes.extend(masked(0x88, b"\x0F\xA0bye"));
    bytes.extend(masked(0x81, b"after"));
    bytes.extend(b"\xFF\xFF\xFF");
    let got = attack(raw, bytes).await;
    let expected = [(0x81, b"before".to_vec()), (0x88, b"\x0F\xA0bye".to_vec())];
    assert_eq!(frames(&got), expected);
    let ended = echo.end_of(from).await;
    assert!(ended.errors.is_empty(), "it was a normal close: {ended:?}");
    neighbour.stays_well().await;
}

#[tokio::test]
async fn the_answer_to_a_closing_frame_arrives_though_megabytes_follow_it() {
    for _ in 0..5 {
        let mut echo = Echo::new(Server::builder()).await;
        let raw = Raw::opened(echo.addr).await;
        let from = raw.addr();
        let mut bytes = masked(0x88, &1000u16.to_be_bytes());
        bytes.resize(3_000_000, 0);
        let got = attack(raw, bytes).await;
        assert_eq!(close_code(&got), Some(1000));
        assert!(echo.end_of(from).await.errors.is_empty());
    }
}

#[tokio::test]
async fn a_peer_that_says_nothing_more_while_it_is_closed_is_cut() {
    let config = Config::default().close_timeout(Duration::from_millis(200));
    let server = Server::builder().config(config).bind("127.0.0.1:0").await.unwrap();
    let mut raw = Raw::connect(server.local_addr()).await;
    raw.put(opening(&[]).as_bytes()).await;
    let incoming = within(server.accept()).await.unwrap();
    let mut socket = incoming.handshake().await.unwrap().accept_message().await.unwrap();
    raw.head().await;
    // It goes on with data instead, which is not delivered.
    raw.put(&masked(0x81, b"I talk on")).await;
    let closing = tokio::spawn(async move {
        let closed = socket.close(CloseCode::GOING_AWAY, "").await;
        (closed, socket.recv().await)
    });
    let (closed, after) = within(closing).await.unwrap();
    let error = closed.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert_eq!(after.unwrap(), None);
    assert_eq!(close_code(&raw.rest_however().await), Some(1001));
    until(|| server.connections() == 0).await;
}

#[tokio::test]
async fn a_hundred_hostile_peers_at_once_do_not_disturb_a_good_one() {
    let builder = Server::builder().handshake_timeout(Duration::from_secs(1));
    let mut echo = Echo::new(builder).await;
    let neighbour = Neighbour::new(&echo).await;
    let mut attacks = Vec::new();
    for n in 0..100 {
        attacks.push(tokio::spawn(hostile(n, echo.addr)));
    }
    for attack in attacks {
        let from = within(attack).await.unwrap();
        let ended = echo.end_of(from).await;
        assert_eq!(ended.errors.len(), 1, "{ended:?}");
    }
    neighbour.stays_well().await;
    until(|| echo.server.connections() == 0).await;
}

/// One of many kinds of ill will.
async fn hostile(n: usize, addr: SocketAddr) -> SocketAddr {
    let before: &[&[u8]] =
        &[b"", b"GET / HTTP/1.1\r\nX: ", b"\x16\x03\x01", b"GET / HTTP/9\r\n\r\n"];
    if let Some(bytes) = before.get(n % 10) {
        let mut raw = Raw::connect(addr).await;
        raw.put(bytes).await;
        raw.rest_however().await;
        return raw.addr();
    }
    let raw = Raw::opened(addr).await;
    let from = raw.addr();
    let bytes = match n % 10 {
        4 => declaring(0x82, 1 << 62),
        5 => repeated(&masked(0x89, b"flood"), 20_000),
        6 => [masked(0x02, b""), repeated(&masked(0x00, b""), 20_000)].concat(),
        7 => vec![0xFF; 100_000],
        8 => masked(0x81, b"\xFF"),
        _ => {
            drop(raw);
            return from;
        }
    };
    assert!(close_code(&attack(raw, bytes).await).is_some(), "kind {}", n % 10);
    from
}

/// What a client of ours makes of a server that sends this, and what that server is told.
async fn client_meets(config: Config, bytes: Vec<u8>) -> (Error, Vec<u8>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let client = Client::builder().config(config).build().unwrap();
    let connecting = tokio::spawn(async move { client.connect(&url).await });
    let mut raw = Raw(within(listener.accept()).await.unwrap().0);
    let head = raw.head().await;
    let key = crate::raw::header_of(&head, "Sec-WebSocket-Key")[0];
    let accept = towline::proto::handshake::accept_key(key);
    raw.put(OPEN.replace("{accept}", &accept).as_bytes()).await;
    let mut socket = MessageWebSocket::from(within(connecting).await.unwrap().unwrap());
    let attacking = tokio::spawn(attack(raw, bytes));
    let error = loop {
        match within(socket.recv()).await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("no error"),
            Err(error) => break error,
        }
    };
    assert_eq!(within(socket.recv()).await.unwrap(), None, "one terminal error");
    drop(socket);
    (error, within(attacking).await.unwrap())
}

/// The code of a client's last frame, which is masked.
fn masked_close_code(bytes: &[u8]) -> u16 {
    let last: &[u8; 8] = bytes.last_chunk().unwrap();
    let [0x88, 0x82, a, b, _, _, high, low] = *last else { panic!("{last:?}") };
    u16::from_be_bytes([high ^ a, low ^ b])
}

#[tokio::test]
async fn a_hostile_server_is_told_its_code_by_our_client() {
    let unmasked = |first: u8, len: u64| {
        let mut header = vec![first, 127];
        header.extend(len.to_be_bytes());
        header
    };
    let mut empty = vec![0x02, 0x00];
    empty.extend(repeated(&[0x00, 0x00], 1_000_000));
    let mut tail = masked(0x81, b"hi");
    tail.resize(3_000_000, 0);
    for (bytes, code, kind) in [
        (masked(0x81, b"hi"), 1002, ErrorKind::Protocol),
        (tail, 1002, ErrorKind::Protocol),
        (unmasked(0x82, 1 << 62), 1009, ErrorKind::TooBig),
        (unmasked(0x82, 1 << 63), 1002, ErrorKind::Protocol),
        (empty, 1008, ErrorKind::Protocol),
        (repeated(&[0x89, 0], 100_000), 1008, ErrorKind::Protocol),
        (b"\x81\x01\xFF".to_vec(), 1007, ErrorKind::Protocol),
        (b"\xFF\xFF\xFF".to_vec(), 1002, ErrorKind::Protocol),
    ] {
        let (error, got) = client_meets(Config::default(), bytes).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(masked_close_code(&got), code, "{error}");
        assert_eq!(error.close_code().map(CloseCode::get), Some(code));
    }
}

#[test]
fn a_client_believes_no_length_until_it_comes() {
    with_bounded_memory("hostile::a_client_believes_no_length_until_it_comes", 2048, || async {
        let config = Config::default()
            .max_message_size(u64::MAX)
            .ping_interval(Some(Duration::from_millis(100)))
            .pong_timeout(Duration::from_millis(100));
        let mut bytes = vec![0x82, 127];
        bytes.extend((1u64 << 62).to_be_bytes());
        bytes.extend(b"a few bytes");
        let (error, _) = client_meets(config, bytes).await;
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    });
}

#[tokio::test]
async fn answers_that_are_no_answer_come_to_an_end() {
    let endless = "HTTP/1.1 100 Continue\r\n\r\n".repeat(100_000);
    let (url, server) = script_however(endless.into_bytes()).await;
    let error = within(MessageWebSocket::connect(&url)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Handshake, "{error}");
    assert!(error.to_string().contains("the limit"), "{error}");
    within(server).await.unwrap();
}

#[test]
fn a_refusals_body_without_end_is_read_in_part() {
    with_bounded_memory("hostile::a_refusals_body_without_end_is_read_in_part", 4096, || async {
        for length in
            ["Content-Length: 9000000000000000000\r\n", "", "Transfer-Encoding: chunked\r\n"]
        {
            let mut answer = format!("HTTP/1.1 500 Oops\r\n{length}\r\n").into_bytes();
            answer.resize(1_000_000, b'x');
            let (url, server) = script_however(answer).await;
            let error = within(MessageWebSocket::connect(&url)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Handshake, "{error}");
            let response = error.response().unwrap();
            assert_eq!(response.status(), 500);
            assert!(response.body().len() <= 16 * 1024, "{}", response.body().len());
            assert!(!length.contains("Content") || !response.body().is_empty());
            within(server).await.unwrap();
        }
    });
}

#[tokio::test]
async fn a_server_that_never_reads_holds_no_client() {
    let config = Config::default().write_timeout(Duration::from_millis(300));
    let client = Client::builder().config(config).build().unwrap();
    let (url, server) =
        script([Step::Head, send(OPEN), Step::Expect(vec![0x82]), Step::Wait]).await;
    let mut socket = MessageWebSocket::from(within(client.connect(&url)).await.unwrap());
    let message = bytes::Bytes::from(vec![7; 64 * 1024]);
    let error = within(async {
        loop {
            if let Err(error) = socket.send(message.clone()).await {
                break error;
            }
        }
    })
    .await;
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    server.abort();
}

/// A server that answers whatever it is asked with this, as much of it as is taken.
async fn script_however(answer: Vec<u8>) -> (String, JoinHandle<Vec<u8>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut raw = Raw(within(listener.accept()).await.unwrap().0);
        raw.head().await;
        attack(raw, answer).await
    });
    (url, server)
}
