//! A certificate with those that were sent beside it.

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::{EndEntityCert, KeyUsage};

use crate::certificate::{CLIENT_AUTH, CertificateError, Fields, SERVER_AUTH};

/// A certificate with those that were sent beside it.
#[derive(Clone, Copy)]
pub(super) struct Chain<'a> {
    pub(super) leaf: &'a CertificateDer<'a>,
    pub(super) intermediates: &'a [CertificateDer<'a>],
}

/// The longest way to the end of a chain that is followed. webpki follows six issuers.
const MAX_PATH: usize = 8;

/// So many of those that were sent are looked at. Chains have two or three; the ways through a heap
/// of namesakes are as many as its size to the power of six.
const MAX_INTERMEDIATES: usize = 8;

impl<'a> Chain<'a> {
    /// As much of it as is looked at.
    pub(super) fn within_bounds(self) -> Self {
        let looked_at = self.intermediates.len().min(MAX_INTERMEDIATES);
        Self { intermediates: &self.intermediates[..looked_at], ..self }
    }

    /// Its last certificate, and whether that is a root or lacks its issuer.
    pub(super) fn end(self) -> (CertificateError, &'a CertificateDer<'a>) {
        let mut last = self.leaf;
        for _ in 0..MAX_PATH {
            let Ok(read) = EndEntityCert::try_from(last) else { break };
            if read.issuer() == read.subject() {
                return (CertificateError::Untrusted, last);
            }
            let is_issuer = |other: &&CertificateDer<'_>| {
                let other = EndEntityCert::try_from(*other);
                other.is_ok_and(|other| other.subject() == read.issuer())
            };
            let Some(issuer) = self.intermediates.iter().find(is_issuer) else { break };
            last = issuer;
        }
        (CertificateError::IncompleteChain, last)
    }

    /// Whether one of it says that this is its issuer.
    pub(super) fn names_issuer(self, issuer: &[u8]) -> bool {
        [self.leaf].into_iter().chain(self.intermediates).any(|one| {
            let one = EndEntityCert::try_from(one);
            one.is_ok_and(|one| one.issuer() == issuer)
        })
    }

    /// Whether its first certificate is signed with that one's own key.
    pub(super) fn is_signed_by_itself(self, algorithms: WebPkiSupportedAlgorithms) -> bool {
        let (Ok(leaf), Some(read)) = (EndEntityCert::try_from(self.leaf), Fields::read(self.leaf))
        else {
            return false;
        };
        // Those that do not go with the key say so.
        let fits = |one: &&dyn SignatureVerificationAlgorithm| {
            leaf.verify_signature(*one, read.signed, read.signature).is_ok()
        };
        algorithms.all.iter().any(fits)
    }

    /// Whether its first certificate is for this, or for anything.
    pub(super) fn is_for(self, usage: KeyUsage) -> bool {
        let purpose = if usage == KeyUsage::client_auth() { CLIENT_AUTH } else { SERVER_AUTH };
        Fields::read(self.leaf).is_some_and(|read| read.allows(purpose))
    }
}
