//! Which of several challenges is answered: the strongest that may be.

use super::challenge::Challenge;
use super::credentials::Credentials;
use super::digest::{Digest, Hash};
use super::scheme::Scheme;

/// The challenge to answer; of two that are as strong, that which the peer named first.
///
/// Whoever was shown a password by `sent` and refused it is not shown it so again.
pub(super) fn strongest<'a>(
    offered: &'a [Challenge],
    credentials: &Credentials,
    sent: Option<Scheme>,
) -> Option<(Scheme, &'a Challenge)> {
    let possible = offered.iter().rev().filter_map(|challenge| {
        let scheme = challenge.known().filter(|scheme| {
            credentials.allow(*scheme) && credentials.can(*scheme) && sent != Some(*scheme)
        })?;
        Some((strength(scheme, challenge)?, scheme, challenge))
    });
    let (_, scheme, challenge) = possible.max_by_key(|(strength, ..)| *strength)?;
    Some((scheme, challenge))
}

/// How strong it is; `None` for what cannot be answered.
fn strength(scheme: Scheme, challenge: &Challenge) -> Option<u32> {
    match scheme {
        Scheme::Basic => Some(1),
        // With a password it is NTLM within; with tickets nothing else can be answered.
        Scheme::Negotiate => Some(2),
        Scheme::Ntlm => Some(3),
        // It proves who asks for what, and not who holds the connection.
        Scheme::Digest => Some(match Digest::read(challenge)?.hash() {
            Hash::Md5 => 4,
            Hash::Sha256 => 5,
            Hash::Sha512_256 => 6,
        }),
        // A token is sent before anybody asks, and another one when that was refused.
        Scheme::Bearer => None,
    }
}
