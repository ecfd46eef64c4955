//! Credentials that are tied to the TLS over which they go (RFC 5929 §4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::Sha256;
use towline::Credentials;

use super::*;

/// A challenge that tells its time, as Windows does: what the peer says of itself is that and nothing else.
fn challenge() -> String {
    let mut message = b"NTLMSSP\0\x02\0\0\0\0\0\0\0\x30\0\0\0\x05\x82\x88\0".to_vec();
    message.extend_from_slice(b"12345678\0\0\0\0\0\0\0\0\x10\0\x10\0\x30\0\0\0");
    message.extend_from_slice(b"\x07\0\x08\0abcdefgh\0\0\0\0");
    BASE64.encode(message)
}

#[tokio::test]
async fn ntlm_is_tied_to_the_certificate() {
    let authority = Authority::new();
    let identity = authority.issue(&["localhost"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(identity.config(rustls::ALL_VERSIONS));
    let server = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut tls = acceptor.accept(tcp).await.unwrap();
        let mut heads = Vec::new();
        for asks in ["NTLM".to_owned(), format!("NTLM {}", challenge()), String::new()] {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(tls.read_u8().await.unwrap());
            }
            heads.push(String::from_utf8(head).unwrap());
            let answer = format!(
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {asks}\r\nContent-Length: 0\r\n\r\n"
            );
            tls.write_all(answer.as_bytes()).await.unwrap();
            tls.flush().await.unwrap();
        }
        heads
    });
    let who = Credentials::password(r"LAB\ada", "hunter2");
    let client = trusting(&authority).credentials(who).build().unwrap();
    refused(&client, &format!("wss://localhost:{port}/")).await;
    let heads = within(server).await.unwrap();
    let said = heads[2].lines().find_map(|line| line.strip_prefix("Authorization: NTLM "));
    let message = BASE64.decode(said.unwrap()).unwrap();
    let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap();
    let channel = [b"tls-server-end-point:", &*Sha256::digest(&certificate)].concat();
    // MS-NLMP §2.2.2.1: of a structure with two empty addresses, and the channel's length and name.
    let hash = Md5::digest([&[0; 16][..], &[53, 0, 0, 0], &channel].concat());
    let pair = [&[10, 0, 16, 0][..], &hash].concat();
    assert!(message.windows(pair.len()).any(|bytes| bytes == pair), "{message:02x?}");
}
