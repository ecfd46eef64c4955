//! What answers does not open a WebSocket.

use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderMap, Response, StatusCode};
use towline::proto::WsUri;
use towline::proto::handshake::HandshakeError;
use towline::proto::handshake::http1::HeadError;
use towline::{Credentials, Error, ErrorKind, HResult};

use super::line::line;
use super::{Facts, Why};
use crate::diagnose::public::address;

pub(super) fn of(error: &Error, facts: &Facts<'_>) -> Why {
    match error.hresult() {
        HResult::REDIRECT_FAILED => return nowhere(error),
        HResult::HTTPS_TO_HTTP_ON_REDIRECTION => return downgraded(),
        _ => {}
    }
    if let Some(response) = error.response() {
        return refused(error, response, facts);
    }
    match error.kind() {
        ErrorKind::TimedOut => other_scheme(
            Why::new([
                "what listens there waits for something else: TLS, or another protocol",
                "the server is there, and too busy to answer",
            ]),
            facts,
        ),
        ErrorKind::Disconnected => other_scheme(
            Why::new([
                "what listens there does not speak HTTP: it may want TLS",
                "a firewall let the connection through, and ended it when it saw a WebSocket's request",
            ]),
            facts,
        ),
        _ => garbled(error, facts),
    }
}

/// The other scheme is worth a try where there is no TLS; with it, all that could be seen is said.
fn other_scheme(why: Why, facts: &Facts<'_>) -> Why {
    match facts.other_scheme().filter(|_| !facts.is_secure()) {
        Some(other) => why.mend("connect with TLS, if the server has it").address(&other),
        None => why.mend("connect to the port and the path where the WebSocket server is"),
    }
}

fn refused<T: AsRef<[u8]>>(error: &Error, response: &Response<T>, facts: &Facts<'_>) -> Why {
    let status = response.status();
    let headers = response.headers();
    let is_page =
        headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    match status {
        StatusCode::UNAUTHORIZED => unauthorized(error, facts),
        StatusCode::FORBIDDEN => Why::new([
            "the server lets in pages of its own alone, and wants to be told an origin of these",
            "it does not let this user, or this address, in",
            "a web filter on the way refuses in its place: then its page, or a Via header, says so",
        ])
        .mend("name the origin of a page of the server's")
        .flag(format!("-o https://{}", facts.bracketed()))
        .rust(line!(builder => builder.origin("https://HOST")).replace("HOST", &facts.bracketed())),
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::METHOD_NOT_ALLOWED => {
            Why::new([
                "the path is another one: many servers have their WebSocket at /ws, /chat or /socket.io/",
                "a reverse proxy before the server does not pass that path on",
            ])
            .mend("connect to the path that the server's documents name")
            .address(&elsewhere(facts))
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Why::new(["a proxy that nobody named stands in the way, and wants to know who you are"])
                .mend("name that proxy, and say who you are")
                .flag("--proxy http://PROXY:PORT --proxy-user @FILE")
        }
        StatusCode::UPGRADE_REQUIRED => Why::new([
            "the server speaks another version of the protocol than RFC 6455",
            "a reverse proxy before it takes the Upgrade header away",
        ])
        .mend("have the reverse proxy pass Upgrade and Connection on"),
        StatusCode::BAD_REQUEST if speaks_tls(response.body().as_ref()) => other_scheme(
            Why::new(["that port speaks TLS"]), facts,
        ),
        StatusCode::BAD_REQUEST => Why::new([
            "a reverse proxy before the server takes the Upgrade header away",
            "the server wants a subprotocol, or a header, that was not sent",
        ])
        .mend("offer what the server's documents name; or have the reverse proxy pass Upgrade and Connection on")
        .flag("-s NAME")
        .rust(line!(builder => builder.subprotocol("NAME"))),
        StatusCode::NETWORK_AUTHENTICATION_REQUIRED => log_in(),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Why::new([
                "the server has too much to do, or wants fewer connections of you",
                "it is being started or mended",
            ])
            .mend(match headers.get(RETRY_AFTER).and_then(|after| after.to_str().ok()) {
                Some(after) => format!("try again later; the server says: Retry-After: {after}"),
                None => "try again later".to_owned(),
            })
        }
        status if status.is_redirection() => moved(headers, is_page),
        status if status.is_success() => match is_page {
            true => Why::new([
                "that path is a web page's, and the WebSocket is at another one",
                "the network wants you to log in first (a captive portal)",
            ])
            .mend("connect to the path that the server's documents name; if the page is not theirs, log in")
            .address(&elsewhere(facts)),
            false => Why::new([
                "that path is not the WebSocket's",
                "a reverse proxy before the server takes the Upgrade header away",
            ])
            .mend("connect to the path that the server's documents name")
            .address(&elsewhere(facts)),
        },
        status if status.is_server_error() => Why::new([
            "the server has trouble",
            "a reverse proxy is there, and the server behind it is not",
        ])
        .mend("start the server behind it, or try again later"),
        _ => Why::new(["the server refuses, for reasons that its answer may tell"])
            .mend("read what the server answered"),
    }
}

fn unauthorized(error: &Error, facts: &Facts<'_>) -> Why {
    let text = error.to_string();
    if text.contains("credentials do not go along")
        && let Some(uri) = &facts.uri
    {
        return Why::new([
            "a redirect led to another server, and what you gave is for the first one alone",
        ])
        .mend("connect to that server itself, if you trust it, with the credentials that it knows")
        .address(&facts.at(uri.scheme(), &uri.authority()));
    }
    let other = "the server wants another kind of credentials than was given";
    let why = if facts.said_who {
        Why::new(["the user name, the password or the token is wrong", other])
    } else if text.contains("than the credentials that are set") {
        Why::new([other])
    } else if text.contains(" by Negotiate: ") {
        Why::new([
            "there is no ticket for that server: nobody has logged on (kinit), or the realm does not know it",
        ])
    } else {
        Why::new(["the server wants to know who you are, and nobody said"])
    };
    why.mend("give the credentials that the server knows")
        .flag("--user @FILE, with a line NAME:PASSWORD in it; or --oauth2-bearer @FILE")
        .rust(line!(builder => builder.credentials(Credentials::password("NAME", "PASSWORD"))))
}

fn moved(headers: &HeaderMap, is_page: bool) -> Why {
    let mut why = Why::new(["the server is at another address now"]);
    if is_page {
        why.causes.push("the network wants you to log in first (a captive portal)".to_owned());
    }
    let to = headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
    why.mend(format!("follow the redirect, if you trust where it leads: {}", address(to)))
        .flag("-L")
        .rust(line!(builder => builder.redirects(10)))
}

/// A redirect that was to be followed, and could not be.
fn nowhere(error: &Error) -> Why {
    let headers = error.response().map(Response::headers);
    let to = headers.and_then(|headers| headers.get(LOCATION)).and_then(|to| to.to_str().ok());
    let to = to.map_or_else(|| "it says not where".to_owned(), address);
    Why::new([
        "the redirects lead round in circles, or there are more than were allowed",
        "a redirect leads to an address that is none of a WebSocket server's",
    ])
    .mend(format!("connect to the address that they should lead to; the last one: {to}"))
    .flag("--max-redirs N")
    .rust(line!(builder => builder.redirects(20)))
}

/// A redirect from wss to ws.
fn downgraded() -> Why {
    Why::new([
        "a reverse proxy before the server does not know that it is reached with TLS",
        "somebody wants to read along",
    ])
    .mend("have the server send redirects to wss; nothing lets this one pass")
}

fn log_in() -> Why {
    Why::new(["the network wants you to log in first (a captive portal)"])
        .mend("open any page in a browser, log in, and connect again")
}

/// The same server at a path that has to be named.
fn elsewhere(facts: &Facts<'_>) -> String {
    let scheme = if facts.is_secure() { "wss" } else { "ws" };
    let authority = facts.uri.as_ref().map_or_else(String::new, WsUri::authority);
    format!("{scheme}://{authority}/PATH")
}

/// Servers that speak TLS say so in their own words to who does not.
fn speaks_tls(body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body).to_ascii_lowercase();
    body.contains("https") || body.contains("tls") || body.contains("ssl")
}

/// The answer is none.
fn garbled(error: &Error, facts: &Facts<'_>) -> Why {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<HandshakeError>());
    match cause {
        Some(HandshakeError::Head(HeadError::NotHttp)) => other_scheme(
            Why::new(["that port speaks TLS, or another protocol that is not HTTP"]),
            facts,
        ),
        Some(HandshakeError::SubprotocolNotOffered(name)) => {
            Why::new(["the server insists on a subprotocol that was not offered"])
                .mend("offer the subprotocol that the server speaks")
                .flag(format!("-s {name}"))
                .rust(line!(builder => builder.subprotocol("NAME")).replace("NAME", name))
        }
        Some(HandshakeError::ExtensionNotOffered(_)) => {
            Why::new(["the server compresses, or more, though nobody asked it to"])
                .mend("offer compression; or have the server mended")
                .flag("--deflate")
                .rust(line!(builder => builder.deflate(towline::Deflate::default())))
        }
        Some(HandshakeError::Head(_)) => {
            Why::new(["what listens there speaks another protocol: mail, SSH, a database"])
                .mend("connect to the port where the WebSocket server is")
        }
        Some(_) => {
            let why = Why::new([
                "a proxy on the way, which nobody named, answers in the server's place",
                "the server does not keep to RFC 6455",
            ]);
            match facts.other_scheme().filter(|_| !facts.is_secure()) {
                Some(other) => why
                    .mend("connect by wss, so that nothing on the way can change it")
                    .address(&other),
                None => why.mend("have the server mended"),
            }
        }
        None => Why::new(["what answers there does not speak HTTP as it should"])
            .mend("connect to the port where the WebSocket server is"),
    }
}
