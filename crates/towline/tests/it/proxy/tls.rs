//! Proxies behind TLS.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use towline::{ServerTls, TlsConfig};

use super::fake::serve;
use super::*;

/// A certificate of its own authority, and its key, in PEM.
fn identity(name: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

/// A fake proxy behind TLS; its port, and whom to trust for it.
async fn https(manners: Manners) -> (u16, String) {
    let (certificate, key) = identity("127.0.0.1");
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await?;
                serve(stream, manners, Arc::default()).await
            });
        }
    });
    (port, certificate)
}

#[tokio::test]
async fn tls_to_the_proxy_and_through_it() {
    let (certificate, key) = identity("app.example");
    let tls = ServerTls::from_pem(&certificate, &key).unwrap();
    let echo = Echo::new(Server::builder().allow_host("app.example").tls(tls)).await;
    let (port, proxys) = https(Manners { locked: true, ..Manners::default() }).await;
    let proxy = Proxy::new(format!("https://ann:s3cret@127.0.0.1:{port}")).unwrap();
    let builder = || Client::builder().proxy(proxy.clone());
    let url = format!("wss://app.example:{}/", echo.addr.port());
    let trust = |pem: &str| TlsConfig::roots_pem(pem).unwrap();
    let both = builder().proxy_tls(trust(&proxys)).tls(trust(&certificate));
    let mut socket = connect(both, &url).await.unwrap();
    talk(&mut socket).await;
    assert!(socket.info().tls_version().is_some());
    // Whom a server's certificate convinces says nothing about a proxy's, and the other way round.
    let error = fails(builder().tls(trust(&proxys)), &url).await;
    assert_eq!(error.kind(), ErrorKind::Certificate);
    let text = error.to_string();
    assert!(text.starts_with(&format!("reaching the proxy https://127.0.0.1:{port}: ")), "{text}");
    assert!(text.contains("proxy_tls"), "{text}");
    let error = fails(builder().proxy_tls(trust(&proxys)).tls(trust(&proxys)), &url).await;
    assert_eq!(error.kind(), ErrorKind::Certificate);
    let text = error.to_string();
    assert!(text.contains(&format!(" through https://127.0.0.1:{port}: ")), "{text}");
    // It does not speak TLS.
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::new(format!("https://{}", plain.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await?;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await?;
        stream.read_to_end(&mut Vec::new()).await
    });
    let error = fails(Client::builder().proxy(proxy), &url).await;
    assert!(error.to_string().contains("does that proxy speak TLS?"), "{error}");
}
