//! What `towline isolate explain` is asked about.

use std::net::IpAddr;

use towline::proto::WsUri;

use crate::exit::{Code, Failure, Outcome};
use crate::way;

/// A host and a port.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) host: String,
    /// The host, if it is an address in any spelling.
    pub(super) ip: Option<IpAddr>,
    pub(super) port: u16,
}

/// Taken where none is given: a server's, over TLS.
const PORT: u16 = 443;

impl Target {
    /// Reads a URL, a host, a host and a port.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        // An address of IPv6 alone has no brackets.
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self { host: text.to_owned(), ip: Some(ip), port: PORT });
        }
        let bad = || {
            let text = format!(
                "{text:?} is neither a URL nor a host; write wss://example.com/ or 10.0.0.7:443"
            );
            Failure::new(Code::Usage, text)
        };
        let url = match text.split_once("://") {
            Some(("ws" | "wss", _)) => text.to_owned(),
            Some(("http", rest)) => format!("ws://{rest}"),
            Some(("https", rest)) => format!("wss://{rest}"),
            Some(_) => return Err(bad()),
            None => format!("wss://{text}"),
        };
        // As a client reads it, so that every spelling of an address is the same address.
        let uri: WsUri = way::uri(&url).ok_or_else(bad)?;
        Ok(Self { host: uri.host().to_owned(), ip: uri.ip(), port: uri.port() })
    }
}
