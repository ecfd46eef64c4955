//! The address of a proxy: `[scheme://][user[:password]@]host[:port][/]`.

use towline_proto::{UriError, WsUri};

use super::{Proxy, Scheme};
use crate::auth::Credentials;

/// Parses the address. What is wrong is told without repeating any of it: what stands before an `@`,
/// or is meant to, may be a password.
pub(super) fn parse(text: &str) -> Result<Proxy, &'static str> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let scheme = Scheme::parse(scheme).ok_or(
        "the scheme is none of a proxy's: http, https, socks4, socks4a, socks5 or socks5h",
    )?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#', '\\']) {
        return Err("more than a host and a port; in a user name or password, write / ? # \\ as \
                    %2F %3F %23 %5C");
    }
    let (user_info, authority) = match rest.rsplit_once('@') {
        Some((user_info, authority)) => (Some(user_info), authority),
        None => (None, rest),
    };
    // RFC 3986 §3.2.3: nothing after the colon is the same as no colon.
    let authority = authority.strip_suffix(':').unwrap_or(authority);
    let host_only = !authority.rsplit(']').next().unwrap_or_default().contains(':');
    let at = match host_only && !authority.is_empty() {
        true => WsUri::parse(&format!("ws://{authority}:{}", scheme.default_port())),
        false => WsUri::parse(&format!("ws://{authority}")),
    };
    let at = at.map_err(|error| match error {
        UriError::NoHost => "there is no host",
        UriError::Port(_) => "the port is not a number from 1 to 65535",
        UriError::NonAsciiHost(_) => {
            "the host is not ASCII: write it in Punycode (xn--…) or build with the feature idn"
        }
        _ => "the host is neither a name, nor an IPv4 address, nor an IPv6 address in brackets",
    })?;
    // Nobody is named where there is nothing before the `@`.
    let user_info = user_info.filter(|text| !matches!(*text, "" | ":"));
    let credentials = user_info.map(Credentials::from_user_info).transpose()?;
    credentials.as_ref().map_or(Ok(()), Credentials::check)?;
    Ok(Proxy { scheme, at, credentials })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn addresses_are_read_and_shown_without_secrets() {
        for (text, shown, who) in [
            ("http://proxy.example:3128", "http://proxy.example:3128", None),
            ("proxy.example", "http://proxy.example:80", None),
            ("Proxy.Example:8080/", "http://proxy.example:8080", None),
            ("https://proxy.example/", "https://proxy.example:443", None),
            ("https://proxy.example:", "https://proxy.example:443", None),
            ("SOCKS5H://[2001:DB8::1]", "socks5h://[2001:db8::1]:1080", None),
            ("socks5://[::1]:9050", "socks5://[::1]:9050", None),
            ("socks4a://192.0.2.1", "socks4a://192.0.2.1:1080", None),
            ("socks4://ann@a.example", "socks4://a.example:1080", Some(("ann", ""))),
            ("http://a%40b:c%3Ad@p.example:1", "http://p.example:1", Some(("a@b", "c:d"))),
            // The last @ is the one before the host, and the first colon the one after the name.
            ("http://ann:p@ss:word@p.example", "http://p.example:80", Some(("ann", "p@ss:word"))),
            (" http://p.example ", "http://p.example:80", None),
            ("http://@p.example", "http://p.example:80", None),
            ("http://:@p.example", "http://p.example:80", None),
        ] {
            let proxy = parse(text).unwrap();
            assert_eq!(proxy.to_string(), shown, "{text}");
            assert_eq!(format!("{proxy:?}"), format!("Proxy({shown})"), "{text}");
            let found = proxy.credentials.as_ref().map(|found| found.user_and_password().unwrap());
            assert_eq!(found, who, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_repeating_it() {
        for (text, word) in [
            ("", "no host"),
            ("http://", "no host"),
            ("http://ann:s3cret@", "no host"),
            ("http://:8080", "no host"),
            ("http://:", "no host"),
            ("ftp://ann:s3cret@p.example", "scheme"),
            ("s3cret://p.example", "scheme"),
            ("http://p.example:s3cret", "port"),
            ("http://p.example:0", "port"),
            ("http://p.example:65536", "port"),
            ("http://ann:s3/cret@p.example", "%2F"),
            ("http://p.example/path", "more than a host"),
            ("http://s3 cret", "neither a name"),
            ("http://2001:db8::1", "neither a name"),
            ("http://ann:s3cret%@p.example", "%25"),
            ("http://ann:s3cret%+1@p.example", "%25"),
            ("http://ann:%FFs3cret@p.example", "UTF-8"),
            ("http://ann:%00s3cret@p.example", "control characters"),
            ("http://:s3cret@p.example", "user name is empty"),
        ] {
            let why = parse(text).unwrap_err();
            assert!(why.contains(word), "{text:?}: {why}");
            assert!(!why.contains("s3cret"), "{text:?}: {why}");
        }
    }
}
