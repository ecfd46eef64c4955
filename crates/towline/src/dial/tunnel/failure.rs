//! Why a proxy did not lead on, put into words.

use std::fmt;
use std::io;

use towline_proto::WsUri;

use crate::dial::failure::of_name;
use crate::dial::family::Family;
use crate::error::{Error, ErrorKind, Step};
use crate::guard::Denied;
use crate::proxy::{Proxy, Scheme, shown, target};

/// Something that a proxy did when it was asked to lead on.
pub(super) fn at(proxy: &Proxy, next: &WsUri) -> Error {
    let doing = format!("asking the proxy {proxy} for {}", target(next));
    Error::new(ErrorKind::Proxy, doing).with_proxy(proxy.to_string())
}

/// The policy permits the proxy, and not where it is to lead.
pub(super) fn forbidden(proxy: &Proxy, next: &WsUri, denied: &Denied) -> Error {
    let doing = format!("asking the proxy {proxy} for {}", target(next));
    Error::denied_by(denied, doing).at(Step::Proxy).with_proxy(proxy.to_string())
}

/// There is no connection to the proxy itself.
pub(super) fn unreachable(proxy: &Proxy, error: Error) -> Error {
    error.on_the_way(&format!("reaching the proxy {proxy}")).with_proxy(proxy.to_string())
}

/// There is no TLS with the proxy.
#[cfg(feature = "tls")]
pub(super) fn insecure(proxy: &Proxy, error: Error) -> Error {
    let error = unreachable(proxy, error);
    match error.kind() {
        ErrorKind::Certificate => error.advise(
            "is it that proxy? ClientBuilder::proxy_tls says whom to trust, on the command line \
             --proxy-cacert",
        ),
        // An alert is spoken in TLS.
        _ if error.get_ref().is_some_and(is_of_tls) => error,
        _ => error.advise("does that proxy speak TLS? most do not, and their address is http://"),
    }
}

#[cfg(feature = "tls")]
fn is_of_tls(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    use rustls::Error::{AlertReceived, PeerIncompatible};
    matches!(cause.downcast_ref(), Some(AlertReceived(_) | PeerIncompatible(_)))
}

#[cfg(feature = "tls")]
pub(super) fn late_tls(proxy: &Proxy) -> Error {
    Error::timed_out(format!("agreeing on TLS with the proxy {proxy}"), "no answer in time")
        .advise("does that proxy speak TLS? most do not, and their address is http://")
        .with_proxy(proxy.to_string())
}

#[cfg(not(feature = "tls"))]
pub(super) fn no_tls(proxy: &Proxy) -> Error {
    Error::invalid(format!("reaching the proxy {proxy}"))
        .cause("this build has no TLS")
        .advise("turn on the feature `tls`")
        .with_proxy(proxy.to_string())
}

/// The proxy did not answer in time.
pub(super) fn late(proxy: &Proxy, next: &WsUri) -> Error {
    let doing = format!("asking the proxy {proxy} for {}", target(next));
    Error::timed_out(doing, "the proxy did not answer in time")
        .advise("can the proxy reach that server? see connect_timeout")
        .with_proxy(proxy.to_string())
}

/// The proxy ended the connection, or it broke.
pub(super) fn silent(proxy: &Proxy, next: &WsUri, error: io::Error) -> Error {
    let advice = match proxy.scheme() {
        Scheme::Http => {
            "does that port speak HTTP, and is the proxy's address rather https:// or socks5h://?"
        }
        Scheme::Https => "is the proxy's address rather socks5h://?",
        Scheme::Socks4 | Scheme::Socks4a => {
            "can the proxy reach that server, and does that port speak SOCKS4? else its address may begin \
             with socks5h:// or http://"
        }
        Scheme::Socks5 | Scheme::Socks5h => {
            "does that port speak SOCKS5, and is the proxy's address rather socks4a:// or http://?"
        }
    };
    gone(proxy, next, error).advise(advice)
}

/// The same, of a proxy that has spoken its protocol before: OpenSSH has no other way to say that it
/// does not reach a server.
pub(super) fn gone(proxy: &Proxy, next: &WsUri, error: io::Error) -> Error {
    let failed =
        at(proxy, next).advise("can the proxy reach that server? some end the connection if not");
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            failed.cause("the proxy ended the connection instead of answering")
        }
        _ => failed.cause(error),
    }
}

/// What it answered is not what the protocol has at that place.
pub(super) fn nonsense(proxy: &Proxy, next: &WsUri, what: impl fmt::Display) -> Error {
    at(proxy, next)
        .lasting()
        .cause(what.to_string())
        .advise("does that port speak SOCKS, and is the proxy's address rather http://?")
}

/// It wanted one connection after another.
pub(super) fn restless(chain: &[Proxy]) -> Error {
    let chain = shown(chain);
    Error::new(ErrorKind::Proxy, format!("going through {chain}"))
        .lasting()
        .cause("each connection was refused so that another one would be made")
        .advise("is the user name and password for the proxy right?")
        .with_proxy(chain)
}

/// The name has no address that could be given to the proxy. That is no failure of the proxy's.
pub(super) fn unknown(
    proxy: &Proxy,
    next: &WsUri,
    family: Family,
    look_up: Option<io::Error>,
) -> Error {
    of_name(next.host(), family, Vec::new(), look_up, false)
        .advise("can the proxy look it up? then its address begins with socks5h:// or socks4a://")
        .on_the_way(&format!("asking the proxy {proxy}"))
}
