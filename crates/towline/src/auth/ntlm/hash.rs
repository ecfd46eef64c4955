//! The hashes of version 2 (MS-NLMP §3.3.2).

use md4::{Digest, Md4};
use md5::Md5;
use zeroize::Zeroizing;

use super::utf16;

/// A key that is wiped when it goes.
pub(super) type Key = Zeroizing<[u8; 16]>;

/// `NTOWFv2`: what version 2 makes of a password.
pub(super) fn of_password(domain: &str, user: &str, password: &str) -> Key {
    let password = Zeroizing::new(utf16(password));
    let nt = Zeroizing::new(<[u8; 16]>::from(Md4::digest(&*password)));
    hmac(&nt, &[&utf16(&upper(user)), &utf16(domain)])
}

/// `MsvAvChannelBindings` (MS-NLMP §2.2.2.1): a hash of the structure that GSSAPI has for them (RFC 2744
/// §3.11), with no address of either side.
pub(super) fn of_channel(channel: &[u8]) -> [u8; 16] {
    let len = u32::try_from(channel.len()).unwrap_or(u32::MAX).to_le_bytes();
    Md5::new().chain_update([0; 16]).chain_update(len).chain_update(channel).finalize().into()
}

/// HMAC with MD5 (RFC 2104). The keys of NTLM are no longer than a block, and are not hashed first.
pub(super) fn hmac(key: &Key, parts: &[&[u8]]) -> Key {
    let inner = parts.iter().fold(keyed(key, 0x36), |inner, part| inner.chain_update(part));
    let outer = keyed(key, 0x5c).chain_update(inner.finalize());
    Zeroizing::new(outer.finalize().into())
}

/// The hash's block begins with the key, each byte of it changed by this one.
fn keyed(key: &Key, with: u8) -> Md5 {
    let mut block = Zeroizing::new([with; 64]);
    for (byte, key) in block.iter_mut().zip(key.iter()) {
        *byte ^= key;
    }
    Md5::new_with_prefix(block.as_slice())
}

/// In capitals as Windows writes them: letter by letter, and `ß` stays as it is.
fn upper(text: &str) -> String {
    let upper = |letter: char| {
        let mut upper = letter.to_uppercase();
        match (upper.next(), upper.next()) {
            (Some(one), None) => one,
            _ => letter,
        }
    };
    text.chars().map(upper).collect()
}
