//! What a server asks of its clients.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use webpki::KeyUsage;

use super::crls::Lists;
use super::examiner::Examiner;
use super::provider::provider;
use super::roots;
use super::verifier::ClientVerifier;
use crate::error::Result;

/// Whether a server asks its clients for certificates, and which will do.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients {
    demand: Demand,
    pub(super) crls: Vec<CertificateRevocationListDer<'static>>,
}

/// What is asked for, and by whom it has to be signed.
#[derive(Clone, Debug, Default)]
enum Demand {
    #[default]
    Nothing,
    IfAny(Vec<CertificateDer<'static>>),
    Always(Vec<CertificateDer<'static>>),
}

impl Clients {
    pub(super) fn ask(&mut self, roots: Vec<CertificateDer<'static>>) {
        self.demand = Demand::IfAny(roots);
    }

    pub(super) fn demand(&mut self, roots: Vec<CertificateDer<'static>>) {
        self.demand = Demand::Always(roots);
    }

    /// Who judges them, if they are asked.
    pub(super) fn verifier(&self) -> Result<Option<Arc<ClientVerifier>>> {
        let lists = Lists::parse(&self.crls)?;
        let (trusted, mandatory) = match &self.demand {
            Demand::Nothing => return Ok(None),
            Demand::IfAny(trusted) => (trusted, false),
            Demand::Always(trusted) => (trusted, true),
        };
        let mut store = RootCertStore::empty();
        roots::add(&mut store, trusted.iter().cloned())?;
        let algorithms = provider().signature_verification_algorithms;
        let hints = store.subjects();
        let usage = KeyUsage::client_auth();
        let examiner = Examiner::new(store, trusted.clone(), lists, usage, algorithms);
        Ok(Some(Arc::new(ClientVerifier { examiner, hints, mandatory, algorithms })))
    }
}
