//! Servers that no proxy leads to: the rules of `NO_PROXY`.

use std::fmt;
use std::net::IpAddr;

use towline_proto::WsUri;

/// A list of rules. As curl reads it: apart by commas or spaces, case does not matter, and what is not
/// a rule matches nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Exceptions(Vec<Rule>);

/// One rule.
///
/// | written | matches |
/// |---|---|
/// | `*` | everything |
/// | `example.com`, `.example.com`, `*.example.com` | that name, and all that end in it after a dot |
/// | `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]` | that address |
/// | `10.0.0.0/8`, `169.254/16`, `2001:db8::/32` | all addresses in that network |
/// | `<local>` | names without a dot |
/// | any of these and `:8080` | the same, at that port alone |
#[derive(Clone, Debug)]
pub(super) struct Rule {
    host: Host,
    port: Option<u16>,
    /// As it was written.
    text: String,
}

#[derive(Clone, Debug)]
enum Host {
    Any,
    /// In lower case, without a dot before or behind.
    Name(String),
    /// The first so many bits of an address. One address is a network, too.
    Network(IpAddr, u8),
    /// A name without a dot.
    Simple,
}

impl Exceptions {
    pub(super) fn parse(list: &str) -> Self {
        let words = list.split([',', ' ', '\t', '\n', ';']).filter(|word| !word.is_empty());
        Self(words.filter_map(Rule::parse).collect())
    }

    /// The rule by which no proxy leads to a server.
    pub(super) fn matching(&self, uri: &WsUri) -> Option<&Rule> {
        self.0.iter().find(|rule| rule.matches(uri))
    }
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let (host, port) = split_port(text)?;
        let host = match host {
            "*" => Host::Any,
            "<local>" => Host::Simple,
            host => match network(host) {
                Some((ip, bits)) => Host::Network(ip, bits),
                None => Host::Name(name(host)?),
            },
        };
        Some(Self { host, port, text: text.to_owned() })
    }

    fn matches(&self, uri: &WsUri) -> bool {
        let host = match &self.host {
            Host::Any => true,
            Host::Name(name) => uri.ip().is_none() && ends_in(uri.host(), name),
            Host::Simple => uri.ip().is_none() && !uri.host().contains('.'),
            Host::Network(network, bits) => {
                uri.ip().is_some_and(|ip| is_in(ip.to_canonical(), *network, *bits))
            }
        };
        host && self.port.is_none_or(|port| port == uri.port())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Splits off a port. An IPv6 address may stand without its brackets, and then has none.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (ip, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((ip, Some(port.parse().ok()?))),
            None if rest.is_empty() => Some((ip, None)),
            None => None,
        };
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => Some((host, Some(port.parse().ok()?))),
        Some(_) | None => Some((text, None)),
    }
}

/// An address, or a network; of an IPv4 network the zeros at the end may be left out.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    let Some((ip, bits)) = text.split_once('/') else {
        let ip = text.parse::<IpAddr>().ok()?.to_canonical();
        return Some((ip, width(ip)));
    };
    let missing = 3_usize.saturating_sub(ip.matches('.').count());
    let ip: IpAddr = match ip.contains(':') {
        true => ip.parse().ok()?,
        false => format!("{ip}{}", ".0".repeat(missing)).parse().ok()?,
    };
    let bits = bits.parse().ok().filter(|bits| *bits <= width(ip))?;
    Some((ip, bits))
}

fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn name(text: &str) -> Option<String> {
    let bare = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    (!bare.is_empty()).then(|| bare.to_ascii_lowercase())
}

/// Whether a host is this name or in this domain.
fn ends_in(host: &str, name: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

fn is_in(ip: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            let differ = ip.to_bits() ^ network.to_bits();
            differ.leading_zeros() >= u32::from(bits)
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            let differ = ip.to_bits() ^ network.to_bits();
            differ.leading_zeros() >= u32::from(bits)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use towline_proto::WsUri;

    use super::Exceptions;

    /// Checks which of these a list takes, and that it takes none of those.
    #[track_caller]
    fn check(list: &str, taken: &[&str], others: &[&str]) {
        let rules = Exceptions::parse(list);
        let takes = |host: &&str| {
            rules.matching(&WsUri::parse(&format!("ws://{host}/")).unwrap()).is_some()
        };
        assert_eq!(
            taken.iter().filter(|host| !takes(host)).collect::<Vec<_>>(),
            [&""; 0],
            "{list}"
        );
        assert_eq!(
            others.iter().filter(|host| takes(host)).collect::<Vec<_>>(),
            [&""; 0],
            "{list}"
        );
    }

    #[test]
    fn names_and_what_ends_in_them() {
        for list in
            ["example.com", ".example.com", "*.example.com", "EXAMPLE.com.", "x, example.com"]
        {
            let taken = ["example.com", "Example.COM", "a.example.com", "a.b.example.com:9"];
            let others = ["notexample.com", "example.com.org", "com", "192.0.2.1", "[::1]"];
            check(list, &taken, &others);
        }
        check("example.com", &["example.com."], &[]);
        check("com", &["example.com"], &["example.org"]);
    }

    #[test]
    fn addresses_and_networks() {
        check("192.0.2.1", &["192.0.2.1", "[::ffff:192.0.2.1]"], &["192.0.2.10", "a.example"]);
        check("10.0.0.0/8", &["10.1.2.3", "[::ffff:10.9.9.9]"], &["11.0.0.1", "[::a00:1]"]);
        check("169.254/16", &["169.254.7.7"], &["169.253.0.1"]);
        check("10/8", &["10.0.0.1"], &["9.0.0.1"]);
        check("192.0.2.64/26", &["192.0.2.64", "192.0.2.127"], &["192.0.2.63", "192.0.2.128"]);
        check("2001:db8::/32", &["[2001:db8::1]"], &["[2001:db9::1]", "32.1.13.184"]);
        check("::1, [fe80::1]", &["[::1]", "[fe80::1]"], &["[::2]", "127.0.0.1"]);
        check("0.0.0.0/0", &["192.0.2.1"], &["[::1]", "a.example"]);
        check("::/0", &["[::1]"], &["192.0.2.1"]);
        check("::ffff:192.0.2.1", &["192.0.2.1", "[::ffff:192.0.2.1]"], &["192.0.2.2"]);
        check("192.0.2.1/32", &["192.0.2.1"], &["192.0.2.2"]);
    }

    #[test]
    fn ports() {
        check("a.example:81", &["a.example:81", "b.a.example:81"], &["a.example", "a.example:82"]);
        check("192.0.2.1:80", &["192.0.2.1"], &["192.0.2.1:81"]);
        check("[::1]:81", &["[::1]:81"], &["[::1]"]);
        check("*:81", &["a.example:81"], &["a.example"]);
    }

    #[test]
    fn everything_nothing_and_the_local_ones() {
        check("*", &["a.example", "192.0.2.1", "[::1]"], &[]);
        check("a.example *", &["b.example"], &[]);
        check("<local>", &["intranet", "intranet:81"], &["a.example", "192.0.2.1", "[::1]"]);
        for nothing in ["", ",", " , ", ".", "192.0.2.1/33", "[::1", "[::1]x", "a.example:b", "*x"]
        {
            check(nothing, &[], &["a.example", "192.0.2.1", "[::1]", "x"]);
        }
    }
}
