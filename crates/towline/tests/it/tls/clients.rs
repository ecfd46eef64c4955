//! Certificates of clients.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, date_time_ymd};
use rustls::sign::SingleCertAndKey;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use towline::CertificateError::{self, Expired, IncompleteChain, Revoked, WrongUsage};
use towline::{
    Client, ConnectionInfo, Error, ErrorKind, MessageWebSocket, Server, ServerTls, TlsConfig,
    TlsVersion,
};

use super::authority::{Authority, Identity, soon};
use super::trusting;
use crate::raw::within;

/// What became of a connection on both sides: that of the client after it has read, since in TLS 1.3
/// it learns late what the server thinks of it.
async fn meet(
    client: Client,
    tls: ServerTls,
) -> (Result<ConnectionInfo, Error>, Result<ConnectionInfo, Error>) {
    let server = Server::builder().tls(tls).bind("127.0.0.1:0").await.unwrap();
    meet_at(&server, &client).await
}

async fn meet_at(
    server: &Server,
    client: &Client,
) -> (Result<ConnectionInfo, Error>, Result<ConnectionInfo, Error>) {
    let url = format!("wss://localhost:{}/", server.local_addr().port());
    within(async {
        tokio::join!(
            async {
                let mut socket = MessageWebSocket::from(client.connect(&url).await?);
                socket.recv().await?;
                Ok(socket.info().clone())
            },
            async {
                let upgrade = server.accept().await.unwrap().handshake().await?;
                let mut socket = upgrade.accept_message().await?;
                socket.send("welcome").await?;
                Ok(socket.info().clone())
            }
        )
    })
    .await
}

fn numbered(authority: &Authority, change: impl FnOnce(&mut CertificateParams)) -> Identity {
    authority.issue_with(&["the.client"], |params| {
        params.serial_number = Some(7_u64.into());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        change(params);
    })
}

#[tokio::test]
async fn a_client_that_is_asked_shows_its_certificate() {
    let (ours, people) = (Authority::new(), Authority::named("People"));
    let (server, me) = (ours.issue(&["localhost"]), numbered(&people, |_| {}));
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let demanding = server.tls().demand_client_certificate(people.pem()).unwrap();
        let asking = server.tls().ask_client_certificate(people.pem()).unwrap();
        for tls in [demanding, asking] {
            let client = trusting(&ours).max_tls_version(version).identity(me.of_client());
            let (client, server) = meet(client.build().unwrap(), tls).await;
            assert_eq!(client.unwrap().tls_version(), Some(version));
            let server = server.unwrap();
            let shown = server.peer_certificates().unwrap();
            assert_eq!(shown.certificate().names(), ["the.client"]);
            assert_eq!(shown.certificate().issuer().as_deref(), Some("People"));
            assert_eq!(shown.errors(), []);
        }
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_told_that_one_is_demanded() {
    let (ours, people) = (Authority::new(), Authority::new());
    let server = ours.issue(&["localhost"]);
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let client = trusting(&ours).max_tls_version(version).build().unwrap();
        let tls = server.tls().demand_client_certificate(people.pem()).unwrap();
        let (client_end, server_end) = meet(client.clone(), tls).await;
        let error = client_end.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        assert!(error.to_string().contains("ClientBuilder::identity"), "{error}");
        let error = server_end.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        assert!(error.to_string().contains("has none"), "{error}");
        // Asked for and not demanded, none will do.
        let tls = server.tls().ask_client_certificate(people.pem()).unwrap();
        let (client_end, server_end) = meet(client, tls).await;
        client_end.unwrap();
        assert!(server_end.unwrap().peer_certificates().is_none());
    }
}

/// Each with all that is wrong with it.
fn bad(people: &Authority) -> Vec<(Identity, Vec<CertificateError>)> {
    vec![
        (numbered(&Authority::new(), |_| {}), vec![IncompleteChain]),
        (
            numbered(people, |params| {
                params.not_before = date_time_ymd(2001, 1, 1);
                params.not_after = date_time_ymd(2002, 1, 1);
            }),
            vec![Expired],
        ),
        (
            numbered(people, |params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            }),
            vec![WrongUsage],
        ),
    ]
}

#[tokio::test]
async fn a_client_with_a_bad_certificate_is_refused_and_told() {
    let (ours, people) = (Authority::new(), Authority::new());
    let server = ours.issue(&["localhost"]);
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let asking = server.tls().ask_client_certificate(people.pem()).unwrap();
        let cases = bad(&people).into_iter().map(|(me, errors)| (me, errors, asking.clone()));
        let strict = server.tls().demand_client_certificate(people.pem()).unwrap();
        let strict = strict.client_crls(people.crl(&[7], 3000)).unwrap();
        let revoked = (numbered(&people, |_| {}), vec![Revoked], strict);
        for (me, expected, tls) in cases.chain([revoked]) {
            let client = trusting(&ours).max_tls_version(version).identity(me.of_client());
            let (client, server) = meet(client.build().unwrap(), tls).await;
            let error = client.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Tls, "{version} {expected:?}: {error}");
            assert!(error.to_string().contains("does not trust our certificate"), "{error}");
            let error = server.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Certificate, "{version} {expected:?}: {error}");
            let shown = error.peer_certificates().unwrap();
            assert_eq!(shown.errors(), expected);
            assert_eq!(shown.certificate().names(), ["the.client"]);
        }
    }
}

#[tokio::test]
async fn a_client_without_the_key_of_its_certificate_is_refused() {
    let (ours, people) = (Authority::new(), Authority::new());
    let mut me = numbered(&people, |_| {});
    me.key = numbered(&people, |_| {}).key;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(ours.roots())
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(me.certified())));
        let client = Client::builder().tls(TlsConfig::from_rustls(Arc::new(config)));
        let tls = ours.issue(&["localhost"]).tls().demand_client_certificate(people.pem()).unwrap();
        let (client, server) = meet(client.build().unwrap(), tls).await;
        assert_eq!(client.unwrap_err().kind(), ErrorKind::Tls);
        let error = server.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Certificate, "{error}");
        assert!(error.to_string().contains("BadSignature"), "{error}");
    }
}

#[tokio::test]
async fn a_clients_session_does_not_outlive_its_certificate() {
    let (ours, people) = (Authority::new(), Authority::new());
    let (soon, expired) = soon();
    let me = numbered(&people, |params| params.not_after = date_time_ymd(1970, 1, 1) + soon);
    let tls = ours.issue(&["localhost"]).tls().demand_client_certificate(people.pem()).unwrap();
    let server = Server::builder().tls(tls).bind("127.0.0.1:0").await.unwrap();
    let client = trusting(&ours).identity(me.of_client()).build().unwrap();
    let (_, accepted) = meet_at(&server, &client).await;
    assert_eq!(accepted.unwrap().peer_certificates().unwrap().errors(), []);
    tokio::time::sleep_until(expired).await;
    let (_, accepted) = meet_at(&server, &client).await;
    let error = accepted.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate, "{error}");
    assert_eq!(error.peer_certificates().unwrap().errors(), [Expired]);
}

/// Asks for a certificate, tells whose it gets for each connection, and sends `/away` there.
async fn asking(
    identity: &Identity,
    people: &Authority,
    away: String,
) -> (u16, UnboundedReceiver<Vec<String>>) {
    let tls = identity.tls().ask_client_certificate(people.pem()).unwrap();
    let server = Server::builder().tls(tls).bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().port();
    let (tell, told) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok(incoming) = server.accept().await {
            let upgrade = incoming.handshake().await.unwrap();
            let shown = upgrade.info().peer_certificates();
            tell.send(shown.map_or_else(Vec::new, |one| one.certificate().names())).unwrap();
            let to = match upgrade.path() {
                "/away" => &*away,
                "/home" => "/",
                _ => {
                    tokio::spawn(async move { upgrade.accept_message().await?.recv().await });
                    continue;
                }
            };
            let response = Response::builder().status(302).header("Location", to);
            upgrade.respond(response.body(Bytes::new()).unwrap()).await.unwrap();
        }
    });
    (port, told)
}

#[tokio::test]
async fn a_certificate_is_not_shown_where_a_redirect_leads() {
    let (ours, people) = (Authority::new(), Authority::new());
    let (server, me) = (ours.issue(&["localhost"]), numbered(&people, |_| {}));
    let (there, mut told_there) = asking(&server, &people, String::new()).await;
    let away = format!("wss://localhost:{there}/");
    let (here, mut told_here) = asking(&server, &people, away.clone()).await;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(ours.roots())
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(me.certified())));
    let by_rustls = Client::builder().tls(TlsConfig::from_rustls(Arc::new(config)));
    for builder in [trusting(&ours).identity(me.of_client()), by_rustls] {
        let client = builder.redirects(2).build().unwrap();
        // Twice: a session that is resumed shows who one was.
        for _ in 0..2 {
            within(client.connect(format!("wss://localhost:{here}/away"))).await.unwrap();
            assert_eq!(told_here.recv().await.unwrap(), ["the.client"]);
            assert_eq!(told_there.recv().await.unwrap(), [""; 0]);
            // To its other pages, and to whoever is connected to at first.
            within(client.connect(format!("wss://localhost:{here}/home"))).await.unwrap();
            assert_eq!(told_here.recv().await.unwrap(), ["the.client"]);
            assert_eq!(told_here.recv().await.unwrap(), ["the.client"]);
            within(client.connect(&away)).await.unwrap();
            assert_eq!(told_there.recv().await.unwrap(), ["the.client"]);
        }
    }
}

#[test]
fn an_identity_hides_its_key() {
    let me = numbered(&Authority::new(), |_| {});
    let shown = format!("{:?}", Client::builder().identity(me.of_client()));
    assert!(shown.contains("the.client") && !shown.contains("PRIVATE"), "{shown}");
    let lines = me.key.lines().filter(|line| !line.starts_with('-'));
    for line in lines {
        assert!(!shown.contains(line), "{shown}");
    }
}

#[test]
fn settings_of_a_server_that_are_bad_are_told() {
    let ours = Authority::new();
    let identity = ours.issue(&["localhost"]);
    let tls = || identity.tls();
    for error in [
        tls().demand_client_certificate("").unwrap_err(),
        tls().ask_client_certificate("garbage").unwrap_err(),
        tls().client_crls("garbage").unwrap_err(),
        tls().demand_client_certificate(ours.pem()).unwrap().client_crls("\x30").unwrap_err(),
        // What rustls was told is not told again, and nobody is let in for it.
        identity.unchecked().demand_client_certificate(ours.pem()).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
}
