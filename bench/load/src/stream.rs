//! A connection: TCP, or TLS on it; and its opening handshake.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mio::net::TcpStream;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use socket2::SockRef;

use crate::Target;

/// A byte stream that does not block.
pub(crate) struct Stream {
    pub(crate) socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

/// The example of RFC 6455 §1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Plaintext that may wait in the TLS session.
const TLS_BUFFER: usize = 256 * 1024;

/// A server that does not answer is a failure, not a reason to wait for ever.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);

impl Stream {
    /// Connects, and shakes hands unless the server is a raw one. Blocks until all that is done.
    pub(crate) fn open(target: &Target, tls: Option<&Arc<ClientConfig>>) -> io::Result<Self> {
        let (stream, _) = Self::open_with(target, tls, "")?;
        Ok(stream)
    }

    /// The same with a header more; gives the response's head.
    pub(crate) fn open_with(
        target: &Target,
        tls: Option<&Arc<ClientConfig>>,
        extra: &str,
    ) -> io::Result<(Self, String)> {
        let mut socket = std::net::TcpStream::connect(target.addr)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(HANDSHAKE_TIMEOUT))?;
        SockRef::from(&socket).set_linger(Some(Duration::ZERO))?;
        let mut head = String::new();
        let tls = match tls {
            None => {
                if !target.raw {
                    head = upgrade(&mut socket, target.addr, extra)?;
                }
                None
            }
            Some(config) => {
                let name = ServerName::from(target.addr.ip());
                let mut tls =
                    ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
                tls.set_buffer_limit(Some(TLS_BUFFER));
                while tls.is_handshaking() {
                    tls.complete_io(&mut socket)?;
                }
                if !target.raw {
                    let mut stream = rustls::Stream::new(&mut tls, &mut socket);
                    head = upgrade(&mut stream, target.addr, extra)?;
                }
                Some(Box::new(tls))
            }
        };
        socket.set_nonblocking(true)?;
        Ok((Self { socket: TcpStream::from_std(socket), tls }, head))
    }

    /// Whether a read that was not filled means that there is no more: so it is with TCP.
    pub(crate) fn is_plain(&self) -> bool {
        self.tls.is_none()
    }

    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.socket.read(into) };
        loop {
            match tls.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return done,
            }
            if tls.read_tls(&mut self.socket)? == 0 {
                return Ok(0);
            }
            tls.process_new_packets().map_err(io::Error::other)?;
        }
    }

    /// Writes what fits of the two, one behind the other.
    pub(crate) fn write(&mut self, first: &[u8], second: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            if second.is_empty() {
                return self.socket.write(first);
            }
            return self.socket.write_vectored(&[IoSlice::new(first), IoSlice::new(second)]);
        };
        let mut taken = tls.writer().write(first)?;
        if taken == first.len() {
            taken += tls.writer().write(second)?;
        }
        self.flush()?;
        if taken == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    /// Writes what waits in the TLS session; whether all of it went.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        let Some(tls) = &mut self.tls else { return Ok(true) };
        while tls.wants_write() {
            match tls.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// The request of an opening handshake.
pub(crate) fn request(addr: SocketAddr, extra: &str) -> Vec<u8> {
    format!(
        "GET / HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
    )
    .into_bytes()
}

/// Whether a response's head lets us in.
pub(crate) fn check_response(head: &str) -> io::Result<()> {
    if head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPT) {
        return Ok(());
    }
    Err(io::Error::other(format!("the handshake was answered {head:?}")))
}

fn upgrade(stream: &mut (impl Read + Write), addr: SocketAddr, extra: &str) -> io::Result<String> {
    stream.write_all(&request(addr, extra))?;
    stream.flush()?;
    let mut head = Vec::new();
    // Byte by byte: what follows the head is no part of it, and this is not measured.
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    check_response(&head)?;
    Ok(head)
}
