//! Lists of what was revoked.

use std::cmp::Reverse;

use rustls::pki_types::{CertificateRevocationListDer, UnixTime};
use webpki::{CertRevocationList, OwnedCertRevocationList};

use super::chain::Chain;
use crate::certificate::times_of_list;
use crate::error::{Error, Result};

/// Those that were given, the newest first: webpki takes the first that an issuer has signed.
#[derive(Debug, Default)]
pub(super) struct Lists(Vec<List>);

#[derive(Debug)]
struct List {
    read: CertRevocationList<'static>,
    /// In seconds since 1970, as the next.
    made: i64,
    /// When it is out of date.
    until: i64,
}

impl Lists {
    pub(super) fn parse(lists: &[CertificateRevocationListDer<'static>]) -> Result<Self> {
        let mut lists = lists.iter().map(List::parse).collect::<Result<Vec<_>>>()?;
        lists.sort_by_key(|list| Reverse(list.made));
        Ok(Self(lists))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &CertRevocationList<'static>> {
        self.0.iter().map(|list| &list.read)
    }

    /// Whether one of a chain's issuers has made a list and none that is up to date.
    pub(super) fn is_out_of_date(&self, chain: Chain<'_>, now: UnixTime) -> bool {
        let is_current =
            |list: &List| u64::try_from(list.until).is_ok_and(|until| now.as_secs() < until);
        self.0.iter().any(|list| {
            let issuer = list.read.issuer();
            let mut others = self.0.iter().filter(|other| other.read.issuer() == issuer);
            chain.names_issuer(issuer) && !others.any(is_current)
        })
    }
}

impl List {
    fn parse(der: &CertificateRevocationListDer<'static>) -> Result<Self> {
        let bad = || Error::invalid("reading a list of revoked certificates");
        let read = OwnedCertRevocationList::from_der(der).map_err(|error| bad().cause(error))?;
        let times = times_of_list(der).ok_or_else(|| bad().cause("it does not say when it ends"));
        let (made, until) = times?;
        Ok(Self { read: read.into(), made, until })
    }
}
