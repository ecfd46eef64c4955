//! What is overlooked when a chain is asked about again.

use rustls::pki_types::UnixTime;
use webpki::{
    CertRevocationList, Error, ExpirationPolicy, ExtendedKeyUsageValidator, KeyPurposeIdIter,
    KeyUsage, RevocationOptions, RevocationOptionsBuilder, UnknownStatusPolicy,
};

use super::crls::Lists;

/// What is overlooked, and what is not.
///
/// At first nothing is. What was found is overlooked from then on, so that the next question finds
/// what is behind it.
pub(super) struct Leniency<'a> {
    /// The moment at which it has to be valid: now, or the nearest at which one of it is.
    pub(super) moment: UnixTime,
    /// Those that were tried.
    moments: Vec<UnixTime>,
    pub(super) usage: Usage,
    pub(super) crls: Vec<&'a CertRevocationList<'static>>,
    pub(super) unknown: UnknownStatusPolicy,
    pub(super) stale: ExpirationPolicy,
}

/// What a certificate has to be for.
#[derive(Clone, Copy)]
pub(super) struct Usage {
    pub(super) wanted: KeyUsage,
    pub(super) any: bool,
}

impl<'a> Leniency<'a> {
    pub(super) fn none(now: UnixTime, wanted: KeyUsage, lists: &'a Lists) -> Self {
        Self {
            moment: now,
            moments: vec![now],
            usage: Usage { wanted, any: false },
            crls: lists.iter().collect(),
            unknown: UnknownStatusPolicy::Deny,
            stale: ExpirationPolicy::Enforce,
        }
    }

    /// Asks about another moment; false if it was asked about before: then there is none at which
    /// the whole chain is valid.
    pub(super) fn shift(&mut self, moment: UnixTime) -> bool {
        let new = !self.moments.contains(&moment);
        self.moments.push(moment);
        self.moment = moment;
        // A list is current now, not then.
        self.stale = ExpirationPolicy::Ignore;
        new
    }

    /// Keeps the lists that can be used, by asking about each alone.
    pub(super) fn drop_lists(&mut self, is_bad: impl Fn(&Self) -> bool) {
        let all = std::mem::take(&mut self.crls);
        let unknown = std::mem::replace(&mut self.unknown, UnknownStatusPolicy::Allow);
        let mut good = Vec::new();
        for list in all {
            self.crls = vec![list];
            if !is_bad(self) {
                good.push(list);
            }
        }
        (self.crls, self.unknown) = (good, unknown);
    }

    pub(super) fn revocation(&self) -> Option<RevocationOptions<'_>> {
        let options = RevocationOptionsBuilder::new(&self.crls).ok()?;
        let options = options.with_status_policy(self.unknown);
        Some(options.with_expiration_policy(self.stale).build())
    }
}

impl ExtendedKeyUsageValidator for Usage {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        if self.any { Ok(()) } else { self.wanted.validate(purposes) }
    }
}
