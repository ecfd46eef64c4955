//! [`Authority`]: the host and port of an address, or of a `Host` header (RFC 3986 §3.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::UriError;

/// What stands between `//` and the path.
pub(crate) struct Authority {
    /// In lower case, IPv6 without its brackets.
    pub(super) host: String,
    pub(super) ip: Option<IpAddr>,
    pub(super) port: Option<u16>,
}

impl Authority {
    /// Whether this is `host` or `host:port`.
    pub(crate) fn is_valid(authority: &str) -> bool {
        Self::parse(authority).is_ok()
    }

    /// Parses `host` or `host:port`.
    pub(crate) fn parse(authority: &str) -> Result<Self, UriError> {
        if authority.contains('@') {
            return Err(UriError::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        // RFC 3986 §3.2.3: nothing after the colon is the same as no colon.
        let port = if port.is_empty() { None } else { Some(parse_port(port)?) };
        let (host, ip) = parse_host(host)?;
        Ok(Self { host, ip, port })
    }
}

/// Splits an authority at the colon before its port, which is not one of those inside brackets.
fn split_port(authority: &str) -> Result<(&str, &str), UriError> {
    let host_len = if authority.starts_with('[') {
        authority.find(']').map_or(authority.len(), |end| end + 1)
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at(host_len);
    match port.strip_prefix(':') {
        // More colons than one: an IPv6 address whose brackets were forgotten.
        Some(port) if !port.contains(':') => Ok((host, port)),
        None if port.is_empty() => Ok((host, "")),
        Some(_) | None => Err(UriError::Host(authority.to_owned())),
    }
}

fn parse_port(port: &str) -> Result<u16, UriError> {
    // `u16::from_str` alone would let `+80` pass.
    let digits = port.bytes().all(|b| b.is_ascii_digit());
    match port.parse() {
        Ok(number) if digits && number != 0 => Ok(number),
        Ok(_) | Err(_) => Err(UriError::Port(port.to_owned())),
    }
}

fn parse_host(host: &str) -> Result<(String, Option<IpAddr>), UriError> {
    if host.is_empty() {
        return Err(UriError::NoHost);
    }
    let refused = || UriError::Host(host.to_owned());
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or_else(refused)?;
        let ip: Ipv6Addr = inner.parse().map_err(|_| refused())?;
        return Ok((ip.to_string(), Some(ip.into())));
    }
    let name = to_ascii(host)?;
    if let Ok(ip) = name.parse::<Ipv4Addr>() {
        return Ok((name, Some(ip.into())));
    }
    if is_name(&name) { Ok((name, None)) } else { Err(refused()) }
}

/// Whether a resolver can look this up as a name and can only mean that name by it (RFC 1123 §2.1).
fn is_name(name: &str) -> bool {
    let relative = name.strip_suffix('.').unwrap_or(name);
    let label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    // `127.1`, `0x7f.1` and `2130706433` are addresses to some resolvers: names that end in a
    // number are refused, so that a check of the address cannot be walked around.
    let last = relative.rsplit('.').next().unwrap_or_default();
    let number = last.bytes().all(|b| b.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    relative.len() <= MAX_NAME && relative.split('.').all(label) && !number
}

#[cfg(feature = "idn")]
fn to_ascii(host: &str) -> Result<String, UriError> {
    if host.is_ascii() {
        return Ok(host.to_ascii_lowercase());
    }
    idna::domain_to_ascii(host).map_err(|_| UriError::Host(host.to_owned()))
}

#[cfg(not(feature = "idn"))]
fn to_ascii(host: &str) -> Result<String, UriError> {
    if host.is_ascii() {
        return Ok(host.to_ascii_lowercase());
    }
    Err(UriError::NonAsciiHost(host.to_owned()))
}

/// Longest name the DNS can hold, in bytes, as it is written (RFC 1035 §3.1 counts 255 encoded).
const MAX_NAME: usize = 253;

/// Longest part of a name between two dots, in bytes (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;
