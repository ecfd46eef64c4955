//! Why something is not permitted, in one word.

use std::fmt;

/// Why something is not permitted, in one word.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Code {
    /// It takes `internetClient`.
    InternetClient,
    /// It takes `internetClientServer`.
    InternetClientServer,
    /// It takes `privateNetworkClientServer`.
    PrivateNetwork,
    /// Another program on this machine, for which it takes an exemption.
    LoopbackOut,
    /// From another program on this machine, for which it takes an exemption.
    LoopbackIn,
    /// Where a cloud tells its machines their secrets.
    Metadata,
    /// An address that leads to nobody.
    Reserved,
    /// A Unix socket that the manifest does not name.
    UnixSocket,
    /// A kind of socket that cannot be judged.
    Family,
    /// A port that belongs to a service of the system.
    CriticalPort,
    /// A policy, or the manifest itself, says no.
    PolicyDeny,
    /// Names are not looked up.
    DnsOff,
}

impl Code {
    /// The word for it in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::InternetClient => "internet_client",
            Self::InternetClientServer => "internet_client_server",
            Self::PrivateNetwork => "private_network",
            Self::LoopbackOut => "loopback_out",
            Self::LoopbackIn => "loopback_in",
            Self::Metadata => "metadata",
            Self::Reserved => "reserved",
            Self::UnixSocket => "unix_socket",
            Self::Family => "family",
            Self::CriticalPort => "critical_port",
            Self::PolicyDeny => "policy_deny",
            Self::DnsOff => "dns_off",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
