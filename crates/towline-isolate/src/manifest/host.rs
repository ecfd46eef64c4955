//! Hosts that an app keeps to.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::Range;

/// A host that an app keeps to, with or without a port.
///
/// ```
/// use towline_isolate::HostRule;
///
/// let rule: HostRule = "*.example.net:443".parse().unwrap();
/// assert!(rule.names("chat.example.net", 443));
/// assert!(!rule.names("chat.example.net", 80) && !rule.names("example.net", 443));
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct HostRule {
    host: Host,
    port: Option<u16>,
}

/// The host of a [`HostRule`].
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Host {
    /// A name, in lower case.
    Name(String),
    /// All names under this one: `*.example.net`.
    Under(String),
    /// Addresses.
    Range(Range),
}

impl HostRule {
    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port; without one, all.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether it names this host and port. Case, and a dot at the end, do not matter.
    pub fn names(&self, host: &str, port: u16) -> bool {
        self.port.is_none_or(|own| own == port) && self.host.is_name(host)
    }

    /// Whether it has this address and port.
    pub fn has(&self, address: IpAddr, port: u16) -> bool {
        self.port.is_none_or(|own| own == port)
            && matches!(self.host, Host::Range(range) if range.contains(address))
    }
}

impl Host {
    pub(crate) fn is_name(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        match self {
            Self::Name(name) => name.eq_ignore_ascii_case(host),
            Self::Under(name) => is_under(host, name),
            Self::Range(_) => false,
        }
    }
}

/// Whether the host is `something.` and the name.
pub(crate) fn is_under(host: &str, name: &str) -> bool {
    let Some(split) = host.len().checked_sub(name.len()) else { return false };
    split > 1
        && host.is_char_boundary(split)
        && host[split..].eq_ignore_ascii_case(name)
        && host[..split].ends_with('.')
}

/// `chat.example.net:443`, `*.example.net`, `[2001:db8::1]:443`, `10.0.0.0/8`
impl FromStr for HostRule {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        if let Ok(range) = text.parse() {
            return Ok(Self { host: Host::Range(range), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| HostError::Port)?)),
            None => (text, None),
        };
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if let Ok(range) = literal.unwrap_or(host).parse() {
            return Ok(Self { host: Host::Range(range), port });
        }
        let (name, under) = match host.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (host, false),
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        // RFC 1123 §2.1: the last label of a name is not a number, so that no address looks like one.
        let last = name.rsplit('.').next().unwrap_or_default();
        let numeric = last.starts_with(|c: char| c.is_ascii_digit());
        if name.len() > 253 || !name.split('.').all(is_label) || numeric {
            return Err(HostError::Name);
        }
        let name = name.to_ascii_lowercase();
        Ok(Self { host: if under { Host::Under(name) } else { Host::Name(name) }, port })
    }
}

impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Name(name) => write!(f, "{name}")?,
            Host::Under(name) => write!(f, "*.{name}")?,
            Host::Range(range) if self.port.is_some() && range.first().is_ipv6() => {
                write!(f, "[{range}]")?;
            }
            Host::Range(range) => write!(f, "{range}")?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// Why a text is no host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum HostError {
    /// Neither a name nor an address.
    Name,
    /// What follows the colon is no port.
    Port,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => {
                "neither a name, such as chat.example.net or *.example.net, nor an address"
            }
            Self::Port => "after the colon stands no port: 1 to 65535",
        })
    }
}

impl Error for HostError {}
