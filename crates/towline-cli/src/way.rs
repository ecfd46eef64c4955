//! How a server is reached, from the arguments to the library's settings.

use std::sync::Arc;
use std::time::Duration;

use towline::proto::WsUri;
use towline::{ClientBuilder, Cookies, Family};

use crate::args::{Prefer, Resolve, WayArgs};

pub(crate) fn set(mut builder: ClientBuilder, args: &WayArgs, url: &str) -> ClientBuilder {
    if let Some(limit) = args.connect_timeout {
        builder = builder.total_timeout(limit).connect_timeout(limit).handshake_timeout(limit);
    }
    if let Some(limit) = args.address_timeout {
        builder = builder.connect_timeout(limit);
    }
    if let Some(delay) = args.happy_eyeballs_timeout_ms {
        builder = builder.attempt_delay(Duration::from_millis(delay));
    }
    if let Some(family) = family(args) {
        builder = builder.family(family);
    }
    let port = uri(url).map(|uri| uri.port());
    for Resolve { host, port: of, addresses } in &args.resolve {
        if of.is_none() || *of == port {
            builder = builder.resolve_to(host, addresses.iter().copied());
        }
    }
    for from in &args.interface {
        builder = match from.parse() {
            Ok(address) => builder.bind_address(address),
            Err(_) => builder.interface(from),
        };
    }
    #[cfg(unix)]
    if let Some(path) = &args.unix_socket {
        builder = builder.unix_socket(path);
    }
    if args.location {
        builder = builder.redirects(args.max_redirs).cookies(Arc::new(Cookies::new()));
    }
    if let Some(silence) = args.keepalive_time {
        builder = builder.keepalive(silence);
    }
    if let Some(bytes) = args.send_buffer {
        builder = builder.send_buffer_size(bytes);
    }
    if let Some(bytes) = args.recv_buffer {
        builder = builder.recv_buffer_size(bytes);
    }
    builder.nodelay(!args.no_tcp_nodelay)
}

/// The parts of a URL, without user name and password; a URL that is none is told of by `connect`.
pub(crate) fn uri(url: &str) -> Option<WsUri> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // In front of it there may be a user name.
    let host = authority.rsplit('@').next()?;
    WsUri::parse(&format!("{scheme}://{host}{path}")).ok()
}

fn family(args: &WayArgs) -> Option<Family> {
    match (args.ipv4, args.ipv6, args.prefer_family) {
        (true, _, _) => Some(Family::OnlyV4),
        (_, true, _) => Some(Family::OnlyV6),
        (_, _, Some(Prefer::V4)) => Some(Family::PreferV4),
        (_, _, Some(Prefer::V6)) => Some(Family::PreferV6),
        (_, _, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use towline::Client;

    use crate::args::{Cli, Command};

    #[test]
    fn a_port_stands_behind_a_host() {
        for (url, expected) in [
            ("ws://a.example", Some(80)),
            ("wss://a.example/x?y=ws://b:1", Some(443)),
            ("ws://ada:hunter2@a.example:81/@b:82", Some(81)),
            ("ws://ada@[::1]:83?x", Some(83)),
            ("a.example:84", None),
            ("ws://:85", None),
        ] {
            assert_eq!(super::uri(url).map(|uri| uri.port()), expected, "{url}");
        }
    }

    /// Nothing outside can see most of these; the library's tests look at its sockets.
    #[test]
    fn options_of_the_socket_reach_the_library() {
        let line = "towline ping ws://a.example/ --keepalive-time 30 --no-tcp-nodelay \
            --send-buffer 40000 --recv-buffer 30000 --connect-timeout 7 --address-timeout 3 \
            --happy-eyeballs-timeout-ms 99";
        let Command::Ping(args) = Cli::parse_from(line.split_whitespace()).command else {
            panic!("that was ping");
        };
        let set = format!("{:?}", super::set(Client::builder(), &args.client.way, &args.url));
        for expected in [
            "nodelay: false",
            "send_buffer_size: Some(40000)",
            "recv_buffer_size: Some(30000)",
            "keepalive: Some(30s)",
            "total_timeout: Some(7s)",
            "handshake_timeout: 7s",
            "connect_timeout: 3s",
            "attempt_delay: 99ms",
        ] {
            assert!(set.contains(expected), "{expected} is not in {set}");
        }
    }
}
