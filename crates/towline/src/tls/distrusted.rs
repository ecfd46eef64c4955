//! [`Distrusted`]: all that makes a peer's certificate unacceptable, in one phrase.

use std::error::Error as StdError;
use std::fmt;

use crate::certificate::PeerCertificates;

/// Names of a certificate that are repeated in an error. Some have hundreds.
const MAX_NAMES: usize = 3;

/// A certificate that is not to be trusted, for all these reasons.
#[derive(Debug)]
pub(super) struct Distrusted {
    shown: PeerCertificates,
    /// What rustls says of the first of them.
    first: rustls::Error,
}

impl Distrusted {
    /// `None` if nothing was found in the certificates themselves.
    pub(super) fn new(shown: Option<&PeerCertificates>, first: &rustls::Error) -> Option<Self> {
        let shown = shown.filter(|shown| !shown.errors().is_empty())?;
        Some(Self { shown: shown.clone(), first: first.clone() })
    }
}

/// `its certificate, for a.example, is not to be trusted: it is for another name`
impl fmt::Display for Distrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its certificate")?;
        let names = self.shown.certificate().names();
        for (index, name) in names.iter().take(MAX_NAMES).enumerate() {
            // Whoever made it chose what stands in it.
            write!(f, "{}{}", if index == 0 { ", for " } else { " and " }, name.escape_debug())?;
        }
        let more = if names.len() > MAX_NAMES { " and others" } else { "" };
        let comma = if names.is_empty() { "" } else { "," };
        write!(f, "{more}{comma} is not to be trusted: ")?;
        for (index, error) in self.shown.errors().iter().enumerate() {
            write!(f, "{}{error}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl StdError for Distrusted {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.first)
    }
}
