//! What goes on from one request of a client to the next: who it is, redirects, cookies.

use std::fmt;
use std::sync::Arc;

use super::cookies::CookieJar;
use crate::auth::Credentials;

#[derive(Clone, Default)]
pub(super) struct Session {
    pub(super) credentials: Option<Credentials>,
    /// Most redirects that are followed.
    pub(super) redirects: u32,
    pub(super) cookies: Option<Arc<dyn CookieJar>>,
}

impl Session {
    /// Whether one request is all that there can be, and nothing is added to it.
    pub(super) fn is_plain(&self) -> bool {
        self.credentials.is_none() && self.redirects == 0 && self.cookies.is_none()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("credentials", &self.credentials)
            .field("redirects", &self.redirects)
            .field("cookies", &self.cookies.is_some())
            .finish()
    }
}
