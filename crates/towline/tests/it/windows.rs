//! What Windows would say of a failure, and how far it had come; and what it refuses and ours cannot
//! be asked for.

use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use towline::{
    Answers, Client, ClientBuilder, CloseCode, Config, Credentials, Error, HResult,
    MessageWebSocket, Proxies, Proxy, Resolve, Server, Step, StreamWebSocket, WebErrorStatus,
    WebSocket,
};

use crate::harness::pair;
use crate::raw::{self, Answering, OPEN, script, send, within};

async fn fails(builder: ClientBuilder, url: &str) -> Error {
    within(builder.build().unwrap().connect(url)).await.unwrap_err()
}

fn is(error: &Error, step: Step, hresult: u32, status: WebErrorStatus) {
    assert_eq!(error.step(), step, "{error}");
    assert_eq!(error.hresult().to_string(), format!("{hresult:#010X}"), "{error}");
    assert_eq!(error.web_error_status(), status, "{error}");
    assert!(!error.advice().is_empty());
}

/// Acceptance lines 2 and 3.
#[tokio::test]
async fn a_bad_address_is_an_argument() {
    for url in ["http://127.0.0.1/", "ws://127.0.0.1/#x", "127.0.0.1", "ws://"] {
        let error = fails(Client::builder(), url).await;
        is(&error, Step::Settings, 0x8007_0057, WebErrorStatus::Unknown);
    }
}

/// Acceptance lines 17 and 18, and the rules for subprotocols.
#[tokio::test]
async fn a_bad_setting_is_an_argument() {
    for builder in [
        Client::builder().header("Sec-WebSocket-Protocol", "chat"),
        Client::builder().header("sec-websocket-extensions", "x"),
        Client::builder().header("X-A", "1\r\nX-B: 2"),
        Client::builder().header("X A", "1"),
        Client::builder().subprotocol("a, b"),
        Client::builder().subprotocol("a").subprotocol("a"),
        Client::builder().credentials(Credentials::password("", "hunter2")),
    ] {
        let error = builder.build().unwrap_err();
        is(&error, Step::Settings, 0x8007_0057, WebErrorStatus::Unknown);
    }
}

/// What is called where a socket has no method of its own of that name.
struct NoSuchMethod;

/// Calls these on sockets: their own methods come before a trait's, so if one has any of them, this
/// does not compile.
macro_rules! has_none {
    ($type:ty: $($name:ident)*) => {{
        trait TooLate {
            $(fn $name(&mut self) -> NoSuchMethod { NoSuchMethod })*
        }
        impl TooLate for $type {}
        let mut socket = <$type>::from(pair(64, &Config::default()).0);
        $(let NoSuchMethod = socket.$name();)*
    }};
    ($($type:ty),*) => {
        $(has_none! {
            $type: connect config max_message_size pong_interval header subprotocol credentials proxy
            identity ignore_certificate_errors check_certificate nodelay send_buffer_size
        })*
    };
}

/// Acceptance lines 13, 14, 16, 21 and 25: what comes too late on Windows has no name here.
#[tokio::test]
async fn nothing_can_be_set_too_late() {
    type Socket = WebSocket<DuplexStream>;
    has_none!(Socket, MessageWebSocket<DuplexStream>, StreamWebSocket<DuplexStream>);
}

/// Acceptance line 5, and those beside it.
#[tokio::test]
async fn an_answer_keeps_its_status() {
    for (status, number, name) in [
        (404, 0x8019_0194, WebErrorStatus::NotFound),
        (401, 0x8019_0191, WebErrorStatus::Unauthorized),
        (407, 0x8019_0197, WebErrorStatus::ProxyAuthenticationRequired),
        (302, 0x8019_012E, WebErrorStatus::Found),
        (200, 0x8019_0001, WebErrorStatus::UnexpectedStatusCode),
        (308, 0x8019_0003, WebErrorStatus::UnexpectedRedirection),
        (418, 0x8019_0004, WebErrorStatus::UnexpectedClientError),
        (599, 0x8019_0005, WebErrorStatus::UnexpectedServerError),
    ] {
        let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n");
        let server = Answering::new(move |_, _| answer.clone()).await;
        let error = fails(Client::builder(), &server.url("/")).await;
        is(&error, Step::Handshake, number, name);
    }
}

/// Acceptance line 6.
#[tokio::test]
async fn a_closed_port_cannot_be_connected_to() {
    let addr = closed().await;
    let error = fails(Client::builder(), &format!("ws://{addr}/")).await;
    is(&error, Step::Connect, 0x8007_2EFD, WebErrorStatus::CannotConnect);
    let client = Client::builder().resolve_to("a.example", [addr.ip(), "::1".parse().unwrap()]);
    let client = client.proxies(Proxies::none());
    let error = fails(client, &format!("ws://a.example:{}/", addr.port())).await;
    is(&error, Step::Connect, 0x8007_2EFD, WebErrorStatus::CannotConnect);
}

async fn closed() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[derive(Debug)]
struct NobodyKnows;

impl Resolve for NobodyKnows {
    fn resolve(&self, _: &str) -> Answers {
        Answers::failed(std::io::Error::other("nobody knows it"))
    }
}

#[derive(Debug)]
struct Silent;

impl Resolve for Silent {
    fn resolve(&self, _: &str) -> Answers {
        Answers::once(std::future::pending())
    }
}

/// Acceptance line 7.
#[tokio::test]
async fn an_unknown_host_is_not_resolved() {
    let client = || Client::builder().proxies(Proxies::none());
    let error = fails(client().resolver(NobodyKnows), "ws://a.example/").await;
    is(&error, Step::Resolve, 0x8007_2EE7, WebErrorStatus::HostNameNotResolved);
    let late = client().resolver(Silent).connect_timeout(Duration::from_millis(20));
    let error = fails(late, "ws://a.example/").await;
    is(&error, Step::Resolve, 0x8007_2EE2, WebErrorStatus::Timeout);
}

/// Acceptance line 8.
#[tokio::test]
async fn an_answer_that_is_none_is_an_invalid_response() {
    let (url, _server) =
        script([raw::Step::Head, send("HTTP/1.1 101 x\r\n\r\n"), raw::Step::End]).await;
    let error = fails(Client::builder(), &url).await;
    is(&error, Step::Handshake, 0x8007_2F78, WebErrorStatus::ErrorHttpInvalidServerResponse);
    let wrong = OPEN.replace("Sec-WebSocket-Accept: ", "Sec-WebSocket-Accept: x");
    let (url, _server) = script([raw::Step::Head, send(&wrong), raw::Step::End]).await;
    let error = fails(Client::builder(), &url).await;
    is(&error, Step::Handshake, 0x8007_2F78, WebErrorStatus::ErrorHttpInvalidServerResponse);
}

/// Acceptance line 9.
#[tokio::test(start_paused = true)]
async fn silence_is_a_timeout_wherever_it_is() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = silent.local_addr().unwrap();
    for (url, step) in [
        (format!("ws://{addr}/"), Step::Handshake),
        #[cfg(feature = "tls")]
        (format!("wss://{addr}/"), Step::Tls),
    ] {
        let error = Client::new().connect(&url).await.unwrap_err();
        is(&error, step, 0x8007_2EE2, WebErrorStatus::Timeout);
    }
    let proxy = Proxy::new(format!("http://{addr}")).unwrap();
    let client = Client::builder().proxy(proxy).build().unwrap();
    let error = client.connect("ws://a.example/").await.unwrap_err();
    is(&error, Step::Proxy, 0x8007_2EE2, WebErrorStatus::Timeout);
}

#[tokio::test]
async fn a_server_that_leaves_has_aborted() {
    let (url, _server) = script([raw::Step::Head]).await;
    let error = fails(Client::builder(), &url).await;
    is(&error, Step::Handshake, 0x8007_2EFE, WebErrorStatus::ConnectionAborted);
    // Acceptance line 43.
    let (url, _server) = script([raw::Step::Head, send(OPEN)]).await;
    let mut socket = within(MessageWebSocket::connect(&url)).await.unwrap();
    let error = within(socket.recv()).await.unwrap_err();
    is(&error, Step::Open, 0x8007_2EFE, WebErrorStatus::ConnectionAborted);
}

#[tokio::test]
async fn a_redirect_that_leads_nowhere_has_failed() {
    let moved = |to: &str| format!("HTTP/1.1 302 x\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    let answer = moved("ftp://a.example/");
    let server = Answering::new(move |_, _| answer.clone()).await;
    let error = fails(Client::builder().redirects(1), &server.url("/")).await;
    is(&error, Step::Handshake, 0x8007_2F7C, WebErrorStatus::RedirectFailed);
    let answer = moved("/");
    let server = Answering::new(move |_, _| answer.clone()).await;
    let error = fails(Client::builder().redirects(1), &server.url("/")).await;
    is(&error, Step::Handshake, 0x8007_2F7C, WebErrorStatus::RedirectFailed);
}

/// What a proxy does is the proxy's step, whatever it is.
#[tokio::test]
async fn a_failure_at_a_proxy_is_told_as_such() {
    let answer = |status: &str| format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    let through = |addr| {
        let proxy = Proxy::new(format!("http://{addr}")).unwrap();
        Client::builder().proxies(Proxies::all([proxy]))
    };
    let error = fails(through(closed().await), "ws://a.example/").await;
    is(&error, Step::Proxy, 0x8007_2EFD, WebErrorStatus::CannotConnect);
    // Acceptance line 66.
    let asking = answer("407 x");
    let server = Answering::new(move |_, _| asking.clone()).await;
    let error = fails(through(server.addr), "ws://a.example/").await;
    is(&error, Step::Proxy, 0x8019_0197, WebErrorStatus::ProxyAuthenticationRequired);
    // Behind it, it is the server's.
    let (open, refuse) = ("HTTP/1.1 200 x\r\n\r\n".to_owned(), answer("404 x"));
    let server = Answering::new(move |number, _| [&open, &refuse][number.min(1)].clone()).await;
    let error = fails(through(server.addr), "ws://a.example/").await;
    is(&error, Step::Handshake, 0x8019_0194, WebErrorStatus::NotFound);
    assert!(error.proxy().is_some());
}

#[tokio::test]
async fn a_message_over_the_limit_is_out_of_bounds() {
    let (url, _server) = script([
        raw::Step::Head,
        send(OPEN),
        raw::Step::Send(b"\x82\x0B".to_vec()),
        raw::Step::End,
    ])
    .await;
    let client = Client::builder().config(Config::default().max_message_size(10)).build().unwrap();
    let mut socket = MessageWebSocket::from(within(client.connect(&url)).await.unwrap());
    let error = within(socket.recv()).await.unwrap_err();
    is(&error, Step::Open, 0x8000_000B, WebErrorStatus::Unknown);
}

#[tokio::test]
async fn what_comes_too_late_is_closed() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", server.local_addr());
    tokio::spawn(async move {
        let incoming = server.accept().await.unwrap();
        let mut socket = incoming.handshake().await.unwrap().accept_message().await.unwrap();
        while socket.recv().await.unwrap().is_some() {}
    });
    let mut socket = within(MessageWebSocket::connect(&url)).await.unwrap();
    within(socket.close(CloseCode::NORMAL, "")).await.unwrap();
    let error = within(socket.send("x")).await.unwrap_err();
    is(&error, Step::Open, 0x8000_0013, WebErrorStatus::Unknown);
}

#[tokio::test]
async fn a_server_that_cannot_listen_says_where_it_failed() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = Server::bind(taken.local_addr().unwrap().to_string()).await.unwrap_err();
    is(&error, Step::Listen, HResult::FAIL.number(), WebErrorStatus::Unknown);
}
