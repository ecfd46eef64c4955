//! A check of the caller's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use towline::CertificateError::InvalidName;
use towline::{Client, ErrorKind, HResult, MessageWebSocket, Server, WebErrorStatus};

use super::authority::Authority;
use super::{look, trusting};
use crate::raw::{Echo, within};

#[tokio::test]
async fn a_check_sees_the_chain_and_what_was_ignored() {
    let ours = Authority::named("Ours");
    let between = ours.delegate("Between", |_| {});
    let identity = between.issue(&["other.example"]).with(&between);
    let client = trusting(&ours).ignore_certificate_errors([InvalidName]);
    let client = client.check_certificate(|shown| async move {
        assert_eq!(shown.errors(), [InvalidName]);
        assert_eq!(shown.certificate().names(), ["other.example"]);
        assert_eq!(shown.intermediates()[0].issuer().as_deref(), Some("Ours"));
        Ok::<_, &str>(())
    });
    look(client, identity.tls()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_rejected_gets_no_byte_of_http() {
    let ours = Authority::new();
    let acceptor = TlsAcceptor::from(ours.issue(&["localhost"]).config(rustls::ALL_VERSIONS));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", listener.local_addr().unwrap().port());
    let client = trusting(&ours).check_certificate(|_| async { Err("not today") }).build().unwrap();
    let (connected, got) = within(async {
        tokio::join!(client.connect(&url), async {
            let (tcp, _) = listener.accept().await.unwrap();
            let mut tls = acceptor.accept(tcp).await.unwrap();
            let mut got = Vec::new();
            // TCP ends without a close_notify, which is an error to rustls.
            tls.read_to_end(&mut got).await.ok();
            got
        })
    })
    .await;
    let error = connected.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate, "{error}");
    assert!(error.to_string().contains("not today"), "{error}");
    // Acceptance line 61.
    assert_eq!(error.hresult(), HResult::SECURITY_PROBLEM);
    assert_eq!(error.web_error_status(), WebErrorStatus::Unknown);
    assert_eq!(error.peer_certificates().unwrap().errors(), []);
    assert_eq!(got, b"");
}

#[tokio::test]
async fn who_is_refused_anyway_is_not_asked_about_and_neither_is_ws() {
    let ours = Authority::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let client = |authority: &Authority| {
        let asked = Arc::clone(&asked);
        trusting(authority).check_certificate(move |_| {
            asked.fetch_add(1, Ordering::Relaxed);
            async { Ok::<_, &str>(()) }
        })
    };
    let identity = ours.issue(&["other.example"]);
    assert!(look(client(&ours), identity.tls()).await.is_err());
    let echo = Echo::new(Server::builder()).await;
    let plain = client(&ours).build().unwrap();
    within(plain.connect(format!("ws://{}/", echo.addr))).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    look(client(&ours), ours.issue(&["localhost"]).tls()).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_check_may_take_its_time_and_each_has_to_agree() {
    let ours = Authority::new();
    let slow = || {
        trusting(&ours).check_certificate(|_| async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok::<_, &str>(())
        })
    };
    let begun = Instant::now();
    look(slow(), ours.issue(&["localhost"]).tls()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(500));
    let client = slow().check_certificate(|_| async { Err("the second") });
    let client = client.check_certificate(|_| async { Err("the third") });
    let error = look(client, ours.issue(&["localhost"]).tls()).await.unwrap_err();
    assert!(error.to_string().contains("the second"), "{error}");
    let client = slow().handshake_timeout(Duration::from_millis(50));
    let error = look(client, ours.issue(&["localhost"]).tls()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
}

#[tokio::test]
async fn a_check_works_with_whatever_rustls_was_told() {
    let ours = Authority::new();
    let config = super::client_config(&ours, rustls::ALL_VERSIONS);
    let client = Client::builder().tls(towline::TlsConfig::from_rustls(config)).check_certificate(
        |shown| async move {
            match shown.certificate().names().first().map(String::as_str) {
                Some("localhost") => Ok(()),
                _ => Err("another"),
            }
        },
    );
    let echo = Echo::new(Server::builder().tls(ours.issue(&["localhost"]).tls())).await;
    let client = client.build().unwrap();
    let url = super::url(&echo);
    let mut socket = MessageWebSocket::from(within(client.connect(&url)).await.unwrap());
    within(socket.send("hi")).await.unwrap();
    // What rustls was told is not told again.
    let config = super::client_config(&ours, rustls::ALL_VERSIONS);
    let error = Client::builder()
        .tls(towline::TlsConfig::from_rustls(config))
        .ignore_certificate_errors([InvalidName])
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(error.to_string().contains("from_rustls"), "{error}");
}
