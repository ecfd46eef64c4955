//! A server's settings of TLS.

use std::fmt;
use std::sync::Arc;

use rustls::{KeyLogFile, ServerConfig};

use super::accept::Acceptor;
use super::clients::Clients;
use super::identity::Identity;
use super::names::Names;
use super::pem;
use super::provider::provider;
use super::version::Versions;
use crate::error::{Error, ErrorKind, Result};
use crate::info::TlsVersion;

/// A server's certificates with their keys, and what it asks of clients.
///
/// TLS 1.2 and 1.3. Clones share the certificates, so that one that was kept can
/// [replace](Self::replace) them while the server goes on:
///
/// ```no_run
/// use towline::{Identity, Server, ServerTls};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let read = || -> Result<_, Box<dyn std::error::Error>> {
///     Ok(Identity::from_pem(std::fs::read("cert.pem")?, std::fs::read("key.pem")?)?)
/// };
/// let tls = ServerTls::new(read()?);
/// let server = Server::builder().tls(tls.clone()).bind("0.0.0.0:443").await?;
/// // Whenever there is a new one:
/// tls.replace([read()?]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ServerTls(Kind);

#[derive(Clone)]
enum Kind {
    Ours { names: Arc<Names>, settings: Box<Settings> },
    Rustls(Arc<ServerConfig>),
}

/// What can be set, but for the certificates.
#[derive(Clone, Debug, Default)]
struct Settings {
    clients: Clients,
    alpn: Vec<Vec<u8>>,
    key_log: bool,
    versions: Versions,
}

impl ServerTls {
    /// A server that is known by this certificate.
    pub fn new(identity: Identity) -> Self {
        let names = Names::default();
        names.add(identity);
        Self(Kind::Ours { names: Arc::new(names), settings: Box::default() })
    }

    /// A certificate (with those that lead from it to its root, in order) and its private key, in
    /// PEM.
    ///
    /// # Errors
    /// As [`Identity::from_pem`].
    pub fn from_pem(certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self> {
        Identity::from_pem(certificate, key).map(Self::new)
    }

    /// Whatever rustls can be told, for needs beyond this type's methods. Those that can fail do so
    /// then, and the others change nothing.
    pub fn from_rustls(config: Arc<ServerConfig>) -> Self {
        Self(Kind::Rustls(config))
    }

    /// A further certificate, for clients that ask for one of the names that it is for.
    ///
    /// The first one is for all others.
    #[must_use]
    pub fn also(self, identity: Identity) -> Self {
        if let Kind::Ours { names, .. } = &self.0 {
            names.add(identity);
        }
        self
    }

    /// Has these certificates from now on, and no other. No connection is dropped for it: those
    /// that are open were agreed on with the old ones, and go on.
    ///
    /// The first one is for clients that ask for none of their names. If there is none at all, no
    /// further client can connect.
    pub fn replace(&self, identities: impl IntoIterator<Item = Identity>) {
        if let Kind::Ours { names, .. } = &self.0 {
            names.replace(identities);
        }
    }

    /// Demands of every client a certificate that one of these, in PEM, has signed.
    ///
    /// What a client showed is in
    /// [`ConnectionInfo::peer_certificates`](crate::ConnectionInfo::peer_certificates).
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if there is no certificate in `pem`, or a bad one.
    pub fn demand_client_certificate(self, pem: impl AsRef<[u8]>) -> Result<Self> {
        let roots = pem::certificates(pem.as_ref())?;
        self.set(|settings| settings.clients.demand(roots)).checked()
    }

    /// Asks every client for a certificate that one of these, in PEM, has signed; one that has none
    /// is let in all the same.
    ///
    /// # Errors
    /// As [`demand_client_certificate`](Self::demand_client_certificate).
    pub fn ask_client_certificate(self, pem: impl AsRef<[u8]>) -> Result<Self> {
        let roots = pem::certificates(pem.as_ref())?;
        self.set(|settings| settings.clients.ask(roots)).checked()
    }

    /// Looks clients' certificates up in these lists of what their issuers have revoked, in PEM or
    /// DER. One that no list covers is refused then. May be called for several.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if there is no list, or a bad one.
    pub fn client_crls(self, lists: impl AsRef<[u8]>) -> Result<Self> {
        let lists = pem::crls(lists.as_ref())?;
        self.set(|settings| settings.clients.crls.extend(lists)).checked()
    }

    /// Agrees on one of these application protocols (ALPN, RFC 7301) with clients that offer any,
    /// and refuses those that offer only others. By default nothing is agreed on.
    ///
    /// Whatever it is, HTTP/1.1 is spoken, whose name is `http/1.1`.
    #[must_use]
    pub fn alpn<N: Into<Vec<u8>>>(self, protocols: impl IntoIterator<Item = N>) -> Self {
        let protocols = protocols.into_iter().map(Into::into).collect();
        self.set(|settings| settings.alpn = protocols)
    }

    /// Speaks no version older than this.
    #[must_use]
    pub fn min_version(self, version: TlsVersion) -> Self {
        self.set(|settings| settings.versions.min = Some(version))
    }

    /// Writes the keys of each connection to the file that the variable `SSLKEYLOGFILE` names, for
    /// Wireshark. Who reads it can read all that was said.
    #[must_use]
    pub fn key_log(self) -> Self {
        self.set(|settings| settings.key_log = true)
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        if let Kind::Ours { settings, .. } = &mut self.0 {
            change(settings);
        }
        self
    }

    /// Said here, where it can be mended.
    fn checked(self) -> Result<Self> {
        match &self.0 {
            Kind::Ours { settings, .. } => drop(settings.clients.verifier()?),
            Kind::Rustls(_) => {
                return Err(Error::invalid("looking at clients' certificates").cause(
                    "beside ServerTls::from_rustls that is for the settings which it was given",
                ));
            }
        }
        Ok(self)
    }

    pub(crate) fn acceptor(&self) -> Result<Acceptor> {
        let (names, settings) = match &self.0 {
            Kind::Rustls(config) => {
                return Ok(Acceptor { config: Arc::clone(config), verifier: None });
            }
            Kind::Ours { names, settings } => (names, settings),
        };
        let verifier = settings.clients.verifier()?;
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&settings.versions.list()?)
            .map_err(|error| Error::new(ErrorKind::Tls, "setting up TLS").cause(error))?;
        let builder = match &verifier {
            None => builder.with_no_client_auth(),
            Some(verifier) => builder.with_client_cert_verifier(verifier.clone()),
        };
        let mut config = builder.with_cert_resolver(names.clone());
        config.alpn_protocols.clone_from(&settings.alpn);
        if settings.key_log {
            config.key_log = Arc::new(KeyLogFile::new());
        }
        Ok(Acceptor { config: Arc::new(config), verifier })
    }
}

/// No key.
impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Ours { settings, .. } => f.debug_tuple("ServerTls").field(settings).finish(),
            Kind::Rustls(_) => f.debug_struct("ServerTls").finish_non_exhaustive(),
        }
    }
}
