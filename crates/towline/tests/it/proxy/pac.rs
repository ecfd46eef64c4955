//! Scripts that choose the proxy: read from anywhere, run beside the runtime, and gone by.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use towline::{Answers, PacScript, Resolve};

use super::*;
use crate::raw::Answering;

fn by(script: PacScript) -> ClientBuilder {
    Client::builder().proxies(Proxies::script(script))
}

fn says(ways: &str) -> PacScript {
    PacScript::text(format!("FindProxyForURL = () => '{ways}'"))
}

async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// A port at which somebody listens, and ends every connection.
async fn hanging_up() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    port
}

/// A web server that has this to say, each time.
async fn web(answer: impl Fn(usize) -> String + Send + Sync + 'static) -> Answering {
    Answering::new(move |number, _| answer(number)).await
}

fn found(text: &str) -> String {
    let length = text.len();
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{text}")
}

fn at(web: &Answering) -> PacScript {
    PacScript::url(&format!("http://{}/proxy.pac?key=s3cret", web.addr)).unwrap()
}

#[tokio::test]
async fn the_first_way_that_leads_on_is_taken() {
    let (echo, fake) = (echo().await, Fake::http(Manners::default()).await);
    let (socks_port, asked) = socks().await;
    let gone = closed_port().await;
    let ways = format!("PROXY 127.0.0.1:{gone}; SOCKS5 127.0.0.1:{socks_port}; PROXY x.invalid");
    let client = by(says(&ways)).build().unwrap();
    let routes = client.routes(by_name(&echo)).await.unwrap();
    let shown: Vec<_> = routes.iter().map(|route| route.proxies()[0].to_string()).collect();
    assert_eq!(shown.len(), 3);
    assert_eq!(routes[0].why(), "the script of the program says so");
    let socket = within(client.connect(by_name(&echo))).await.unwrap();
    assert_eq!(socket.info().route().unwrap().proxies()[0].to_string(), shown[1]);
    talk(&mut socket.into()).await;
    assert_eq!(*asked.lock().unwrap(), ["app.example"]);
    // A name that is not found, and one that ends the connection, are no ways either.
    let ways = format!(
        "PROXY x.invalid; SOCKS 127.0.0.1:{}; PROXY 127.0.0.1:{}",
        hanging_up().await,
        fake.port
    );
    let builder = by(says(&ways)).resolve_to("app.example", [[127, 0, 0, 1].into()]);
    let socket = connect(builder, &by_name(&echo)).await.unwrap();
    assert_eq!(socket.info().route().unwrap().proxies()[0].to_string(), fake.proxy().to_string());
    // The server itself, at last.
    let builder = by(says(&format!("PROXY 127.0.0.1:{gone}; DIRECT")))
        .resolve_to("app.example", [[127, 0, 0, 1].into()]);
    let mut socket = connect(builder, &by_name(&echo)).await.unwrap();
    talk(&mut socket).await;
    let route = socket.info().route().unwrap().to_string();
    assert_eq!(route, "directly: the script of the program says so");
}

#[tokio::test]
async fn a_proxy_that_answers_is_the_one() {
    let (echo, next) = (echo().await, Fake::http(Manners::default()).await);
    let manners = Manners { locked: true, ..Manners::default() };
    let fake = Fake::http(manners).await;
    let ways = format!("PROXY 127.0.0.1:{}; PROXY 127.0.0.1:{}", fake.port, next.port);
    let error = fails(by(says(&ways)), &by_name(&echo)).await;
    assert_eq!(error.response().unwrap().status(), 407);
    assert_eq!((fake.heads().len(), next.heads().len()), (1, 0));
    // Who one is to those that the script names.
    let proxies = Proxies::script(says(&ways)).credentials(&Credentials::password("ann", "s3cret"));
    connect(Client::builder().proxies(proxies), &by_name(&echo)).await.unwrap();
    assert!(fake.heads()[2].contains(ANN), "{:?}", fake.heads());
}

#[tokio::test]
async fn where_no_way_leads_on_each_is_told() {
    let (one, two) = (closed_port().await, closed_port().await);
    let error =
        fails(by(says(&format!("PROXY 127.0.0.1:{one}"))), "ws://app.example/").await.to_string();
    assert!(error.starts_with(&format!("reaching the proxy http://127.0.0.1:{one}: ")), "{error}");
    let ways = format!("PROXY 127.0.0.1:{one}; HTTPS 127.0.0.1:{two}");
    let error = fails(by(says(&ways)), "ws://app.example/").await;
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.proxy().unwrap(), format!("https://127.0.0.1:{two}"));
    let told = error.to_string();
    for words in [
        "going to app.example as the script of the program says: none of 2 ways leads there: ",
        &format!("reaching the proxy http://127.0.0.1:{one}: "),
        &format!("; then reaching the proxy https://127.0.0.1:{two}: "),
    ] {
        assert!(told.contains(words), "{told}");
    }
}

#[tokio::test]
async fn a_script_is_asked_about_those_that_are_not_spared() {
    let echo = echo().await;
    let nowhere = || Proxies::script(says("PROXY 127.0.0.1:1"));
    connect(Client::builder().proxies(nowhere()), &echo.url()).await.unwrap();
    let excepted = nowhere().loopback(true).except("127.0.0.1");
    connect(Client::builder().proxies(excepted), &echo.url()).await.unwrap();
    let client = Client::builder().proxies(nowhere().loopback(true)).build().unwrap();
    assert_eq!(within(client.connect(echo.url())).await.unwrap_err().kind(), ErrorKind::Connect);
    // What has to be run says nothing before.
    let error = client.route(echo.url()).unwrap_err().to_string();
    assert!(error.ends_with("says which it is; Client::routes runs it"), "{error}");
    let client = Client::builder().proxies(nowhere()).build().unwrap();
    assert_eq!(client.route(echo.url()).unwrap().why(), "it is this machine");
    assert_eq!(client.routes(echo.url()).await.unwrap()[0].why(), "it is this machine");
}

#[tokio::test]
async fn a_script_is_fetched_once_and_directly() {
    let (echo, fake) = (echo().await, Fake::http(Manners::default()).await);
    let port = fake.port;
    let text = format!("FindProxyForURL = () => 'PROXY 127.0.0.1:{port}'");
    let web = web(move |_| found(&text)).await;
    let client = by(at(&web)).build().unwrap();
    let url = by_name(&echo);
    let (one, two) = tokio::join!(within(client.connect(&url)), within(client.connect(&url)));
    let route = one.unwrap().info().route().unwrap().to_string();
    // What follows the question mark is for the server alone.
    assert!(route.ends_with(&format!("the script http://{}/proxy.pac says so", web.addr)));
    two.unwrap();
    let asked = web.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].1.starts_with("GET /proxy.pac?key=s3cret HTTP/1.1\r\n"), "{}", asked[0].1);
    assert_eq!(fake.heads().len(), 2);
}

#[tokio::test]
async fn a_script_that_does_not_come_is_told_and_asked_for_again() {
    let long = "x".repeat((1 << 20) + 1);
    let answers = [
        "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n".to_owned(),
        "HTTP/1.1 302 Found\r\nLocation: /x\r\nConnection: close\r\n\r\n".to_owned(),
        "nonsense\r\nConnection: close\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhalf".to_owned(),
        found(&long),
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{long}"),
        "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
         23\r\nFindProxyForURL = () => 'ws://x'; 1\r\n0\r\n\r\n"
            .to_owned(),
    ];
    let web = web(move |number| answers[number].clone()).await;
    let client = by(at(&web)).build().unwrap();
    for words in
        ["404", "302", "version is not 1.1", "ended too soon", "more than 1 MiB", "more than 1 MiB"]
    {
        let error = within(client.connect("ws://app.example/")).await.unwrap_err();
        let told = error.to_string();
        let begin = format!("reading the script http://{}/proxy.pac, which", web.addr);
        assert!(told.starts_with(&begin) && told.contains(words), "{told}");
        assert_eq!(error.kind(), ErrorKind::Io);
    }
    let error = within(client.connect("ws://app.example/")).await.unwrap_err().to_string();
    assert!(error.contains("it answered \"ws://x\", which names no proxy"), "{error}");
    let client = by(PacScript::file("/no/such/file")).build().unwrap();
    let error = within(client.connect("ws://app.example/")).await.unwrap_err().to_string();
    assert!(error.starts_with("reading the script /no/such/file, which"), "{error}");
}

/// A web server that has this to say once, and then is silent. Tells how often it was asked.
async fn falling_silent(text: Option<String>) -> (PacScript, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let script = PacScript::url(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let account = Arc::clone(&asked);
    let mut answer = text.map(|text| found(&text));
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            account.fetch_add(1, Ordering::SeqCst);
            if let Some(answer) = answer.take() {
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            held.push(stream);
        }
    });
    (script, asked)
}

async fn later(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

#[tokio::test(flavor = "current_thread")]
async fn a_script_is_kept_when_its_server_falls_silent() {
    let (echo, fake) = (echo().await, Fake::http(Manners::default()).await);
    let text = format!("FindProxyForURL = () => 'PROXY 127.0.0.1:{}'", fake.port);
    let (script, asked) = falling_silent(Some(text)).await;
    let count = || asked.load(Ordering::SeqCst);
    let client = by(script).total_timeout(Duration::from_secs(2)).build().unwrap();
    let url = by_name(&echo);
    drop(client.connect(&url).await.unwrap());
    later(Duration::from_secs(3601)).await;
    let begun = Instant::now();
    let (one, two) = tokio::join!(client.connect(&url), async {
        let socket = client.connect(&url).await;
        // One asks, and nobody else waits for that.
        (socket, begun.elapsed() < Duration::from_millis(900))
    });
    drop((one.unwrap(), two.0.unwrap()));
    assert!(two.1);
    assert!(begun.elapsed() > Duration::from_millis(900));
    assert_eq!(count(), 2);
    // It is asked again a minute later.
    let begun = Instant::now();
    drop(client.connect(&url).await.unwrap());
    assert!(begun.elapsed() < Duration::from_millis(900));
    assert_eq!(count(), 2);
    later(Duration::from_secs(61)).await;
    drop(client.connect(&url).await.unwrap());
    assert_eq!(count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_waited_for_once_a_minute() {
    let (script, _) = falling_silent(None).await;
    let client = by(script.clone()).build().unwrap();
    let hurried = by(script).total_timeout(Duration::from_secs(1)).build().unwrap();
    for (client, seconds, before) in
        [(&hurried, 1, 0), (&client, 30, 0), (&client, 0, 0), (&hurried, 0, 0), (&client, 30, 61)]
    {
        tokio::time::advance(Duration::from_secs(before)).await;
        let begun = tokio::time::Instant::now();
        let error = client.connect("ws://app.example/").await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed().as_secs()), (ErrorKind::TimedOut, seconds));
        assert!(error.to_string().contains("it did not come in time"), "{error}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_waits_for_the_thread_of_a_script() {
    let client = by(PacScript::text("for (;;);")).build().unwrap();
    let begun = Instant::now();
    let endless = client.connect("ws://app.example/");
    assert!(tokio::time::timeout(Duration::from_millis(100), endless).await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(3));
    let error = client.connect("ws://app.example/").await.unwrap_err().to_string();
    let words = "running the script of the program for app.example: it ran for more than 5 s";
    assert!(error.starts_with(words), "{error}");
}

/// Ends after seconds, in a step of the engine's that nothing can interrupt.
const STEADFAST: &str = "[].reverse.call({ length: 2e7 })";

#[test]
fn a_script_that_cannot_be_interrupted_holds_nobody() {
    // Where it does, this test ends all the same.
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().start_paused(true).build().unwrap();
        let told = runtime.block_on(async {
            let client = by(PacScript::text(STEADFAST)).build().unwrap();
            let begun = tokio::time::Instant::now();
            let error = client.routes("ws://app.example/").await.unwrap_err();
            assert_eq!(begun.elapsed().as_secs(), 30);
            (error.kind(), error.to_string())
        });
        drop(runtime);
        tell.send(told).unwrap();
    });
    let (kind, told) = told.recv_timeout(Duration::from_secs(3)).expect("somebody waits");
    let words = "running the script of the program for app.example: it does not end";
    assert!(told.starts_with(words), "{told}");
    // To try again would be to keep one more thread.
    assert_eq!(kind, ErrorKind::InvalidInput);
}

#[test]
fn what_a_script_looks_up_needs_no_thread_of_its_own() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().max_blocking_threads(1).build().unwrap();
    let script = "FindProxyForURL = () => 'PROXY ' + dnsResolve('localhost')";
    let client = by(PacScript::text(script)).build().unwrap();
    let routes = runtime.block_on(within(client.routes("ws://app.example/"))).unwrap();
    assert_eq!(routes[0].proxies()[0].to_string(), "http://127.0.0.1:80");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_cannot_be_read_to_its_end_holds_nobody() {
    let dir = std::env::temp_dir().join(format!("towline-pac-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let pipe = dir.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let client = by(PacScript::file(&pipe)).total_timeout(Duration::from_millis(200)).build();
    let error = within(client.unwrap().connect("ws://app.example/")).await.unwrap_err();
    // Whoever reads it now comes to its end.
    std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let words = format!("reading the script {}, which", pipe.display());
    assert!(error.to_string().starts_with(&words), "{error}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_script_asks_the_resolver_of_the_client() {
    #[derive(Debug)]
    struct Mine;
    impl Resolve for Mine {
        fn resolve(&self, host: &str) -> Answers {
            match host {
                "mine.example" => Answers::of(["10.9.8.7:0".parse().unwrap()]),
                _ => Answers::failed(std::io::Error::other("no")),
            }
        }
    }
    let script = "FindProxyForURL = (url, host) => \
        'PROXY ' + dnsResolve('mine.example') + '; PROXY ' + dnsResolve('set.example') + \
        '; PROXY x' + dnsResolve('none.example')";
    let client = by(PacScript::text(script)).resolver(Mine);
    let client = client.resolve_to("set.example", [[10, 1, 1, 1].into()]).build().unwrap();
    let routes = within(client.routes("wss://app.example/")).await.unwrap();
    let shown: Vec<_> = routes.iter().map(|route| route.proxies()[0].to_string()).collect();
    assert_eq!(shown, ["http://10.9.8.7:80", "http://10.1.1.1:80", "http://xnull:80"]);
}
