//! SOCKS5 (RFC 1928), with user name and password (RFC 1929).
//!
//! ```text
//! greeting   05 n methods(n)                        answer   05 method
//! password   01 n user(n) n password(n)             answer   01 status
//! request    05 01 00 type address port(2)          answer   05 status 00 type address port(2)
//! ```

use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use towline_proto::WsUri;

use super::failure;
use super::socks::Talk;
use crate::auth::Credentials;
use crate::error::{Error, Result};
use crate::proxy::Proxy;

const VERSION: u8 = 5;
/// The version of what RFC 1929 §2 has.
const PASSWORD_VERSION: u8 = 1;

/// RFC 1928 §3
const NO_AUTHENTICATION: u8 = 0;
const PASSWORD: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xff;

/// RFC 1928 §4
const CONNECT: u8 = 1;
const V4: u8 = 1;
const NAME: u8 = 3;
const V6: u8 = 4;

/// Asks a proxy to lead on to an address, or to the name.
pub(super) async fn lead_on<T: AsyncRead + AsyncWrite + Unpin>(
    io: T,
    proxy: &Proxy,
    next: &WsUri,
    ip: Option<IpAddr>,
) -> Result<T> {
    let mut talk = Talk { io, proxy, next, answered: false };
    let who = proxy.shown_credentials().and_then(Credentials::user_and_password);
    match who {
        None => talk.say(&[VERSION, 1, NO_AUTHENTICATION]).await?,
        Some(_) => talk.say(&[VERSION, 2, NO_AUTHENTICATION, PASSWORD]).await?,
    }
    let [version, method] = talk.hear().await?;
    if version != VERSION {
        return Err(failure::nonsense(proxy, next, "what answers does not speak SOCKS5"));
    }
    talk.answered = true;
    match (method, who) {
        (NO_AUTHENTICATION, _) => {}
        (PASSWORD, Some((user, password))) => show(&mut talk, user, password).await?,
        (NONE_ACCEPTABLE, None) if proxy.shown_credentials().is_some() => {
            return Err(failure::at(proxy, next)
                .cause("the proxy wants to know who we are, which SOCKS5 tells in the clear")
                .advise(
                    "it takes a user name and a password alone, and those only where \
                     Credentials::only allows Basic; is there an HTTP proxy?",
                ));
        }
        (NONE_ACCEPTABLE, None) => {
            return Err(failure::at(proxy, next)
                .lasting()
                .cause("the proxy wants to know who we are")
                .advise(
                    "say it by Proxy::credentials, or user:password@ in its address; on the \
                     command line by --proxy-user",
                ));
        }
        (NONE_ACCEPTABLE, Some(_)) => {
            return Err(failure::at(proxy, next)
                .lasting()
                .cause("the proxy takes neither a user name with a password nor nobody's")
                .advise("it may want Kerberos, or not serve this machine"));
        }
        (_, _) => {
            let what = "the proxy chose a way to show who we are that was not offered";
            return Err(failure::nonsense(proxy, next, what));
        }
    }
    talk.say(&request(next, ip.or_else(|| next.ip()))).await?;
    let [version, status, _, kind] = talk.hear().await?;
    if version != VERSION {
        return Err(failure::nonsense(proxy, next, "what answers does not speak SOCKS5"));
    }
    if status != 0 {
        return Err(refused(proxy, next, status));
    }
    // Where it connects from, which is no matter of ours.
    match kind {
        V4 => talk.pass(4 + 2).await?,
        V6 => talk.pass(16 + 2).await?,
        NAME => {
            let [len] = talk.hear().await?;
            talk.pass(usize::from(len) + 2).await?;
        }
        _ => {
            let what = "the proxy's answer has an address of an unknown kind";
            return Err(failure::nonsense(proxy, next, what));
        }
    }
    Ok(talk.io)
}

/// RFC 1929 §2: says who we are.
async fn show<T: AsyncRead + AsyncWrite + Unpin>(
    talk: &mut Talk<'_, T>,
    user: &str,
    password: &str,
) -> Result<()> {
    let mut bytes = vec![PASSWORD_VERSION];
    for part in [user, password] {
        let Ok(len) = u8::try_from(part.len()) else {
            return Err(failure::at(talk.proxy, talk.next)
                .lasting()
                .cause("SOCKS5 can send no user name or password of more than 255 bytes"));
        };
        bytes.push(len);
        bytes.extend(part.bytes());
    }
    talk.say(&bytes).await?;
    // Not all say the version that they should.
    let [_, status] = talk.hear().await?;
    if status != 0 {
        return Err(failure::at(talk.proxy, talk.next)
            .lasting()
            .cause("the proxy does not take that user name and password")
            .advise("is the user name and password for the proxy right?"));
    }
    Ok(())
}

fn request(next: &WsUri, ip: Option<IpAddr>) -> Vec<u8> {
    let mut bytes = vec![VERSION, CONNECT, 0];
    match ip {
        Some(IpAddr::V4(ip)) => {
            bytes.push(V4);
            bytes.extend(ip.octets());
        }
        Some(IpAddr::V6(ip)) => {
            bytes.push(V6);
            bytes.extend(ip.octets());
        }
        None => {
            bytes.push(NAME);
            let host = next.host().as_bytes();
            bytes.push(u8::try_from(host.len()).expect("a WsUri's name has 254 bytes at most"));
            bytes.extend(host);
        }
    }
    bytes.extend(next.port().to_be_bytes());
    bytes
}

/// RFC 1928 §6
fn refused(proxy: &Proxy, next: &WsUri, status: u8) -> Error {
    let (cause, advice) = match status {
        1 => ("the proxy failed, and does not say why", "what does its log say?"),
        2 => ("the proxy's rules forbid it", "ask who runs it to allow that server and port"),
        3 => ("the proxy has no way to that network", "is that server reached by another proxy?"),
        4 => ("the proxy cannot reach that host", "is its name right, and is it there?"),
        5 => ("that server refused the proxy's connection", "is a server listening at that port?"),
        6 => ("the way from the proxy to that server is too long", "what does its log say?"),
        7 => ("the proxy does not know how to connect", "is it a SOCKS5 proxy for TCP?"),
        8 => (
            "the proxy does not know that kind of address",
            "IPv4, IPv6 or a name? with socks5:// names are looked up here, with socks5h:// there",
        ),
        _ => ("the proxy refused for an unknown reason", "what does its log say?"),
    };
    failure::at(proxy, next).cause(format!("{cause} (SOCKS5 status {status})")).advise(advice)
}
