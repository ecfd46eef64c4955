//! [`Denied`]: what is not permitted, why, and what to do about it.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::{Code, Fix};
use crate::{Capability, Class, Classified, Form};

/// What is not permitted, why, and what to do about it. Its text says all of that.
///
/// ```
/// use towline_isolate::{Capability, Code, Manifest, Policy, Protocol};
///
/// let policy = Policy::new(Manifest::new("chat").with(Capability::InternetClient));
/// let to = "[64:ff9b::a09:909]:8080".parse().unwrap();
/// let denied = policy.judge_connect(to, Protocol::Tcp, None).unwrap_err();
/// assert_eq!(denied.code(), Code::PrivateNetwork);
/// assert_eq!(denied.missing(), Some(Capability::PrivateNetworkClientServer));
/// assert_eq!(
///     denied.to_string(),
///     "chat may not reach 64:ff9b::a09:909 port 8080 over TCP. That is the NAT64 form of 10.9.9.9, a \
///      private address (RFC 1918), which needs privateNetworkClientServer; internetClient does not \
///      cover home or work networks. Add `capabilities = [\"internetClient\", \
///      \"privateNetworkClientServer\"]` under [app].",
/// );
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Denied(Arc<Inner>);

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Inner {
    pub(super) app: String,
    /// After "may not".
    pub(super) doing: String,
    pub(super) code: Code,
    pub(super) address: Option<SocketAddr>,
    pub(super) classified: Option<Classified>,
    pub(super) missing: Option<Capability>,
    /// One or two sentences without the last full stop.
    pub(super) because: String,
    pub(super) fix: Option<Fix>,
}

impl Denied {
    pub(super) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Why, in one word.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// `EACCES`, as the operating system says it. Windows says 10013 there.
    pub fn errno(&self) -> i32 {
        13
    }

    /// The app's name.
    pub fn app(&self) -> &str {
        &self.0.app
    }

    /// The address, if it was about one.
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address
    }

    /// The class of that address.
    pub fn class(&self) -> Option<Class> {
        self.0.classified.map(|classified| classified.class)
    }

    /// The class of that address, and how it came to it.
    pub fn classified(&self) -> Option<Classified> {
        self.0.classified
    }

    /// What that address carries, and the form in which.
    pub fn unwrapped(&self) -> Option<(Form, IpAddr)> {
        self.0.classified.and_then(|classified| classified.unwrapped)
    }

    /// The capability that the manifest would have to declare.
    pub fn missing(&self) -> Option<Capability> {
        self.0.missing
    }

    /// Why, in a sentence or two without the last full stop.
    pub fn because(&self) -> &str {
        &self.0.because
    }

    /// What to add, and where. With that done it is permitted; `None` if nothing grants it.
    pub fn fix(&self) -> Option<&Fix> {
        self.0.fix.as_ref()
    }

    /// The number that Windows' diagnosis has for it: 1 private, 2 client, 3 server; else 0.
    pub fn neterror_type(&self) -> u32 {
        self.0.missing.map_or(0, Capability::neterror_type)
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { app, doing, because, fix, .. } = &*self.0;
        write!(f, "{app} may not {doing}. {because}.")?;
        match fix {
            Some(fix) => write!(f, " Add {fix}."),
            None => Ok(()),
        }
    }
}

impl Error for Denied {}

impl From<Denied> for std::io::Error {
    fn from(denied: Denied) -> Self {
        Self::new(std::io::ErrorKind::PermissionDenied, denied)
    }
}
