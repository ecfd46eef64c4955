//! A client's settings: how its server is reached.

use std::time::Duration;

use super::ClientBuilder;

impl ClientBuilder {
    /// So long may looking up the name take, and so long connecting to each address. Default 60 s.
    ///
    /// A name may have several addresses; up to five are tried, one after another.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.client.way.connect_timeout = limit;
        self
    }

    /// So long may TLS take, and so long the opening handshake. Default 30 s.
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.client.way.handshake_timeout = limit;
        self
    }

    /// Sends small messages at once rather than waiting for more. Default true.
    pub fn nodelay(mut self, nodelay: bool) -> Self {
        self.client.way.nodelay = nodelay;
        self
    }

    /// The operating system's buffer for what was sent, in bytes. Best left to it.
    pub fn send_buffer_size(mut self, bytes: u32) -> Self {
        self.client.way.send_buffer_size = Some(bytes);
        self
    }
}
