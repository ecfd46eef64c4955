//! What is told of the certificates that a server showed.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use rcgen::date_time_ymd;
use towline::CertificateError::{Expired, InvalidName};
use towline::{ErrorKind, MessageWebSocket, Progress, Server, TlsVersion};

use super::authority::{Authority, soon};
use super::{connect, look, trusting};
use crate::raw::within;

#[tokio::test]
async fn a_certificate_tells_what_is_in_it() {
    let ours = Authority::named("Our Authority");
    let between = ours.delegate("Between", |_| {});
    let identity = between.issue_with(&["localhost", "127.0.0.1", "*.example"], |params| {
        params.serial_number = Some(vec![1, 2, 3, 4].into());
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(4000, 1, 1);
        params.distinguished_name.push(rcgen::DnType::CommonName, "The Server");
    });
    let shown = look(trusting(&ours), identity.with(&between).tls()).await.unwrap();
    let certificate = shown.certificate();
    assert_eq!(certificate.subject().as_deref(), Some("The Server"));
    assert_eq!(certificate.issuer().as_deref(), Some("Between"));
    assert_eq!(certificate.names(), ["localhost", "127.0.0.1", "*.example"]);
    assert_eq!(certificate.serial_number().unwrap(), [1, 2, 3, 4]);
    let year = |time: SystemTime| {
        time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() / 31_556_952 + 1970
    };
    assert_eq!(certificate.valid_from().map(year), Some(2019));
    assert_eq!(certificate.valid_to().map(year), Some(3999));
    let [between] = shown.intermediates() else { panic!("{shown:?}") };
    assert_eq!(between.subject().as_deref(), Some("Between"));
    assert_eq!(between.issuer().as_deref(), Some("Our Authority"));
    assert_ne!(between.fingerprint(), certificate.fingerprint());
    assert_ne!(between.pin(), certificate.pin());
    let text = format!("{shown:?}");
    assert!(text.contains("The Server") && text.contains("localhost"), "{text}");
}

#[tokio::test]
async fn a_session_that_is_resumed_is_judged_again() {
    let ours = Authority::new();
    let identity = ours.issue(&["other.example"]);
    let client = trusting(&ours).ignore_certificate_errors([InvalidName]).build().unwrap();
    let server = Server::builder().tls(identity.tls()).bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", server.local_addr().port());
    for _ in 0..3 {
        let (socket, accepted) = within(async {
            tokio::join!(client.connect(&url), async {
                server.accept().await.unwrap().handshake().await.unwrap().accept_message().await
            })
        })
        .await;
        let (socket, mut accepted) = (socket.unwrap(), accepted.unwrap());
        let shown = socket.info().peer_certificates().unwrap();
        assert_eq!(shown.errors(), [InvalidName]);
        // A ticket to resume with comes behind the handshake.
        let mut socket = MessageWebSocket::from(socket);
        accepted.send("hello").await.unwrap();
        within(socket.recv()).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_does_not_outlive_its_certificate() {
    let ours = Authority::new();
    let (soon, expired) = soon();
    let identity = ours
        .issue_with(&["localhost"], |params| params.not_after = date_time_ymd(1970, 1, 1) + soon);
    let client = trusting(&ours).build().unwrap();
    let server = Server::builder().tls(identity.tls()).bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", server.local_addr().port());
    let serve = async || {
        let mut socket = server.accept().await?.handshake().await?.accept_message().await?;
        // Behind the ticket to resume with.
        socket.send("hello").await
    };
    let (socket, _) = within(async { tokio::join!(client.connect(&url), serve()) }).await;
    MessageWebSocket::from(socket.unwrap()).recv().await.unwrap();
    tokio::time::sleep_until(expired).await;
    let (socket, _) = within(async { tokio::join!(client.connect(&url), serve()) }).await;
    let error = socket.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate, "{error}");
    assert_eq!(error.peer_certificates().unwrap().errors(), [Expired]);
}

#[tokio::test]
async fn who_watches_is_told_of_the_chain_and_of_what_was_ignored() {
    let ours = Authority::named("Ours");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let client = trusting(&ours)
        .ignore_certificate_errors([InvalidName])
        .alpn(["http/1.1"])
        .on_progress(move |progress| {
            if let Progress::Secured { host, version, certificates, alpn } = progress {
                let errors = certificates.as_ref().unwrap().errors().to_vec();
                notes.lock().unwrap().push((host.clone(), *version, errors, alpn.clone()));
            }
        });
    look(client, ours.issue(&["other.example"]).tls()).await.unwrap();
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(seen, [("localhost".to_owned(), Some(TlsVersion::Tls13), vec![InvalidName], None)]);
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn tcp_under_tls_tells_how_far_it_is_on_either_side() {
    let authority = Authority::new();
    let identity = authority.issue(&["localhost"]);
    let server = Server::builder().tls(identity.tls()).bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", server.local_addr().port());
    let serving = tokio::spawn(async move {
        server.accept().await.unwrap().handshake().await.unwrap().accept_message().await.unwrap()
    });
    let mut client = connect(&authority.client(), &url).await;
    let server = within(serving).await.unwrap();
    assert!(client.tcp_round_trip().is_some() && server.tcp_round_trip().is_some());
    client.send("hello").await.unwrap();
    let (mut receiver, _sender) = client.split();
    assert!(receiver.tcp_round_trip().is_some());
    receiver.bandwidth();
}
