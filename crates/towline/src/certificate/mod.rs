//! Certificates, and what can be wrong with them.

mod der;
mod end_point;
mod error;
mod fields;
mod peer;
mod pin;
mod severity;
mod time;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};

pub use error::{CertificateError, UnknownCertificateError};
pub(crate) use fields::{CLIENT_AUTH, Fields, SERVER_AUTH, times_of_list};
pub use peer::PeerCertificates;
pub use pin::{BadPin, Pin};
pub use severity::Severity;

/// A certificate, as it was shown in a TLS handshake.
///
/// It is kept as it travelled, and read when it is asked for something. What cannot be read is
/// `None`: who shows a certificate chooses what is in it, and text from it may be anything.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Certificate(Arc<[u8]>);

impl Certificate {
    pub(crate) fn new(der: &CertificateDer<'_>) -> Self {
        Self(der.as_ref().into())
    }

    /// The certificate as it travelled, in DER.
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// Whom it is for: the common name alone.
    ///
    /// Names that servers are checked by are in [`names`](Self::names).
    pub fn subject(&self) -> Option<String> {
        self.read()?.subject()
    }

    /// Who issued it: the common name alone.
    pub fn issuer(&self) -> Option<String> {
        self.read()?.issuer()
    }

    /// The host names and IP addresses that it is for.
    pub fn names(&self) -> Vec<String> {
        self.read().into_iter().flat_map(Fields::names).collect()
    }

    /// The number that its issuer gave it, the most significant byte first.
    pub fn serial_number(&self) -> Option<Vec<u8>> {
        Some(self.read()?.serial.to_vec())
    }

    /// From when it is valid.
    pub fn valid_from(&self) -> Option<SystemTime> {
        moment(self.read()?.valid_from()?)
    }

    /// Until when it is valid.
    pub fn valid_to(&self) -> Option<SystemTime> {
        moment(self.read()?.valid_to()?)
    }

    /// The SHA-256 of all of it, by which tools call it.
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// What [`ClientBuilder::pin`](crate::ClientBuilder::pin) takes to let nobody but the holder of
    /// this certificate's key be the server.
    pub fn pin(&self) -> Option<Pin> {
        Pin::of_certificate(&CertificateDer::from(self.der()))
    }

    /// What ties credentials to a connection on which this was shown, if that is known of it.
    pub(crate) fn end_point(&self) -> Option<Vec<u8>> {
        end_point::of(&self.0)
    }

    fn read(&self) -> Option<Fields<'_>> {
        Fields::read(&self.0)
    }
}

/// Whom it is for and who issued it.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject())
            .field("names", &self.names())
            .field("issuer", &self.issuer())
            .finish_non_exhaustive()
    }
}

fn moment(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    match seconds {
        0.. => SystemTime::UNIX_EPOCH.checked_add(distance),
        ..0 => SystemTime::UNIX_EPOCH.checked_sub(distance),
    }
}
