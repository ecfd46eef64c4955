//! What an HTTP proxy answers in place of leading on, put into words.

use bytes::Bytes;
use http::{Response, StatusCode};
use towline_proto::WsUri;
use towline_proto::handshake::http1::HeadError;

use super::failure::at;
use crate::auth::{self, Party, offered};
use crate::error::Error;
use crate::http1::{is_page, via};
use crate::proxy::Proxy;

/// What it answered is not HTTP.
pub(super) fn garbled(proxy: &Proxy, next: &WsUri, error: HeadError) -> Error {
    at(proxy, next)
        .lasting()
        .cause(error)
        .advise("is that an HTTP proxy, and its address rather https:// or socks5h://?")
}

/// It asked for more and more proof.
pub(super) fn insatiable(proxy: &Proxy, next: &WsUri, response: Response<Bytes>) -> Error {
    at(proxy, next)
        .cause("the proxy asked again and again who we are")
        .advise("is the user name and password for the proxy right?")
        .with_response(response)
}

/// It ended the connection in the middle of showing who we are.
pub(super) fn unbound(proxy: &Proxy, next: &WsUri, response: Response<Bytes>) -> Error {
    at(proxy, next)
        .cause("the proxy ended the connection before it had heard who we are")
        .advise("a device between may break connections; use Basic or Digest, if it offers them")
        .with_response(response)
}

/// It answered 200, and with a page.
pub(super) fn page(proxy: &Proxy, next: &WsUri, response: Response<Bytes>) -> Error {
    at(proxy, next)
        .cause("a web page came instead of a connection")
        .advise(
            "is that a proxy? a network that wants you to log in answers so: open any page in a \
             browser",
        )
        .with_response(response)
}

/// It answered with another status than 200.
pub(super) fn refused(
    proxy: &Proxy,
    next: &WsUri,
    response: Response<Bytes>,
    shown: Option<auth::Scheme>,
) -> Error {
    let status = response.status();
    let advice = match status {
        // tinyproxy says 401 where it means 407.
        StatusCode::PROXY_AUTHENTICATION_REQUIRED | StatusCode::UNAUTHORIZED if shown.is_some() => {
            match shown {
                Some(auth::Scheme::Negotiate) => {
                    "the proxy does not take them: is the ticket that proxy's, and are they right?"
                }
                _ => "the proxy does not take that user name and password",
            }
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED if proxy.shown_credentials().is_none() => {
            "the proxy wants to know who you are: Proxy::credentials, or user:password@ in its \
             address; on the command line --proxy-user"
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            "the proxy wants to know who you are in a way that is not known here"
        }
        StatusCode::FORBIDDEN | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => {
            "the proxy's rules forbid it; many lead to port 443 alone, which is that of wss://"
        }
        StatusCode::NETWORK_AUTHENTICATION_REQUIRED => LOG_IN,
        StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::NOT_IMPLEMENTED
        | StatusCode::NOT_FOUND
        | StatusCode::BAD_REQUEST => {
            "what answers there does not lead on by CONNECT: is it a proxy, or a web server?"
        }
        // squid says 500 of a name that it does not find.
        StatusCode::INTERNAL_SERVER_ERROR
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            "the proxy could not reach that server: is its name right, and does it answer?"
        }
        status if status.is_redirection() => LOG_IN,
        _ => "the proxy refuses; its answer is in Error::response",
    };
    let page = if is_page(&response) { ", with a web page" } else { "" };
    let by = via(&response).map_or(String::new(), |via| format!(" by way of {via}"));
    let mut offered = offered(response.headers(), Party::Proxy);
    if !page.is_empty() && !offered.is_empty() {
        offered.insert(0, ',');
    }
    at(proxy, next)
        .cause(format!("the proxy answered {status}{by}{page}{offered}"))
        .advise(advice)
        .with_response(response)
}

const LOG_IN: &str =
    "the network may want you to log in first (a captive portal): open any page in a browser";
