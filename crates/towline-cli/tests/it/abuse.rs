//! `towline abuse`: whom it attacks, and that each verdict can be had from a peer that deserves it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tokio_rustls::rustls;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{DigitallySignedStruct, SignatureScheme};
use towline::proto::handshake::accept_key;

use crate::harness::{Folder, Ran, Running, run, serve, towline};

/// What a bad server makes of a frame that is no ping.
enum React {
    Ignore,
    Close(u16),
    CloseFor(u16, &'static str),
    Cut,
    /// Reads on, and answers nothing any more.
    Stall,
    /// Serves nobody any more.
    Hang,
    /// Ends, and listens no more.
    Die,
}

/// A bad server, for one connection after another; its URL.
fn bad(react: impl FnMut(u8, &[u8]) -> React + Send + 'static) -> String {
    answering(|_| Some(String::new()), react)
}

/// The same, with a header of its own in its answers; it refuses where it has none.
fn answering(
    header: impl Fn(&str) -> Option<String> + Send + 'static,
    mut react: impl FnMut(u8, &[u8]) -> React + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(head) = head(&mut stream) else { continue };
            let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
            let accept = accept_key(key.unwrap_or_default());
            let Some(header) = header(&head) else {
                stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").ok();
                continue;
            };
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n{header}\r\n"
            );
            if stream.write_all(answer.as_bytes()).is_err() {
                continue;
            }
            while let Some((first, payload)) = frame(&mut stream) {
                if first == 0x89 {
                    let pong = [&[0x8A, u8::try_from(payload.len()).unwrap()], &*payload].concat();
                    stream.write_all(&pong).ok();
                    continue;
                }
                match react(first, &payload) {
                    React::Ignore => {}
                    React::Close(code) => close(&mut stream, code, ""),
                    React::CloseFor(code, reason) => close(&mut stream, code, reason),
                    React::Cut => break,
                    React::Stall => drop(stream.read_to_end(&mut Vec::new())),
                    React::Hang => thread::park(),
                    React::Die => return,
                }
            }
        }
    });
    url
}

fn close(stream: &mut TcpStream, code: u16, reason: &str) {
    let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
    let len = u16::try_from(payload.len()).unwrap();
    let mut frame = match len {
        ..126 => vec![0x88, len.to_be_bytes()[1]],
        // As no control frame may be.
        _ => [&[0x88, 126], &len.to_be_bytes()[..]].concat(),
    };
    frame.extend(payload);
    stream.write_all(&frame).ok();
    stream.shutdown(Shutdown::Write).ok();
}

fn head(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// The value of a header, up to its CR LF.
fn header_of<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = head.split_once(&format!("\r\n{name}: "))?;
    rest.split("\r\n").next()
}

fn frame(stream: &mut impl Read) -> Option<(u8, Vec<u8>)> {
    let mut header = [0; 2];
    stream.read_exact(&mut header).ok()?;
    let mut wide = [0; 8];
    let len = match header[1] & 0x7F {
        126 => {
            stream.read_exact(&mut wide[6..]).ok()?;
            u64::from_be_bytes(wide)
        }
        127 => {
            stream.read_exact(&mut wide).ok()?;
            u64::from_be_bytes(wide)
        }
        len => len.into(),
    };
    let mut key = [0; 4];
    if header[1] & 0x80 != 0 {
        stream.read_exact(&mut key).ok()?;
    }
    let mut payload = Vec::new();
    // Not by the declared length: this one is bad on purpose only.
    stream.take(len).read_to_end(&mut payload).ok()?;
    // Of a long one only the length matters here.
    for (byte, key) in payload.iter_mut().take(1000).zip(key.iter().cycle()) {
        *byte ^= key;
    }
    Some((header[0], payload))
}

/// What is attacked is this process, which has other tests to run and memory to use.
const UNMEASURED: &[&str] = &["--max-memory", "100000"];

/// Attacks with these, and gives the rows and how it ended.
fn attack(url: &str, more: &[&str]) -> (Vec<Value>, Ran) {
    let memory = if more.contains(&"--max-memory") { &[] } else { UNMEASURED };
    let patience = if more.contains(&"--patience") { &[][..] } else { &["--patience", "1s"] };
    let ran = run(&[&["abuse", url, "--json"], patience, memory, more].concat());
    (rows(ran.out()), ran)
}

fn rows(out: &str) -> Vec<Value> {
    let lines = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["type"] == "attack").collect()
}

/// Checks what one attack makes of a server.
#[track_caller]
fn check(url: &str, name: &str, verdict: &str, is_good: bool) -> Value {
    check_with(url, name, &[], verdict, is_good)
}

#[track_caller]
fn check_with(url: &str, name: &str, more: &[&str], verdict: &str, is_good: bool) -> Value {
    let (rows, ran) = attack(url, &[&["--only", name], more].concat());
    let [row] = &rows[..] else { panic!("{ran:?}") };
    assert_eq!(
        (row["name"].as_str(), row["verdict"].as_str()),
        (Some(name), Some(verdict)),
        "{row}"
    );
    assert_eq!(row["good"], is_good, "{row}");
    let row = row.clone();
    let ran = ran.ended(if is_good { 0 } else { 1 });
    assert_eq!(is_good, ran.err.is_empty(), "{}", ran.err);
    if !is_good {
        assert!(ran.err.starts_with("towline: 1 attack not withstood: "), "{}", ran.err);
        assert!(ran.err.contains(name), "{}", ran.err);
        assert_ne!(row["note"], "", "{row}");
    }
    row
}

#[test]
fn only_this_machine_is_attacked() {
    for elsewhere in [
        "ws://8.8.8.8",
        "ws://0.0.0.0:1",
        "ws://192.168.0.1",
        "ws://[::]:1",
        "ws://[::ffff:8.8.8.8]",
        "ws://[::ffff:808:808]",
        "ws://[::127.0.0.1]",
        "ws://[64:ff9b::7f00:1]",
        "ws://[2001:db8::1]",
    ] {
        let ran = run(&["abuse", elsewhere]).ended(2);
        assert!(ran.err.contains("not a loopback address"), "{elsewhere}: {}", ran.err);
        let served = elsewhere.strip_prefix("ws://").unwrap();
        let port = if served.ends_with(":1") { "" } else { ":1" };
        let ran = run(&["abuse", "--serve", &format!("{served}{port}")]).ended(2);
        assert!(ran.err.contains("not a loopback address"), "{elsewhere}: {}", ran.err);
    }
    // Numbers that some resolvers take for 8.8.8.8.
    for dressed in ["ws://134744072", "ws://0x08080808", "ws://010.8.8.8", "ws://8.8.2056"] {
        let ran = run(&["abuse", dressed]);
        assert!([Some(2), Some(6)].contains(&ran.code), "{dressed}: {ran:?}");
    }
}

#[test]
#[cfg(unix)]
fn names_are_judged_by_what_they_resolve_to() {
    let echo = serve(&["echo"]);
    let named = echo.url.replace("127.0.0.1", "localhost");
    check(&named, "rsv1", "closed 1002", true);
    // Names of other machines that can be looked up without asking the network.
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    for line in hosts.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let Some(Ok(address)) = words.next().map(str::parse::<std::net::IpAddr>) else { continue };
        if address.to_canonical().is_loopback() {
            continue;
        }
        for name in words.filter(|name| !name.contains("localhost")) {
            let ran = run(&["abuse", &format!("ws://{name}:1")]).ended(2);
            assert!(ran.err.contains("not a loopback address"), "{name}: {}", ran.err);
        }
    }
}

#[test]
fn our_servers_withstand_a_sample() {
    let echo = serve(&["echo"]);
    let names = "not-upgrade,endless-header,wrong-mask,length-2-62,utf8-bad,empty-fragments,resets";
    let (rows, ran) = attack(&echo.url, &["--only", names, "--max-memory", "16"]);
    ran.ended(0);
    assert_eq!(rows.len(), 7);
    for row in &rows {
        assert_eq!(row["good"], true, "{row}");
        #[cfg(target_os = "linux")]
        assert!(row["memory"].as_u64().is_some(), "{row}");
    }
}

#[test]
fn what_should_be_refused_and_is_not() {
    let url = bad(|_, _| React::Ignore);
    check(&url, "not-upgrade", "accepted", false);
    check(&url, "rsv1", "accepted", false);
    check(&url, "utf8-bad", "accepted", false);
    // It reads to the end of a length, so that nothing of it is accepted.
    check(&url, "length-2-62", "held", true);
}

#[test]
fn a_wrong_code_is_not_the_right_one() {
    let url = bad(|_, _| React::Close(1011));
    let row = check(&url, "rsv1", "closed 1011", false);
    assert!(row["note"].as_str().unwrap().contains("good is 1002, cut"), "{row}");
    check(&url, "utf8-bad", "closed 1011", false);
    let url = bad(|_, _| React::Close(1002));
    check(&url, "rsv1", "closed 1002", true);
}

#[test]
fn a_cut_is_good_where_the_connection_fails_and_bad_where_it_goes_on() {
    let url = bad(|_, _| React::Cut);
    check(&url, "rsv1", "cut", true);
    check(&url, "control-inside", "cut", false);
}

#[test]
fn one_that_does_not_react_hangs() {
    let url = bad(|_, _| React::Stall);
    check(&url, "rsv1", "hung", false);
}

#[test]
fn one_that_serves_nobody_else_hangs() {
    let url = bad(|_, _| React::Hang);
    let (rows, ran) = attack(&url, &["--only", "rsv1,rsv2"]);
    let ran = ran.ended(1);
    assert_eq!(rows.len(), 1, "the rest is not played: {}", ran.out());
    assert_eq!((&rows[0]["verdict"], &rows[0]["good"]), (&"hung".into(), &false.into()));
    assert!(rows[0]["note"].as_str().unwrap().contains("whoever comes next"), "{}", rows[0]);
    assert!(ran.out().contains(r#""not_played":1"#), "{}", ran.out());
}

#[test]
fn one_that_listens_no_more_has_crashed() {
    let url = bad(|_, _| React::Die);
    let row = check(&url, "rsv1", "crashed", false);
    assert!(row["note"].as_str().unwrap().contains("nobody listens"), "{row}");
}

#[test]
#[cfg(target_os = "linux")]
fn one_that_keeps_all_it_gets_leaks() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keeping = Arc::clone(&kept);
    let url = bad(move |first, payload| {
        let mut kept = keeping.lock().unwrap();
        match first & 0x0F {
            0 if kept.len() < 50_000_000 => kept.extend_from_slice(payload),
            0 => return React::Close(1009),
            _ => {}
        }
        React::Ignore
    });
    let row = check_with(&url, "endless-message", &["--max-memory", "24"], "leaked", false);
    assert!(row["memory"].as_u64().unwrap() > 24 * 1024 * 1024, "{row}");
    // Of another process's memory nothing is said about this one.
    kept.lock().unwrap().clear();
    let echo = serve(&["echo"]);
    let pid = echo.running.id().to_string();
    let more = ["--max-memory", "24", "--pid", &pid];
    check_with(&url, "endless-message", &more, "closed 1009", true);
}

#[test]
fn one_that_repeats_what_it_was_sent_lets_headers_in() {
    let repeated =
        |head: &str| {
            let protocol = header_of(head, "Sec-WebSocket-Protocol");
            Some(protocol.map_or_else(String::new, |protocol| {
                format!("Sec-WebSocket-Protocol: {protocol}\r\n")
            }))
        };
    let url = answering(repeated, |_, _| React::Ignore);
    let row = check(&url, "header-injection", "wrong", false);
    assert!(row["note"].as_str().unwrap().contains("let a header into"), "{row}");
}

#[test]
fn one_whose_answers_carry_what_nobody_said() {
    for (reason, why) in [
        ("leftovers", "a reason that nobody gave"),
        ("€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€", "a closing frame of 128 bytes"),
    ] {
        let url = bad(move |_, _| React::CloseFor(4000, reason));
        for name in ["close-no-reason", "close-reason", "close-reasons"] {
            let row = check(&url, name, "wrong", false);
            assert!(row["note"].as_str().unwrap().contains(why), "{row}");
        }
    }
    // One that is right until the buffer holds less than it did.
    let mut longest = 0;
    let url = bad(move |_, payload| {
        longest = longest.max(payload.len());
        if payload.len() < 60 && longest > 60 {
            React::CloseFor(4000, "old")
        } else {
            React::Close(4000)
        }
    });
    check(&url, "close-reason", "closed 4000", true);
    let row = check(&url, "close-reasons", "wrong", false);
    assert!(row["note"].as_str().unwrap().contains("at 57 bytes"), "{row}");
    let url = bad(|_, _| React::Close(4000));
    check(&url, "close-reason-124", "closed 4000", false);
}

#[test]
fn one_that_takes_what_comes_twice() {
    let url = bad(|_, _| React::Ignore);
    check(&url, "two-keys", "accepted", false);
    check(&url, "two-versions", "accepted", false);
}

#[test]
fn one_whose_look_at_the_origin_can_be_deceived() {
    type IsOwn = fn(&str, &str) -> bool;
    /// Judges a page by its origin and the name that it has for the server.
    fn judging(is_own: IsOwn) -> String {
        let header = move |head: &str| match header_of(head, "Origin") {
            Some(origin) => is_own(origin, header_of(head, "Host").unwrap()).then(String::new),
            None => Some(String::new()),
        };
        answering(header, |_, _| React::Ignore)
    }
    let deceivable: [(IsOwn, &str); 5] = [
        (|origin, _| origin.starts_with("http://127.0.0.1"), ".foreign."),
        (|origin, host| origin.ends_with(host), "foreign127.0.0.1"),
        (|origin, _| origin == "null", "null"),
        (|origin, _| origin.is_empty(), "[\"\"]"),
        (|origin, host| origin == format!("http://{host}"), "\", \"http://foreign.example"),
    ];
    for (is_own, deceived_by) in deceivable {
        let url = judging(is_own);
        let row = check(&url, "foreign-origin", "wrong", false);
        assert!(row["note"].as_str().unwrap().contains(deceived_by), "{deceived_by}: {row}");
    }
    // Whatever name it is called, it takes for its own.
    let url = judging(|origin, host| origin == format!("http://{host}"));
    check(&url, "foreign-host", "accepted", false);
    let site = serve(&["serve", "-q"]);
    check(&site.at("/echo"), "foreign-origin", "refused 403", true);
    check(&site.at("/echo"), "foreign-host", "refused 403", true);
}

#[test]
fn one_that_agrees_to_compress_on_any_terms() {
    let agreeing = |head: &str| {
        let offer = header_of(head, "Sec-WebSocket-Extensions");
        Some(offer.map_or_else(String::new, |_| {
            "Sec-WebSocket-Extensions: permessage-deflate\r\n".to_owned()
        }))
    };
    let url = answering(agreeing, |_, _| React::Ignore);
    let row = check(&url, "window-bits", "wrong", false);
    assert!(row["note"].as_str().unwrap().contains("it agreed to"), "{row}");
}

#[test]
fn one_that_leaves_an_offer_unanswered() {
    let pausing = |head: &str| {
        let offer = header_of(head, "Sec-WebSocket-Extensions");
        if offer.is_some_and(|offer| offer.ends_with("=16")) {
            thread::sleep(Duration::from_millis(1500));
        }
        let terms = offer.filter(|offer| offer.ends_with("client_max_window_bits"));
        Some(terms.map_or_else(String::new, |_| {
            "Sec-WebSocket-Extensions: permessage-deflate\r\n".to_owned()
        }))
    };
    let url = answering(pausing, |_, _| React::Ignore);
    check(&url, "window-bits", "hung", false);
}

#[test]
fn what_does_not_apply_is_skipped() {
    // It has no TLS, no compression, and lets pages of any origin in.
    let echo = serve(&["echo"]);
    let names = "clear-text,stalled-tls,window-bits,inflate-bomb,foreign-origin,foreign-host";
    let (rows, ran) = attack(&echo.url, &["--only", names]);
    let ran = ran.ended(18);
    assert!(rows.iter().all(|row| row["verdict"] == "skipped") && rows.len() == 6, "{ran:?}");
}

/// Sends each connection on to the address that its first bytes are for; holds it if that is none.
fn routing(route: impl Fn(&[u8]) -> Option<String> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("wss://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut held = Vec::new();
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut first = [0; 4096];
            let count = client.peek(&mut first).unwrap();
            let Some(to) = route(&first[..count]) else {
                held.push(client);
                continue;
            };
            let mut server = TcpStream::connect(to).unwrap();
            let (mut back, mut there) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || {
                std::io::copy(&mut back, &mut there).ok();
                there.shutdown(Shutdown::Both).ok();
            });
            thread::spawn(move || {
                std::io::copy(&mut client, &mut server).ok();
                server.shutdown(Shutdown::Both).ok();
            });
        }
    });
    url
}

#[test]
fn one_that_speaks_in_clear_or_waits_where_tls_was_promised() {
    type IsSaid = fn(&[u8]) -> bool;
    let names = ["127.0.0.1".to_owned()];
    let certified = rcgen::generate_simple_self_signed(names).unwrap();
    let folder = Folder::new();
    let cert = folder.write("cert.pem", certified.cert.pem());
    let key = folder.write("key.pem", certified.signing_key.serialize_pem());
    let secure = serve(&["echo", "--cert", &cert, "--key", &key]);
    let more = ["--cacert", &*cert];
    for name in ["clear-text", "tls-garbage", "tls-goodbye"] {
        check_with(&secure.url, name, &more, "cut", true);
    }
    check_with(&secure.url, "tls-fragments", &more, "held", true);
    let address = |url: &str| url.split_once("//").unwrap().1.to_owned();
    let plain = serve(&["echo"]);
    let (to_secure, to_plain) = (address(&secure.url), address(&plain.url));
    let both =
        routing(move |first| Some(if first[0] == 22 { &to_secure } else { &to_plain }.clone()));
    check_with(&both, "clear-text", &more, "accepted", false);
    // Those that never give up what one attack says.
    let impatient = ["--cacert", &*cert, "--patience", "1s"];
    let said: [(&str, IsSaid); 4] = [
        ("clear-text", |first| first[0] != 22),
        ("tls-garbage", |first| first.ends_with(&[0xFF; 8])),
        ("tls-goodbye", |first| first.ends_with(&[21, 3, 3, 0, 2, 1, 0])),
        ("tls-fragments", |first| first[3..5] < [0, 100][..]),
    ];
    // Beside each other: it is long before they count as hung.
    thread::scope(|scope| {
        for (name, is_said) in said {
            let to = address(&secure.url);
            let stuck = routing(move |first| (!is_said(first)).then(|| to.clone()));
            scope.spawn(move || check_with(&stuck, name, &impatient, "hung", false));
        }
    });
}

#[test]
fn what_cannot_be_attacked_is_said() {
    let echo = serve(&["echo"]);
    for (args, code, words) in [
        (&["abuse", &*echo.url, "--only", "nonsense"][..], 2, "--list"),
        (&["abuse", &echo.url, "--pid", "4294967295"], 2, "process 4294967295"),
        (&["abuse", "wss://127.0.0.1:1"], 2, "--cacert"),
        (&["abuse", "ws://127.0.0.1:1"], 7, "nobody listens"),
        (&["abuse", "--serve", "nonsense"], 2, "127.0.0.1:0"),
    ] {
        let ran = run(args).ended(code);
        assert!(ran.err.contains(words), "{args:?}: {}", ran.err);
        assert_eq!((ran.out(), ran.err.lines().count()), ("", 1));
    }
    let site = serve(&["serve"]);
    let ran = run(&["abuse", &site.at("/nothing")]).ended(22);
    assert!(ran.err.contains("404"), "{}", ran.err);
}

#[test]
fn the_list_says_of_each_attack_what_is_good_and_why() {
    for side in [&["abuse", "--list"][..], &["abuse", "--list", "--serve"]] {
        let plain = run(side).ended(0);
        assert!(plain.out().lines().count() > 80);
        let listed = rows(run(&[side, &["--json"]].concat()).ended(0).out());
        assert_eq!(listed.len(), plain.out().lines().count());
        for attack in listed {
            assert!(!attack["good"].as_array().unwrap().is_empty(), "{attack}");
            assert!(attack["because"].as_str().unwrap().len() > 20, "{attack}");
        }
    }
}

/// A client's TLS that takes any certificate.
fn trusting_anybody() -> rustls::ClientConfig {
    #[derive(Debug)]
    struct Anybody(Arc<CryptoProvider>);
    impl ServerCertVerifier for Anybody {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            Ok(ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.0.signature_verification_algorithms.supported_schemes()
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth()
}

/// The verdicts on one client after the other, and how many of them are good.
fn verdicts(ran: &Ran) -> (Vec<String>, usize) {
    let rows = rows(ran.out());
    let told = |row: &Value| format!("{}: {}", row["name"], row["verdict"]).replace('"', "");
    (rows.iter().map(told).collect(), rows.iter().filter(|row| row["good"] == true).count())
}

#[test]
fn our_client_trusts_nobody_that_it_should_not() {
    let folder = Folder::new();
    let trusted = folder.path("trusted.pem");
    let (server, url) = hostile(&["--tls", &trusted]);
    for code in [0, 60, 60, 60, 35] {
        run(&["connect", "--cacert", &trusted, &url]).ended(code);
    }
    let expected = [
        "certificate-good: held",
        "certificate-name: cut",
        "certificate-self-signed: cut",
        "certificate-expired: cut",
        "clear-text: cut",
    ];
    let (found, good) = verdicts(&server.wait().ended(0));
    assert_eq!((found.as_slice(), good), (&expected.map(str::to_owned)[..], 5));
}

#[test]
fn a_client_that_trusts_anybody_or_nobody_or_has_no_tls_is_seen() {
    let folder = Folder::new();
    let trusted = folder.path("trusted.pem");
    let (server, url) = hostile(&["--tls", &trusted]);
    // It looks whether somebody listens, and says nothing.
    drop(TcpStream::connect(url.strip_prefix("wss://").unwrap()).unwrap());
    let nobody = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let nobody = folder.write("nobody.pem", nobody.cert.pem());
    run(&["connect", "--cacert", &nobody, &url]).ended(60);
    let anybody = Arc::new(trusting_anybody());
    for _ in 0..3 {
        let name = ServerName::try_from("localhost").unwrap();
        let tls = rustls::ClientConnection::new(Arc::clone(&anybody), name).unwrap();
        let tcp = TcpStream::connect(url.strip_prefix("wss://").unwrap()).unwrap();
        talk_carelessly(rustls::StreamOwned::new(tls, tcp), [1, 2, 3, 4]);
    }
    careless(&url.replace("wss://", "ws://"), [1, 2, 3, 4]);
    let ran = server.wait().ended(1);
    let expected = [
        "certificate-good: cut",
        "certificate-name: accepted",
        "certificate-self-signed: accepted",
        "certificate-expired: accepted",
        "clear-text: wrong",
    ];
    let (found, good) = verdicts(&ran);
    assert_eq!((found.as_slice(), good), (&expected.map(str::to_owned)[..], 0));
    assert!(ran.out().contains("in clear text to wss"), "{}", ran.out());
}

#[test]
fn tls_is_attacked_apart() {
    let folder = Folder::new();
    let trusted = folder.path("trusted.pem");
    for (args, code, words) in [
        (&["abuse", "--serve", "--only", "certificate-name"][..], 2, "only played with --tls"),
        (&["abuse", "--serve", "--tls", &trusted, "--only", "rsv1"], 2, "not played with --tls"),
        (&["abuse", "ws://127.0.0.1:1", "--tls", &trusted], 2, "cannot be used with"),
        (&["abuse", "--serve", "--tls", "/no/such/folder/trusted.pem"], 23, "/no/such/folder"),
    ] {
        let ran = run(args).ended(code);
        assert!(ran.err.contains(words), "{args:?}: {}", ran.err);
    }
}

/// The hostile server, and where it listens.
fn hostile(more: &[&str]) -> (Running, String) {
    let mut running = Running::start(&mut towline(
        &[&["abuse", "--serve", "--json", "--patience", "1s"], UNMEASURED, more].concat(),
    ));
    let line: Value = serde_json::from_str(&running.line()).unwrap();
    assert_eq!(line["type"], "listening");
    (running, line["url"].as_str().unwrap().to_owned())
}

#[test]
fn our_client_withstands_a_sample_by_name_and_in_turn() {
    let (server, url) = hostile(&["--only", "rsv1,utf8-bad,control-inside,wrong-accept"]);
    run(&["connect", &format!("{url}/no-such-attack")]).ended(22);
    run(&["connect", &format!("{url}/utf8-bad?query")]).ended(100);
    run(&["connect", &url]).ended(8);
    run(&["connect", &url]).ended(100);
    run(&["connect", &url]).ended(0);
    let ran = server.wait().ended(0);
    let found: Vec<String> = rows(ran.out())
        .iter()
        .map(|row| format!("{}: {}", row["name"], row["verdict"]).replace('"', ""))
        .collect();
    let expected =
        ["utf8-bad: closed 1007", "wrong-accept: cut", "rsv1: closed 1002", "control-inside: held"];
    assert_eq!(found, expected);
}

/// A client that answers pings, and minds nothing.
fn careless(url: &str, key: [u8; 4]) {
    let stream = TcpStream::connect(url.strip_prefix("ws://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    talk_carelessly(stream, key);
}

fn talk_carelessly(mut stream: impl Read + Write, key: [u8; 4]) {
    let request = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    if head(&mut stream).is_none() {
        return;
    }
    while let Some((first, payload)) = frame(&mut stream) {
        if first == 0x89 {
            let mut pong = vec![0x8A, 0x80 | u8::try_from(payload.len()).unwrap()];
            pong.extend(key);
            pong.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
            stream.write_all(&pong).ok();
        }
        if first == 0x88 {
            break;
        }
    }
}

#[test]
fn a_client_that_minds_nothing_is_seen() {
    let (server, url) = hostile(&["--only", "wrong-accept,rsv1,masks"]);
    for _ in 0..3 {
        careless(&url, [1, 2, 3, 4]);
    }
    let ran = server.wait().ended(1);
    let found: Vec<(String, bool)> = rows(ran.out())
        .iter()
        .map(|row| (row["verdict"].as_str().unwrap().to_owned(), row["good"] == true))
        .collect();
    let bad = |verdict: &str| (verdict.to_owned(), false);
    assert_eq!(found, [bad("accepted"), bad("accepted"), bad("wrong")]);
    assert!(ran.out().contains("masks were not new"), "{}", ran.out());
}

#[test]
#[cfg(unix)]
fn the_hostile_server_tells_at_ctrl_c_what_was_not_played() {
    let (server, url) = hostile(&["--only", "rsv1,rsv2"]);
    run(&["connect", &url]).ended(100);
    server.interrupt();
    let ran = server.wait().ended(18);
    assert!(
        ran.out().contains(r#""good":1"#) && ran.out().contains(r#""not_played":1"#),
        "{ran:?}"
    );
}
