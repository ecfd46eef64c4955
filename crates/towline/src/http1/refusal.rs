//! A refusal of the opening handshake, put into words: the server's own, or of what stands between.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, VIA};
use http::{HeaderValue, Response, StatusCode};

use crate::auth::{Party, offered};
use crate::error::{Error, ErrorKind};

/// The error for it.
pub(crate) fn refused(doing: impl Into<Cow<'static, str>>, response: Response<Bytes>) -> Error {
    let via = via(&response);
    let is_page = is_page(&response);
    let advice = match response.status() {
        StatusCode::UNAUTHORIZED => "the server wants credentials; set them on the client",
        StatusCode::FORBIDDEN if via.is_some() => {
            "the server refuses, or what passed the request on to it: ask who runs that"
        }
        StatusCode::FORBIDDEN if is_page => {
            "the server refuses, or a web filter in its place: the page says who; the server may also \
             expect another Origin header"
        }
        StatusCode::FORBIDDEN => "the server refuses; it may expect another Origin header",
        StatusCode::NOT_FOUND => "is the path of the address right?",
        StatusCode::UPGRADE_REQUIRED => "the server wants another version of the protocol",
        // RFC 6585 §6
        StatusCode::NETWORK_AUTHENTICATION_REQUIRED => {
            "the network wants you to log in first (a captive portal): open any page in a browser"
        }
        status if status.is_redirection() && is_page => {
            "connect to the address in its Location header; if that is not the server's, the network may \
             want you to log in first (a captive portal)"
        }
        status if status.is_redirection() => "connect to the address in its Location header",
        status if status.is_success() && is_page => {
            "that page is HTTP, but not WebSocket; it may be the network's, to log in with (a captive \
             portal)"
        }
        status if status.is_success() => "that address answers HTTP, but not WebSocket",
        status if status.is_server_error() => "the server has trouble; try again later",
        _ => "the server refuses; its answer is in Error::response",
    };
    let by = via.map_or(String::new(), |via| format!(" by way of {via}"));
    let page = if is_page { ", with a web page" } else { "" };
    let mut offered = offered(response.headers(), Party::Server);
    if !page.is_empty() && !offered.is_empty() {
        offered.insert(0, ',');
    }
    let cause = format!("the server answered {}{by}{page}{offered}", response.status());
    Error::new(ErrorKind::Handshake, doing).cause(cause).advise(advice).with_response(response)
}

/// Whether a web page came: servers of WebSockets rarely send one, what stands between often does.
pub(crate) fn is_page<T>(response: &Response<T>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    kind.get(..HTML.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(HTML))
}

const HTML: &[u8] = b"text/html";

/// Who passed an answer on (RFC 9110 §7.6.3), or gave it in the server's place.
pub(crate) fn via<T>(response: &Response<T>) -> Option<String> {
    let via = response.headers().get(VIA)?.to_str().ok()?;
    (via.len() <= MAX_VIA_BYTES).then(|| via.to_owned())
}

/// Longest `Via` that is repeated in an error: a few names.
const MAX_VIA_BYTES: usize = 200;
