//! The host has no address, or none of its addresses can be reached.

use std::io;
use std::net::Ipv4Addr;

use towline::{AttemptOutcome, Error, ErrorKind, Family, Proxies, Proxy, Route};

use super::line::line;
use super::{Facts, Why};

/// The name has no address.
pub(super) fn unknown(error: &Error, facts: &Facts<'_>) -> Why {
    let resolve = |why: Why| {
        let host = facts.host();
        // It is for the port of the first address; a redirect may have led to another.
        let first = crate::way::uri(facts.url).map(|uri| uri.port());
        let port = match facts.port() {
            port if first == Some(port) => port.to_string(),
            _ => "*".to_owned(),
        };
        why.flag(format!("--resolve {host}:{port}:ADDRESS")).rust(
            line!(builder => builder.resolve_to("HOST", [Ipv4Addr::new(192, 0, 2, 1).into()]))
                .replace("HOST", host),
        )
    };
    if error.kind() == ErrorKind::TimedOut {
        let why = Why::new([
            "the network's name servers cannot be reached: no network, or a VPN that is off",
            "a firewall lets no question about names through",
        ]);
        return resolve(why.mend("connect to the network, or say the address yourself"));
    }
    let route = facts.route.as_ref().map_or("", Route::why);
    let why = Why::new([
        "the host's name is misspelt",
        &*format!("the network's proxy alone knows it, and none was taken: {route}"),
        "it is known in another network alone: a company's, behind a VPN that is off",
        "there is no network, or its name servers do not answer",
    ]);
    let mend = "correct the name; or name the network's proxy, by --proxy http://PROXY:PORT; or say the \
                address yourself";
    resolve(why.mend(mend))
}

/// Whether it is only that the other family was asked for.
pub(super) fn is_of_family(error: &Error) -> bool {
    let cause = error.get_ref().map(ToString::to_string).unwrap_or_default();
    cause.contains("alone was asked for") || cause.starts_with("the name has no IPv")
}

/// There are addresses, of the other family.
pub(super) fn family(facts: &Facts<'_>) -> Why {
    let (only, other) = if facts.args.way.ipv4 { ("-4", "IPv6") } else { ("-6", "IPv4") };
    let cause = format!(
        "the host, or the proxy, has addresses of {other} alone, and {only} rules them out"
    );
    Why::new([&*cause])
        .mend("let both families be used")
        .flag(format!("leave out {only}"))
        .rust(line!(builder => builder.family(Family::PreferV6)))
}

/// There is no connection to any of its addresses.
pub(super) fn unreachable(error: &Error, facts: &Facts<'_>) -> Why {
    #[cfg(unix)]
    if facts.args.way.unix_socket.is_some() {
        return Why::new([
            "no server listens on that socket",
            "its permissions do not let this user in",
        ])
        .mend("start the server, or name the socket that it listens on")
        .flag("--unix-socket PATH")
        .rust(line!(builder => builder.unix_socket("PATH")));
    }
    let failed = |wanted: &[io::ErrorKind]| {
        error.attempts().iter().any(|attempt| match &attempt.outcome {
            AttemptOutcome::Failed(why) => wanted.contains(&why.kind()),
            _ => false,
        })
    };
    if failed(&[io::ErrorKind::ConnectionRefused]) {
        return refused(facts);
    }
    if failed(&[io::ErrorKind::PermissionDenied]) {
        return Why::new([
            "this machine's own firewall or sandbox forbids the connection",
            "that port or interface is for administrators alone",
        ])
        .mend("have the program let through by this machine's firewall");
    }
    if failed(&[io::ErrorKind::AddrNotAvailable]) || is_of_interface(error) {
        return Why::new(["this machine has not the address, or the interface, to connect from"])
            .mend("let the system choose where to connect from")
            .flag("leave out --interface")
            .rust("leave out bind_address and interface");
    }
    if failed(&[io::ErrorKind::NetworkUnreachable, io::ErrorKind::HostUnreachable]) {
        return Why::new([
            "no network that this machine is in leads there: it is off, or a VPN is",
            "the network has no IPv6, and the host has nothing else (or the other way round)",
        ])
        .mend("connect to a network that leads there, or take a proxy that is in it")
        .flag("--proxy http://PROXY:PORT")
        .rust(line!(builder => builder.proxy(Proxy::new("http://PROXY:PORT")?)));
    }
    silent(facts)
}

/// Whether it is that there is no such interface. No kind of error says that.
fn is_of_interface(error: &Error) -> bool {
    error.attempts().iter().any(|attempt| match &attempt.outcome {
        AttemptOutcome::Failed(why) => why.to_string().starts_with("over "),
        _ => false,
    })
}

fn refused(facts: &Facts<'_>) -> Why {
    let port = facts.port();
    let usual = match port {
        80 | 443 => String::new(),
        _ => ", or it listens on another port".to_owned(),
    };
    let cause = format!("the machine is there, and no server listens on port {port}{usual}");
    let why = Why::new([
        &*cause,
        "the server listens on another of the machine's addresses alone, such as 127.0.0.1 or [::1]",
        "a firewall refuses in its place",
    ]);
    why.mend("start the server, or connect to the port that it listens on")
}

fn silent(facts: &Facts<'_>) -> Why {
    let port = facts.port();
    let why = Why::new([
        &*format!("a firewall drops what is sent to port {port}"),
        "the machine is off, or that address is no machine's",
        "the line is too slow for the time that was allowed",
    ]);
    why.mend("have the port opened, or take the proxy that leads out of this network")
        .flag("--proxy http://PROXY:PORT")
        .rust(line!(builder => builder.proxies(Proxies::all([Proxy::new("http://PROXY:PORT")?]))))
}
