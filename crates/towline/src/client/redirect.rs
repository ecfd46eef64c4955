//! Redirects: off at first, and careful (RFC 9110 §15.4).

use std::fmt;

use http::header::{ACCEPT_LANGUAGE, HeaderName, LOCATION, ORIGIN, USER_AGENT};
use http::{HeaderMap, StatusCode};
use towline_proto::{UriError, WsUri};

use super::ClientBuilder;
use super::address::without_query;
use crate::error::HResult;

impl ClientBuilder {
    /// Follows so many redirects. Default 0: a redirect is an error.
    ///
    /// Never from `wss` to `ws`. To another origin (scheme, host and port) neither credentials nor
    /// headers of one's own go along, but for `User-Agent`, `Accept-Language` and `Origin`; nor is a
    /// certificate of one's own shown there, by [`identity`](Self::identity) or by rustls. The
    /// [subprotocols](Self::subprotocol) do go along: whoever puts a token among them is to follow none.
    pub fn redirects(mut self, most: u32) -> Self {
        self.client.session.redirects = most;
        self
    }
}

/// Why a redirect is not followed.
#[derive(Debug)]
pub(super) enum RedirectError {
    NoLocation,
    Address(UriError),
    /// From `wss` to `ws`, where anybody could read along.
    Downgrade,
    TooMany(u32),
}

impl RedirectError {
    pub(super) fn hresult(&self) -> HResult {
        match self {
            Self::Downgrade => HResult::HTTPS_TO_HTTP_ON_REDIRECTION,
            Self::NoLocation | Self::Address(_) | Self::TooMany(_) => HResult::REDIRECT_FAILED,
        }
    }
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLocation => f.write_str("the redirect does not say where to"),
            Self::Address(error) => write!(f, "the redirect leads nowhere: {error}"),
            Self::Downgrade => f.write_str("the redirect leads from wss to ws"),
            Self::TooMany(most) => write!(f, "there are more than {most} redirects"),
        }
    }
}

impl std::error::Error for RedirectError {}

/// Whether the answer says to ask somewhere else, by the same method or by GET, which it is anyway.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where an answer leads, as seen from its address.
pub(super) fn target(from: &WsUri, headers: &HeaderMap) -> Result<WsUri, RedirectError> {
    let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let location = location.ok_or(RedirectError::NoLocation)?;
    let to = WsUri::parse(&resolve(from, location)).map_err(RedirectError::Address)?;
    if from.is_secure() && !to.is_secure() {
        return Err(RedirectError::Downgrade);
    }
    Ok(to)
}

/// Whether both are one origin (RFC 6454 §4).
pub(super) fn same_origin(one: &WsUri, other: &WsUri) -> bool {
    (one.is_secure(), one.host(), one.port()) == (other.is_secure(), other.host(), other.port())
}

/// Whether a header of the application's own may go to another origin: it says nothing that is
/// meant for one server alone.
pub(super) fn may_travel(name: &HeaderName) -> bool {
    [USER_AGENT, ACCEPT_LANGUAGE, ORIGIN].contains(name)
}

/// The whole address that a reference stands for (RFC 3986 §5.2.2), for `WsUri` to check.
fn resolve(from: &WsUri, reference: &str) -> String {
    // RFC 6455 §3: a WebSocket's address has no fragment, but that of a page may have one.
    let reference = reference.split_once('#').map_or(reference, |(before, _)| before);
    if let Some((scheme, rest)) = reference.split_once("://").filter(|(s, _)| is_scheme(s)) {
        // HTTP's addresses are what servers think in.
        return match scheme.to_ascii_lowercase().as_str() {
            "http" => format!("ws://{rest}"),
            "https" => format!("wss://{rest}"),
            _ => reference.to_owned(),
        };
    }
    if reference.starts_with("//") {
        return format!("{}:{reference}", from.scheme());
    }
    let origin = format!("{}://{}", from.scheme(), from.authority());
    let path = without_query(from.resource());
    let (of_reference, query) = match reference.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (reference, String::new()),
    };
    if reference.is_empty() {
        return format!("{origin}{}", from.resource());
    }
    let path = match of_reference {
        "" => path.to_owned(),
        whole if whole.starts_with('/') => without_dots(whole),
        part => {
            let folder = path.rfind('/').map_or("/", |end| &path[..=end]);
            without_dots(&format!("{folder}{part}"))
        }
    };
    format!("{origin}{path}{query}")
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// RFC 3986 §5.2.4, for a path that begins with a slash.
fn without_dots(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let mut folder = false;
    for part in path.split('/').skip(1) {
        folder = matches!(part, "." | "..");
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let end = if folder && !parts.is_empty() { "/" } else { "" };
    format!("/{}{end}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(from: &str, location: &str) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, location.parse().unwrap());
        let to = target(&WsUri::parse(from).unwrap(), &headers);
        to.map(|to| to.to_string()).map_err(|error| error.to_string())
    }

    /// RFC 3986 §5.4, what of it stands for something here.
    #[test]
    fn a_location_may_be_a_part_of_an_address() {
        for (location, expected) in [
            ("ws://b/x", "ws://b/x"),
            ("http://b:81/x?y", "ws://b:81/x?y"),
            ("HTTPS://b/x", "wss://b/x"),
            ("//g", "ws://g/"),
            ("g", "ws://a/b/c/g"),
            ("./g", "ws://a/b/c/g"),
            ("g/", "ws://a/b/c/g/"),
            ("/g", "ws://a/g"),
            ("?y", "ws://a/b/c/d;p?y"),
            ("g?y=a/../b", "ws://a/b/c/g?y=a/../b"),
            ("#s", "ws://a/b/c/d;p?q"),
            ("g#s", "ws://a/b/c/g"),
            ("", "ws://a/b/c/d;p?q"),
            (".", "ws://a/b/c/"),
            ("..", "ws://a/b/"),
            ("../g", "ws://a/b/g"),
            ("../../../g", "ws://a/g"),
            ("/./g", "ws://a/g"),
            ("g;x=1/../y", "ws://a/b/c/y"),
            ("/?to=http://b/", "ws://a/?to=http://b/"),
        ] {
            assert_eq!(leads("ws://a/b/c/d;p?q", location).as_deref(), Ok(expected), "{location}");
        }
    }

    #[test]
    fn some_lead_nowhere() {
        assert!(leads("wss://a/", "ws://a/").unwrap_err().contains("from wss to ws"));
        assert!(leads("wss://a/", "http://a/").unwrap_err().contains("from wss to ws"));
        assert_eq!(leads("ws://a/", "https://a/").as_deref(), Ok("wss://a/"));
        for bad in ["ftp://a/", "ws://me:hunter2@b/", "ws://", "/a b", "ws://a\\@b/"] {
            let error = leads("ws://a/", bad).unwrap_err();
            assert!(error.contains("nowhere") && !error.contains("hunter2"), "{bad}: {error}");
        }
        assert!(target(&WsUri::parse("ws://a/").unwrap(), &HeaderMap::new()).is_err());
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let of = |text| WsUri::parse(text).unwrap();
        assert!(same_origin(&of("ws://a/x"), &of("ws://A:80/y")));
        for other in ["wss://a/", "ws://a:81/", "ws://b/", "wss://a:80/"] {
            assert!(!same_origin(&of("ws://a/"), &of(other)), "{other}");
        }
    }
}
