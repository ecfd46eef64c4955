//! Answers of servers and proxies with a few bytes of them changed: whatever comes, connecting ends, and
//! soon, and asks no more often than it may.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use towline::{Client, ClientBuilder, Cookies, Credentials, Proxies, Proxy};

use crate::raw::within;

/// How often each answer is changed.
const MUTANTS: u64 = 120;

/// Most requests that one connect may need: NTLM's rounds, a redirect, a proxy's connections.
const MAX_REQUESTS: usize = 24;

/// A generator that is the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap();
        usize::try_from(self.next() % end).unwrap()
    }
}

/// What breaks those who read carelessly.
const CRUMBS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\0",
    b"\xff",
    b"\"",
    b"\\",
    b"=",
    b",",
    b";",
    b":",
    b"%00",
    b"4294967296",
    b"18446744073709551616",
    b"-1",
    b"ffffffffffffffff",
    b"\x80",
    b"\xc3",
    b" ",
    b"\t",
    b"..",
    b"[",
    b"@",
];

fn mutated(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len());
        let end = (at + 1 + dice.below(12)).min(bytes.len());
        match dice.below(6) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
            1 => drop(bytes.drain(at.min(end)..end)),
            2 => {
                let part = bytes[at.min(end)..end].to_vec();
                bytes.splice(at.min(end)..at.min(end), part);
            }
            3 => {
                let at = at.min(bytes.len());
                bytes.splice(at..at, CRUMBS[dice.below(CRUMBS.len())].iter().copied());
            }
            4 => {
                let crumb = CRUMBS[dice.below(CRUMBS.len())];
                bytes.splice(at.min(end)..end, crumb.iter().copied());
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// Gives one answer after another to all that is said, on each connection anew; its port, and how
/// often it was asked.
fn answering(answers: Vec<Vec<u8>>) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), &answers, &count);
        }
    });
    (port, asked)
}

fn answer(mut stream: TcpStream, answers: &[Vec<u8>], asked: &AtomicUsize) {
    for (number, answer) in answers.iter().enumerate() {
        // A client that waits for more of an answer is not waited for.
        let patience = Duration::from_millis(if number == 0 { 5_000 } else { 50 });
        stream.set_read_timeout(Some(patience)).unwrap();
        let mut said = [0; 4096];
        if !matches!(stream.read(&mut said), Ok(1..)) {
            return;
        }
        asked.fetch_add(1, Ordering::Relaxed);
        if stream.write_all(answer).is_err() {
            return;
        }
    }
    stream.shutdown(Shutdown::Write).ok();
    // A socket that is closed with bytes unread is reset.
    stream.read_to_end(&mut Vec::new()).ok();
}

/// Connects to what gives mutants of these answers, as often as there are.
async fn survives(answers: &[&[u8]], client: impl Fn(u16) -> (ClientBuilder, String)) {
    for seed in 0..MUTANTS {
        let mut dice = Dice(seed);
        let mutants = answers.iter().map(|answer| mutated(answer, &mut dice)).collect();
        let (port, asked) = answering(mutants);
        let (builder, url) = client(port);
        let limit = Duration::from_millis(500);
        let client = builder.handshake_timeout(limit).connect_timeout(limit).build().unwrap();
        // It may even open, if what was changed does not matter.
        let ended = within(client.connect(&url)).await.map(drop);
        let asked = asked.load(Ordering::Relaxed);
        assert!(asked <= MAX_REQUESTS, "seed {seed}: {asked} requests, and then {ended:?}");
        if let Err(error) = ended {
            assert!(!error.to_string().contains("hunter2"), "seed {seed}: {error}");
        }
    }
}

/// One who does all that can be done.
fn eager(port: u16) -> (ClientBuilder, String) {
    let client = Client::builder()
        .credentials(Credentials::password("ada", "hunter2"))
        .redirects(3)
        .cookies(Arc::new(Cookies::new()));
    (client, format!("ws://127.0.0.1:{port}/a/b?c"))
}

const OPEN: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\
    Set-Cookie: a=b; Path=/; Max-Age=10; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Secure\r\n\r\n";

#[tokio::test]
async fn challenges_of_a_server() {
    let asks = b"HTTP/1.1 401 Who?\r\nWWW-Authenticate: Negotiate, NTLM, Basic realm=\"a, b\"\r\n\
        WWW-Authenticate: Digest realm=\"x\\\"y\", nonce=\"abc\", qop=\"auth,auth-int\", \
        algorithm=SHA-512-256, userhash=true, opaque=\"\", stale=FALSE, charset=UTF-8\r\n\
        Set-Cookie: id=7; Domain=127.0.0.1; HttpOnly\r\nTransfer-Encoding: chunked\r\n\r\n\
        5;x=y\r\nwho? \r\n0\r\n\r\n";
    survives(&[asks, asks, OPEN], eager).await;
    let digest =
        b"HTTP/1.1 401 Who?\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"abc\", qop=auth\r\n\
        Content-Length: 4\r\n\r\nwho?";
    survives(&[digest, OPEN], eager).await;
}

#[cfg(feature = "ntlm")]
#[tokio::test]
async fn the_second_message_of_ntlm() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    let asks = b"HTTP/1.1 401 Who?\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n";
    // MS-NLMP §2.2.1.2: the domain's name, flags, eight bytes of challenge, and a list of pairs.
    let mut second = b"NTLMSSP\0\x02\0\0\0\x06\0\x06\0\x38\0\0\0\x05\x82\x8a\xa2".to_vec();
    second
        .extend(b"01234567\0\0\0\0\0\0\0\0\x1e\0\x1e\0\x3e\0\0\0\x0a\0\x61\x4a\0\0\0\x0fD\0O\0M\0");
    second.extend(b"\x02\0\x06\0D\0O\0M\0\x07\0\x08\0\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\0");
    for seed in 0..MUTANTS {
        let token = STANDARD.encode(mutated(&second, &mut Dice(seed)));
        let challenge = format!(
            "HTTP/1.1 401 Who?\r\nWWW-Authenticate: NTLM {token}\r\nContent-Length: 0\r\n\r\n"
        );
        let (port, asked) = answering(vec![asks.to_vec(), challenge.into(), OPEN.to_vec()]);
        let (builder, url) = eager(port);
        let error = within(builder.build().unwrap().connect(&url)).await.map(drop).unwrap_err();
        assert!(asked.load(Ordering::Relaxed) <= MAX_REQUESTS);
        assert!(!format!("{error:?}").contains("hunter2"), "seed {seed}: {error}");
    }
}

#[tokio::test]
async fn redirects_and_cookies() {
    let moved =
        b"HTTP/1.1 302 Found\r\nLocation: ../x/./y?z#w\r\nSet-Cookie: a=b; Path=/a; Max-Age=5\r\n\
        Set-Cookie: __Host-c=\"d\"; Secure; SameSite=Lax\r\nContent-Length: 2\r\n\r\nhi";
    survives(&[moved, OPEN], eager).await;
    survives(&[OPEN], eager).await;
}

/// One who goes through that proxy.
fn through(scheme: &'static str) -> impl Fn(u16) -> (ClientBuilder, String) {
    move |port| {
        let proxy = Proxy::new(format!("{scheme}://127.0.0.1:{port}")).unwrap();
        let proxy = proxy.credentials(Credentials::password("ada", "hunter2"));
        let client = Client::builder().proxies(Proxies::all([proxy]));
        (client, "ws://127.0.0.1.example:9/".to_owned())
    }
}

#[tokio::test]
async fn answers_of_proxies() {
    let asks = b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\n\
        Proxy-Authenticate: Digest realm=\"x\", nonce=\"abc\", qop=\"auth\"\r\n\
        Via: 1.1 gate\r\nContent-Length: 4\r\n\r\nwho?";
    let led = b"HTTP/1.1 200 Connection established\r\nVia: 1.1 gate\r\n\r\n";
    survives(&[asks, led, OPEN], through("http")).await;
    let address = b"\x05\x00\x00\x01\x7f\0\0\x01\0\x09";
    survives(&[b"\x05\x02", b"\x01\0", address, OPEN], through("socks5h")).await;
    survives(&[b"\x05\0", b"\x05\x00\x00\x03\x04host\0\x09", OPEN], through("socks5h")).await;
    survives(&[b"\0\x5a\0\x09\x7f\0\0\x01", OPEN], through("socks4a")).await;
}
