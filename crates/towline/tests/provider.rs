//! Who does the cryptography. A program of its own, since what a process installs stays.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report, helpers included")]

use rustls::crypto::{CryptoProvider, ring};
use towline::{Client, ErrorKind, MessageWebSocket, Server, ServerTls, TlsConfig};

async fn a_message_goes_round() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = ServerTls::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap();
    let server = Server::builder().tls(tls).bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", server.local_addr().port());
    let tls = TlsConfig::roots_pem(made.cert.pem()).unwrap();
    let client = Client::builder().tls(tls).build().unwrap();
    let (connected, accepted) = tokio::join!(client.connect(&url), async {
        server.accept().await.unwrap().handshake().await.unwrap().accept_message().await
    });
    let mut socket = MessageWebSocket::from(connected.unwrap());
    accepted.unwrap().send("hello").await.unwrap();
    assert_eq!(socket.recv().await.unwrap().unwrap().as_text(), Some("hello"));
    // In one line: whoever is not trusted is refused, and nothing panics.
    let (connected, accepted) = tokio::join!(MessageWebSocket::connect(&url), async {
        server.accept().await.unwrap().handshake().await
    });
    assert_eq!(connected.unwrap_err().kind(), ErrorKind::Certificate);
    assert!(accepted.is_err());
}

/// These tests turn on both, as programs do where one dependency wants this and another that. rustls
/// cannot choose then, and panics where it is left to.
#[tokio::test]
async fn it_works_with_both_providers_on_whichever_is_installed_or_none() {
    assert!(CryptoProvider::get_default().is_none());
    a_message_goes_round().await;
    assert!(CryptoProvider::get_default().is_none(), "a library installs nothing");
    ring::default_provider().install_default().unwrap();
    a_message_goes_round().await;
}
