//! Arguments that say who the user is.

use clap::Args;

use super::value::Hidden;

/// Who the user is, for a server that asks. Where curl has a name for it, that is the name.
#[derive(Args, Debug)]
#[command(next_help_heading = "Logging in")]
pub(crate) struct LoginArgs {
    /// Your name and password; @FILE reads them. Without a password it is that of TOWLINE_PASSWORD,
    /// or else asked for
    #[arg(short, long, value_name = "NAME[:PASSWORD]")]
    pub(crate) user: Option<Hidden>,
    /// Send the password by Basic alone, and before the server asks
    #[arg(long, requires = "user", group = "scheme")]
    pub(crate) basic: bool,
    /// Say it by Digest alone
    #[arg(long, requires = "user", group = "scheme")]
    pub(crate) digest: bool,
    /// Say it by NTLM (version 2) alone
    #[arg(long, requires = "user", group = "scheme")]
    pub(crate) ntlm: bool,
    /// Say it by Negotiate alone: with your ticket (Kerberos) if there is no --user or it is ":", else
    /// with the password, by NTLM within
    #[arg(long, group = "scheme")]
    pub(crate) negotiate: bool,
    /// Say it by the strongest that the server offers, which is the default
    #[arg(long, requires = "user", group = "scheme")]
    pub(crate) anyauth: bool,
    /// Token to send; @FILE reads it
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["user", "negotiate"])]
    pub(crate) oauth2_bearer: Option<Hidden>,
}
