//! [`Progress`]: what happens while a client connects, as it happens.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use towline_proto::WsUri;

use crate::attempt::Attempt;
#[cfg(feature = "tls")]
use crate::certificate::PeerCertificates;
#[cfg(feature = "tls")]
use crate::info::TlsVersion;
use crate::proxy::Route;

/// What happens while a client connects, as it happens: for a log, and to find out why it fails.
///
/// See [`ClientBuilder::on_progress`](crate::ClientBuilder::on_progress). What fails is not among
/// them, but in the [`Error`](crate::Error) in which it ends; an attempt to connect to one of several
/// addresses is, since another one may not fail.
#[derive(Clone)]
#[non_exhaustive]
pub enum Progress {
    /// Which proxies to go through, if any. It is the first, and comes anew for each connection that
    /// redirects and credentials need.
    Route(Route),
    /// Addresses of a host, which is the server or a proxy. They may come in two parts.
    Resolved {
        /// The host's name, in lower case and ASCII.
        host: String,
        /// What belongs to it.
        addresses: Vec<IpAddr>,
    },
    /// An attempt to connect to an address is over; of several the one that connected comes last.
    Attempted(Attempt),
    /// A proxy led on.
    Tunnelled {
        /// Its address, without user name and password.
        proxy: String,
        /// Where to: the server or the next proxy, and the port.
        to: String,
    },
    /// TLS was agreed on, with the server or with a proxy.
    #[cfg(feature = "tls")]
    Secured {
        /// With whom.
        host: String,
        /// The version.
        version: Option<TlsVersion>,
        /// What it showed, and what is wrong with that and was ignored.
        certificates: Option<PeerCertificates>,
        /// The protocol that was agreed on, if one was.
        alpn: Option<Vec<u8>>,
    },
    /// The opening request, which goes out now. Values that may be secrets, which are those of all
    /// headers but the handshake's own, are [sensitive](http::HeaderValue::is_sensitive): `Debug` does
    /// not show them, nor what stands behind the question mark of the address.
    Asked(http::Request<()>),
    /// The answer to it.
    Answered(http::Response<()>),
    /// The answer was a redirect, which is followed: what comes now is about this address.
    Redirected(WsUri),
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(route) => f.debug_tuple("Route").field(route).finish(),
            Self::Resolved { host, addresses } => f
                .debug_struct("Resolved")
                .field("host", host)
                .field("addresses", addresses)
                .finish(),
            Self::Attempted(attempt) => f.debug_tuple("Attempted").field(attempt).finish(),
            Self::Tunnelled { proxy, to } => {
                f.debug_struct("Tunnelled").field("proxy", proxy).field("to", to).finish()
            }
            #[cfg(feature = "tls")]
            Self::Secured { host, version, certificates, alpn } => f
                .debug_struct("Secured")
                .field("host", host)
                .field("version", version)
                .field("certificates", certificates)
                .field("alpn", alpn)
                .finish(),
            // Without what stands behind the question mark: a token may.
            Self::Asked(request) => f
                .debug_struct("Asked")
                .field("path", &request.uri().path())
                .field("headers", request.headers())
                .finish_non_exhaustive(),
            Self::Answered(response) => f.debug_tuple("Answered").field(response).finish(),
            Self::Redirected(to) => {
                let shown = format!("{}://{}", to.scheme(), to.authority());
                f.debug_tuple("Redirected").field(&shown).finish()
            }
        }
    }
}

/// Whoever wants to be told.
#[derive(Clone, Default)]
pub(crate) struct Watch(Option<Arc<Watcher>>);

type Watcher = dyn Fn(&Progress) + Send + Sync;

impl Watch {
    pub(crate) fn new(watch: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(watch)))
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Tells it, if anybody wants to know: `what` is made for nobody else.
    pub(crate) fn tell(&self, what: impl FnOnce() -> Progress) {
        if let Some(watch) = &self.0 {
            watch(&what());
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.is_on()).finish()
    }
}
