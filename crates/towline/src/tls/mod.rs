//! TLS for both roles, by rustls.
//!
//! What a handshake does about certificates, on either side:
//!
//! ```text
//!  shown  ->  Examiner: all that is wrong, not only the first  ->  Findings
//!                                                                     |
//!           refused with an alert  <-  not one is ignored or may be  -+
//!                                                                     |
//!           the handshake's signature, always; then the checks of the caller's own; then HTTP
//! ```

mod accept;
mod chain;
mod check;
mod clients;
mod config;
mod connect;
mod connector;
mod crls;
mod distrusted;
mod examiner;
mod failure;
mod finding;
#[cfg(test)]
mod hostile;
mod identity;
mod leniency;
mod names;
mod pem;
#[cfg(feature = "pkcs12")]
mod pkcs12;
mod provider;
mod recorder;
mod roots;
mod server;
mod trust;
mod verifier;
mod version;

pub(crate) use accept::{Acceptor, accept};
pub(crate) use check::Check;
pub(crate) use config::Settings;
pub use config::TlsConfig;
pub(crate) use connect::connect;
pub(crate) use connector::Tls;
pub(crate) use failure::late;
pub use identity::Identity;
pub use server::ServerTls;

use crate::certificate::PeerCertificates;
use crate::info::TlsVersion;
use crate::progress::Progress;

/// What a handshake came to.
#[derive(Debug)]
pub(crate) struct Agreed {
    pub(crate) version: Option<TlsVersion>,
    pub(crate) alpn: Option<Box<[u8]>>,
    pub(crate) peer: Option<PeerCertificates>,
}

impl Agreed {
    /// For whoever watches.
    pub(crate) fn progress(&self, host: &str) -> Progress {
        Progress::Secured {
            host: host.to_owned(),
            version: self.version,
            certificates: self.peer.clone(),
            alpn: self.alpn.as_ref().map(|alpn| alpn.to_vec()),
        }
    }
}
