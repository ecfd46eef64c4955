//! What an app declares: a manifest of Windows, or one of ours that says the same and more.

#[cfg(feature = "manifest")]
mod appx;
#[cfg(feature = "manifest")]
mod error;
#[cfg(feature = "manifest")]
mod family_name;
mod host;
#[cfg(feature = "manifest")]
mod native;
#[cfg(feature = "manifest")]
mod source;
#[cfg(feature = "manifest")]
mod suggest;
#[cfg(feature = "manifest")]
mod table;
mod warning;

use crate::{Capabilities, Capability, Range};
#[cfg(feature = "manifest")]
pub use error::ManifestError;
pub(crate) use host::is_under;
pub use host::{Host, HostError, HostRule};
#[cfg(feature = "manifest")]
pub(crate) use native::capabilities;
#[cfg(feature = "manifest")]
pub(crate) use source::{Source, read};
#[cfg(feature = "manifest")]
pub(crate) use suggest::did_you_mean;
#[cfg(feature = "manifest")]
pub(crate) use table::Table;
pub use warning::{Place, Warning};

/// What an app declares that it needs.
///
/// ```
/// use towline_isolate::{Capability, Manifest};
///
/// let manifest = Manifest::new("chat").with(Capability::InternetClient);
/// assert!(manifest.capabilities().has(Capability::InternetClient));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Manifest {
    pub(crate) app: String,
    pub(crate) family_name: Option<String>,
    pub(crate) shape: Shape,
    pub(crate) capabilities: Capabilities,
    pub(crate) hosts: Option<Vec<HostRule>>,
    pub(crate) deny: Vec<Range>,
    pub(crate) ports: Option<Vec<u16>>,
    pub(crate) loopback_out: Ports,
    pub(crate) unix_allow: Vec<String>,
    pub(crate) dns: Dns,
    pub(crate) warnings: Vec<Warning>,
}

impl Manifest {
    /// Of an app that declares nothing yet.
    pub fn new(app: impl Into<String>) -> Self {
        Self {
            app: app.into(),
            family_name: None,
            shape: Shape::Native,
            capabilities: Capabilities::NONE,
            hosts: None,
            deny: Vec::new(),
            ports: None,
            loopback_out: Ports::default(),
            unix_allow: Vec::new(),
            dns: Dns::Auto,
            warnings: Vec::new(),
        }
    }

    /// Declares one more capability.
    #[must_use]
    pub fn with(mut self, capability: Capability) -> Self {
        self.capabilities = self.capabilities.with(capability);
        self
    }

    /// Reads a manifest from a file: XML of Windows, or TOML.
    ///
    /// # Errors
    /// The file cannot be read, or not be understood; then it says where and what to do.
    #[cfg(feature = "manifest")]
    pub fn load(path: impl AsRef<std::path::Path>) -> Result<Self, ManifestError> {
        let path = path.as_ref();
        Self::parse(&path.display().to_string(), &read(path)?)
    }

    /// Understands a manifest: XML of Windows, or TOML. The name is for errors.
    ///
    /// ```
    /// use towline_isolate::{Capability, Manifest};
    ///
    /// let text = "[app]\nname = 'chat'\ncapabilities = ['internetClient']";
    /// let manifest = Manifest::parse("towline.toml", text.as_bytes())?;
    /// assert_eq!(manifest.app(), "chat");
    /// assert!(manifest.capabilities().has(Capability::InternetClient));
    /// # Ok::<_, towline_isolate::ManifestError>(())
    /// ```
    ///
    /// # Errors
    /// It cannot be understood; then it says where and what to do.
    #[cfg(feature = "manifest")]
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, ManifestError> {
        let source = Source::decode(name, bytes)?;
        match source.text.trim_start().starts_with('<') {
            true => appx::parse(&source),
            false => native::parse(&source),
        }
    }

    /// The app's name.
    pub fn app(&self) -> &str {
        &self.app
    }

    /// The name of its package's family, where a publisher is given: `Contoso.Chat_8wekyb3d8bbwe`.
    pub fn family_name(&self) -> Option<&str> {
        self.family_name.as_deref()
    }

    /// What its capabilities grant.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// The hosts that it keeps to, if to any.
    pub fn hosts(&self) -> Option<&[HostRule]> {
        self.hosts.as_deref()
    }

    /// What it does not reach though a capability would grant it.
    pub fn deny(&self) -> &[Range] {
        &self.deny
    }

    /// The ports on which it listens, if it names them.
    pub fn ports(&self) -> Option<&[u16]> {
        self.ports.as_deref()
    }

    /// The ports of other programs on this machine that it connects to.
    pub fn loopback_out(&self) -> &Ports {
        &self.loopback_out
    }

    /// The Unix sockets that it connects to, with variables as `$XDG_RUNTIME_DIR`.
    pub fn unix_allow(&self) -> &[String] {
        &self.unix_allow
    }

    /// Which names it may look up.
    pub fn dns(&self) -> &Dns {
        &self.dns
    }

    /// How it is written.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// What is odd in it, though it could be understood.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// How a manifest is written, and so what a line to add to it looks like.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Shape {
    /// XML of Windows, whose elements have this prefix; without one, none.
    Appx(Option<String>),
    /// TOML.
    Native,
}

/// Which names an app may look up.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Dns {
    /// All, if it reaches anything.
    #[default]
    Auto,
    /// None.
    Off,
    /// These and those under them.
    Names(Vec<String>),
}

/// Some ports, or all of them.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Ports {
    /// All of them.
    Any,
    /// These.
    These(Vec<u16>),
}

impl Default for Ports {
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

impl Ports {
    /// Whether it is one of them.
    pub fn has(&self, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::These(ports) => ports.contains(&port),
        }
    }

    /// Whether it is none.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::These(ports) if ports.is_empty())
    }
}
