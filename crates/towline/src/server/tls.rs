//! A server's settings: TLS.

use super::ServerBuilder;
use crate::tls::ServerTls;

impl ServerBuilder {
    /// Speaks `wss`, with these certificates and keys.
    pub fn tls(mut self, tls: ServerTls) -> Self {
        match tls.acceptor() {
            Ok(acceptor) => self.settings.tls = Some(acceptor),
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
        self
    }
}
