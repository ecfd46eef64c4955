//! Headers and addresses without what may be a secret: a diagnosis is shown to others.

use http::header::{CONTENT_LOCATION, LINK, LOCATION, REFRESH};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::handshake::{NOT_SHOWN, is_secret};
use crate::print::escape;

/// A line for each header.
pub(super) fn headers(side: char, headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers.iter().map(move |(name, value)| format!("{side} {name}: {}", shown(name, value)))
}

fn shown(name: &HeaderName, value: &HeaderValue) -> String {
    if value.is_sensitive() || is_secret(name.as_str()) {
        return NOT_SHOWN.to_owned();
    }
    let text = String::from_utf8_lossy(value.as_bytes());
    match [LOCATION, CONTENT_LOCATION, LINK, REFRESH].contains(name) {
        true => escape(&address(&text)),
        false => escape(&text),
    }
}

/// An address without user name and password, and without what stands behind a question mark or `#`.
pub(super) fn address(address: &str) -> String {
    let mut shown = match address.split_once(['?', '#']) {
        Some((before, _)) => format!("{before}{}…", &address[before.len()..=before.len()]),
        None => address.to_owned(),
    };
    if let Some(start) = shown.find("//").map(|at| at + 2) {
        let end = shown[start..].find(['/', '\\']).map_or(shown.len(), |at| start + at);
        if let Some(at) = shown[start..end].rfind('@') {
            shown.replace_range(start..=start + at, "");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_is_shown_without_secrets() {
        for (whole, shown) in [
            ("https://idp.example/login?token=hunter2", "https://idp.example/login?…"),
            ("https://idp.example/login#token=hunter2?x", "https://idp.example/login#…"),
            ("wss://ann:hunter2@b.example/@room", "wss://b.example/@room"),
            ("wss://ann:hunt@er2@b.example", "wss://b.example"),
            ("//ann@b.example?hunter2", "//b.example?…"),
            ("/chat?", "/chat?…"),
            ("/@room", "/@room"),
            ("<https://ann:hunter2@b.example/x>; rel=next", "<https://b.example/x>; rel=next"),
            ("", ""),
        ] {
            assert_eq!(address(whole), shown, "{whole}");
        }
    }
}
