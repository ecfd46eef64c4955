//! Arguments on proxies.

use std::path::PathBuf;

use clap::Args;

use super::value::Hidden;

/// Which proxies lead to the server. Where curl has a name for it, that is the name.
#[derive(Args, Debug)]
#[command(next_help_heading = "Proxies")]
pub(crate) struct ProxyArgs {
    /// Proxy, as http://HOST:PORT; or https, socks4, socks4a, socks5, socks5h; "" is none [default:
    /// the environment's]
    #[arg(short = 'x', long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// Proxy on the way to that proxy; several in their order, the nearest first
    #[arg(long, value_name = "URL", requires = "proxy")]
    pub(crate) preproxy: Vec<String>,
    /// Script that names the proxies (PAC), as http://, https:// or a file's path
    #[arg(long, value_name = "URL|FILE", conflicts_with = "proxy")]
    pub(crate) proxy_pac: Option<String>,
    /// Where the environment names no proxy, take those of the settings of Windows or macOS
    #[arg(long, conflicts_with_all = ["proxy", "proxy_pac"])]
    pub(crate) proxy_system: bool,
    /// User name and password for the proxy; @FILE reads them. Without a password it is that of
    /// TOWLINE_PROXY_PASSWORD, or else asked for
    #[arg(short = 'U', long, value_name = "USER[:PASSWORD]")]
    pub(crate) proxy_user: Option<Hidden>,
    /// Say it to the proxy by Basic alone
    #[arg(long, requires = "proxy_user", group = "proxy_scheme")]
    pub(crate) proxy_basic: bool,
    /// Say it to the proxy by Digest alone
    #[arg(long, requires = "proxy_user", group = "proxy_scheme")]
    pub(crate) proxy_digest: bool,
    /// Say it to the proxy by NTLM (version 2) alone
    #[arg(long, requires = "proxy_user", group = "proxy_scheme")]
    pub(crate) proxy_ntlm: bool,
    /// Say it to the proxy by Negotiate alone: with your ticket (Kerberos) if there is no --proxy-user
    /// or it is ":", else with the password, by NTLM within
    #[arg(long, group = "proxy_scheme")]
    pub(crate) proxy_negotiate: bool,
    /// Say it to the proxy by the strongest that it offers, which is the default
    #[arg(long, requires = "proxy_user", group = "proxy_scheme")]
    pub(crate) proxy_anyauth: bool,
    /// Servers to connect to directly: names and all that end in them, addresses, networks; * is all
    #[arg(long, value_name = "LIST")]
    pub(crate) noproxy: Option<String>,
    /// Trust the certificates in this file, in PEM or DER, for a proxy with https://
    #[arg(long, value_name = "FILE")]
    pub(crate) proxy_cacert: Option<PathBuf>,
}
