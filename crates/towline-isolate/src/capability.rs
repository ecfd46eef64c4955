//! What an app declares that it needs, by the names that Windows has for it.

use std::fmt;

use crate::Class;

/// What an app may declare that it needs.
///
/// ```
/// use towline_isolate::Capability;
///
/// let capability = Capability::of_name("internetClient").unwrap();
/// assert_eq!(capability, Capability::InternetClient);
/// assert_eq!(capability.sid(), Some("S-1-15-3-1"));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Capability {
    /// To connect to the Internet.
    InternetClient,
    /// The same, and to be connected to from there.
    InternetClientServer,
    /// To connect to home and work networks, and to be connected to from there.
    PrivateNetworkClientServer,
    /// To use the user's credentials in a domain. Reaches nothing by itself.
    EnterpriseAuthentication,
    /// To use the user's certificates and smart cards. Reaches nothing by itself.
    SharedUserCertificates,
    /// To talk to devices that are held near. Reaches nothing by itself.
    Proximity,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::InternetClient,
        Self::InternetClientServer,
        Self::PrivateNetworkClientServer,
        Self::EnterpriseAuthentication,
        Self::SharedUserCertificates,
        Self::Proximity,
    ];

    /// Its name in a manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InternetClient => "internetClient",
            Self::InternetClientServer => "internetClientServer",
            Self::PrivateNetworkClientServer => "privateNetworkClientServer",
            Self::EnterpriseAuthentication => "enterpriseAuthentication",
            Self::SharedUserCertificates => "sharedUserCertificates",
            Self::Proximity => "proximity",
        }
    }

    /// The one with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.name() == name)
    }

    /// The number by which Windows knows it, where it has one.
    pub const fn sid(self) -> Option<&'static str> {
        match self {
            Self::InternetClient => Some("S-1-15-3-1"),
            Self::InternetClientServer => Some("S-1-15-3-2"),
            Self::PrivateNetworkClientServer => Some("S-1-15-3-3"),
            Self::EnterpriseAuthentication => Some("S-1-15-3-8"),
            Self::SharedUserCertificates => Some("S-1-15-3-9"),
            Self::Proximity => None,
        }
    }

    /// What `NetworkIsolationDiagnoseConnectFailureAndGetInfo` calls a failure for the lack of it.
    pub const fn neterror_type(self) -> u32 {
        match self {
            Self::PrivateNetworkClientServer => 1,
            Self::InternetClient => 2,
            Self::InternetClientServer => 3,
            Self::EnterpriseAuthentication | Self::SharedUserCertificates | Self::Proximity => 0,
        }
    }

    const fn bits(self) -> u8 {
        match self {
            Self::InternetClient => 1,
            // It is the other one and more.
            Self::InternetClientServer => 1 | 2,
            Self::PrivateNetworkClientServer => 4,
            Self::EnterpriseAuthentication => 8,
            Self::SharedUserCertificates => 16,
            Self::Proximity => 32,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What some capabilities grant together.
///
/// ```
/// use towline_isolate::{Capabilities, Capability, Class};
///
/// let declared = Capabilities::from_iter([Capability::InternetClientServer]);
/// assert!(declared.has(Capability::InternetClient), "the one implies the other");
/// assert!(declared.connect(Class::Internet) && declared.accept(Class::Internet));
/// assert!(!declared.connect(Class::Private) && !declared.connect(Class::Loopback));
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Capabilities(u8);

impl Capabilities {
    /// None: reaches nothing.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const EVERY: Self = Self(63);

    /// Whether all that this one grants is granted.
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & capability.bits() == capability.bits()
    }

    /// With one more.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | capability.bits())
    }

    /// What both grant.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that are granted, without those that others imply.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        let implied = self.has(Capability::InternetClientServer);
        Capability::ALL.into_iter().filter(move |capability| {
            self.has(*capability) && !(implied && *capability == Capability::InternetClient)
        })
    }

    /// Whether addresses of this class may be connected to.
    pub fn connect(self, to: Class) -> bool {
        Self::to_connect(to).is_some_and(|capability| self.has(capability))
    }

    /// Whether addresses of this class may connect.
    pub fn accept(self, from: Class) -> bool {
        Self::to_accept(from).is_some_and(|capability| self.has(capability))
    }

    /// The capability that it takes to connect to addresses of this class, if one grants it.
    pub const fn to_connect(to: Class) -> Option<Capability> {
        match to {
            Class::Internet => Some(Capability::InternetClient),
            Class::Private | Class::Multicast => Some(Capability::PrivateNetworkClientServer),
            Class::Loopback | Class::Metadata | Class::Reserved => None,
        }
    }

    /// The capability that it takes to be connected to from addresses of this class, if one grants it.
    pub const fn to_accept(from: Class) -> Option<Capability> {
        match from {
            Class::Internet => Some(Capability::InternetClientServer),
            other => Self::to_connect(other),
        }
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        capabilities.into_iter().fold(Self::NONE, Self::with)
    }
}
