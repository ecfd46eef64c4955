//! A client's settings: who it is.

use super::ClientBuilder;
use crate::auth::Credentials;

impl ClientBuilder {
    /// Who the client is, for servers that ask (401). A name in the address goes before these.
    ///
    /// They are for the server that was connected to, not for one it [redirects](Self::redirects)
    /// to on another host, port or scheme.
    ///
    /// ```
    /// # use towline::{Client, Credentials};
    /// # fn main() -> towline::Result<()> {
    /// let client = Client::builder().credentials(Credentials::password("ada", "hunter2")).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn credentials(self, credentials: Credentials) -> Self {
        self.set("setting credentials".to_owned(), |client| {
            credentials.check()?;
            client.session.credentials = Some(credentials);
            Ok(())
        })
    }
}
