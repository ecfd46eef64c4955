//! [`WsUri`]: a `ws:` or `wss:` address that has been parsed and checked (RFC 6455 §3).

mod authority;
mod error;

pub use error::UriError;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

pub(crate) use authority::Authority;

/// A `ws:` or `wss:` address (RFC 6455 §3).
///
/// Holding one is proof that it can be dialled: the scheme is right, the host is a name or an IP
/// address, the port is not zero, and the resource fits on a request line as it is.
///
/// ```
/// # use towline_proto::WsUri;
/// let uri: WsUri = "WSS://Example.COM/chat?room=1".parse()?;
/// assert_eq!((uri.scheme(), uri.host(), uri.port()), ("wss", "example.com", 443));
/// assert_eq!(uri.resource(), "/chat?room=1");
/// assert_eq!(uri.to_string(), "wss://example.com/chat?room=1");
/// # Ok::<(), towline_proto::UriError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WsUri {
    secure: bool,
    host: String,
    ip: Option<IpAddr>,
    port: u16,
    resource: String,
}

impl WsUri {
    /// Parses an absolute address.
    ///
    /// Path and query are kept as they were written; scheme and host become lower case.
    pub fn parse(input: &str) -> Result<Self, UriError> {
        let (scheme, rest) = split_scheme(input)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "ws" => false,
            "wss" => true,
            other => return Err(UriError::Scheme(other.to_owned())),
        };
        // RFC 6455 §3: no fragments, and so a `#` of the path itself has to be written `%23`.
        if rest.contains('#') {
            return Err(UriError::Fragment);
        }
        let (authority, resource) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        // A backslash is a slash to some parsers and not to others. Where two programs read
        // different hosts in one address, one of them can be misled.
        if let Some(bad) = rest.chars().find(|&c| c.is_control() || c == ' ' || c == '\\') {
            return Err(UriError::Character(bad));
        }
        if let Some(bad) = resource.chars().find(|c| !c.is_ascii()) {
            return Err(UriError::Character(bad));
        }
        let Authority { host, ip, port } = Authority::parse(authority)?;
        let port = port.unwrap_or_else(|| default_port(secure));
        // RFC 6455 §3: an empty path is requested as `/`.
        let slash = if resource.starts_with('/') { "" } else { "/" };
        Ok(Self { secure, host, ip, port, resource: format!("{slash}{resource}") })
    }

    /// Whether the connection is made over TLS, which is what `wss` means.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// `ws` or `wss`.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "wss" } else { "ws" }
    }

    /// The host in lower case: a name, an IPv4 address, or an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, which is 80 for `ws` and 443 for `wss` where the address names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as the `Host` header wants them: IPv6 in brackets, a default port left out
    /// (RFC 6455 §4.1).
    pub fn authority(&self) -> String {
        let host = match self.ip {
            Some(IpAddr::V6(ip)) => format!("[{ip}]"),
            Some(IpAddr::V4(_)) | None => self.host.clone(),
        };
        if self.port == default_port(self.secure) { host } else { format!("{host}:{}", self.port) }
    }

    /// Path and query as they go on the request line; never empty, always from a `/` on.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Whether the host is an IP address, so that there is no name to look up.
    pub fn is_ip(&self) -> bool {
        self.ip.is_some()
    }

    /// The host's IP address, where the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip
    }
}

/// Writes the canonical form: [`WsUri::parse`] reads it back as an equal value.
impl fmt::Display for WsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority(), self.resource)
    }
}

impl FromStr for WsUri {
    type Err = UriError;

    fn from_str(input: &str) -> Result<Self, UriError> {
        Self::parse(input)
    }
}

/// Splits `scheme://rest`, where the scheme is spelled as RFC 3986 §3.1 has it.
fn split_scheme(input: &str) -> Result<(&str, &str), UriError> {
    let (scheme, rest) = input.split_once(':').unwrap_or(("", input));
    let spelled = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    match rest.strip_prefix("//") {
        Some(rest) if spelled => Ok((scheme, rest)),
        None if ["ws", "wss"].iter().any(|s| scheme.eq_ignore_ascii_case(s)) => {
            Err(UriError::NoHost)
        }
        // `localhost:8080` lands here: what stands before its colon is no scheme.
        Some(_) | None => Err(UriError::Scheme(String::new())),
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}
