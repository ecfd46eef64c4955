//! SOCKS4 and SOCKS4a: a proxy leads on to an IPv4 address, or to a name that it looks up.
//!
//! There is no RFC; the two memoranda are "SOCKS: A protocol for TCP proxy across firewalls" and
//! "SOCKS 4A: A Simple Extension to SOCKS 4 Protocol", by Ying-Da Lee.
//!
//! ```text
//! request   04 01 port(2) address(4) user 00 [name 00]     the name if the address is 0.0.0.x
//! answer    00 status port(2) address(4)
//! ```

use std::net::{IpAddr, Ipv4Addr};

use tokio::io::{AsyncRead, AsyncWrite};
use towline_proto::WsUri;

use super::failure;
use super::socks::Talk;
use crate::auth::Credentials;
use crate::error::{Error, Result};
use crate::proxy::Proxy;

const VERSION: u8 = 4;
const CONNECT: u8 = 1;

/// Stands for a name, which follows.
const BY_NAME: Ipv4Addr = Ipv4Addr::new(0, 0, 0, 1);

const GRANTED: u8 = 90;

/// Asks a proxy to lead on to an address, or to the name.
pub(super) async fn lead_on<T: AsyncRead + AsyncWrite + Unpin>(
    io: T,
    proxy: &Proxy,
    next: &WsUri,
    ip: Option<IpAddr>,
) -> Result<T> {
    let mut talk = Talk { io, proxy, next, answered: false };
    let ip = match ip.or_else(|| next.ip()) {
        None => None,
        Some(IpAddr::V4(ip)) => Some(ip),
        Some(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => Some(ip),
            None => {
                return Err(failure::at(proxy, next)
                    .lasting()
                    .cause("SOCKS4 leads to no IPv6 address")
                    .advise(
                        "does the proxy speak SOCKS5? then its address begins with socks5h://",
                    ));
            }
        },
    };
    let user = proxy.shown_credentials().and_then(Credentials::user_and_password);
    let (user, _) = user.unwrap_or_default();
    if user.contains('\0') {
        return Err(failure::at(proxy, next)
            .lasting()
            .cause("a user name with a zero byte cannot be sent"));
    }
    talk.say(&request(next, ip, user)).await?;
    let [version, status, ..] = talk.hear::<8>().await?;
    // Some repeat the request's version, instead of the answer's.
    if version != 0 && version != VERSION {
        return Err(failure::nonsense(proxy, next, "what answers does not speak SOCKS4"));
    }
    match status {
        GRANTED => Ok(talk.io),
        status => Err(refused(proxy, next, status)),
    }
}

fn request(next: &WsUri, ip: Option<Ipv4Addr>, user: &str) -> Vec<u8> {
    let mut bytes = vec![VERSION, CONNECT];
    bytes.extend(next.port().to_be_bytes());
    bytes.extend(ip.unwrap_or(BY_NAME).octets());
    bytes.extend(user.bytes());
    bytes.push(0);
    if ip.is_none() {
        bytes.extend(next.host().bytes());
        bytes.push(0);
    }
    bytes
}

fn refused(proxy: &Proxy, next: &WsUri, status: u8) -> Error {
    let failed = failure::at(proxy, next);
    match status {
        91 => failed
            .cause("the proxy refused, or could not connect (SOCKS4 status 91)")
            .advise("do its rules forbid that server, or is it not there?"),
        92 => failed
            .cause("the proxy cannot ask this machine who we are (SOCKS4 status 92)")
            .advise("it wants an identd here; does it speak SOCKS5 with a password?"),
        93 => failed
            .lasting()
            .cause("this machine says that we are somebody else (SOCKS4 status 93)")
            .advise("give the proxy the user name that this machine's identd tells"),
        other => failed
            .cause(format!("the proxy answered with the unknown SOCKS4 status {other}"))
            .advise("does that port speak SOCKS4?"),
    }
}
