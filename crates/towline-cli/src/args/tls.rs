//! Arguments of TLS.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use towline::{CertificateError, TlsVersion};

use super::value::Hidden;

/// Whom to trust, and who one is. Where curl has a name for it, that is the name.
#[derive(Args, Debug)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsArgs {
    /// Trust the certificates in this file, in PEM or DER, instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// With --cacert: trust the system's as well
    #[arg(long, requires = "cacert")]
    pub(crate) ca_native: bool,
    /// Show this certificate to servers that ask for one, in PEM or PKCS#12, which --key may be in, too
    #[arg(short = 'E', long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// The certificate's private key, in PEM, if it is in another file
    #[arg(long, value_name = "PEM", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Password of a PKCS#12 file; @FILE reads it, since others may see what is typed here
    #[arg(long, value_name = "PASSWORD", requires = "cert")]
    pub(crate) pass: Option<Hidden>,
    /// Connect all the same if nothing but this is wrong with the certificate; several with commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) ignore_certificate_error: Vec<CertificateError>,
    /// Ignore all errors of certificates that may be ignored: talk to anybody
    #[arg(short = 'k', long)]
    pub(crate) insecure: bool,
    /// Let nobody be the server but who has this key: sha256//BASE64, more with ';', or a file in PEM
    #[arg(long, value_name = "PIN")]
    pub(crate) pinnedpubkey: Option<String>,
    /// Look certificates up in this list of revoked ones, in PEM or DER
    #[arg(long, value_name = "FILE")]
    pub(crate) crlfile: Vec<PathBuf>,
    /// Offer this application protocol (ALPN), the one liked best first
    #[arg(long, value_name = "NAME")]
    pub(crate) alpn: Vec<String>,
    /// Speak TLS 1.2 or newer, as is the default
    #[arg(long = "tlsv1.2", conflicts_with = "tls_1_3")]
    pub(crate) tls_1_2: bool,
    /// Speak TLS 1.3 or newer
    #[arg(long = "tlsv1.3")]
    pub(crate) tls_1_3: bool,
    /// Speak no newer version of TLS than this
    #[arg(long, value_name = "VERSION")]
    pub(crate) tls_max: Option<Version>,
}

/// A version of TLS, as curl calls it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Version {
    #[value(name = "1.2")]
    Tls12,
    #[value(name = "1.3")]
    Tls13,
}

impl From<Version> for TlsVersion {
    fn from(version: Version) -> Self {
        match version {
            Version::Tls12 => Self::Tls12,
            Version::Tls13 => Self::Tls13,
        }
    }
}
