//! Basic: the password as it is (RFC 7617).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use super::secret::Secret;

/// Whether this user can be named. RFC 7617 §2: the first colon ends the name.
pub(super) fn names(user: &str) -> bool {
    !user.contains(':')
}

/// RFC 7617 §2.1: where nothing else was said UTF-8 is the best guess.
pub(super) fn answer(user: &str, password: &Secret) -> Zeroizing<Vec<u8>> {
    let pair = Zeroizing::new(format!("{user}:{}", password.reveal()));
    let encoded = Zeroizing::new(BASE64.encode(pair.as_bytes()));
    Zeroizing::new([&b"Basic "[..], encoded.as_bytes()].concat())
}
