//! Who decides whether a server is to be trusted.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{ServerName, UnixTime};

use super::chain::Chain;
use super::examiner::Examiner;
use super::finding::{Finding, Findings};
use crate::certificate::{Certificate, CertificateError};

/// Roots that are known, or somebody who is asked.
#[derive(Debug)]
pub(super) enum Base {
    Roots(RootCertStore),
    Verifier(Arc<dyn ServerCertVerifier>),
}

/// Decides by roots, or by what somebody else says.
#[derive(Debug)]
pub(super) struct Trust {
    /// Where somebody else is asked, one that trusts nobody: it finds what is wrong beside that.
    pub(super) examiner: Examiner,
    pub(super) verifier: Option<Arc<dyn ServerCertVerifier>>,
}

impl Trust {
    /// All that is wrong with a server's certificates.
    pub(super) fn examine(
        &self,
        chain: Chain<'_>,
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Findings {
        let Some(verifier) = &self.verifier else {
            return self.examiner.examine(chain, Some(name), now).0;
        };
        let ask = |name: &ServerName<'_>, moment| {
            verifier.verify_server_cert(chain.leaf, chain.intermediates, name, ocsp, moment)
        };
        let Err(said) = ask(name, now) else { return Findings::default() };
        let (mut findings, moment) = self.examiner.examine(chain, Some(name), now);
        // Only the other knows whether the chain leads to somebody whom it trusts: it is asked about
        // a name and a moment to which there is nothing else to say.
        let name = a_name_of(chain).unwrap_or_else(|| name.to_owned());
        let again = ask(&name, moment).err();
        if again.is_none() {
            findings.0.retain(|finding| !is_of_trust(finding.error));
        }
        // The second answer may tell what the first one hid.
        for said in [Some(said), again].into_iter().flatten().map(Finding::from) {
            if !is_of_trust(said.error) || !findings.errors().any(is_of_trust) {
                findings.add(said);
            }
        }
        findings
    }
}

fn is_of_trust(error: CertificateError) -> bool {
    matches!(error, CertificateError::Untrusted | CertificateError::IncompleteChain)
}

/// A name that a certificate is for.
fn a_name_of(chain: Chain<'_>) -> Option<ServerName<'static>> {
    let names = Certificate::new(chain.leaf).names().into_iter();
    names.map(|name| name.replace('*', "any")).find_map(|name| ServerName::try_from(name).ok())
}
