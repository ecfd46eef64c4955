//! Where a cookie may go: hosts and paths (RFC 6265 §5.1.3, §5.1.4).

use std::net::IpAddr;

use http::Uri;

/// In lower case, IPv6 without its brackets.
pub(super) fn host(address: &Uri) -> Option<String> {
    let host = address.host()?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    Some(bare.unwrap_or(host).to_ascii_lowercase())
}

pub(super) fn is_secure(address: &Uri) -> bool {
    address.scheme_str() == Some("https")
}

pub(super) fn is_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

/// RFC 6265 §5.1.3
pub(super) fn is_within(host: &str, domain: &str) -> bool {
    let Some(before) = host.strip_suffix(domain) else { return false };
    before.is_empty() || (before.ends_with('.') && !is_address(host))
}

/// RFC 6265 §5.1.4
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    let Some(rest) = path.strip_prefix(folder) else { return false };
    rest.is_empty() || folder.ends_with('/') || rest.starts_with('/')
}

/// RFC 6265 §5.1.4: up to its last slash, that one left out.
pub(super) fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(end) => &path[..end],
    }
}
