//! Servers that fail in one way each.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Answers every request with this text, in which `{accept}` stands for what its key is answered with,
/// and then does `after`; its port.
pub(super) fn answers(answer: impl Into<String>, after: fn(TcpStream)) -> String {
    let answer = answer.into();
    serves(move |mut stream| {
        let Some(head) = head(&mut stream) else { return };
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let accept = towline::proto::handshake::accept_key(key.unwrap_or_default());
        stream.write_all(answer.replace("{accept}", &accept).as_bytes()).ok();
        after(stream);
    })
}

/// An answer of HTTP that refuses.
pub(super) fn refuses(status: &str, headers: &str, body: &str) -> String {
    let len = body.len();
    answers(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {len}\r\n\r\n{body}"), drop)
}

/// The answer that opens a WebSocket.
pub(super) const OPEN: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n";

/// Opens a WebSocket, and sends this.
pub(super) fn opens(frame: &'static [u8], after: fn(TcpStream)) -> String {
    serves(move |mut stream| {
        let Some(head) = head(&mut stream) else { return };
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let accept = towline::proto::handshake::accept_key(key.unwrap_or_default());
        stream.write_all(OPEN.replace("{accept}", &accept).as_bytes()).ok();
        stream.write_all(frame).ok();
        after(stream);
    })
}

/// Does this with every connection; its port.
pub(super) fn serves(serve: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            serve(stream.unwrap());
        }
    });
    port.to_string()
}

/// Says nothing, and stays.
pub(super) fn stays(mut stream: TcpStream) {
    std::io::copy(&mut stream, &mut std::io::sink()).ok();
}

pub(super) fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// A port where nobody listens.
pub(super) fn closed() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// A port that no longer takes connections, and does not refuse them either.
#[cfg(target_os = "linux")]
pub(super) fn full() -> (String, Vec<TcpStream>, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address: SocketAddr = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        std::mem::forget(listener);
        address
    });
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        waiting.push(stream);
    }
    (address.port().to_string(), waiting, runtime)
}
