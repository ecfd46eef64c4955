//! [`Scheme`]: a way to say who one is.

use std::fmt;

/// A way to say who one is (RFC 9110 §11.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Scheme {
    /// The password as it is (RFC 7617): only for a connection that nobody can listen to.
    Basic,
    /// A hash of the password and of what the peer asked (RFC 7616).
    Digest,
    /// A token (RFC 6750).
    Bearer,
    /// NTLM, version 2 alone, in two rounds on one connection (feature `ntlm`).
    Ntlm,
    /// Kerberos or what else is agreed on, in rounds on one connection (RFC 4559).
    Negotiate,
}

impl Scheme {
    /// The scheme of that name, in capitals or not.
    pub(super) fn named(name: &str) -> Option<Self> {
        let all = [Self::Basic, Self::Digest, Self::Bearer, Self::Ntlm, Self::Negotiate];
        all.into_iter().find(|scheme| name.eq_ignore_ascii_case(scheme.name()))
    }

    /// Its name in a header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Digest => "Digest",
            Self::Bearer => "Bearer",
            Self::Ntlm => "NTLM",
            Self::Negotiate => "Negotiate",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
