//! Application protocols and versions.

use towline::{Client, ErrorKind, Server, TlsVersion};

use super::authority::Authority;
use super::trusting;
use crate::raw::within;

/// What was agreed on, on both sides.
async fn agreed(offered: &[&str], known: &[&str]) -> towline::Result<[Option<Vec<u8>>; 2]> {
    let ours = Authority::new();
    let tls = ours.issue(&["localhost"]).tls().alpn(known.iter().copied());
    let server = Server::builder().tls(tls).bind("127.0.0.1:0").await.unwrap();
    let client = trusting(&ours).alpn(offered.iter().copied()).build().unwrap();
    let url = format!("wss://localhost:{}/", server.local_addr().port());
    let (connected, accepted) = within(async {
        tokio::join!(client.connect(&url), async {
            server.accept().await.unwrap().handshake().await?.accept().await
        })
    })
    .await;
    Ok([connected?.info().alpn().map(Into::into), accepted?.info().alpn().map(Into::into)])
}

#[tokio::test]
async fn application_protocols_are_agreed_on() {
    let http = Some(b"http/1.1".to_vec());
    assert_eq!(agreed(&["http/1.1"], &["http/1.1"]).await.unwrap(), [http.clone(), http]);
    let ours = Some(b"ours".to_vec());
    assert_eq!(agreed(&["x", "ours"], &["ours", "y"]).await.unwrap(), [ours.clone(), ours]);
    for (offered, known) in [(&[][..], &["a"][..]), (&["a"], &[]), (&[], &[])] {
        assert_eq!(agreed(offered, known).await.unwrap(), [None, None]);
    }
    let error = agreed(&["a"], &["b"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains("application protocol"), "{error}");
}

#[test]
fn what_is_not_spoken_is_not_offered() {
    for bad in ["h2", "", &"x".repeat(256)] {
        let error = Client::builder().alpn([bad]).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    let none = Client::builder()
        .min_tls_version(TlsVersion::Tls13)
        .max_tls_version(TlsVersion::Tls12)
        .build();
    assert_eq!(none.unwrap_err().kind(), ErrorKind::InvalidInput);
}
