//! Which versions of TLS are spoken.

use rustls::{ProtocolVersion, SupportedProtocolVersion, version};

use crate::error::{Error, Result};
use crate::info::TlsVersion;

/// The oldest and the newest version that will do; by default both that there are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Versions {
    pub(crate) min: Option<TlsVersion>,
    pub(crate) max: Option<TlsVersion>,
}

impl Versions {
    /// The versions, the newest first.
    pub(super) fn list(self) -> Result<Vec<&'static SupportedProtocolVersion>> {
        let all = [(TlsVersion::Tls13, &version::TLS13), (TlsVersion::Tls12, &version::TLS12)];
        let (min, max) =
            (self.min.unwrap_or(TlsVersion::Tls12), self.max.unwrap_or(TlsVersion::Tls13));
        let wanted = |(version, _): &(TlsVersion, _)| (min..=max).contains(version);
        let list: Vec<_> = all.into_iter().filter(wanted).map(|(_, version)| version).collect();
        if list.is_empty() {
            return Err(Error::invalid("choosing versions of TLS")
                .cause("the oldest that will do is newer than the newest"));
        }
        Ok(list)
    }
}

/// The version that a handshake came to.
pub(super) fn of(version: Option<ProtocolVersion>) -> Option<TlsVersion> {
    match version? {
        ProtocolVersion::TLSv1_2 => Some(TlsVersion::Tls12),
        ProtocolVersion::TLSv1_3 => Some(TlsVersion::Tls13),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_between_the_oldest_and_the_newest() {
        let count = |min, max| Versions { min, max }.list().map_or(0, |list| list.len());
        let (old, new) = (Some(TlsVersion::Tls12), Some(TlsVersion::Tls13));
        assert_eq!(count(None, None), 2);
        assert_eq!((count(new, None), count(None, old)), (1, 1));
        assert_eq!((count(old, new), count(new, old)), (2, 0));
    }
}
