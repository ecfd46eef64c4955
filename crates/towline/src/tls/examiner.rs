//! Finds all that is wrong with a chain, where a verifier stops at the first.

use rustls::RootCertStore;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, Error as Bad, KeyUsage, anchor_from_trusted_cert};

use super::chain::Chain;
use super::crls::Lists;
use super::finding::{Finding, Findings, is_of_crl};
use super::leniency::Leniency;
use crate::certificate::CertificateError;

/// Whom one trusts and for what, and how to find out what is wrong with the others.
///
/// It asks webpki whether the chain is good. If it is not, that is noted, and the question asked
/// again with this one thing overlooked, until nothing is left or nothing more can be seen.
#[derive(Debug)]
pub(super) struct Examiner {
    roots: Vec<TrustAnchor<'static>>,
    /// Roots of the caller's own. One that is a server's certificate itself needs no chain.
    own: Vec<CertificateDer<'static>>,
    lists: Lists,
    usage: KeyUsage,
    algorithms: WebPkiSupportedAlgorithms,
}

/// More than there are kinds of things to overlook, moments for each certificate of a path
/// included.
const MAX_QUESTIONS: usize = 24;

impl Examiner {
    pub(super) fn new(
        roots: RootCertStore,
        own: Vec<CertificateDer<'static>>,
        lists: Lists,
        usage: KeyUsage,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self { roots: roots.roots, own, lists, usage, algorithms }
    }

    /// All that is wrong with a chain, and the moment at which it would be valid.
    pub(super) fn examine(
        &self,
        chain: Chain<'_>,
        name: Option<&ServerName<'_>>,
        now: UnixTime,
    ) -> (Findings, UnixTime) {
        let mut findings = Findings::default();
        let leaf = match EndEntityCert::try_from(chain.leaf) {
            Ok(leaf) => leaf,
            Err(bad) => {
                findings.add(Finding::final_one(bad));
                return (findings, now);
            }
        };
        let moment = self.examine_chain(chain.within_bounds(), &leaf, now, &mut findings);
        if let Some(name) = name
            && let Err(bad) = leaf.verify_is_valid_for_subject_name(name)
        {
            // Whatever is odd about its names: it is not known to be for this one.
            findings.add(Finding { error: CertificateError::InvalidName, ..Finding::from(bad) });
        }
        (findings, moment)
    }

    fn examine_chain(
        &self,
        chain: Chain<'_>,
        leaf: &EndEntityCert<'_>,
        now: UnixTime,
        findings: &mut Findings,
    ) -> UnixTime {
        let trusted = self.own.iter().any(|own| own == chain.leaf);
        let mut lenient = Leniency::none(now, self.usage, &self.lists);
        // Where the chain ends, if that is at none of the roots: taken for one, so that the way
        // there is looked at as well.
        let mut end = Vec::new();
        for _ in 0..MAX_QUESTIONS {
            let roots = if end.is_empty() { &self.roots } else { &end };
            let Err(bad) = self.ask(chain, leaf, roots, &lenient) else {
                // Of another moment webpki was not asked whether the lists are up to date.
                if lenient.moment != now && self.lists.is_out_of_date(chain, now) {
                    findings.add(Finding::out_of_date());
                }
                return lenient.moment;
            };
            match &bad {
                // It is one of the roots itself.
                Bad::UnknownIssuer if trusted => return lenient.moment,
                // Self-signed, as OpenSSL does it unless it is told otherwise. webpki sees no further.
                Bad::CaUsedAsEndEntity if trusted || leaf.issuer() == leaf.subject() => {
                    self.examine_itself(chain, trusted, findings);
                    return lenient.moment;
                }
                Bad::UnknownIssuer if end.is_empty() => {
                    let (error, last) = chain.end();
                    findings.add(Finding { error, ..Finding::from(bad) });
                    if error == CertificateError::IncompleteChain && !self.lists.is_empty() {
                        // Nor is it known what an issuer that is missing has revoked.
                        findings.add(Bad::UnknownRevocationStatus);
                    }
                    if error == CertificateError::IncompleteChain && last == chain.leaf {
                        return lenient.moment;
                    }
                    match anchor_from_trusted_cert(last) {
                        Ok(anchor) => end.push(anchor),
                        Err(bad) => {
                            findings.add(Finding::final_one(bad));
                            return lenient.moment;
                        }
                    }
                    continue;
                }
                Bad::InvalidSignatureForPublicKey if end.is_empty() => {
                    let Some(stranger) = self.namesake(chain, leaf, &lenient) else {
                        findings.add(bad);
                        return lenient.moment;
                    };
                    end.push(stranger);
                    findings.add(Bad::UnknownIssuer);
                    continue;
                }
                Bad::CertExpired { not_after: moment, .. }
                | Bad::CertNotValidYet { not_before: moment, .. } => {
                    if !lenient.shift(*moment) {
                        // Nobody issues what is valid only when its issuer is not.
                        findings.add(Finding::final_one(bad));
                        return lenient.moment;
                    }
                }
                Bad::RequiredEkuNotFoundContext(_) => lenient.usage.any = true,
                Bad::UnknownRevocationStatus => {
                    lenient.unknown = webpki::UnknownStatusPolicy::Allow;
                }
                Bad::CrlExpired { .. } => lenient.stale = webpki::ExpirationPolicy::Ignore,
                Bad::CertRevoked => lenient.crls.clear(),
                bad if is_of_crl(bad) => lenient.drop_lists(|lenient| {
                    self.ask(chain, leaf, roots, lenient).is_err_and(|bad| is_of_crl(&bad))
                }),
                _ => {
                    findings.add(Finding::final_one(bad));
                    return lenient.moment;
                }
            }
            findings.add(bad);
        }
        findings.add(Finding::final_one(Bad::MaximumPathBuildCallsExceeded));
        lenient.moment
    }

    /// What can be said of a certificate that is an issuer's, its own, and shown as a server's.
    fn examine_itself(&self, chain: Chain<'_>, trusted: bool, findings: &mut Findings) {
        if !chain.is_for(self.usage) {
            findings.add(Finding::of_another_purpose());
        }
        if trusted {
            return;
        }
        findings.add(Bad::UnknownIssuer);
        if !chain.is_signed_by_itself(self.algorithms) {
            findings.add(Bad::InvalidSignatureForPublicKey);
        }
        if !self.lists.is_empty() {
            findings.add(Bad::UnknownRevocationStatus);
        }
    }

    /// The root that was sent, if it only has the name of one that is trusted, as where tools give
    /// all that they make the same name.
    fn namesake<'a>(
        &self,
        chain: Chain<'a>,
        leaf: &EndEntityCert<'_>,
        lenient: &Leniency<'_>,
    ) -> Option<TrustAnchor<'a>> {
        let (CertificateError::Untrusted, last) = chain.end() else { return None };
        let anchor = [anchor_from_trusted_cert(last).ok()?];
        let asked = self.ask(chain, leaf, &anchor, lenient);
        let forged = asked.is_err_and(|bad| bad == Bad::InvalidSignatureForPublicKey);
        let [anchor] = anchor;
        (!forged).then_some(anchor)
    }

    /// Whether the chain leads to one of these roots, with some things overlooked.
    fn ask<'a>(
        &self,
        chain: Chain<'a>,
        leaf: &'a EndEntityCert<'a>,
        roots: &'a [TrustAnchor<'a>],
        lenient: &Leniency<'_>,
    ) -> Result<(), Bad> {
        let path = leaf.verify_for_usage(
            self.algorithms.all,
            roots,
            chain.intermediates,
            lenient.moment,
            lenient.usage,
            lenient.revocation(),
            None,
        );
        path.map(drop)
    }
}
