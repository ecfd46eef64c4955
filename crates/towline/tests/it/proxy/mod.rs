//! Proxies: fake ones in this process, which lead to servers of ours.

mod fake;
#[cfg(feature = "pac")]
mod pac;
mod schemes;
#[cfg(feature = "tls")]
mod tls;

use std::time::Duration;

use tokio::net::TcpListener;
use towline::{
    Client, ClientBuilder, Credentials, Error, ErrorKind, Family, Message, MessageWebSocket,
    Proxies, Proxy, Server,
};

use crate::raw::{Echo, Step, script, send, within};
use fake::{ANN, Fake, Manners, socks};

/// A server that is known by a name, too.
async fn echo() -> Echo {
    Echo::new(Server::builder().allow_host("app.example")).await
}

/// Its address by that name, which the fake proxies know.
fn by_name(echo: &Echo) -> String {
    format!("ws://app.example:{}/", echo.addr.port())
}

async fn connect(builder: ClientBuilder, url: &str) -> towline::Result<MessageWebSocket> {
    Ok(within(builder.build().unwrap().connect(url)).await?.into())
}

async fn fails(builder: ClientBuilder, url: &str) -> Error {
    connect(builder, url).await.unwrap_err()
}

/// Sends a message and gets it back.
async fn talk(socket: &mut MessageWebSocket) {
    within(socket.send("hello")).await.unwrap();
    assert_eq!(within(socket.recv()).await.unwrap(), Some(Message::text("hello")));
}

#[tokio::test]
async fn an_http_proxy_leads_to_a_server() {
    let (echo, fake) = (echo().await, Fake::http(Manners::default()).await);
    let port = echo.addr.port();
    let builder = Client::builder().proxy(fake.proxy());
    let url = format!("ws://app.example:{port}/chat");
    let socket = within(builder.build().unwrap().connect(&url)).await.unwrap();
    // It is TCP, with nothing between it and us.
    assert!(socket.get_ref().as_tcp().is_some());
    let mut socket = MessageWebSocket::from(socket);
    talk(&mut socket).await;
    let info = socket.info();
    assert_eq!(info.peer_addr().unwrap().port(), fake.port);
    let route = info.route().unwrap();
    assert_eq!(
        route.to_string(),
        format!("through http://127.0.0.1:{}: the program says so", fake.port)
    );
    assert_eq!(info.request().unwrap().headers()["host"], format!("app.example:{port}"));
    let expected =
        format!("CONNECT app.example:{port} HTTP/1.1\r\nHost: app.example:{port}\r\n\r\n");
    assert_eq!(fake.heads(), [expected]);
}

#[tokio::test]
async fn where_no_proxy_is_to_be_none_is() {
    let (echo, fake) = (echo().await, Fake::http(Manners::default()).await);
    let through = || Proxies::all([fake.proxy()]);
    let excepted = through().loopback(true).except("127.0.0.0/8");
    for proxies in [Proxies::none(), through(), excepted] {
        let builder = Client::builder().proxy(fake.proxy()).proxies(proxies);
        let mut socket = connect(builder, &echo.url()).await.unwrap();
        talk(&mut socket).await;
        assert!(socket.info().route().is_none());
    }
    assert_eq!(fake.heads(), [""; 0]);
    let builder = Client::builder().proxies(through().loopback(true).except("app.example"));
    connect(builder, &echo.url()).await.unwrap();
    assert_eq!(fake.heads().len(), 1);
}

#[tokio::test]
async fn a_proxy_is_told_who_we_are_when_it_asks() {
    let echo = echo().await;
    for impatient in [false, true] {
        let manners = Manners { locked: true, impatient, ..Manners::default() };
        let fake = Fake::http(manners).await;
        let ann = Credentials::password("ann", "s3cret");
        let url = Proxy::new(format!("http://ann:s3cret@127.0.0.1:{}", fake.port)).unwrap();
        let all = Proxies::all([fake.proxy()]);
        for proxies in [
            Proxies::all([fake.proxy().credentials(ann.clone())]),
            Proxies::all([url]),
            all.clone().credentials(&ann),
        ] {
            let mut socket =
                connect(Client::builder().proxies(proxies), &by_name(&echo)).await.unwrap();
            talk(&mut socket).await;
            let debug = format!("{:?} {:?}", socket.info(), socket.info().route());
            assert!(!debug.contains("s3cret") && !debug.contains("ann"), "{debug}");
        }
        // Each time it asked once.
        let heads = fake.heads();
        assert_eq!(
            heads.iter().map(|head| head.contains(ANN)).collect::<Vec<_>>(),
            [false, true, false, true, false, true]
        );
        // Not for nobody, and not for somebody else: who is told so after one more try.
        let error = fails(Client::builder().proxies(all.clone()), &by_name(&echo)).await;
        assert_eq!(error.kind(), ErrorKind::Proxy);
        assert_eq!(error.response().unwrap().status(), 407);
        assert_eq!(error.response().unwrap().body(), "who?");
        assert!(error.to_string().contains("wants to know who you are"), "{error}");
        assert_eq!(fake.heads().len(), heads.len() + 1);
        let bob = all.credentials(&Credentials::password("bob", "s3cret"));
        let error = fails(Client::builder().proxies(bob), &by_name(&echo)).await;
        assert_eq!(error.proxy(), Some(&*format!("http://127.0.0.1:{}", fake.port)));
        assert!(error.to_string().contains("does not take that user name"), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        assert_eq!(fake.heads().len(), heads.len() + 3);
    }
}

#[tokio::test]
async fn proxies_stand_one_behind_the_other() {
    let echo = echo().await;
    let impatient = Manners { locked: true, impatient: true, ..Manners::default() };
    let (one, two) = (Fake::http(impatient).await, Fake::http(impatient).await);
    let (port, asked) = socks().await;
    let socks5 = Proxy::new(format!("socks5h://127.0.0.1:{port}")).unwrap();
    let socks4 = Proxy::new(format!("socks4a://127.0.0.1:{port}")).unwrap();
    let chain = Proxies::all([one.proxy(), socks5, two.proxy(), socks4]);
    let chain = chain.credentials(&Credentials::password("ann", "s3cret"));
    let url = by_name(&echo);
    let mut socket = connect(Client::builder().proxies(chain), &url).await.unwrap();
    talk(&mut socket).await;
    assert_eq!(socket.info().route().unwrap().proxies().len(), 4);
    // Two wanted another connection, and the first knows us on the third.
    let knew: Vec<_> = one.heads().iter().map(|head| head.contains(ANN)).collect();
    assert_eq!(knew, [false, true, true]);
    assert_eq!(asked.lock().unwrap().last().unwrap(), "app.example");
}

#[tokio::test]
async fn socks_proxies_lead_to_a_server() {
    let echo = echo().await;
    let (port, asked) = socks().await;
    let url = by_name(&echo);
    for (scheme, expected) in [
        ("socks4a", "app.example"),
        ("socks5h", "app.example"),
        // Looked up here.
        ("socks4", r"\x7f\x00\x00\x01"),
        ("socks5", r"\x7f\x00\x00\x01"),
    ] {
        let proxy = Proxy::new(format!("{scheme}://127.0.0.1:{port}")).unwrap();
        let builder = Client::builder()
            .proxy(proxy.clone())
            .resolve_to("app.example", [[127, 0, 0, 1].into()]);
        let mut socket = connect(builder, &url).await.unwrap();
        talk(&mut socket).await;
        assert_eq!(asked.lock().unwrap().last().unwrap(), expected, "{scheme}");
        // A proxy may have one family alone, and the family that is preferred is taken.
        let both = ["::1".parse().unwrap(), [127, 0, 0, 1].into()];
        let builder = Client::builder().proxy(proxy.clone()).resolve_to("app.example", both);
        drop(connect(builder.family(Family::PreferV4), &url).await.unwrap());
        assert_eq!(asked.lock().unwrap().last().unwrap(), expected, "{scheme}");
        let nobody = Client::builder().proxy(proxy).resolve_to("app.example", []);
        match scheme.ends_with(['a', 'h']) {
            true => drop(connect(nobody, &url).await.unwrap()),
            false => {
                let error = fails(nobody, &url).await;
                assert_eq!((error.kind(), error.proxy()), (ErrorKind::Resolve, None));
                assert!(error.to_string().contains("socks5h://"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let address = format!("http://127.0.0.1:{port}");
    let builder = Client::builder().proxy(Proxy::new(&address).unwrap());
    let error = fails(builder, "wss://app.example/").await;
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Connect, 1));
    assert_eq!(error.proxy(), Some(&*address));
    let expected = format!("reaching the proxy {address}: connecting to 127.0.0.1:{port}: ");
    assert!(error.to_string().starts_with(&expected), "{error}");
    // Its addresses race, as a server's do.
    let builder = Client::builder()
        .proxy(Proxy::new("proxy.example").unwrap())
        .resolve_to("proxy.example", []);
    let error = fails(builder, "wss://app.example/").await;
    assert_eq!(
        (error.kind(), error.proxy()),
        (ErrorKind::Resolve, Some("http://proxy.example:80"))
    );
    assert!(error.to_string().contains("looking up proxy.example"), "{error}");
}

#[tokio::test]
async fn addresses_of_a_proxy_race() {
    let (echo, fake) = (echo().await, Fake::http(Manners::default()).await);
    let proxy = Proxy::new(format!("proxy.example:{}", fake.port)).unwrap();
    let addresses = ["::1".parse().unwrap(), [127, 0, 0, 1].into()];
    let builder = Client::builder().proxy(proxy).resolve_to("proxy.example", addresses);
    let socket = connect(builder, &by_name(&echo)).await.unwrap();
    assert_eq!(socket.info().attempts().len(), 2);
    assert_eq!(socket.info().peer_addr().unwrap().port(), fake.port);
}

#[tokio::test]
async fn a_proxy_that_refuses_or_is_silent_is_named() {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n\
        <!doctype html>";
    let fake = Fake::http(Manners { answer: Some(page), ..Manners::default() }).await;
    let error = fails(Client::builder().proxy(fake.proxy()), "wss://app.example/").await;
    assert!(error.to_string().contains("a web page came instead"), "{error}");
    assert_eq!(error.response().unwrap().body(), "<!doctype html>");
    // It has no such server.
    let fake = Fake::http(Manners::default()).await;
    let error = fails(Client::builder().proxy(fake.proxy()), "wss://app.example:1/").await;
    assert_eq!(
        (error.kind(), error.response().unwrap().status().as_u16()),
        (ErrorKind::Proxy, 502)
    );
    // It takes all and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    for scheme in ["http", "socks4a", "socks5h"] {
        let proxy = Proxy::new(format!("{scheme}://127.0.0.1:{port}")).unwrap();
        let builder = Client::builder().proxy(proxy).connect_timeout(Duration::from_millis(100));
        let error = fails(builder, "wss://app.example/").await;
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
        let expected = format!(
            "asking the proxy {scheme}://127.0.0.1:{port} for app.example:443: the proxy did not"
        );
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}

#[tokio::test]
async fn errors_behind_a_proxy_name_it() {
    let fake = Fake::http(Manners::default()).await;
    let (url, _server) = script([
        Step::Head,
        send("HTTP/1.1 403 Forbidden\r\nVia: 1.1 gate\r\nContent-Length: 0\r\n\r\n"),
        Step::End,
    ])
    .await;
    let builder = Client::builder().proxies(Proxies::all([fake.proxy()]).loopback(true));
    let error = fails(builder, &url).await;
    assert_eq!(error.kind(), ErrorKind::Handshake);
    let proxy = format!("http://127.0.0.1:{}", fake.port);
    assert_eq!(error.proxy(), Some(&*proxy));
    let text = error.to_string();
    assert!(
        text.contains(&format!(
            " through {proxy}: the server answered 403 Forbidden by way of 1.1 gate; "
        )),
        "{text}"
    );
}

/// A message of more than any buffer, both ways.
#[tokio::test]
async fn much_goes_through() {
    let echo = echo().await;
    let fake = Fake::http(Manners { locked: true, ..Manners::default() }).await;
    let ann = fake.proxy().credentials(Credentials::password("ann", "s3cret"));
    let socket = connect(Client::builder().proxy(ann), &by_name(&echo)).await.unwrap();
    let message = Message::from(vec![7; 8 * 1024 * 1024]);
    let (mut receiver, sender) = socket.split();
    let sending = tokio::spawn(async move { sender.send(message).await });
    let got = within(receiver.recv()).await.unwrap().unwrap();
    assert_eq!(got, Message::from(vec![7; 8 * 1024 * 1024]));
    within(sending).await.unwrap().unwrap();
}
