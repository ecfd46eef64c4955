//! The name of a package's family: its own, and a hash of its publisher.

use sha2::{Digest, Sha256};

/// The digits of Windows for it: no i, l, o and u.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// `Name_8wekyb3d8bbwe`
pub(super) fn family_name(name: &str, publisher: &str) -> String {
    let units = publisher.encode_utf16().flat_map(u16::to_le_bytes);
    let hash = Sha256::digest(units.collect::<Vec<u8>>());
    // Eight bytes are thirteen digits of five bits, the last of which is filled up.
    let head: [u8; 8] = hash[..8].try_into().expect("a hash has thirty-two");
    let bits = u128::from(u64::from_be_bytes(head)) << 1;
    let digit = |place: u32| {
        let index = usize::try_from(bits >> (5 * place) & 31).expect("it is small");
        char::from(DIGITS[index])
    };
    format!("{name}_{}", (0..13).rev().map(digit).collect::<String>())
}
