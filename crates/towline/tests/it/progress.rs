//! What a client tells while it connects.

use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use towline::{AttemptOutcome, Client, ClientBuilder, Progress, Proxies, Proxy};

use crate::raw::{Answering, OPEN, within};

type Told = Arc<Mutex<Vec<String>>>;

/// Notes what is told, in a few words.
fn watched(builder: ClientBuilder) -> (ClientBuilder, Told) {
    let told = Told::default();
    let notes = Arc::clone(&told);
    let builder = builder.on_progress(move |progress| {
        notes.lock().unwrap().push(match progress {
            Progress::Route(route) => format!("route {route}"),
            Progress::Resolved { host, addresses } => format!("{host} is {addresses:?}"),
            Progress::Attempted(attempt) => match &attempt.outcome {
                AttemptOutcome::Connected => format!("{} connected", attempt.address),
                AttemptOutcome::Failed(why) => format!("{}: {:?}", attempt.address, why.kind()),
                outcome => format!("{}: {outcome}", attempt.address),
            },
            Progress::Tunnelled { proxy, to } => format!("{proxy} led to {to}"),
            Progress::Asked(request) => format!("asked {}", request.uri()),
            Progress::Answered(response) => format!("answered {}", response.status().as_u16()),
            Progress::Redirected(to) => format!("redirected to {to}"),
            other => format!("{other:?}"),
        });
    });
    (builder, told)
}

fn taken(told: &Told) -> Vec<String> {
    std::mem::take(&mut told.lock().unwrap())
}

async fn open() -> Answering {
    Answering::new(|_, _| OPEN.to_owned()).await
}

#[tokio::test]
async fn each_step_is_told_as_it_is_made() {
    let server = open().await;
    let (builder, told) = watched(Client::builder());
    let client = builder.build().unwrap();
    within(client.connect(server.url("/a?b"))).await.unwrap();
    let direct = "route directly: it is this machine".to_owned();
    let route = taken(&told);
    assert!(route[0].starts_with("route directly: "), "{route:?}");
    let expected = [&format!("{} connected", server.addr), "asked /a?b", "answered 101"];
    assert_eq!(route[1..], expected);

    // A name, of whose addresses one is dead.
    let (builder, told) = watched(Client::builder());
    let dead = "127.0.0.2".parse().unwrap();
    let client = builder
        .proxies(Proxies::all([Proxy::new("http://127.0.0.1:1").unwrap()]))
        .resolve_to("localhost", [dead, server.addr.ip()])
        .build()
        .unwrap();
    let port = server.addr.port();
    within(client.connect(format!("ws://localhost:{port}/"))).await.unwrap();
    let refused = format!("127.0.0.2:{port}: ConnectionRefused");
    let expected = [
        &direct,
        "localhost is [127.0.0.2, 127.0.0.1]",
        &refused,
        &format!("{} connected", server.addr),
        "asked /",
        "answered 101",
    ];
    assert_eq!(taken(&told), expected);
}

#[tokio::test]
async fn a_failure_ends_what_is_told() {
    let addr = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (builder, told) = watched(Client::builder().proxies(Proxies::none()));
    within(builder.build().unwrap().connect(format!("ws://{addr}/"))).await.unwrap_err();
    let refused = format!("{addr}: ConnectionRefused");
    assert_eq!(taken(&told), ["route directly: no proxy is set", &refused]);
    let server = Answering::new(|_, _| "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n".into()).await;
    let (builder, told) = watched(Client::builder());
    within(builder.build().unwrap().connect(server.url("/"))).await.unwrap_err();
    assert_eq!(taken(&told)[2..], ["asked /", "answered 404"]);
}

#[tokio::test]
async fn proxies_and_redirects_are_steps() {
    let end = open().await;
    let to = end.url("/end");
    let moved = format!("HTTP/1.1 302 x\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    let tunnel = "HTTP/1.1 200 x\r\n\r\n".to_owned();
    // A proxy, and behind it a server that sends everybody to the other one.
    let proxy = Answering::new(move |number, _| [&tunnel, &moved][number.min(1)].clone()).await;
    let (builder, told) = watched(Client::builder().redirects(1));
    let through = Proxy::new(format!("http://{}", proxy.addr)).unwrap();
    let client = builder.proxies(Proxies::all([through])).build().unwrap();
    within(client.connect("ws://a.example/start")).await.unwrap();
    let proxy = proxy.addr;
    let expected = [
        &format!("route through http://{proxy}: the program says so"),
        &format!("{proxy} connected"),
        &format!("http://{proxy} led to a.example:80"),
        "asked /start",
        "answered 302",
        &format!("redirected to {to}"),
        "route directly: it is this machine",
        &format!("{} connected", end.addr),
        "asked /end",
        "answered 101",
    ];
    assert_eq!(taken(&told), expected);
}

#[tokio::test]
async fn what_is_told_hides_secrets() {
    let server = open().await;
    let told = Told::default();
    let notes = Arc::clone(&told);
    let client = Client::builder()
        .header("Authorization", "Bearer hunter2")
        .header("Cookie", "id=hunter2")
        .header("X-Api-Key", "hunter2")
        .on_progress(move |progress| notes.lock().unwrap().push(format!("{progress:?}")))
        .build()
        .unwrap();
    let socket = within(client.connect(server.url("/?token=hunter2"))).await.unwrap();
    let request = socket.info().request().unwrap();
    assert_eq!(request.headers()["x-api-key"], "hunter2");
    let headers = format!("{:?}", request.headers());
    assert!(!headers.contains("hunter2"), "{headers}");
    let told = taken(&told);
    assert_eq!(told.len(), 4);
    assert!(told[2].contains("Sensitive") && !told.concat().contains("hunter2"), "{told:?}");
}
