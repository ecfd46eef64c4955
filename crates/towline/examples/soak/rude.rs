//! The ways in which a connection ends badly. All that is asked of the server is to survive them,
//! to let go, and to end what it can see is broken.

use std::time::Duration;

use rand::RngExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use towline::{MessageKind, MessageWebSocket, StreamWebSocket};

use crate::lives::{Life, Wrong};

/// So long may the server take to end a connection on which it was sent garbage.
const NOTICE: Duration = Duration::from_secs(60);

impl Life<'_> {
    /// Resets the connection in the middle of a message.
    pub(crate) async fn reset(&mut self) -> Result<(), Wrong> {
        let socket = self.connect().await?;
        if let Some(tcp) = socket.get_ref().as_tcp() {
            socket2::SockRef::from(tcp).set_linger(Some(Duration::ZERO))?;
        }
        let mut socket = StreamWebSocket::from(socket);
        let mut writer = socket.message_writer_sized(MessageKind::Binary, 1 << 30);
        let len = self.rng.random_range(1..200_000);
        // The server sends it back, and we do not read.
        timeout(self.pace, writer.write_all(&vec![7; len])).await.ok();
        timeout(self.pace, writer.flush()).await.ok();
        self.rest().await;
        Ok(())
    }

    /// Ends the connection without a word, with answers on their way.
    pub(crate) async fn vanish(&mut self) -> Result<(), Wrong> {
        let mut socket = MessageWebSocket::from(self.connect().await?);
        for number in 0..self.rng.random_range(0..20) {
            let message = self.message(number, 4000);
            socket.send(message).await?;
        }
        self.rest().await;
        Ok(())
    }

    /// Neither reads nor writes any more, nor ends.
    pub(crate) async fn half_open(&mut self) -> Result<(), Wrong> {
        let mut socket = MessageWebSocket::from(self.connect().await?);
        let message = self.message(0, 4000);
        socket.send(message).await?;
        // Some longer than the server bears: 30 s of silence and 30 s for a pong.
        let most = if self.rng.random_bool(0.2) { 90.0 } else { 10.0 };
        let until = Instant::now() + Duration::from_secs_f64(self.rng.random_range(0.0..most));
        sleep_until(until.min(self.end)).await;
        Ok(())
    }

    /// Sends what is no HTTP.
    pub(crate) async fn garbage(&mut self) -> Result<(), Wrong> {
        let mut tcp = TcpStream::connect(self.address()).await?;
        self.throw(&mut tcp).await
    }

    /// Shakes hands and sends what are no frames.
    pub(crate) async fn garbage_frames(&mut self) -> Result<(), Wrong> {
        let mut tcp = TcpStream::connect(self.address()).await?;
        let request = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\n\r\n";
        tcp.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(tcp.read_u8().await?);
        }
        // A reserved opcode first, so that it is garbage for certain.
        tcp.write_all(&[0x83]).await?;
        self.throw(&mut tcp).await
    }

    async fn throw(&mut self, tcp: &mut TcpStream) -> Result<(), Wrong> {
        let mut bytes = vec![0; self.rng.random_range(1..10_000)];
        self.rng.fill(&mut bytes[..]);
        // The end of a head, lest it wait for one.
        bytes.extend(b"\r\n\r\n");
        tcp.write_all(&bytes).await.ok();
        sleep(Duration::from_millis(self.rng.random_range(0..20))).await;
        let end = async { while matches!(tcp.read(&mut [0; 4096]).await, Ok(1..)) {} };
        timeout(NOTICE, end).await.map_err(|_| "the server does not end it".into())
    }

    fn address(&self) -> &str {
        self.url.trim_start_matches("ws://").trim_end_matches('/')
    }
}
