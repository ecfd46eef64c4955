//! Several certificates of a server, and new ones for it.

use towline::{Client, ErrorKind, MessageWebSocket, Server, TlsConfig};

use super::authority::Authority;
use super::{trusting, url};
use crate::raw::{Echo, within};

/// The names of the certificate that a server shows to who asks for this one.
async fn shown_to(ours: &Authority, echo: &Echo, name: &str) -> Vec<String> {
    let client = trusting(ours)
        .ignore_certificate_errors([towline::CertificateError::InvalidName])
        .resolve_to(name, [echo.addr.ip()])
        .build()
        .unwrap();
    let url = format!("wss://{name}:{}/", echo.addr.port());
    let socket = within(client.connect(&url)).await.unwrap();
    socket.info().peer_certificates().unwrap().certificate().names()
}

#[tokio::test]
async fn a_client_is_shown_the_certificate_of_the_name_it_asks_for() {
    let ours = Authority::new();
    let identity = |names: &[&str]| ours.issue(names).of_client();
    let tls = ours
        .issue(&["first.example"])
        .tls()
        .also(identity(&["Second.example", "third.example"]))
        .also(identity(&["*.wild.example"]))
        .also(identity(&["exact.wild.example"]));
    let server = Server::builder().tls(tls).allow_any_origin();
    let echo = Echo::new(server).await;
    for (name, expected) in [
        ("first.example", "first.example"),
        ("second.example", "Second.example"),
        ("third.example", "Second.example"),
        ("a.wild.example", "*.wild.example"),
        ("exact.wild.example", "exact.wild.example"),
        // An asterisk is one label.
        ("b.a.wild.example", "first.example"),
        ("wild.example", "first.example"),
        ("fourth.example", "first.example"),
    ] {
        let names = shown_to(&ours, &echo, name).await;
        assert_eq!(names[0], expected, "{name}");
    }
    // Without a name, by address.
    let client = trusting(&ours)
        .ignore_certificate_errors([towline::CertificateError::InvalidName])
        .build()
        .unwrap();
    let socket = within(client.connect(format!("wss://{}/", echo.addr))).await.unwrap();
    let shown = socket.info().peer_certificates().unwrap();
    assert_eq!(shown.certificate().names(), ["first.example"]);
}

#[tokio::test]
async fn new_certificates_drop_no_connection() {
    let ours = Authority::new();
    let tls = ours.issue(&["localhost", "old.example"]).tls();
    let echo = Echo::new(Server::builder().tls(tls.clone())).await;
    // Another client each time: what is resumed shows no certificate.
    let connect = || async {
        let client = trusting(&ours).build().unwrap();
        let socket = within(client.connect(url(&echo))).await.unwrap();
        let names = socket.info().peer_certificates().unwrap().certificate().names();
        (MessageWebSocket::from(socket), names)
    };
    let (mut old, names) = connect().await;
    assert_eq!(names, ["localhost", "old.example"]);
    tls.replace([ours.issue(&["localhost", "new.example"]).of_client()]);
    let (mut new, names) = connect().await;
    assert_eq!(names, ["localhost", "new.example"]);
    for socket in [&mut old, &mut new] {
        within(socket.send("still here")).await.unwrap();
        let answer = within(socket.recv()).await.unwrap().unwrap();
        assert_eq!(answer.as_text(), Some("still here"));
    }
    // With none there is no server for anybody else.
    tls.replace([]);
    let error = within(trusting(&ours).build().unwrap().connect(url(&echo))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    within(old.send("and still")).await.unwrap();
    within(old.recv()).await.unwrap().unwrap();
}

#[tokio::test]
async fn roots_beside_the_systems_are_trusted_as_well() {
    let ours = Authority::new();
    let echo = Echo::new(Server::builder().tls(ours.issue(&["localhost"]).tls())).await;
    let roots = TlsConfig::platform_and_roots_pem(ours.pem()).unwrap();
    let client = Client::builder().tls(roots).build().unwrap();
    within(client.connect(url(&echo))).await.unwrap();
}
