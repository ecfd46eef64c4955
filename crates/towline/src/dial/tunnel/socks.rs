//! What the versions of SOCKS have in common: answers whose length is known as they are read.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use towline_proto::WsUri;

use super::failure;
use crate::error::{Error, Result};
use crate::proxy::Proxy;

/// One conversation with a proxy.
pub(super) struct Talk<'a, T> {
    pub(super) io: T,
    pub(super) proxy: &'a Proxy,
    pub(super) next: &'a WsUri,
    /// Whether it has answered as SOCKS does.
    pub(super) answered: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Talk<'_, T> {
    pub(super) async fn say(&mut self, bytes: &[u8]) -> Result<()> {
        let said = async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        };
        said.await.map_err(|error| self.broke(error))
    }

    /// Reads so many bytes, and not one of what comes behind them.
    pub(super) async fn hear<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        match self.io.read_exact(&mut bytes).await {
            Ok(_) => Ok(bytes),
            Err(error) => Err(self.broke(error)),
        }
    }

    /// Reads so many bytes, which say nothing that matters.
    pub(super) async fn pass(&mut self, count: usize) -> Result<()> {
        let mut bytes = [0; MAX_PASSED];
        let bytes = bytes.get_mut(..count).expect("no answer has a longer part");
        match self.io.read_exact(bytes).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.broke(error)),
        }
    }

    fn broke(&self, error: io::Error) -> Error {
        match self.answered {
            true => failure::gone(self.proxy, self.next, error),
            false => failure::silent(self.proxy, self.next, error),
        }
    }
}

/// A name, which has a length of one byte, and a port.
const MAX_PASSED: usize = 255 + 2;
