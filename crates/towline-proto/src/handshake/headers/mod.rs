//! What stands inside headers: tokens, lists of tokens, extensions with parameters
//! (RFC 9110 §5.6, RFC 6455 §9.1).
//!
//! A header may come as several lines; they are one list (RFC 9110 §5.3). Every function here
//! walks each byte once.

mod error;
mod extension;
mod reserved;

pub use error::ListError;
pub use extension::{Extension, extensions};

use std::collections::BTreeSet;

use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderName, HeaderValue};

pub(super) use reserved::reserved;

/// Whether this is a token: not empty, and of visible ASCII without separators
/// (RFC 9110 §5.6.2).
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Whether a comma-separated header lists this token, in upper or lower case.
///
/// Whole elements are compared: `notupgrade` does not contain `upgrade`.
pub fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    elements(headers, name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
}

/// The subprotocols that `Sec-WebSocket-Protocol` lists, in their order (RFC 6455 §4.1).
///
/// No header is an empty list; a header that lists nothing is an error.
pub fn subprotocols(headers: &HeaderMap) -> Result<Vec<String>, ListError> {
    let mut seen = BTreeSet::new();
    let mut names = Vec::new();
    for element in elements(headers, SEC_WEBSOCKET_PROTOCOL) {
        let name = std::str::from_utf8(element).map_err(|_| ListError::NotAToken)?;
        if !is_token(name) {
            return Err(ListError::NotAToken);
        }
        if !seen.insert(name) {
            return Err(ListError::Duplicate);
        }
        names.push(name.to_owned());
    }
    not_empty(headers, SEC_WEBSOCKET_PROTOCOL, names)
}

/// The only value of a header: `None` if there are none or several.
pub(super) fn only(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Whether a token may hold this byte: `tchar` of RFC 9110 §5.6.2.
pub fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The elements of a list without quoted strings. RFC 9110 §5.6.1.2: empty ones are passed over.
pub(super) fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(name).into_iter();
    lines
        .flat_map(|line| line.as_bytes().split(|&b| b == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

fn not_empty<T>(headers: &HeaderMap, name: HeaderName, list: Vec<T>) -> Result<Vec<T>, ListError> {
    let wrong = list.is_empty() && headers.contains_key(name);
    if wrong { Err(ListError::Empty) } else { Ok(list) }
}
