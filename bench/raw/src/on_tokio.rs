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
    // Never zeroed, nor touched beyond what comes.
    let mut buffer = Vec::with_capacity(READ_BYTES);
    while stream.read_buf(&mut buffer).await? > 0 {
        stream.write_all(&buffer).await?;
        stream.flush().await?;
        buffer.clear();
    }
    Ok(())
}
