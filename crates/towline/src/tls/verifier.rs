//! What rustls asks about the peer's certificates, on either side.

use std::sync::{Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::chain::Chain;
use super::examiner::Examiner;
use super::finding::{Finding, Findings, other};
use super::recorder::record;
use super::trust::Trust;
use crate::certificate::{CertificateError, PeerCertificates, Pin};

/// A client's: finds all that is wrong with a server, and refuses what is not ignored.
#[derive(Debug)]
pub(super) struct ServerVerifier {
    pub(super) trust: Trust,
    pub(super) ignored: Vec<CertificateError>,
    /// If there are any, the server's key has to be one of them.
    pub(super) pins: Vec<Pin>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    pub(super) last: Last,
}

/// A server's: finds all that is wrong with a client, and refuses it.
#[derive(Debug)]
pub(super) struct ClientVerifier {
    pub(super) examiner: Examiner,
    pub(super) hints: Vec<DistinguishedName>,
    pub(super) mandatory: bool,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

/// What was shown last. Connections to the same server keep it once.
#[derive(Debug, Default)]
pub(super) struct Last(Mutex<Option<PeerCertificates>>);

impl ServerVerifier {
    pub(super) fn examine(
        &self,
        chain: Chain<'_>,
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> (Findings, PeerCertificates) {
        let mut findings = self.trust.examine(chain, name, ocsp, now);
        if !self.pins.is_empty() {
            let pinned =
                Pin::of_certificate(chain.leaf).is_some_and(|pin| self.pins.contains(&pin));
            if !pinned {
                let error = CertificateError::NotPinned;
                findings.add(Finding::new(error, other(error)));
            }
        }
        let shown = self.last.or_new(shown(chain, &findings));
        (findings, shown)
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = Chain { leaf: end_entity, intermediates };
        let (findings, shown) = self.examine(chain, server_name, ocsp_response, now);
        record(shown);
        findings.refuse(&self.ignored).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientVerifier {
    pub(super) fn examine(&self, chain: Chain<'_>, now: UnixTime) -> (Findings, PeerCertificates) {
        let (findings, _) = self.examiner.examine(chain, None, now);
        let shown = shown(chain, &findings);
        (findings, shown)
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain = Chain { leaf: end_entity, intermediates };
        let (findings, shown) = self.examine(chain, now);
        record(shown);
        findings.refuse(&[]).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Last {
    /// The one from before, if it is the same.
    fn or_new(&self, new: PeerCertificates) -> PeerCertificates {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*last
            && *known == new
        {
            return known.clone();
        }
        last.insert(new).clone()
    }
}

fn shown(chain: Chain<'_>, findings: &Findings) -> PeerCertificates {
    PeerCertificates::new(chain.leaf, chain.intermediates, findings.errors())
}
