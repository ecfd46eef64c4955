//! Arguments on the way to a server.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::value::some_time;

/// How the server is reached. Where curl has a name for it, that is the name.
#[derive(Args, Debug)]
#[command(next_help_heading = "Getting there")]
pub(crate) struct WayArgs {
    /// Longest time until the connection is open
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(crate) connect_timeout: Option<Duration>,
    /// Longest time for the look-up and for each address [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(crate) address_timeout: Option<Duration>,
    /// Try the next address beside the last one after so long [default: 250]
    #[arg(long, value_name = "MS")]
    pub(crate) happy_eyeballs_timeout_ms: Option<u64>,
    /// Use IPv4 alone
    #[arg(short = '4', long, conflicts_with_all = ["ipv6", "prefer_family"])]
    pub(crate) ipv4: bool,
    /// Use IPv6 alone
    #[arg(short = '6', long, conflicts_with = "prefer_family")]
    pub(crate) ipv6: bool,
    /// Use both, and begin with this one
    #[arg(long, value_name = "FAMILY")]
    pub(crate) prefer_family: Option<Prefer>,
    /// Take this address, or several with commas, for a host at a port, or at any (*)
    #[arg(long, value_name = "HOST:PORT:ADDR", value_parser = resolve)]
    pub(crate) resolve: Vec<Resolve>,
    /// Connect from this address, or over this network interface
    #[arg(long, value_name = "ADDR|NAME")]
    pub(crate) interface: Vec<String>,
    /// Connect to this socket in the file system
    #[cfg(unix)]
    #[arg(long, value_name = "PATH")]
    pub(crate) unix_socket: Option<PathBuf>,
    /// Follow redirects, and keep cookies on the way
    #[arg(short = 'L', long)]
    pub(crate) location: bool,
    /// Most redirects to follow
    #[arg(long, value_name = "N", default_value_t = 10, requires = "location")]
    pub(crate) max_redirs: u32,
    /// Have the system ask for a sign of life after so long a silence
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(crate) keepalive_time: Option<Duration>,
    /// Let the system gather small messages before it sends them
    #[arg(long)]
    pub(crate) no_tcp_nodelay: bool,
    /// The system's buffer for what is sent
    #[arg(long, value_name = "BYTES")]
    pub(crate) send_buffer: Option<u32>,
    /// The system's buffer for what has come
    #[arg(long, value_name = "BYTES")]
    pub(crate) recv_buffer: Option<u32>,
}

/// A family to begin with.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Prefer {
    #[value(name = "ipv4")]
    V4,
    #[value(name = "ipv6")]
    V6,
}

/// Addresses of a host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Resolve {
    pub(crate) host: String,
    /// `None` for any.
    pub(crate) port: Option<u16>,
    pub(crate) addresses: Vec<IpAddr>,
}

/// Reads `HOST:PORT:ADDR[,ADDR]`; IPv6 may stand in brackets, as in curl.
fn resolve(text: &str) -> Result<Resolve, String> {
    let bad = || "expected HOST:PORT:ADDR[,ADDR], such as example.com:443:192.0.2.1".to_owned();
    let (host, rest) = text.split_once(':').ok_or_else(bad)?;
    let (port, addresses) = rest.split_once(':').ok_or_else(bad)?;
    let port = match port {
        "*" => None,
        port => Some(port.parse().map_err(|_| bad())?),
    };
    let address = |text: &str| {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        bare.unwrap_or(text).parse().map_err(|_| bad())
    };
    let addresses = addresses.split(',').map(address).collect::<Result<_, _>>()?;
    if host.is_empty() {
        return Err(bad());
    }
    Ok(Resolve { host: host.to_owned(), port, addresses })
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn addresses_of_a_host_are_read_as_curl_reads_them() {
        let read = resolve("example.com:443:192.0.2.1,[2001:db8::1],2001:db8::2").unwrap();
        assert_eq!((&*read.host, read.port, read.addresses.len()), ("example.com", Some(443), 3));
        assert!(read.addresses[1].is_ipv6());
        assert_eq!(resolve("a:*:127.0.0.1").unwrap().port, None);
        for bad in ["", "a", "a:1", "a:1:", ":1:127.0.0.1", "a:b:127.0.0.1", "a:1:b", "a:70000:::1"]
        {
            assert!(resolve(bad).is_err(), "{bad}");
        }
        assert!(resolve("a:1:[::1").is_err() && resolve("a:1:127.0.0.1,").is_err());
    }
}
