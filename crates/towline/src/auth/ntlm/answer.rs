//! [`Answer`]: the hash of a password and of what was asked (MS-NLMP §2.2.1.3, §3.3.2).

use super::challenge::Challenge;
use super::hash::{hmac, of_channel, of_password};
use super::pairs::{CHANNEL_BINDINGS, FLAGS as PAIR_FLAGS, TARGET_NAME, TIMESTAMP};
use super::{
    FLAGS, NEGOTIATE_OEM, NEGOTIATE_TARGET_INFO, NEGOTIATE_UNICODE, SIGNATURE, field, negotiate,
    utf16,
};
use crate::auth::secret::Secret;

/// What an answer is made of, beside the challenge.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) domain: &'a str,
    pub(super) user: &'a str,
    pub(super) password: &'a Secret,
    /// Whom it is for.
    pub(super) host: &'a str,
    /// The TLS on which it goes (RFC 5929 §4).
    pub(super) channel: Option<&'a [u8]>,
    pub(super) random: [u8; 8],
    /// Tenths of microseconds since 1601.
    pub(super) now: u64,
}

/// Bytes before the fields' content: the seal at their end.
const HEADER: usize = 88;

/// Where the seal over all three messages is.
const SEAL: usize = 72;

/// The pair of flags says that there is a seal.
const SEALED: u32 = 2;

impl Answer<'_> {
    /// The message that answers a challenge, whose bytes are sealed with it.
    pub(super) fn to(&self, challenge: &Challenge, asked: &[u8]) -> Vec<u8> {
        let key = of_password(self.domain, self.user, self.password.reveal());
        // MS-NLMP §3.1.5.1.2: a peer that tells its time takes a seal, and no answer for LAN Manager.
        let time = challenge.target.get(TIMESTAMP).and_then(|time| time.first_chunk().copied());
        let mut target = challenge.target.clone();
        let sealed = time.is_some();
        if sealed {
            let flags = target.get(PAIR_FLAGS).and_then(|flags| flags.first_chunk().copied());
            let flags = flags.map_or(0, u32::from_le_bytes) | SEALED;
            target.set(PAIR_FLAGS, flags.to_le_bytes().to_vec());
            target.set(TARGET_NAME, utf16(&format!("HTTP/{}", self.host)));
            if let Some(channel) = self.channel {
                target.set(CHANNEL_BINDINGS, of_channel(channel).to_vec());
            }
        }
        let time = time.unwrap_or_else(|| self.now.to_le_bytes());
        let blob = self.blob(time, &target.to_bytes());
        let proof = hmac(&key, &[&challenge.random, &blob]);
        let lan_manager = match sealed {
            true => vec![0; 24],
            false => [&hmac(&key, &[&challenge.random, &self.random])[..], &self.random].concat(),
        };
        let nt = [&proof[..], &blob].concat();
        // Of two ways to write names, one.
        let other = match challenge.flags & NEGOTIATE_UNICODE {
            0 => NEGOTIATE_UNICODE,
            _ => NEGOTIATE_OEM,
        };
        let flags = challenge.flags & (FLAGS | NEGOTIATE_TARGET_INFO) & !other;
        let mut message = self.message(flags, &lan_manager, &nt);
        if sealed {
            let session = hmac(&key, &[&proof[..]]);
            let seal = hmac(&session, &[&negotiate(), asked, &message]);
            if let Some(place) = message.get_mut(SEAL..HEADER) {
                place.copy_from_slice(&seal[..]);
            }
        }
        message
    }

    /// MS-NLMP §2.2.2.7, which is called `temp` in §3.3.2.
    fn blob(&self, time: [u8; 8], target: &[u8]) -> Vec<u8> {
        [&[1, 1, 0, 0, 0, 0, 0, 0][..], &time, &self.random, &[0; 4], target, &[0; 4]].concat()
    }

    fn message(&self, flags: u32, lan_manager: &[u8], nt: &[u8]) -> Vec<u8> {
        let name = |name: &str| match flags & NEGOTIATE_UNICODE {
            // In letters that every code page has, mostly: nobody says which it is.
            0 => name.as_bytes().to_vec(),
            _ => utf16(name),
        };
        let (domain, user) = (name(self.domain), name(self.user));
        // In the order of their fields; the last two are a workstation and a key, of which there is
        // none.
        let contents = [lan_manager, nt, &domain, &user, &[], &[]];
        let mut message = SIGNATURE.to_vec();
        message.extend_from_slice(&3_u32.to_le_bytes());
        let mut offset = HEADER;
        for content in contents {
            message.extend_from_slice(&field(content.len(), offset));
            offset += content.len();
        }
        message.extend_from_slice(&flags.to_le_bytes());
        // No version, and the seal's place.
        message.resize(HEADER, 0);
        message.extend_from_slice(&contents.concat());
        message
    }
}
