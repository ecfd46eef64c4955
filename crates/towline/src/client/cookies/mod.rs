//! Cookies: a jar that an application shares with its HTTP client, or one of ours (RFC 6265).

mod cookie;
mod date;
mod jar;
mod scope;

use std::sync::Arc;

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, Uri};
use towline_proto::WsUri;

use super::ClientBuilder;
pub(crate) use date::parse as http_date;
pub use jar::Cookies;

/// Keeps cookies between requests. [`Cookies`] does, in memory.
///
/// An application that has a jar already lets its HTTP client and this one share it: with `reqwest`,
/// whose `CookieStore` has the same two functions, that is a few lines.
pub trait CookieJar: Send + Sync {
    /// The value of the `Cookie` header for a request to this address, of `http` or `https`.
    fn cookies(&self, address: &Uri) -> Option<HeaderValue>;

    /// Keeps what the `Set-Cookie` headers of an answer from this address say.
    fn set_cookies(&self, address: &Uri, cookies: &mut dyn Iterator<Item = &HeaderValue>);
}

impl ClientBuilder {
    /// Sends the cookies of this jar and keeps those that servers set. By default there is none.
    ///
    /// A `Cookie` header of one's own goes first. Which cookies go where, the jar decides.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use towline::{Client, Cookies};
    /// # fn main() -> towline::Result<()> {
    /// let jar = Arc::new(Cookies::new());
    /// let client = Client::builder().cookies(jar.clone()).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn cookies(mut self, jar: Arc<dyn CookieJar>) -> Self {
        self.client.session.cookies = Some(jar);
        self
    }
}

/// An address as jars know it: RFC 6455 §4.1 has cookies go as for HTTP.
pub(super) fn address(uri: &WsUri) -> Uri {
    let scheme = if uri.is_secure() { "https" } else { "http" };
    let whole =
        Uri::builder().scheme(scheme).authority(uri.authority()).path_and_query(uri.resource());
    // What HTTP's types cannot hold has no cookies.
    whole.build().unwrap_or_default()
}

/// Hands an answer's cookies to a jar.
pub(super) fn keep(jar: &dyn CookieJar, uri: &WsUri, headers: &HeaderMap) {
    if headers.contains_key(SET_COOKIE) {
        jar.set_cookies(&address(uri), &mut headers.get_all(SET_COOKIE).iter());
    }
}

/// RFC 6265 §5.4: there is one such header.
pub(super) fn beside(own: Option<&HeaderValue>, kept: HeaderValue) -> HeaderValue {
    let Some(own) = own else { return kept };
    let both = [own.as_bytes(), b"; ", kept.as_bytes()].concat();
    HeaderValue::from_bytes(&both).unwrap_or(kept)
}
