//! A client that should speak TLS, and what it is shown.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::attack::{Seen, Shown, Side};
use super::raw::Raw;
use super::request::Request;

/// First byte of a TLS handshake (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;

/// An answer that opens a WebSocket for whoever does not look.
const IN_CLEAR: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                          Connection: Upgrade\r\n\r\n";

/// Whether somebody is there: who only looks whether a port is open says nothing.
pub(super) async fn speaks(stream: &TcpStream, patience: Duration) -> bool {
    matches!(timeout(patience, stream.peek(&mut [0])).await, Ok(Ok(1)))
}

/// Shows it what this server has to show, or an answer in clear text.
pub(super) async fn meet(
    mut stream: TcpStream,
    shown: Shown,
    acceptor: Option<&TlsAcceptor>,
    patience: Duration,
) -> Seen {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) if first[0] == HANDSHAKE => {}
        Ok(1) => return Seen::Wrong("it says things in clear text to wss".to_owned()),
        _ => return Seen::Cut,
    }
    let Some(acceptor) = acceptor else {
        let answered = stream.write_all(IN_CLEAR).await;
        return left(&mut stream, answered, patience).await;
    };
    match timeout(patience, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => trusts(Raw::new(stream, Side::Server, patience), shown).await,
        // It says why in an alert, or not.
        Ok(Err(_)) => Seen::Cut,
        Err(_) => Seen::Silent,
    }
}

/// TLS came about, and the client may still look at the certificate before it asks for anything.
async fn trusts(mut raw: Raw, shown: Shown) -> Seen {
    match raw.head().await {
        Some(head) if shown == Shown::Good => {
            let answer = Request::new(head).answer(&[]);
            let seen = raw.goes_on_after(&answer, raw.patience).await;
            raw.goodbye().await;
            seen
        }
        // What it had to say, it has said to whoever that is.
        Some(_) => Seen::Alive,
        None => raw.listen(raw.patience).await,
    }
}

/// Whether it leaves; what it says meanwhile does not matter.
async fn left(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    answered: io::Result<()>,
    patience: Duration,
) -> Seen {
    if answered.is_err() {
        return Seen::Cut;
    }
    let reading = async {
        let mut some = [0; 4096];
        while matches!(stream.read(&mut some).await, Ok(1..)) {}
    };
    match timeout(patience, reading).await {
        Ok(()) => Seen::Cut,
        Err(_) => Seen::Silent,
    }
}
