//! The guard of a program that may have a policy.

use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::sync::Arc;

use towline_isolate::{Class, Denied, OwnListener, Policy, Protocol};
use towline_proto::WsUri;

/// The policy, if there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard(Option<Policy>);

/// A port of this machine that is the program's own, as long as this lives.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    _port: Arc<OwnListener>,
}

impl Guard {
    pub(crate) fn new(policy: Policy) -> Self {
        // One that permits everything has nothing to say.
        Self((!policy.allows_all()).then_some(policy))
    }

    /// A name is about to be looked up.
    pub(crate) fn name(&self, name: &str) -> Result<(), Denied> {
        self.0.as_ref().map_or(Ok(()), |policy| policy.judge_name(name))
    }

    /// An address is about to be connected to. Says whether it is this machine's.
    pub(crate) fn connect(&self, to: SocketAddr, name: Option<&str>) -> Result<bool, Denied> {
        let Some(policy) = &self.0 else { return Ok(false) };
        let classified = policy.judge_connect(to, Protocol::Tcp, name)?;
        Ok(classified.class == Class::Loopback)
    }

    /// A proxy is about to be asked for the next one.
    pub(crate) fn proxied(&self, next: &WsUri) -> Result<(), Denied> {
        match (&self.0, next.ip()) {
            (None, _) => Ok(()),
            (Some(_), Some(ip)) => self.connect((ip, next.port()).into(), None).map(drop),
            (Some(policy), None) => policy.judge_proxied(next.host(), next.port()),
        }
    }

    #[cfg(unix)]
    pub(crate) fn unix(&self, path: &Path) -> Result<(), Denied> {
        use std::os::unix::ffi::OsStrExt;

        self.0.as_ref().map_or(Ok(()), |policy| policy.judge_unix(path.as_os_str().as_bytes()))
    }

    pub(crate) fn listen(&self, local: SocketAddr) -> Result<(), Denied> {
        self.0.as_ref().map_or(Ok(()), |policy| policy.judge_listen(local))
    }

    pub(crate) fn accept(&self, peer: SocketAddr, local: SocketAddr) -> Result<(), Denied> {
        let Some(policy) = &self.0 else { return Ok(()) };
        policy.judge_accept(peer, local).map(drop)
    }

    /// The program has a socket at this address.
    pub(crate) fn own(&self, local: SocketAddr) -> Option<Own> {
        let policy = self.0.as_ref()?;
        Some(Own { _port: Arc::new(policy.own_listener(local)) })
    }
}
