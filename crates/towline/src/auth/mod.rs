//! Saying who one is, to a server (401) or a proxy (407): RFC 9110 §11.
//!
//! Nothing here reads or writes: what was refused comes in, what to send goes out.
//!
//! ```text
//!            Negotiation                       peer
//! first()  → nothing, or what needs no question →
//! answer() ←          401, WWW-Authenticate     ←
//!          → Authorization, once                →      in rounds for NTLM and Negotiate
//! ```

mod basic;
mod bearer;
mod challenge;
mod choice;
mod credentials;
mod digest;
mod hide;
mod negotiation;
#[cfg(feature = "ntlm")]
mod ntlm;
mod quoted;
mod rounds;
mod scheme;
mod secret;
#[cfg(test)]
mod tests;
mod user_info;

use http::header::{HeaderMap, HeaderName, PROXY_AUTHENTICATE, WWW_AUTHENTICATE};

use challenge::Challenge;

pub use bearer::TokenRequest;
pub use credentials::Credentials;
pub(crate) use hide::hide;
pub(crate) use negotiation::Negotiation;
pub use scheme::Scheme;
pub use secret::Secret;

/// Whom credentials are for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Party {
    /// Who asks with 401.
    Server,
    /// Who asks with 407.
    Proxy,
}

impl Party {
    /// The header in which it asks.
    pub(crate) fn asks(self) -> HeaderName {
        match self {
            Self::Server => WWW_AUTHENTICATE,
            Self::Proxy => PROXY_AUTHENTICATE,
        }
    }
}

/// The schemes by which a 401 or a 407 asks, put into words: ` and offers Digest, Basic`.
pub(crate) fn offered(headers: &HeaderMap, party: Party) -> String {
    let mut names: Vec<String> = Vec::new();
    for Challenge { scheme, .. } in Challenge::all(headers, &party.asks()) {
        let known = names.iter().any(|name| name.eq_ignore_ascii_case(&scheme));
        if scheme.len() <= MAX_NAME && !known {
            names.push(scheme);
        }
    }
    names.truncate(MAX_NAMES);
    if names.is_empty() { String::new() } else { format!(" and offers {}", names.join(", ")) }
}

/// Longest name of a scheme that is repeated in an error.
const MAX_NAME: usize = 20;

/// Most of them.
const MAX_NAMES: usize = 8;
