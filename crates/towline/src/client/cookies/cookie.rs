//! [`Cookie`]: one cookie, read and matched (RFC 6265 §5.2, §5.1).

use std::fmt;
use std::time::{Duration, SystemTime};

use http::Uri;

use super::date;
use super::scope::{default_path, host, is_address, is_below, is_secure, is_within};

/// Longest name and value together that are kept, in bytes. Browsers stop there, too.
const MAX_PAIR: usize = 4096;

/// Longest path or domain, in bytes; longer ones are as good as none (RFC 6265bis §5.6).
const MAX_ATTRIBUTE: usize = 1024;

/// One cookie. Its identity is name, domain and path.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Cookie {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) domain: String,
    /// Whether it is for that very host, not for those below it.
    host_only: bool,
    pub(super) path: String,
    secure: bool,
    /// `None` for as long as the jar is there.
    expires: Option<SystemTime>,
}

// Cookies are as good as passwords.
impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie").field("domain", &self.domain).finish_non_exhaustive()
    }
}

impl Cookie {
    /// Reads a `Set-Cookie` of an answer from this address; `None` for one that is not to be kept.
    pub(super) fn parse(text: &str, from: &Uri, now: SystemTime) -> Option<Self> {
        let host = host(from)?;
        let mut parts = text.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let control = |text: &str| text.chars().any(char::is_control);
        if name.is_empty() || name.len() + value.len() > MAX_PAIR || control(name) || control(value)
        {
            return None;
        }
        let mut cookie = Self {
            name: name.to_owned(),
            value: value.to_owned(),
            domain: host.clone(),
            host_only: true,
            path: default_path(from.path()).to_owned(),
            secure: false,
            expires: None,
        };
        let mut max_age = None;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            if value.len() > MAX_ATTRIBUTE {
                continue;
            }
            match key.trim().to_ascii_lowercase().as_str() {
                "domain" if !value.is_empty() => cookie.set_domain(value, &host)?,
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "path" => default_path(from.path()).clone_into(&mut cookie.path),
                "secure" => cookie.secure = true,
                "expires" => cookie.expires = date::parse(value).or(cookie.expires),
                "max-age" => max_age = age(value).or(max_age),
                _ => {}
            }
        }
        // RFC 6265 §5.3: of the two, the age counts.
        if let Some(age) = max_age {
            cookie.expires = now.checked_add(age);
        }
        cookie.keeps_its_promises(from).then_some(cookie)
    }

    /// Whether it goes with a request to this address.
    pub(super) fn is_for(&self, address: &Uri) -> bool {
        let Some(host) = host(address) else { return false };
        let domain =
            if self.host_only { host == self.domain } else { is_within(&host, &self.domain) };
        domain && is_below(address.path(), &self.path) && (!self.secure || is_secure(address))
    }

    /// Whether both are one, so that the newer takes the older's place.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        (&self.name, &self.domain, &self.path) == (&other.name, &other.domain, &other.path)
    }

    /// Whether it would be sent in place of this one, which TLS has set, without having come by TLS
    /// itself (RFC 6265bis §5.7).
    pub(super) fn usurps(&self, other: &Self) -> bool {
        let near = is_within(&self.domain, &other.domain) || is_within(&other.domain, &self.domain);
        other.secure
            && !self.secure
            && self.name == other.name
            && near
            && is_below(&self.path, &other.path)
    }

    pub(super) fn is_over(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// A domain has to be the host's own or above it, and more than a top-level one.
    fn set_domain(&mut self, domain: &str, host: &str) -> Option<()> {
        let domain = domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase();
        if domain == host {
            self.host_only = is_address(host) || !host.contains('.');
            return Some(());
        }
        if !domain.contains('.') || !is_within(host, &domain) {
            return None;
        }
        self.domain = domain;
        self.host_only = false;
        Some(())
    }

    /// What only TLS may set, only TLS has set; and prefixes of names are true (RFC 6265bis §4.1.3).
    fn keeps_its_promises(&self, from: &Uri) -> bool {
        let begins = |prefix: &str| {
            self.name.get(..prefix.len()).is_some_and(|name| name.eq_ignore_ascii_case(prefix))
        };
        let host = self.secure && self.host_only && self.path == "/";
        (!self.secure || is_secure(from))
            && (!begins("__Secure-") || self.secure)
            && (!begins("__Host-") || host)
    }
}

/// RFC 6265 §5.2.2: what is not more than none has ended.
fn age(text: &str) -> Option<Duration> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // A number that is too large is for ever, or as good as that.
    let seconds = digits.parse().unwrap_or(u64::MAX);
    Some(Duration::from_secs(if text.starts_with('-') { 0 } else { seconds }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str, from: &str) -> Option<Cookie> {
        Cookie::parse(text, &from.parse().unwrap(), SystemTime::UNIX_EPOCH)
    }

    fn goes(text: &str, from: &str, to: &str) -> bool {
        set(text, from).is_some_and(|cookie| cookie.is_for(&to.parse().unwrap()))
    }

    #[test]
    fn a_cookie_goes_where_it_belongs() {
        let home = "https://www.a.example/x/y";
        for (text, to) in [
            ("id=1", "https://www.a.example/x/z"),
            ("id=1", "http://www.a.example/x"),
            ("id=1; Path=/", "https://www.a.example/"),
            ("id=1; domain=.A.example; path=/", "https://b.a.example/"),
            ("id=1; Domain=a.example; Path=/", "https://a.example/"),
            ("id=1; Secure; Path=/", "https://www.a.example/"),
        ] {
            assert!(goes(text, home, to), "{text} {to}");
        }
        for (text, to) in [
            ("id=1", "https://www.a.example/"),
            ("id=1", "https://www.a.example/xy"),
            ("id=1; Path=/", "https://a.example/"),
            ("id=1; Path=/", "https://b.www.a.example/"),
            ("id=1; Domain=a.example; Path=/", "https://ba.example/"),
            ("id=1; Secure; Path=/", "http://www.a.example/"),
        ] {
            assert!(!goes(text, home, to), "{text} {to}");
        }
        assert!(goes("id=1; path=/", "http://[::1]:80/", "http://[::1]/"));
    }

    #[test]
    fn what_is_not_a_servers_to_set_is_not_kept() {
        let plain = "http://www.a.example/";
        for text in [
            "",
            "id",
            "=1",
            "id=\u{1}",
            "id=1; Domain=b.example",
            "id=1; Domain=example",
            "id=1; Domain=c.www.a.example",
            "id=1; Secure",
            "__Secure-id=1",
            "__Host-id=1; Path=/",
        ] {
            assert!(set(text, plain).is_none(), "{text:?}");
        }
        assert!(set("id=1; Domain=0.0.1", "http://127.0.0.1/").is_none());
        assert!(set(&format!("id={}", "x".repeat(MAX_PAIR)), plain).is_none());
        let long = set(&format!("id=1; Path=/{}", "x".repeat(MAX_ATTRIBUTE)), plain).unwrap();
        assert_eq!(long.path, "/");
        let safe = "https://www.a.example/";
        assert!(set("__Host-id=1; Secure; Path=/", safe).is_some());
        assert!(set("__host-id=1; Secure; Path=/; Domain=a.example", safe).is_none());
    }

    #[test]
    fn it_lasts_as_long_as_was_said() {
        let from = "http://a.example/";
        let later = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let cookie = set("id=1; Expires=Thu, 01 Jan 1970 00:01:00 GMT; Max-Age=30", from).unwrap();
        assert!(!cookie.is_over(later(29)) && cookie.is_over(later(30)));
        assert!(set("id=1; Max-Age=-1", from).unwrap().is_over(later(0)));
        assert!(set("id=1; Max-Age=0", from).unwrap().is_over(later(0)));
        assert!(!set("id=1; Max-Age=99999999999999999999", from).unwrap().is_over(later(9)));
        assert!(!set("id=1; Max-Age=soon", from).unwrap().is_over(later(u32::MAX.into())));
    }
}
