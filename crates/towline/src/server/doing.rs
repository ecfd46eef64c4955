//! What a server does with a client, for errors.

use std::borrow::Cow;
use std::net::SocketAddr;

/// What is being done, and with whom. It is put into words only when there is an error to tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doing {
    pub(super) what: &'static str,
    pub(super) peer: Option<SocketAddr>,
}

impl From<Doing> for Cow<'static, str> {
    fn from(Doing { what, peer }: Doing) -> Self {
        match peer {
            Some(peer) => format!("{what} {peer}").into(),
            None => format!("{what} a client").into(),
        }
    }
}
