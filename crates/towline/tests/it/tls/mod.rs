//! TLS on both sides.

mod alpn;
mod authority;
#[cfg(feature = "ntlm")]
mod bound;
mod checks;
mod clients;
mod errors;
mod fatal;
mod foreign;
mod names;
mod pins;
#[cfg(feature = "pkcs12")]
mod pkcs12;
mod revoked;
mod shown;

use std::error::Error as _;
use std::time::Duration;

use rcgen::date_time_ymd;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use towline::{
    CertificateError, Client, ClientBuilder, CloseCode, Error, ErrorKind, Message, MessageKind,
    MessageWebSocket, PeerCertificates, Server, ServerTls, Severity, StreamWebSocket, TlsConfig,
    TlsVersion, WebSocket,
};

use authority::{Authority, Identity, client_config};

use crate::harness::masked;
use crate::raw::{Echo, Raw, header_of, opening, until, within};

/// An echo server for `localhost`, and whom to trust for it.
async fn echo() -> (Authority, Echo) {
    let authority = Authority::new();
    let identity = authority.issue(&["localhost"]);
    let echo = Echo::new(Server::builder().tls(identity.tls())).await;
    (authority, echo)
}

fn url(echo: &Echo) -> String {
    format!("wss://localhost:{}/", echo.addr.port())
}

async fn connect(client: &Client, url: &str) -> MessageWebSocket {
    within(client.connect(url)).await.unwrap().into()
}

/// What a server with these certificates looks like, or the error with which connecting fails.
async fn look(client: ClientBuilder, tls: ServerTls) -> Result<PeerCertificates, Error> {
    let client = client.build().unwrap();
    let server = Server::builder().tls(tls).bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", server.local_addr().port());
    let serving = tokio::spawn(async move {
        while let Ok(incoming) = server.accept().await {
            tokio::spawn(async move {
                let mut socket = incoming.handshake().await?.accept_message().await?;
                while socket.recv().await?.is_some() {}
                towline::Result::Ok(())
            });
        }
    });
    let socket = within(client.connect(&url)).await;
    serving.abort();
    Ok(socket?.info().peer_certificates().unwrap().clone())
}

fn trusting(authority: &Authority) -> ClientBuilder {
    Client::builder().tls(TlsConfig::roots_pem(authority.pem()).unwrap())
}

fn ignorable() -> impl Iterator<Item = CertificateError> {
    CertificateError::ALL.iter().copied().filter(|error| error.severity() == Severity::Ignorable)
}

/// The error with which connecting fails.
async fn refused(client: &Client, url: &str) -> Error {
    within(client.connect(url)).await.unwrap_err()
}

#[tokio::test]
async fn messages_travel_over_tls() {
    let (authority, mut echo) = echo().await;
    assert!(echo.server.is_secure());
    let mut socket = connect(&authority.client(), &url(&echo)).await;
    assert!(socket.info().tls_version().is_some());
    assert_eq!(socket.info().peer_addr(), Some(echo.addr));
    let head = socket.info().request().unwrap();
    assert_eq!(head.headers()["host"], format!("localhost:{}", echo.addr.port()));
    for message in [Message::text("héllo"), Message::binary(vec![7; 1_000_000])] {
        within(socket.send(message.clone())).await.unwrap();
        assert_eq!(within(socket.recv()).await.unwrap(), Some(message));
    }
    let from = socket.info().local_addr().unwrap();
    within(socket.close(CloseCode::NORMAL, "bye")).await.unwrap();
    let ended = echo.end_of(from).await;
    assert!(ended.errors.is_empty(), "{ended:?}");
}

#[tokio::test]
async fn the_version_of_tls_is_told_on_both_sides() {
    let authority = Authority::new();
    let identity = authority.issue(&["localhost"]);
    let (old, new) = (&rustls::version::TLS12, &rustls::version::TLS13);
    for (servers, clients, expected) in [
        (vec![old], vec![old, new], TlsVersion::Tls12),
        (vec![new], vec![old, new], TlsVersion::Tls13),
        (vec![old, new], vec![old], TlsVersion::Tls12),
        (vec![old, new], vec![old, new], TlsVersion::Tls13),
    ] {
        let tls = ServerTls::from_rustls(identity.config(&servers));
        let server = Server::builder().tls(tls).bind("127.0.0.1:0").await.unwrap();
        let tls = TlsConfig::from_rustls(client_config(&authority, &clients));
        let client = Client::builder().tls(tls).build().unwrap();
        let url = format!("wss://localhost:{}/", server.local_addr().port());
        let (connected, accepted) = within(async {
            tokio::join!(client.connect(&url), async {
                server.accept().await.unwrap().handshake().await.unwrap().accept().await
            })
        })
        .await;
        assert_eq!(connected.unwrap().info().tls_version(), Some(expected));
        assert_eq!(accepted.unwrap().info().tls_version(), Some(expected));
    }
    assert_eq!(TlsVersion::Tls12.to_string(), "TLS 1.2");
    assert_eq!(TlsVersion::Tls13.to_string(), "TLS 1.3");
}

#[tokio::test]
async fn no_version_in_common_is_an_error_of_tls() {
    let authority = Authority::new();
    let identity = authority.issue(&["localhost"]);
    let tls = ServerTls::from_rustls(identity.config(&[&rustls::version::TLS13]));
    let mut echo = Echo::new(Server::builder().tls(tls)).await;
    let config = client_config(&authority, &[&rustls::version::TLS12]);
    let client = Client::builder().tls(TlsConfig::from_rustls(config)).build().unwrap();
    let error = refused(&client, &url(&echo)).await;
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains("no TLS version or cipher in common"), "{error}");
    // Nobody else is disturbed.
    let raw = Raw::connect(echo.addr).await;
    let from = raw.addr();
    drop(raw);
    assert!(matches!(echo.error_of(from).await.kind(), ErrorKind::Tls | ErrorKind::Disconnected));
    connect(&authority.client(), &url(&echo)).await;
}

/// A server with this certificate is not trusted, for this reason, and is told so.
async fn is_not_trusted(client: &Client, identity: &Identity, why: &str) {
    let mut echo = Echo::new(Server::builder().tls(identity.tls())).await;
    let error = refused(client, &url(&echo)).await;
    assert_eq!(error.kind(), ErrorKind::Certificate, "{error}");
    let text = error.to_string();
    assert!(text.contains("agreeing on TLS with localhost") && text.contains(why), "{text}");
    let cause = error.source().unwrap().downcast_ref::<rustls::Error>();
    assert!(matches!(cause, Some(rustls::Error::InvalidCertificate(_))), "{text}");
    // The server learns that its certificate was refused; not that the versions do not match.
    let ended = loop {
        let from = echo.any_end().await;
        if !from.errors.is_empty() {
            break from;
        }
    };
    let error = &ended.errors[0];
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains("does not trust"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_is_not_to_be_trusted_is_told_with_its_cure() {
    let authority = Authority::new();
    let client = authority.client();
    let stranger = Authority::new().issue(&["localhost"]);
    is_not_trusted(&client, &stranger, "TlsConfig::roots_pem").await;
    // As tools do that give all they make the same name.
    let namesakes = [Authority::named("ours"), Authority::named("ours")];
    let stranger = namesakes[0].issue(&["localhost"]);
    is_not_trusted(&namesakes[1].client(), &stranger, "TlsConfig::roots_pem").await;
    let other = authority.issue(&["other.example"]);
    is_not_trusted(&client, &other, "a name that the certificate is for").await;
    let expired = authority.issue_with(&["localhost"], |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    is_not_trusted(&client, &expired, "needs a new certificate").await;
    let early = authority.issue_with(&["localhost"], |params| {
        params.not_before = date_time_ymd(2999, 1, 1);
        params.not_after = date_time_ymd(3000, 1, 1);
    });
    is_not_trusted(&client, &early, "clock").await;
}

#[tokio::test]
async fn whom_the_system_trusts_is_not_whom_a_test_made() {
    let (_, echo) = echo().await;
    let error = within(MessageWebSocket::connect(url(&echo))).await.unwrap_err();
    // A machine without any certificates of its own cannot trust at all.
    assert!(matches!(error.kind(), ErrorKind::Certificate | ErrorKind::Tls), "{error}");
}

#[tokio::test]
async fn a_certificate_can_be_for_an_ip_address() {
    let authority = Authority::new();
    let identity = authority.issue(&["127.0.0.1"]);
    let echo = Echo::new(Server::builder().tls(identity.tls())).await;
    let client = authority.client();
    let mut socket = connect(&client, &format!("wss://{}/", echo.addr)).await;
    socket.send("by number").await.unwrap();
    assert_eq!(within(socket.recv()).await.unwrap(), Some(Message::text("by number")));
    // And is then for nothing else.
    let error = refused(&client, &url(&echo)).await;
    assert_eq!(error.kind(), ErrorKind::Certificate, "{error}");
}

#[tokio::test]
async fn a_self_signed_certificate_can_be_trusted_itself() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = ServerTls::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap();
    let echo = Echo::new(Server::builder().tls(tls)).await;
    let tls = TlsConfig::roots_pem(made.cert.pem()).unwrap();
    let client = Client::builder().tls(tls).build().unwrap();
    connect(&client, &url(&echo)).await;
}

#[tokio::test]
async fn ws_to_a_port_that_speaks_tls_fails_at_once() {
    let (_, mut echo) = echo().await;
    let begun = Instant::now();
    let error =
        within(MessageWebSocket::connect(format!("ws://{}/", echo.addr))).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(8), "no deadline is waited for");
    assert_eq!(error.kind(), ErrorKind::Handshake, "{error}");
    assert!(error.to_string().contains("TLS"), "{error}");
    let error = echo.any_end().await.errors.remove(0);
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains("speak TLS"), "{error}");
}

#[tokio::test]
async fn wss_to_a_port_that_does_not_speak_tls_fails_at_once() {
    let authority = Authority::new();
    let mut echo = Echo::new(Server::builder()).await;
    let begun = Instant::now();
    let error = refused(&authority.client(), &url(&echo)).await;
    assert!(begun.elapsed() < Duration::from_secs(8), "no deadline is waited for");
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains("does that port speak TLS"), "{error}");
    let error = echo.any_end().await.errors.remove(0);
    assert_eq!(error.kind(), ErrorKind::Handshake, "{error}");
    assert!(error.to_string().contains("TLS"), "{error}");
}

#[tokio::test]
async fn wss_to_a_server_that_leaves_or_says_nothing() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", listener.local_addr().unwrap().port());
    let leaving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap();
        listener
    });
    let error = refused(&authority.client(), &url).await;
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains("does it speak TLS?"), "{error}");
    let _listener = within(leaving).await.unwrap();
    let tls = TlsConfig::roots_pem(authority.pem()).unwrap();
    let limit = Duration::from_millis(100);
    let client = Client::builder().tls(tls).handshake_timeout(limit).build().unwrap();
    let error = refused(&client, &url).await;
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(error.to_string().contains("agreeing on TLS with wss://localhost"), "{error}");
}

#[tokio::test]
async fn half_a_tls_hello_delays_nobody_and_is_cut_in_time() {
    let authority = Authority::new();
    let identity = authority.issue(&["localhost"]);
    let slow = Duration::from_millis(500);
    let builder = Server::builder().tls(identity.tls()).handshake_timeout(slow);
    let mut echo = Echo::new(builder).await;
    // The beginning of a record that holds a hello of 512 bytes.
    let mut half = Raw::connect(echo.addr).await;
    half.put(b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03").await;
    assert_eq!(half.rest_however().await, b"");
    let error = echo.error_of(half.addr()).await;
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    until(|| echo.server.connections() == 0).await;

    let long = Duration::from_secs(300);
    let builder = Server::builder().tls(identity.tls()).handshake_timeout(long);
    let echo = Echo::new(builder).await;
    let mut half = Raw::connect(echo.addr).await;
    half.put(b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03").await;
    let mut socket = connect(&authority.client(), &url(&echo)).await;
    socket.send("quick").await.unwrap();
    assert_eq!(within(socket.recv()).await.unwrap(), Some(Message::text("quick")));
    assert_eq!(echo.server.connections(), 2);
}

#[tokio::test]
async fn a_normal_end_over_tls_is_no_error_on_either_side() {
    let (authority, mut echo) = echo().await;
    let client = authority.client();
    for round in 0..50 {
        let mut socket = connect(&client, &url(&echo)).await;
        let from = socket.info().local_addr().unwrap();
        socket.send("x").await.unwrap();
        assert_eq!(within(socket.recv()).await.unwrap(), Some(Message::text("x")));
        match round % 3 {
            0 => within(socket.close(CloseCode::NORMAL, "")).await.unwrap(),
            1 => within(socket.close_without_code()).await.unwrap(),
            _ => {
                let (mut receiver, sender) = socket.split();
                sender.close(CloseCode::new(4000).unwrap(), "split").await.unwrap();
                assert_eq!(within(receiver.recv()).await.unwrap(), None);
            }
        }
        let ended = echo.end_of(from).await;
        assert!(ended.errors.is_empty() && ended.send_error.is_none(), "{round}: {ended:?}");
    }
    until(|| echo.server.connections() == 0).await;
}

#[tokio::test]
async fn a_normal_end_from_the_servers_side_is_no_error_either() {
    let (authority, mut echo) = echo().await;
    let client = authority.client();
    let mut readers = Vec::new();
    for _ in 0..10 {
        let mut socket = connect(&client, &url(&echo)).await;
        readers.push(tokio::spawn(async move {
            assert_eq!(socket.recv().await.unwrap(), None);
            assert_eq!(socket.close_frame().unwrap().code, CloseCode::GOING_AWAY);
            socket.info().local_addr().unwrap()
        }));
    }
    until(|| echo.server.connections() == 10).await;
    assert_eq!(within(echo.server.shutdown(Duration::from_secs(50))).await, 0);
    for reader in readers {
        let from = within(reader).await.unwrap();
        assert!(echo.end_of(from).await.errors.is_empty());
    }
}

/// TLS by hand to a server of ours, with the opening handshake done.
async fn raw_client(authority: &Authority, echo: &Echo) -> client::TlsStream<TcpStream> {
    let config = client_config(authority, rustls::ALL_VERSIONS);
    let tcp = TcpStream::connect(echo.addr).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut tls = within(TlsConnector::from(config).connect(name, tcp)).await.unwrap();
    tls.write_all(opening(&[]).as_bytes()).await.unwrap();
    tls.flush().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within(tls.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    tls
}

#[tokio::test]
async fn tcp_that_is_cut_after_the_closing_handshake_is_no_error() {
    let (authority, mut echo) = echo().await;
    let mut tls = raw_client(&authority, &echo).await;
    let from = tls.get_ref().0.local_addr().unwrap();
    tls.write_all(&masked(0x88, &1000u16.to_be_bytes())).await.unwrap();
    tls.flush().await.unwrap();
    let mut answer = [0; 4];
    within(tls.read_exact(&mut answer)).await.unwrap();
    assert_eq!(answer, *b"\x88\x02\x03\xE8");
    // No close_notify: only TCP ends.
    drop(tls);
    let ended = echo.end_of(from).await;
    assert!(ended.errors.is_empty(), "{ended:?}");
}

#[tokio::test]
async fn tcp_that_is_cut_before_the_closing_handshake_is_a_lost_connection_once() {
    let (authority, mut echo) = echo().await;
    for notify in [false, true] {
        let mut tls = raw_client(&authority, &echo).await;
        let from = tls.get_ref().0.local_addr().unwrap();
        if notify {
            // An orderly end of TLS is none of the WebSocket.
            tls.shutdown().await.unwrap();
        }
        drop(tls);
        // `Echo` has checked that after it comes `None`.
        let error = echo.error_of(from).await;
        assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
    }
    until(|| echo.server.connections() == 0).await;
}

/// TLS by hand for a client of ours, with the opening handshake done.
async fn raw_server(authority: &Authority) -> (server::TlsStream<TcpStream>, WebSocket) {
    let identity = authority.issue(&["localhost"]);
    let acceptor = TlsAcceptor::from(identity.config(rustls::ALL_VERSIONS));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", listener.local_addr().unwrap().port());
    let client = authority.client();
    within(async {
        let (tls, connected) = tokio::join!(
            async {
                let (tcp, _) = listener.accept().await.unwrap();
                let mut tls = acceptor.accept(tcp).await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(tls.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let key = header_of(&head, "Sec-WebSocket-Key")[0];
                let accept = towline::proto::handshake::accept_key(key);
                let answer = crate::raw::OPEN.replace("{accept}", &accept);
                tls.write_all(answer.as_bytes()).await.unwrap();
                tls.flush().await.unwrap();
                tls
            },
            client.connect(&url)
        );
        (tls, connected.unwrap())
    })
    .await
}

#[tokio::test]
async fn a_server_that_cuts_tcp_is_told_apart_by_its_closing_frame() {
    let authority = Authority::new();
    // After the closing frame: a normal end, though close_notify never came.
    let (mut tls, socket) = raw_server(&authority).await;
    let mut socket = MessageWebSocket::from(socket);
    tls.write_all(b"\x81\x02hi\x88\x02\x03\xE8").await.unwrap();
    tls.flush().await.unwrap();
    assert_eq!(within(socket.recv()).await.unwrap(), Some(Message::text("hi")));
    drop(tls);
    assert_eq!(within(socket.recv()).await.unwrap(), None);
    assert_eq!(socket.close_frame().unwrap().code, CloseCode::NORMAL);
    // Before it: lost, once.
    let (mut tls, socket) = raw_server(&authority).await;
    let mut socket = MessageWebSocket::from(socket);
    tls.write_all(b"\x81\x02hi").await.unwrap();
    tls.flush().await.unwrap();
    assert_eq!(within(socket.recv()).await.unwrap(), Some(Message::text("hi")));
    drop(tls);
    let error = within(socket.recv()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
    assert_eq!(within(socket.recv()).await.unwrap(), None);
}

#[tokio::test]
async fn an_authority_may_be_in_der() {
    let authority = Authority::new();
    let echo = Echo::new(Server::builder().tls(authority.issue(&["localhost"]).tls())).await;
    let der = der_of(&authority);
    let client = Client::builder().tls(TlsConfig::roots_pem(der).unwrap()).build().unwrap();
    connect(&client, &url(&echo)).await;
}

/// The certificate in the PEM, as it is.
fn der_of(authority: &Authority) -> Vec<u8> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::from_pem_slice(authority.pem().as_ref()).unwrap().to_vec()
}

#[test]
fn pem_that_is_bad_is_told_as_such() {
    let authority = Authority::new();
    let (one, other) = (authority.issue(&["localhost"]), authority.issue(&["localhost"]));
    let garbled = one.certificate.replace("MII", "!!!");
    let not_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (certificate, key, why) in [
        ("", &*one.key, "BEGIN CERTIFICATE"),
        ("garbage", &one.key, "BEGIN CERTIFICATE"),
        (&one.key, &one.key, "BEGIN CERTIFICATE"),
        (&garbled, &one.key, "reading certificates in PEM"),
        (not_der, &one.key, "using the certificate with its key"),
        (&one.certificate, "", "BEGIN PRIVATE KEY"),
        (&one.certificate, &one.certificate, "BEGIN PRIVATE KEY"),
        (&one.certificate, &other.key, "the key must be the one"),
    ] {
        let error = ServerTls::from_pem(certificate, key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(why), "{error}");
        assert!(!error.to_string().contains("PRIVATE KEY-----\n"), "keys are secret");
    }
    for (pem, why) in [
        ("", "BEGIN CERTIFICATE"),
        (&*one.key, "BEGIN CERTIFICATE"),
        (&garbled, "reading certificates in PEM"),
        (not_der, "reading a trusted certificate"),
    ] {
        let error = TlsConfig::roots_pem(pem).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
    // A chain, and other things in the same file.
    let chain = format!("# ours\n{}{}{}", one.certificate, authority.pem(), one.key);
    ServerTls::from_pem(&chain, &chain).unwrap();
}

/// The two ends of a connection over TLS.
async fn stream_pair() -> (StreamWebSocket, StreamWebSocket) {
    let authority = Authority::new();
    let identity = authority.issue(&["localhost"]);
    let server = Server::builder().tls(identity.tls()).bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", server.local_addr().port());
    let client = authority.client();
    let (connected, accepted) = within(async {
        tokio::join!(client.connect(&url), async {
            server.accept().await.unwrap().handshake().await.unwrap().accept_stream().await
        })
    })
    .await;
    (connected.unwrap().into(), accepted.unwrap())
}

const MIB: u64 = 1024 * 1024;

/// Sends a message of bytes that depend on where they stand.
async fn send_pattern(target: &mut towline::StreamSender, size: u64) {
    let mut message = target.message_writer(MessageKind::Binary);
    let mut chunk = vec![0; 256 * 1024];
    let mut sent = 0;
    while sent < size {
        let len = usize::try_from(size - sent).unwrap().min(chunk.len());
        fill(&mut chunk[..len], sent);
        message.write_all(&chunk[..len]).await.unwrap();
        sent += u64::try_from(len).unwrap();
    }
    message.finish().await.unwrap();
}

/// Reads one message and checks each byte of it; gives its size.
async fn check_pattern(source: &mut towline::StreamReceiver) -> u64 {
    let mut message = source.next_message().await.unwrap().unwrap();
    let (mut size, mut expected) = (0, Vec::new());
    while let Some(chunk) = message.chunk().await.unwrap() {
        expected.resize(chunk.bytes.len(), 0);
        fill(&mut expected, size);
        assert!(chunk.bytes == expected, "other bytes after {size}");
        size += u64::try_from(chunk.bytes.len()).unwrap();
    }
    size
}

/// A pattern that does not repeat with any power of two.
fn fill(bytes: &mut [u8], from: u64) {
    let mut phase = u8::try_from(from % 251).unwrap();
    for byte in bytes {
        *byte = phase;
        phase = if phase == 250 { 0 } else { phase + 1 };
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_mebibytes_pass_over_tls_in_both_directions_at_once() {
    let (client, server) = stream_pair().await;
    let ends = [client, server].map(|socket| {
        let (mut receiver, mut sender) = socket.split();
        let sending = tokio::spawn(async move {
            send_pattern(&mut sender, 100 * MIB).await;
            sender
        });
        let reading = tokio::spawn(async move {
            let size = check_pattern(&mut receiver).await;
            (size, receiver)
        });
        (sending, reading)
    });
    let mut halves = Vec::new();
    for (sending, reading) in ends {
        let ((size, receiver), sender) = (within_long(reading).await, within_long(sending).await);
        assert_eq!(size, 100 * MIB);
        halves.push((receiver, sender));
    }
    let (mut receiver, mut sender) = halves.pop().unwrap();
    let (mut other, _other_sender) = halves.pop().unwrap();
    sender.close(CloseCode::NORMAL, "").await.unwrap();
    assert!(within(other.next_message()).await.unwrap().is_none());
    assert!(within(receiver.next_message()).await.unwrap().is_none());
}

/// As `within`, for what takes seconds even on a machine that does nothing else.
async fn within_long<T>(task: tokio::task::JoinHandle<T>) -> T {
    tokio::time::timeout(Duration::from_secs(300), task).await.expect("minutes are enough").unwrap()
}

#[tokio::test]
async fn a_socket_over_tls_splits_with_both_directions_busy() {
    let (authority, echo) = echo().await;
    let socket = connect(&authority.client(), &url(&echo)).await;
    let (mut receiver, sender) = socket.split();
    let writers: Vec<_> = (0..4u8)
        .map(|writer| {
            let sender = sender.clone();
            tokio::spawn(async move {
                for n in 0..250u32 {
                    let size = usize::try_from(n * 13 % 3000).unwrap() + 1;
                    sender.send(vec![writer; size]).await.unwrap();
                }
            })
        })
        .collect();
    let mut counts = [0; 4];
    for _ in 0..1000 {
        let message = within(receiver.recv()).await.unwrap().unwrap();
        let writer = message.as_bytes()[0];
        assert!(message.as_bytes().iter().all(|byte| *byte == writer), "messages were mixed");
        counts[usize::from(writer)] += 1;
    }
    assert_eq!(counts, [250; 4]);
    for writer in writers {
        within(writer).await.unwrap();
    }
    sender.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(within(receiver.recv()).await.unwrap(), None);
}

#[tokio::test]
async fn tls_goes_over_any_byte_stream() {
    let authority = Authority::new();
    let identity = authority.issue(&["app.example"]);
    let server = Server::builder().allow_host("app.example").tls(identity.tls());
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr();
    tokio::spawn(async move {
        let mut socket = server.accept().await?.handshake().await?.accept_message().await?;
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        towline::Result::Ok(())
    });
    let (near, mut far) = tokio::io::duplex(100);
    tokio::spawn(async move {
        let mut tcp = TcpStream::connect(address).await?;
        tokio::io::copy_bidirectional(&mut far, &mut tcp).await
    });
    let client = authority.client();
    let socket = within(client.connect_over(near, "wss://app.example/")).await.unwrap();
    assert_eq!(socket.info().tls_version(), Some(TlsVersion::Tls13));
    let mut socket = MessageWebSocket::from(socket);
    within(socket.send("sealed")).await.unwrap();
    assert_eq!(within(socket.recv()).await.unwrap().unwrap().as_text(), Some("sealed"));
}
