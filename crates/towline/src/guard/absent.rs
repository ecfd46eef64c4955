//! The guard of a build without policies: nobody is asked, and nothing is refused.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;

use towline_proto::WsUri;

#[derive(Clone, Debug, Default)]
pub(crate) struct Guard(());

/// There is none.
#[derive(Clone, Debug)]
pub(crate) enum Own {}

/// There is none.
#[derive(Clone, Debug)]
pub(crate) enum Denied {}

impl fmt::Display for Denied {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl Error for Denied {}

impl From<Denied> for std::io::Error {
    fn from(denied: Denied) -> Self {
        match denied {}
    }
}

#[expect(
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "with the feature `isolation` they may refuse"
)]
impl Guard {
    pub(crate) fn name(&self, _: &str) -> Result<(), Denied> {
        Ok(())
    }

    pub(crate) fn connect(&self, _: SocketAddr, _: Option<&str>) -> Result<bool, Denied> {
        Ok(false)
    }

    pub(crate) fn proxied(&self, _: &WsUri) -> Result<(), Denied> {
        Ok(())
    }

    #[cfg(unix)]
    pub(crate) fn unix(&self, _: &Path) -> Result<(), Denied> {
        Ok(())
    }

    pub(crate) fn listen(&self, _: SocketAddr) -> Result<(), Denied> {
        Ok(())
    }

    pub(crate) fn accept(&self, _: SocketAddr, _: SocketAddr) -> Result<(), Denied> {
        Ok(())
    }

    pub(crate) fn own(&self, _: SocketAddr) -> Option<Own> {
        None
    }
}
