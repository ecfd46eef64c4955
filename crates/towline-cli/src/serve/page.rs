//! The page of `serve`, and the policy that lets a browser run nothing else.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use sha2::{Digest, Sha256};

const PAGE: &str = include_str!("../page.html");

pub(super) fn response() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(PAGE.as_bytes()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Only the page's own script and style, known by their hashes (CSP Level 3, §2.3.1).
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let script = hash_between("<script>", "</script>");
    let style = hash_between("<style>", "</style>");
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; \
         img-src data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("base64 may stand in a header")
});

fn hash_between(open: &str, close: &str) -> String {
    let text = PAGE.split_once(open).and_then(|(_, rest)| rest.split_once(close));
    let (text, _) = text.expect("the page has one script and one style");
    STANDARD.encode(Sha256::digest(text))
}
