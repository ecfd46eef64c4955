//! NTLM, version 2 alone: who knows the password answers with a hash of it (MS-NLMP).
//!
//! ```text
//! client            peer
//!   negotiate   →          what we can do
//!               ← challenge, eight random bytes, and what is known of the peer
//!   authenticate →         a hash of the password, of those bytes and of eight of ours
//! ```
//!
//! A password that version 1 is good for can be had back in hours: nobody is answered by that.

mod answer;
mod challenge;
mod hash;
mod pairs;
#[cfg(test)]
mod tests;

use std::io;
use std::time::SystemTime;

use super::rounds::Peer;
use super::secret::Secret;
use answer::Answer;
use challenge::Challenge;

/// Our side of one exchange.
pub(super) struct Ntlm {
    domain: String,
    user: String,
    password: Secret,
    host: String,
    channel: Option<Vec<u8>>,
    step: Step,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Negotiate,
    Authenticate,
    Done,
}

/// The first eight bytes of every message (MS-NLMP §2.2.1).
const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";

// MS-NLMP §2.2.2.5, by the names that they have there.
const NEGOTIATE_UNICODE: u32 = 0x0000_0001;
const NEGOTIATE_OEM: u32 = 0x0000_0002;
const REQUEST_TARGET: u32 = 0x0000_0004;
const NEGOTIATE_NTLM: u32 = 0x0000_0200;
const NEGOTIATE_ALWAYS_SIGN: u32 = 0x0000_8000;
const NEGOTIATE_EXTENDED_SESSIONSECURITY: u32 = 0x0008_0000;
const NEGOTIATE_TARGET_INFO: u32 = 0x0080_0000;

/// What we can do. Nothing is encrypted or signed by NTLM: that is for TLS. That a peer says of itself
/// what it is, is for the peer to tell: Windows does not ask for it either.
const FLAGS: u32 = NEGOTIATE_UNICODE
    | NEGOTIATE_OEM
    | REQUEST_TARGET
    | NEGOTIATE_NTLM
    | NEGOTIATE_ALWAYS_SIGN
    | NEGOTIATE_EXTENDED_SESSIONSECURITY;

impl Ntlm {
    pub(super) fn new(user: &str, password: Secret, peer: Peer<'_>) -> Self {
        // `ada@domain` stays whole: the server knows its domains.
        let (domain, user) = user.split_once('\\').unwrap_or(("", user));
        Self {
            domain: domain.to_owned(),
            user: user.to_owned(),
            password,
            host: peer.host.to_owned(),
            channel: peer.channel.map(<[u8]>::to_vec),
            step: Step::Negotiate,
        }
    }

    /// Takes the peer's message, at first none, and gives ours.
    pub(super) fn step(&mut self, message: &[u8]) -> io::Result<Vec<u8>> {
        match self.step {
            Step::Negotiate => {
                self.step = Step::Authenticate;
                Ok(negotiate())
            }
            Step::Authenticate => {
                self.step = Step::Done;
                let challenge = Challenge::parse(message).ok_or_else(|| {
                    io::Error::new(io::ErrorKind::InvalidData, "its challenge is not one of NTLM")
                })?;
                let answer = Answer {
                    domain: &self.domain,
                    user: &self.user,
                    password: &self.password,
                    host: &self.host,
                    channel: self.channel.as_deref(),
                    random: rand::random(),
                    now: file_time(SystemTime::now()),
                };
                Ok(answer.to(&challenge, message))
            }
            Step::Done => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "it asks for more than NTLM has"))
            }
        }
    }
}

/// MS-NLMP §2.2.1.1, with neither a domain nor a workstation nor a version.
fn negotiate() -> Vec<u8> {
    let mut message = SIGNATURE.to_vec();
    message.extend_from_slice(&1_u32.to_le_bytes());
    message.extend_from_slice(&FLAGS.to_le_bytes());
    for _ in 0..2 {
        message.extend_from_slice(&field(0, 32));
    }
    message
}

/// Where a field's bytes are in a message: length, room, offset.
fn field(len: usize, offset: usize) -> [u8; 8] {
    // A head has 16 KiB at most, and a name is not as long as 64.
    let len = u16::try_from(len).unwrap_or(u16::MAX).to_le_bytes();
    let offset = u32::try_from(offset).unwrap_or(u32::MAX).to_le_bytes();
    [len[0], len[1], len[0], len[1], offset[0], offset[1], offset[2], offset[3]]
}

/// Tenths of microseconds since 1601.
fn file_time(now: SystemTime) -> u64 {
    /// Seconds from 1601 to 1970.
    const EPOCH: u64 = 11_644_473_600;
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (since.as_secs().saturating_add(EPOCH))
        .saturating_mul(10_000_000)
        .saturating_add(u64::from(since.subsec_nanos() / 100))
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
