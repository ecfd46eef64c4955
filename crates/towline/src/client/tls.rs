//! A client's settings: TLS.

use std::error::Error as StdError;

use super::ClientBuilder;
use crate::certificate::{CertificateError, PeerCertificates, Pin, Severity};
use crate::info::TlsVersion;
use crate::tls::{Check, Identity, Settings, TlsConfig};

type Refused = Box<dyn StdError + Send + Sync>;

impl ClientBuilder {
    /// Decides whom to trust. By default, whom the operating system trusts.
    ///
    /// The other settings of TLS stay as they are, whichever comes first.
    pub fn tls(self, config: TlsConfig) -> Self {
        self.set("choosing whom to trust".to_owned(), |client| client.way.tls.trust(config))
    }

    /// Shows this certificate to servers that ask for one.
    ///
    /// If a server demands one and there is none, connecting fails with
    /// [`Tls`](crate::ErrorKind::Tls). It is for the servers that are connected to, not for another
    /// origin to which one of them [redirects](Self::redirects).
    pub fn identity(self, identity: Identity) -> Self {
        self.set_tls("showing a certificate", |settings| {
            settings.identity = Some(identity);
            Ok(())
        })
    }

    /// Connects all the same if nothing but these is wrong with a server's certificates.
    ///
    /// All that is wrong is found, not only the first of it, and each has to be named here: a
    /// self-signed certificate for another host is both `Untrusted` and `InvalidName`. What was
    /// ignored is in [`ConnectionInfo::peer_certificates`](crate::ConnectionInfo::peer_certificates).
    /// [Some](CertificateError) can never be ignored, and are refused here.
    ///
    /// Who ignores `Untrusted` talks to anybody who stands in between, so let it be with a
    /// [pin](Self::pin):
    ///
    /// ```
    /// use towline::{CertificateError, Client};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::builder()
    ///     .ignore_certificate_errors([CertificateError::Untrusted])
    ///     .pin("sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".parse()?)
    ///     .build()?;
    /// let refused = Client::builder()
    ///     .ignore_certificate_errors([CertificateError::Revoked])
    ///     .build();
    /// assert!(refused.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn ignore_certificate_errors(
        self,
        errors: impl IntoIterator<Item = CertificateError>,
    ) -> Self {
        self.set_tls("ignoring errors of certificates", |settings| {
            for error in errors {
                if error.severity() != Severity::Ignorable {
                    return Err(format!("{:?} can never be ignored", error.name()).into());
                }
                settings.ignored.push(error);
            }
            Ok(())
        })
    }

    /// Lets nobody be the server but who holds this key, or another that was named here.
    ///
    /// It is the key of the server's own certificate that counts. This comes beside everything
    /// else: the certificate has to be good, too, but for what is
    /// [ignored](Self::ignore_certificate_errors).
    pub fn pin(self, pin: Pin) -> Self {
        self.set_tls("pinning a key", |settings| {
            settings.pins.push(pin);
            Ok(())
        })
    }

    /// Looks servers' certificates up in these lists of what their issuers have revoked, in PEM or
    /// DER. May be called for several.
    ///
    /// A certificate whose issuer's list is not among them is
    /// [`RevocationInformationMissing`](CertificateError::RevocationInformationMissing), one whose
    /// list is out of date [`RevocationFailure`](CertificateError::RevocationFailure). Of several by
    /// one issuer the newest counts. On Windows,
    /// macOS and Android this needs [roots of one's own](TlsConfig::roots_pem): those systems judge
    /// the chain themselves.
    pub fn crls(self, lists: impl AsRef<[u8]>) -> Self {
        self.set_tls("looking up what was revoked", |settings| Ok(settings.revoke(lists.as_ref())?))
    }

    /// Asks this about every server, after its certificates were found to be good but for what is
    /// ignored, and before anything of HTTP is sent to it.
    ///
    /// An error refuses the server: connecting fails with
    /// [`Certificate`](crate::ErrorKind::Certificate), and the error's text is in its text. It may
    /// take its time, within [`handshake_timeout`](Self::handshake_timeout). Of several each has to
    /// agree. It is not asked about `ws`.
    ///
    /// ```
    /// use towline::Client;
    ///
    /// # fn main() -> towline::Result<()> {
    /// let client = Client::builder()
    ///     .check_certificate(|shown| async move {
    ///         match shown.certificate().issuer().as_deref() {
    ///             Some("Our Authority") => Ok(()),
    ///             _ => Err("only ours will do"),
    ///         }
    ///     })
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn check_certificate<F, R, E>(mut self, check: F) -> Self
    where
        F: Fn(PeerCertificates) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Refused>,
    {
        self.client.way.tls.check(Check::new(check));
        self
    }

    /// Offers these application protocols (ALPN, RFC 7301), the one liked best first. By default
    /// none.
    ///
    /// Whatever is agreed on, HTTP/1.1 is spoken, whose name is `http/1.1`; `h2` is refused here.
    pub fn alpn<N: Into<Vec<u8>>>(self, protocols: impl IntoIterator<Item = N>) -> Self {
        self.set_tls("offering application protocols", |settings| {
            settings.alpn = protocols.into_iter().map(Into::into).collect();
            let bad = |name: &Vec<u8>| name.is_empty() || name.len() > 255;
            match &settings.alpn {
                names if names.iter().any(bad) => Err("a name has from 1 to 255 bytes".into()),
                names if names.iter().any(|name| name == b"h2") => {
                    Err("HTTP/2 is not spoken".into())
                }
                _ => Ok(()),
            }
        })
    }

    /// Speaks no version of TLS older than this.
    pub fn min_tls_version(self, version: TlsVersion) -> Self {
        self.set_tls("choosing versions of TLS", |settings| {
            settings.versions.min = Some(version);
            Ok(())
        })
    }

    /// Speaks no version of TLS newer than this.
    pub fn max_tls_version(self, version: TlsVersion) -> Self {
        self.set_tls("choosing versions of TLS", |settings| {
            settings.versions.max = Some(version);
            Ok(())
        })
    }

    /// Writes the keys of each connection to the file that the variable `SSLKEYLOGFILE` names, for
    /// Wireshark. Who reads it can read all that was said. Off by default.
    pub fn key_log(self) -> Self {
        self.set_tls("logging keys", |settings| {
            settings.key_log = true;
            Ok(())
        })
    }

    fn set_tls(self, doing: &str, set: impl FnOnce(&mut Settings) -> Result<(), Refused>) -> Self {
        self.set(doing.to_owned(), |client| client.way.tls.change(set))
    }
}
