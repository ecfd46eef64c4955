//! Bytes back as they came, on tokio.

use std::io;

use bench_common::serve::{Io, Serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[derive(Clone, Copy)]
pub(crate) struct Raw;

impl Serve for Raw {
    async fn serve<S: Io>(self, stream: S) {
        // Ends as the load ends it.
        let _ = echo(stream).await;
    }
}

/// Bytes read at once, for each connection.
const READ_BYTES: usize = 64 * 1024;

pub(crate) async fn echo(mut stream: impl Io) -> io::Result<()> {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count]).await?;
        stream.flush().await?;
    }
}
