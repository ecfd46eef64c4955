//! [`Policy`]: what an app may reach, and be reached from, on this machine.

mod code;
mod connect;
mod critical;
mod denied;
mod fix;
mod inbound;
mod layer;
mod local;
mod owned;
mod pins;
#[cfg(feature = "manifest")]
mod places;
#[cfg(feature = "manifest")]
mod reading;
mod rules;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};

pub use code::Code;
pub use critical::CRITICAL_PORTS;
pub use denied::Denied;
pub use fix::{Edit, Fix, Target};
pub use layer::Layer;
pub use owned::OwnListener;
#[cfg(feature = "manifest")]
pub use reading::Level;
use rules::Rules;

#[cfg(feature = "manifest")]
use crate::ManifestError;
use crate::{Capabilities, Classified, Definitions, Manifest, Surroundings};

/// What an app may reach, and be reached from. Cheap to clone.
///
/// The manifest says what the app needs; the machine's policy and the user's only take away. Loopback is
/// the exception: other programs of this machine no capability reaches, but the machine may exempt some.
///
/// ```
/// use towline_isolate::{Capability, Class, Manifest, Policy, Protocol};
///
/// let policy = Policy::new(Manifest::new("chat").with(Capability::InternetClient));
/// let reached = policy.judge_connect("8.8.8.8:443".parse().unwrap(), Protocol::Tcp, None);
/// assert_eq!(reached.unwrap().class, Class::Internet);
/// let denied = policy.judge_connect("10.9.9.9:443".parse().unwrap(), Protocol::Tcp, None);
/// assert!(denied.unwrap_err().to_string().starts_with("chat may not reach 10.9.9.9 port 443"));
/// ```
#[derive(Clone)]
pub struct Policy(Option<Arc<Rules>>);

/// What travels.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP, which has no ports.
    Icmp,
}

impl Policy {
    /// Of a program without a manifest: everything is permitted.
    pub fn allow_all() -> Self {
        Self(None)
    }

    /// As the manifest says, and no policy.
    pub fn new(manifest: Manifest) -> Self {
        Self::layered(manifest, &Layer::default(), &Layer::default())
    }

    /// As the manifest in a file says, the machine's policy and the user's.
    ///
    /// They are in `/etc/towline/policy.toml`, and in `towline/policy.toml` under `$XDG_CONFIG_HOME`; on
    /// Windows under `%ProgramData%` and `%APPDATA%`.
    ///
    /// # Errors
    /// One of the files cannot be read, or not be understood. A policy that is not there says nothing.
    #[cfg(feature = "manifest")]
    pub fn load(path: impl AsRef<std::path::Path>) -> Result<Self, ManifestError> {
        Self::within_layers(Manifest::load(path)?)
    }

    /// As the manifest says, the machine's policy and the user's, which are where [`load`](Self::load) says.
    ///
    /// # Errors
    /// One of the files cannot be read, or not be understood.
    #[cfg(feature = "manifest")]
    pub fn within_layers(manifest: Manifest) -> Result<Self, ManifestError> {
        let layer = |level, path: Option<std::path::PathBuf>| match path {
            Some(path) => reading::load(level, &path),
            None => Ok(Layer::default()),
        };
        let machine = layer(Level::Machine, places::machine())?;
        let user = layer(Level::User, places::user())?;
        Ok(Self::layered(manifest, &machine, &user))
    }

    /// As the manifest says, the machine's policy and the user's.
    pub fn layered(manifest: Manifest, machine: &Layer, user: &Layer) -> Self {
        let surroundings = Surroundings::of_system(&machine.definitions, &[]);
        Self(Some(Arc::new(Rules::new(manifest, machine, user, surroundings))))
    }

    /// The same in other surroundings, such as those of another network namespace.
    #[must_use]
    pub fn within(self, surroundings: Surroundings) -> Self {
        let rules = self.0.map(|rules| Arc::new(rules.within(surroundings)));
        Self(rules)
    }

    /// The app's name.
    pub fn app(&self) -> &str {
        self.0.as_ref().map_or("any app", |rules| rules.manifest.app())
    }

    /// The manifest; `None` where everything is permitted.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.0.as_ref().map(|rules| &rules.manifest)
    }

    /// What the manifest's capabilities grant, as far as the policies let them.
    pub fn capabilities(&self) -> Capabilities {
        self.0.as_ref().map_or(Capabilities::EVERY, |rules| rules.granted())
    }

    /// The weakest back end of a launcher that the machine's policy accepts.
    pub fn minimum_backend(&self) -> Option<&str> {
        self.0.as_ref().and_then(|rules| rules.minimum_backend.as_deref())
    }

    /// Whether everything is permitted.
    pub fn allows_all(&self) -> bool {
        self.0.is_none()
    }

    /// The class of an address.
    pub fn classify(&self, address: IpAddr) -> Classified {
        match &self.0 {
            Some(rules) => rules.surroundings.classify(address),
            None => plain().classify(address),
        }
    }

    /// Whether an address may be connected to, or be sent to.
    ///
    /// `name` is what it was looked up by. Another program's port on this machine takes an exemption; the
    /// app's [own](Self::own_listener) does not.
    ///
    /// # Errors
    /// It may not; then it says why.
    pub fn judge_connect(
        &self,
        to: SocketAddr,
        protocol: Protocol,
        name: Option<&str>,
    ) -> Result<Classified, Denied> {
        match &self.0 {
            Some(rules) => rules.judge_connect(to, protocol, name),
            None => Ok(self.classify(to.ip())),
        }
    }

    /// Whether a proxy may be asked for a host that it looks up itself, so that no address is known here.
    ///
    /// # Errors
    /// The manifest keeps to other hosts.
    pub fn judge_proxied(&self, host: &str, port: u16) -> Result<(), Denied> {
        self.0.as_ref().map_or(Ok(()), |rules| rules.judge_proxied(host, port))
    }

    /// Whether a peer that has connected may stay.
    ///
    /// # Errors
    /// It may not; then it says why.
    pub fn judge_accept(&self, peer: SocketAddr, local: SocketAddr) -> Result<Classified, Denied> {
        match &self.0 {
            Some(rules) => rules.judge_accept(peer, local),
            None => Ok(self.classify(peer.ip())),
        }
    }

    /// Whether connections may be listened for at an address of this machine.
    ///
    /// # Errors
    /// They may not; then it says why.
    pub fn judge_listen(&self, local: SocketAddr) -> Result<(), Denied> {
        self.0.as_ref().map_or(Ok(()), |rules| rules.judge_listen(local))
    }

    /// Whether a Unix socket may be connected to: its path, or a zero and its abstract name.
    ///
    /// # Errors
    /// It may not; then it says why.
    pub fn judge_unix(&self, path: &[u8]) -> Result<(), Denied> {
        self.0.as_ref().map_or(Ok(()), |rules| rules.judge_unix(path))
    }

    /// Whether a name may be looked up.
    ///
    /// # Errors
    /// It may not; then it says why.
    pub fn judge_name(&self, name: &str) -> Result<(), Denied> {
        self.0.as_ref().map_or(Ok(()), |rules| rules.judge_name(name))
    }

    /// What a kind of socket that cannot be judged is refused with: "open a raw socket".
    pub fn refuse_family(&self, doing: &str) -> Denied {
        local::family(self.app(), doing)
    }

    /// Remembers what a name was answered with, for those who connect by the address alone.
    pub fn pin(&self, name: &str, addresses: &[IpAddr]) {
        if let Some(rules) = &self.0 {
            rules.pin(name, addresses);
        }
    }

    /// Whether anybody at all may connect, but for the app itself.
    pub fn may_listen(&self) -> bool {
        self.0.as_ref().is_none_or(|rules| rules.may_listen())
    }

    /// Whether anything beyond this machine may be reached.
    pub fn reaches_anything(&self) -> bool {
        self.0.as_ref().is_none_or(|rules| rules.reaches_anything())
    }

    /// Whether a port of this machine is the app's own, at one address at least.
    pub fn owns(&self, port: u16) -> bool {
        self.0.as_ref().is_some_and(|rules| rules.owned.has_port(port))
    }

    /// While it lives, the address of this machine is the app's own: it may connect there.
    ///
    /// So it may with what it listens on, and with what it connects from, which its own listener sees.
    pub fn own_listener(&self, local: SocketAddr) -> OwnListener {
        OwnListener::new(self.0.as_ref().map(|rules| &rules.owned), local)
    }
}

/// Where everything is permitted somebody may want to know what it is all the same.
fn plain() -> &'static Surroundings {
    static PLAIN: LazyLock<Surroundings> =
        LazyLock::new(|| Surroundings::of_system(&Definitions::default(), &[]));
    &PLAIN
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Policy(everything)"),
            Some(rules) => {
                let granted: Vec<_> =
                    rules.granted().iter().map(|granted| granted.name()).collect();
                f.debug_struct("Policy")
                    .field("app", &rules.manifest.app())
                    .field("granted", &granted)
                    .finish_non_exhaustive()
            }
        }
    }
}
