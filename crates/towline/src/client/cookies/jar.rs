//! [`Cookies`]: a jar in memory.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use http::{HeaderValue, Uri};

use super::CookieJar;
use super::cookie::Cookie;
use super::scope::is_secure;

/// Most cookies of one jar. Browsers keep as many for a few sites.
const MAX_COOKIES: usize = 300;

/// Most cookies of one domain, so that none fills the jar.
const MAX_OF_DOMAIN: usize = 50;

/// Cookies in memory, for as long as this is there.
///
/// It knows no list of public suffixes: a server of `shop.co.uk` may set a cookie for `co.uk`. For
/// servers that may not be trusted with that, share a jar that knows the list: [`CookieJar`].
#[derive(Default)]
pub struct Cookies {
    /// In the order in which they were first set.
    kept: Mutex<Vec<Cookie>>,
}

impl Cookies {
    /// An empty jar.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all of them.
    pub fn clear(&self) {
        self.kept().clear();
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Cookie>> {
        // Nothing panics while it is held.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, cookie: Cookie, by_tls: bool, now: SystemTime) {
        let mut kept = self.kept();
        kept.retain(|other| !other.is_over(now));
        if !by_tls && kept.iter().any(|other| cookie.usurps(other)) {
            return;
        }
        let place = kept.iter().position(|other| cookie.replaces(other));
        match (place, cookie.is_over(now)) {
            (Some(at), true) => drop(kept.remove(at)),
            (None, true) => {}
            // RFC 6265 §5.3: the new one has the old one's age.
            (Some(at), false) => kept[at] = cookie,
            (None, false) => {
                let of_domain = |other: &Cookie| other.domain == cookie.domain;
                if kept.iter().filter(|other| of_domain(other)).count() >= MAX_OF_DOMAIN {
                    kept.extract_if(.., |other| of_domain(other)).next();
                }
                if kept.len() >= MAX_COOKIES {
                    kept.remove(0);
                }
                kept.push(cookie);
            }
        }
    }
}

impl CookieJar for Cookies {
    fn cookies(&self, address: &Uri) -> Option<HeaderValue> {
        let now = SystemTime::now();
        let kept = self.kept();
        let goes = |cookie: &&Cookie| !cookie.is_over(now) && cookie.is_for(address);
        let mut going: Vec<&Cookie> = kept.iter().filter(goes).collect();
        // RFC 6265 §5.4: longer paths first; the sort leaves older ones before newer ones.
        going.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> =
            going.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        if pairs.is_empty() {
            return None;
        }
        let mut value = HeaderValue::from_str(&pairs.join("; ")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    fn set_cookies(&self, address: &Uri, cookies: &mut dyn Iterator<Item = &HeaderValue>) {
        let now = SystemTime::now();
        for text in cookies.filter_map(|value| str::from_utf8(value.as_bytes()).ok()) {
            if let Some(cookie) = Cookie::parse(text, address, now) {
                self.keep(cookie, is_secure(address), now);
            }
        }
    }
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookies").field("count", &self.kept().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(jar: &Cookies, from: &str, texts: &[&str]) {
        let values: Vec<HeaderValue> = texts.iter().map(|text| text.parse().unwrap()).collect();
        jar.set_cookies(&from.parse().unwrap(), &mut values.iter());
    }

    fn sent(jar: &Cookies, to: &str) -> Option<String> {
        jar.cookies(&to.parse().unwrap()).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn cookies_come_back() {
        let jar = Cookies::new();
        let at = "https://a.example/chat/room";
        set(&jar, at, &["a=1; Path=/", "b=2", "c=3; Max-Age=0"]);
        assert_eq!(sent(&jar, at).as_deref(), Some("b=2; a=1"));
        set(&jar, at, &["a=4; Path=/", "b=; Max-Age=-1"]);
        assert_eq!(sent(&jar, at).as_deref(), Some("a=4"));
        assert_eq!(sent(&jar, "https://b.example/"), None);
        assert_eq!(format!("{jar:?}"), "Cookies { count: 1 }");
        jar.clear();
        assert_eq!(sent(&jar, at), None);
    }

    #[test]
    fn what_tls_has_set_is_not_changed_without_it() {
        let jar = Cookies::new();
        set(&jar, "https://www.a.example/", &["id=1; Secure; Path=/x"]);
        set(&jar, "http://www.a.example/", &["id=2; Path=/x", "id=3; Path=/x; Domain=a.example"]);
        set(&jar, "http://www.a.example/", &["id=4; Path=/x/y", "id=; Path=/x; Max-Age=0"]);
        assert_eq!(sent(&jar, "https://www.a.example/x/y").as_deref(), Some("id=1"));
        // Neither is another path or host, nor TLS itself.
        set(&jar, "http://www.a.example/", &["id=5; Path=/", "other=6"]);
        assert_eq!(sent(&jar, "http://www.a.example/").as_deref(), Some("id=5; other=6"));
        set(&jar, "https://www.a.example/", &["id=7; Path=/x"]);
        assert_eq!(sent(&jar, "http://www.a.example/x").as_deref(), Some("id=7; id=5; other=6"));
    }

    #[test]
    fn nobody_fills_the_jar() {
        let jar = Cookies::new();
        set(&jar, "http://good.example/", &["a=1"]);
        for number in 0..200 {
            set(&jar, "http://bad.example/", &[&format!("n{number}=1")]);
        }
        assert_eq!(jar.kept().len(), 1 + MAX_OF_DOMAIN);
        assert!(sent(&jar, "http://good.example/").is_some());
        for number in 0..1000 {
            set(&jar, &format!("http://{number}.example/"), &["a=1"]);
        }
        assert_eq!(jar.kept().len(), MAX_COOKIES);
    }
}
