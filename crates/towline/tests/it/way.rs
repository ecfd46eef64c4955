//! The way to a server: its addresses, which of them is taken, and what is set on the socket.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdListener};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::time::Instant;
use towline::{
    Answers, AttemptOutcome, Client, ClientBuilder, Error, ErrorKind, Family, Proxies, Resolve,
    Server, WebSocket,
};

use crate::raw::within;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A server that accepts all; its port, and whom it accepted.
async fn server() -> (u16, tokio::sync::mpsc::UnboundedReceiver<SocketAddr>) {
    let names = ["one.example", "two.example", "app.example"];
    let builder = names.iter().fold(Server::builder(), |builder, name| builder.allow_host(name));
    let server = builder.bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().port();
    let (sender, peers) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok(incoming) = server.accept().await {
            let peer = incoming.peer_addr();
            let mut socket = incoming.handshake().await?.accept_message().await?;
            let _ = sender.send(peer);
            tokio::spawn(async move { while let Ok(Some(_)) = socket.recv().await {} });
        }
        towline::Result::Ok(())
    });
    (port, peers)
}

/// A port at which nobody listens.
fn dead_port() -> u16 {
    StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn connect(builder: ClientBuilder, url: &str) -> towline::Result<WebSocket> {
    // Whatever the environment says.
    within(builder.proxies(Proxies::none()).build().unwrap().connect(url)).await
}

async fn fails(builder: ClientBuilder, url: &str) -> Error {
    connect(builder, url).await.unwrap_err()
}

#[tokio::test]
async fn of_two_addresses_the_one_that_answers_is_taken() {
    let (port, _peers) = server().await;
    // Nobody listens on IPv6; on a machine without it, it cannot be reached.
    let builder = Client::builder().resolve_to("Two.Example", [V6, V4]);
    let socket = connect(builder, &format!("ws://two.example:{port}/")).await.unwrap();
    let info = socket.info();
    assert_eq!(info.peer_addr(), Some(SocketAddr::new(V4, port)));
    let [first, second] = info.attempts() else { panic!("{:?}", info.attempts()) };
    assert_eq!((first.address, second.address), ((V6, port).into(), (V4, port).into()));
    assert!(matches!(first.outcome, AttemptOutcome::Failed(_)), "{first}");
    assert!(matches!(second.outcome, AttemptOutcome::Connected), "{second}");
    assert!(first.began <= second.began);
    let request = info.request().unwrap();
    assert_eq!(request.headers()["host"], format!("two.example:{port}"));
}

#[tokio::test]
async fn each_address_that_failed_is_told() {
    let port = dead_port();
    let one = fails(Client::builder(), &format!("ws://127.0.0.1:{port}/")).await;
    assert_eq!((one.kind(), one.attempts().len()), (ErrorKind::Connect, 1));
    assert!(one.to_string().starts_with(&format!("connecting to 127.0.0.1:{port}: ")), "{one}");
    let builder = Client::builder().resolve_to("dead.example", [V4, V6]);
    let both = fails(builder, &format!("ws://dead.example:{port}/")).await;
    assert_eq!((both.kind(), both.attempts().len()), (ErrorKind::Connect, 2));
    let text = both.to_string();
    assert!(text.starts_with(&format!("connecting to dead.example: 127.0.0.1:{port}: ")), "{text}");
    assert!(text.contains(&format!(", [::1]:{port}: ")), "{text}");
    // What the operating system said is there for programs, too.
    let cause = one.get_ref().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(cause.kind(), io::ErrorKind::ConnectionRefused);
    let AttemptOutcome::Failed(first) = &both.attempts()[0].outcome else { panic!("{both}") };
    assert_eq!(first.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
#[cfg(target_os = "linux")] // elsewhere 127.0.0.2 is not there
async fn of_seven_dead_addresses_five_are_tried() {
    let seven = (1..=7).map(|last| IpAddr::from([127, 0, 0, last]));
    let builder = Client::builder().resolve_to("dead.example", seven.clone());
    let error = fails(builder, &format!("ws://dead.example:{}/", dead_port())).await;
    assert_eq!(error.kind(), ErrorKind::Connect);
    let tried = error.attempts().iter().map(|attempt| attempt.address.ip());
    assert!(tried.eq(seven.take(5)), "{error}");
}

#[tokio::test]
async fn a_family_alone() {
    let (port, _peers) = server().await;
    let url = format!("ws://two.example:{port}/");
    let builder = || Client::builder().resolve_to("two.example", [V6, V4]);
    for family in [Family::OnlyV4, Family::PreferV4] {
        // The first that was tried has won: that is all there is to tell.
        let socket = connect(builder().family(family), &url).await.unwrap();
        assert_eq!(socket.info().peer_addr(), Some(SocketAddr::new(V4, port)));
        assert!(socket.info().attempts().is_empty());
    }
    let error = fails(builder().family(Family::OnlyV6), &url).await;
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Connect, 1));
    let none = Client::builder().resolve_to("one.example", [V4]).family(Family::OnlyV6);
    let error = fails(none, &format!("ws://one.example:{port}/")).await;
    assert_eq!(error.kind(), ErrorKind::Resolve);
    assert!(error.to_string().contains("no IPv6 address"), "{error}");
    // An address has no choice.
    let builder = Client::builder().family(Family::OnlyV6);
    let error = fails(builder, &format!("ws://127.0.0.1:{port}/")).await;
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("that is IPv4, and IPv6 alone was asked for"), "{error}");
}

#[tokio::test]
async fn addresses_set_by_hand_are_for_names() {
    let build = |host| Client::builder().resolve_to(host, [V4]).build();
    for host in ["", "127.0.0.1", "[::1]", "::1", "a.example:80", "a.example/b", "a b", "a@b"] {
        let error = build(host).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{host:?}");
        assert!(error.to_string().starts_with("setting the addresses of"), "{error}");
    }
    // The last word counts; none is an answer too.
    let builder = Client::builder().resolve_to("one.example", [V4]).resolve_to("ONE.example", []);
    let error = fails(builder, "ws://one.example/").await;
    assert!(error.to_string().contains("the name has no address"), "{error}");
}

#[derive(Debug)]
struct OneHost;

impl Resolve for OneHost {
    fn resolve(&self, host: &str) -> Answers {
        match host {
            "one.example" => Answers::of([SocketAddr::new(V4, 9)]),
            "slow.example" => Answers::once(std::future::pending()),
            _ => Answers::failed(io::Error::other("it is not in the book")),
        }
    }
}

#[tokio::test]
async fn a_resolver_of_ones_own() {
    let (port, _peers) = server().await;
    let builder = || Client::builder().resolver(OneHost);
    connect(builder(), &format!("ws://ONE.example:{port}/")).await.unwrap();
    // An address is not looked up.
    connect(builder(), &format!("ws://127.0.0.1:{port}/")).await.unwrap();
    let error = fails(builder(), "ws://two.example/").await;
    assert_eq!(error.kind(), ErrorKind::Resolve);
    assert!(error.to_string().contains("looking up two.example: it is not in the book"), "{error}");
    let limit = Duration::from_millis(100);
    let error = fails(builder().connect_timeout(limit), "ws://slow.example/").await;
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.to_string().starts_with("looking up slow.example: "), "{error}");
}

/// The limits on each step are longer by far.
#[tokio::test]
async fn there_is_a_limit_on_all_of_it() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    for url in [format!("ws://127.0.0.1:{port}/"), format!("wss://127.0.0.1:{port}/")] {
        let begun = Instant::now();
        let builder = Client::builder().total_timeout(Duration::from_millis(200));
        let error = fails(builder, &url).await;
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
    let builder = Client::builder().resolver(OneHost).total_timeout(Duration::from_millis(50));
    let error = fails(builder, "ws://slow.example/").await;
    assert!(error.to_string().starts_with("looking up slow.example: no answer"), "{error}");
}

/// Load generators and tests hold such futures by the thousand.
#[test]
fn the_future_of_connecting_to_an_address_is_small() {
    let client = Client::new();
    let size = size_of_val(&client.connect("ws://127.0.0.1:1/"));
    assert!(size <= 1280, "{size} bytes");
}

#[tokio::test]
#[cfg(target_os = "linux")] // elsewhere 127.0.0.2 is not there
async fn a_connection_comes_from_where_it_is_to() {
    let (port, mut peers) = server().await;
    let url = format!("ws://127.0.0.1:{port}/");
    let from = IpAddr::from([127, 0, 0, 2]);
    let socket = connect(Client::builder().bind_address(from), &url).await.unwrap();
    assert_eq!(socket.info().local_addr().unwrap().ip(), from);
    assert_eq!(within(peers.recv()).await.unwrap().ip(), from);
    // The other family has no such address.
    let error = fails(Client::builder().bind_address(V6), &url).await;
    assert!(
        error.to_string().contains(": from ::1: that is an address of the other family"),
        "{error}"
    );
    connect(Client::builder().interface("lo"), &url).await.unwrap();
    let error = fails(Client::builder().interface("no-such-one"), &url).await;
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains(": over no-such-one: "), "{error}");
    let nobodys = IpAddr::from([192, 0, 2, 1]);
    let error = fails(Client::builder().bind_address(nobodys), &url).await;
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains(": from 192.0.2.1: "), "{error}");
    // Each family has its own.
    let both = Client::builder().bind_address(V6).bind_address(from);
    let socket = connect(both, &url).await.unwrap();
    assert_eq!(socket.info().local_addr().unwrap().ip(), from);
}

#[tokio::test]
async fn options_of_the_socket_are_set_before_it_connects() {
    let (port, _peers) = server().await;
    let url = format!("ws://127.0.0.1:{port}/");
    let builder = Client::builder()
        .send_buffer_size(40_000)
        .recv_buffer_size(30_000)
        .keepalive(Duration::from_secs(77))
        .nodelay(false);
    let socket = connect(builder, &url).await.unwrap();
    let tcp = socket.get_ref().as_tcp().unwrap();
    let shown = SockRef::from(tcp);
    assert!(shown.keepalive().unwrap() && !tcp.nodelay().unwrap());
    // Linux doubles them.
    assert!((30_000..=60_000).contains(&shown.recv_buffer_size().unwrap()));
    assert!((40_000..=80_000).contains(&shown.send_buffer_size().unwrap()));
    #[cfg(target_os = "linux")]
    assert_eq!(shown.tcp_keepalive_time().unwrap(), Duration::from_secs(77));
    // A socket's own sizes, which 0 leaves alone.
    let plain = connect(Client::builder(), &url).await.unwrap();
    let tcp = plain.get_ref().as_tcp().unwrap();
    assert!(tcp.nodelay().unwrap() && !SockRef::from(tcp).keepalive().unwrap());
    let zero = Client::builder().send_buffer_size(0).recv_buffer_size(0);
    let zero = connect(zero, &url).await.unwrap();
    assert!(SockRef::from(zero.get_ref().as_tcp().unwrap()).send_buffer_size().unwrap() > 4096);
}

/// What a system would refuse is brought to what it takes, rather than to fail each connection.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn keepalive_takes_any_time() {
    let (port, _peers) = server().await;
    for (asked, set) in [(Duration::from_millis(1), 1), (Duration::MAX, 32_767)] {
        let builder = Client::builder().keepalive(asked);
        let socket = connect(builder, &format!("ws://127.0.0.1:{port}/")).await.unwrap();
        let shown = SockRef::from(socket.get_ref().as_tcp().unwrap());
        assert_eq!(shown.tcp_keepalive_time().unwrap().as_secs(), set);
    }
}

#[tokio::test]
#[cfg(unix)]
async fn a_socket_in_the_file_system() {
    let (port, _peers) = server().await;
    let folder = std::env::temp_dir().join(format!("towline-way-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("socket");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = tokio::net::TcpStream::connect((V4, port)).await.unwrap();
        tokio::io::copy_bidirectional(&mut near, &mut far).await
    });
    // Nobody looks up that host.
    let builder = || Client::builder().unix_socket(&path);
    let socket = connect(builder(), "ws://app.example/chat").await.unwrap();
    let info = socket.info();
    assert_eq!((info.peer_addr(), info.attempts().len()), (None, 0));
    assert_eq!(info.request().unwrap().headers()["host"], "app.example");
    std::fs::remove_dir_all(&folder).unwrap();
    let error = fails(builder(), "ws://app.example/chat").await;
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("towline-way-"), "{error}");
}

#[tokio::test]
async fn any_byte_stream_leads_to_a_server() {
    let (port, _peers) = server().await;
    // Seven bytes at a time.
    let (near, mut far) = tokio::io::duplex(7);
    tokio::spawn(async move {
        let mut tcp = tokio::net::TcpStream::connect((V4, port)).await?;
        tokio::io::copy_bidirectional(&mut far, &mut tcp).await
    });
    let client = Client::new();
    let socket = within(client.connect_over(near, "ws://app.example/chat")).await.unwrap();
    let info = socket.info();
    assert_eq!((info.peer_addr(), info.local_addr(), info.tls_version()), (None, None, None));
    assert_eq!(info.request().unwrap().headers()["host"], "app.example");
    assert_eq!(info.request().unwrap().uri(), "/chat");
    // It ends, is silent, or the address is none.
    let error = within(client.connect_over(tokio::io::empty(), "ws://app.example/")).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Disconnected);
    let impatient = Client::builder().total_timeout(Duration::from_millis(50)).build().unwrap();
    let (near, _far) = tokio::io::duplex(1024);
    let error = within(impatient.connect_over(near, "ws://app.example/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let error = within(client.connect_over(tokio::io::empty(), "app.example")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
