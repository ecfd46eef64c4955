//! Reads a request's head up to the blank line, gives the one answer it has, then echoes bytes.

use std::io;

use bench_common::serve::{Io, Serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[derive(Clone, Copy)]
pub(crate) struct Accept;

impl Serve for Accept {
    async fn serve<S: Io>(self, stream: S) {
        // Ends as the load ends it.
        let _ = accept(stream).await;
    }
}

/// To the key of RFC 6455 §1.3, which the load sends.
const ANSWER: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

async fn accept(mut stream: impl Io) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let mut have = 0;
    while !buffer[..have].ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer[have..]).await? {
            0 => return Ok(()),
            count => have += count,
        }
    }
    stream.write_all(ANSWER).await?;
    stream.flush().await?;
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            count => stream.write_all(&buffer[..count]).await?,
        }
    }
}
