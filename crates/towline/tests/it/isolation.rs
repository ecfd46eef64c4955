//! The guard: what a policy does not permit is refused before anything is sent, and says why.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use towline::isolation::Capability::{InternetClient, PrivateNetworkClientServer};
use towline::isolation::{Capability, Class, Layer, Level, Manifest, Policy};
use towline::{
    Answers, AttemptOutcome, Client, ClientBuilder, Error, ErrorKind, MessageWebSocket, Proxies,
    Resolve, Server, Step,
};

fn declaring(capabilities: &[Capability]) -> Policy {
    let begin = Manifest::new("chat");
    Policy::new(capabilities.iter().fold(begin, |manifest, one| manifest.with(*one)))
}

/// Exempted for one port of this machine.
fn exempted(port: u16, capabilities: &[Capability]) -> Policy {
    let names: Vec<String> = capabilities.iter().map(|one| format!("'{one}'")).collect();
    let manifest = format!(
        "[app]\nname = 'chat'\ncapabilities = [{}]\n[loopback]\nout = [{port}]",
        names.join(", ")
    );
    let machine = format!("[apps.chat]\nloopback_out = [{port}]");
    let manifest = Manifest::parse("manifest", manifest.as_bytes()).unwrap();
    let machine = Layer::parse(Level::Machine, "policy", machine.as_bytes()).unwrap();
    Policy::layered(manifest, &machine, &Layer::default())
}

fn keeping(policy: &Policy) -> ClientBuilder {
    Client::builder().policy(policy.clone()).proxies(Proxies::none())
}

async fn refusal(client: &Client, url: &str) -> Error {
    let begun = Instant::now();
    let error = client.connect(url).await.expect_err(url);
    assert!(begun.elapsed() < Duration::from_secs(1), "{url} took {:?}", begun.elapsed());
    error
}

/// Somebody else's program on this machine, which counts who comes.
async fn another_program() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, visits) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&visits);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            drop(stream);
        }
    });
    (address, visits)
}

/// Check 56: each class, with the value that says why.
#[tokio::test]
async fn every_class_is_refused_with_its_typed_value() {
    let client = keeping(&declaring(&[])).build().unwrap();
    for (url, code, class, missing) in [
        ("ws://8.8.8.8/", "internet_client", Class::Internet, Some(InternetClient)),
        ("ws://10.9.9.9/", "private_network", Class::Private, Some(PrivateNetworkClientServer)),
        (
            "ws://[64:ff9b::a09:909]/",
            "private_network",
            Class::Private,
            Some(PrivateNetworkClientServer),
        ),
        ("ws://127.0.0.1:9/", "loopback_out", Class::Loopback, None),
        ("ws://169.254.169.254/", "metadata", Class::Metadata, None),
        ("wss://198.51.100.7/", "reserved", Class::Reserved, None),
    ] {
        let error = refusal(&client, url).await;
        let denied = error.denied().expect(url);
        assert_eq!(denied.code().word(), code, "{url}");
        assert_eq!((denied.class(), denied.missing()), (Some(class), missing), "{url}");
        assert_eq!((error.kind(), error.step()), (ErrorKind::Denied, Step::Connect), "{url}");
        assert_eq!(error.hresult().to_string(), "0x8007271D");
        assert!(error.to_string().contains("chat may not reach"), "{error}");
        assert_eq!(error.attempts().len(), 1, "{url}");
        match denied.fix() {
            Some(fix) => assert_eq!(error.advice(), format!("add {fix}")),
            None => assert_eq!(
                error.advice(),
                "declare it in the app's manifest, or ask whoever runs this machine"
            ),
        }
    }
    let io = std::io::Error::from(refusal(&client, "ws://8.8.8.8/").await);
    assert_eq!(io.kind(), std::io::ErrorKind::PermissionDenied);
    let name = refusal(&client, "ws://example.com/").await;
    assert_eq!((name.kind(), name.step()), (ErrorKind::Denied, Step::Resolve));
    assert_eq!(name.denied().unwrap().code().word(), "dns_off");
}

/// Check 46.
#[tokio::test]
async fn no_spelling_of_a_host_leads_to_another_program() {
    let (address, visits) = another_program().await;
    let port = address.port();
    let hosts = [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0x7F.1",
        "017700000001",
        "127.1",
        "127.0.1",
        "0",
        "0.0.0.0",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
        "[::1]",
        "[::127.0.0.1]",
        "%31%32%37.0.0.1",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "[::1%25lo]",
        "[::1%lo]",
    ];
    let free = Client::builder().proxies(Proxies::none()).build().unwrap();
    let kept = keeping(&declaring(&[InternetClient, PrivateNetworkClientServer])).build().unwrap();
    let mut reached = 0;
    for host in hosts {
        let url = format!("ws://{host}:{port}/");
        let before = visits.load(Ordering::Relaxed);
        let error =
            timeout(Duration::from_secs(5), kept.connect(&url)).await.expect(&url).expect_err(&url);
        // Some are no hosts at all.
        let expected = [ErrorKind::Denied, ErrorKind::InvalidInput, ErrorKind::Resolve];
        assert!(expected.contains(&error.kind()), "{url}: {error}");
        assert_eq!(visits.load(Ordering::Relaxed), before, "{url} got there");
        // The control.
        free.connect(&url).await.expect_err(&url);
        tokio::time::sleep(Duration::from_millis(5)).await;
        reached += visits.load(Ordering::Relaxed) - before;
    }
    assert!(reached >= 6, "without a policy only {reached} spellings got there: is this a test?");
}

/// Alternates, as a name server of somebody who wants in does.
#[derive(Debug, Default)]
struct Rebinding(AtomicUsize);

impl Resolve for Rebinding {
    fn resolve(&self, _: &str) -> Answers {
        let odd = self.0.fetch_add(1, Ordering::Relaxed) % 2 == 1;
        let address = if odd { Ipv4Addr::LOCALHOST } else { Ipv4Addr::new(169, 254, 169, 254) };
        Answers::of([SocketAddr::from((address, 0))])
    }
}

/// Check 45, of our client.
#[tokio::test]
async fn a_name_that_is_bound_anew_leads_to_no_other_program() {
    let (address, visits) = another_program().await;
    let policy = declaring(&[InternetClient, PrivateNetworkClientServer]);
    let client = keeping(&policy).resolver(Rebinding::default()).build().unwrap();
    for _ in 0..1000 {
        let error =
            client.connect(format!("ws://rebind.example:{}/", address.port())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
        let text = error.to_string();
        assert!(text.contains("may not reach rebind.example at "), "{text}");
    }
    assert_eq!(visits.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn of_a_mixed_answer_only_what_is_permitted_is_used() {
    let policy = declaring(&[InternetClient]);
    let server = Server::builder()
        .policy(policy.clone())
        .allow_host("mixed.example")
        .bind("127.0.0.1:0")
        .await
        .unwrap();
    let port = server.local_addr().port();
    tokio::spawn(async move {
        let mut socket = server.accept().await?.handshake().await?.accept_message().await?;
        while socket.recv().await?.is_some() {}
        towline::Result::Ok(())
    });
    let addresses: [IpAddr; 3] =
        [[10, 9, 9, 9].into(), [169, 254, 169, 254].into(), [127, 0, 0, 1].into()];
    let client = keeping(&policy).resolve_to("mixed.example", addresses).build().unwrap();
    let socket = client.connect(format!("ws://mixed.example:{port}/")).await.unwrap();
    let attempts = socket.info().attempts();
    let outcomes: Vec<_> =
        attempts.iter().map(|attempt| (attempt.address.ip(), &attempt.outcome)).collect();
    assert!(
        matches!(
            outcomes[..],
            [
                (_, AttemptOutcome::Failed(_)),
                (_, AttemptOutcome::Failed(_)),
                (_, AttemptOutcome::Connected)
            ]
        ),
        "{outcomes:?}"
    );
    assert!(attempts[0].to_string().contains("mixed.example at 10.9.9.9"), "{}", attempts[0]);
    // If nothing is left, the first one says why.
    let client = keeping(&policy)
        .resolve_to("mixed.example", addresses.into_iter().take(2))
        .build()
        .unwrap();
    let error = refusal(&client, "ws://mixed.example/").await;
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!(error.denied().unwrap().code().word(), "private_network");
    assert_eq!(error.attempts().len(), 2);
}

#[tokio::test]
async fn a_servers_own_clients_are_let_in_and_other_programs_are_reset() {
    let policy = declaring(&[]);
    let server = Server::builder().policy(policy.clone()).bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr();
    let serving = tokio::spawn(async move {
        let mut socket = server.accept().await?.handshake().await?.accept_message().await?;
        assert_eq!(socket.recv().await?.unwrap(), "own".into());
        towline::Result::Ok(())
    });
    // Another program, which would be answered 400 if it were let in.
    let mut stranger = TcpStream::connect(address).await.unwrap();
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").await.ok();
    let mut answer = Vec::new();
    stranger.read_to_end(&mut answer).await.ok();
    assert_eq!(answer, b"", "{}", String::from_utf8_lossy(&answer));
    // Our own.
    let client = keeping(&policy).build().unwrap();
    let mut socket =
        MessageWebSocket::from(client.connect(format!("ws://{address}/")).await.unwrap());
    socket.send("own").await.unwrap();
    serving.await.unwrap().unwrap();
    // Of another app neither.
    let other = keeping(&declaring(&[])).build().unwrap();
    let error = refusal(&other, &format!("ws://{address}/")).await;
    assert_eq!(error.denied().unwrap().code().word(), "loopback_out");
}

#[tokio::test]
async fn a_server_without_a_capability_listens_on_loopback_alone() {
    let policy = declaring(&[InternetClient]);
    let error = Server::builder().policy(policy.clone()).bind("0.0.0.0:0").await.unwrap_err();
    assert_eq!((error.kind(), error.step()), (ErrorKind::Denied, Step::Listen));
    assert!(
        error.to_string().starts_with("listening on 0.0.0.0:0: chat may not listen on"),
        "{error}"
    );
    let granted = declaring(&[PrivateNetworkClientServer]);
    assert!(Server::builder().policy(granted.clone()).bind("0.0.0.0:0").await.is_ok());
    let critical = Server::builder().policy(granted).bind("127.0.0.1:5432").await.unwrap_err();
    assert_eq!(critical.denied().unwrap().code().word(), "critical_port");
    assert!(Server::builder().policy(policy).bind("localhost:0").await.is_ok());
}

/// Check 47: a proxy that may be reached is not asked for what may not.
#[tokio::test]
async fn a_permitted_proxy_is_not_asked_for_a_forbidden_address() {
    for scheme in ["http", "socks5", "socks5h", "socks4", "socks4a"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = tokio::spawn(async move {
            let mut heard = Vec::new();
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_to_end(&mut heard).await.ok();
            heard
        });
        let policy = exempted(port, &[InternetClient]);
        let proxy = towline::Proxy::new(format!("{scheme}://127.0.0.1:{port}")).unwrap();
        let client = Client::builder()
            .policy(policy)
            .proxies(Proxies::all([proxy]))
            .resolve_to("inner.example", [IpAddr::from([10, 9, 9, 9])])
            .build()
            .unwrap();
        // Who looks up the name itself knows where it leads.
        let url =
            if scheme.ends_with(['4', '5']) { "ws://inner.example/" } else { "ws://10.9.9.9/" };
        let error = refusal(&client, url).await;
        assert_eq!(
            (error.kind(), error.step()),
            (ErrorKind::Denied, Step::Proxy),
            "{scheme}: {error}"
        );
        assert_eq!(error.denied().unwrap().code().word(), "private_network");
        assert!(error.proxy().unwrap().contains("127.0.0.1"), "{scheme}");
        assert_eq!(heard.await.unwrap(), b"", "{scheme} heard something");
    }
}

/// Check 47: a redirect leads to nothing that was not permitted anyway.
#[tokio::test]
async fn a_redirect_to_a_forbidden_address_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 1024];
        let _ = stream.read(&mut head).await.unwrap();
        let answer =
            "HTTP/1.1 302 Found\r\nLocation: ws://169.254.169.254/\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let client =
        keeping(&exempted(address.port(), &[InternetClient])).redirects(3).build().unwrap();
    let error = refusal(&client, &format!("ws://{address}/")).await;
    assert_eq!(error.denied().expect("it is refused").code().word(), "metadata", "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_that_no_manifest_names_is_refused() {
    let client =
        keeping(&declaring(&[InternetClient])).unix_socket("/run/other.sock").build().unwrap();
    let error = refusal(&client, "ws://localhost/").await;
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!(error.denied().unwrap().code().word(), "unix_socket");
}

#[cfg(feature = "pac")]
#[tokio::test]
async fn a_script_that_chooses_proxies_is_not_fetched_from_elsewhere() {
    let (address, visits) = another_program().await;
    let script = towline::PacScript::url(&format!("http://{address}/proxy.pac")).unwrap();
    let client = Client::builder()
        .policy(declaring(&[InternetClient]))
        .proxies(Proxies::script(script))
        .build()
        .unwrap();
    let error = refusal(&client, "ws://8.8.8.8/").await;
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    assert_eq!(visits.load(Ordering::Relaxed), 0);
}
