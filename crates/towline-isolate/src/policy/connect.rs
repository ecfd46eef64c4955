//! Whether an address may be connected to.

use std::net::{IpAddr, SocketAddr};

use super::denied::Inner;
use super::fix::Edit;
use super::rules::{Rules, with_port};
use super::{Code, Denied, Fix, Protocol};
use crate::{Capabilities, Capability, Class, Classified, Form, HostRule};

impl Rules {
    pub(super) fn judge_connect(
        &self,
        to: SocketAddr,
        protocol: Protocol,
        name: Option<&str>,
    ) -> Result<Classified, Denied> {
        let classified = self.surroundings.classify(to.ip());
        let attempt = Attempt { rules: self, to, protocol, name, classified };
        attempt.judge().map(|()| classified)
    }

    pub(super) fn judge_proxied(&self, host: &str, port: u16) -> Result<(), Denied> {
        let hosts = self.manifest.hosts.iter().flatten();
        if self.manifest.hosts.is_none() || hosts.clone().any(|rule| rule.names(host, port)) {
            return Ok(());
        }
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let all = hosts.map(ToString::to_string).chain([format!("{host}:{port}")]);
        let edit = self.own_line("client", "hosts", all.map(|host| format!("\"{host}\"")));
        Err(Denied::new(Inner {
            app: self.manifest.app().to_owned(),
            doing: format!("reach {host} port {port} through a proxy"),
            code: Code::PolicyDeny,
            address: None,
            classified: None,
            missing: None,
            because: OTHER_HOSTS.to_owned(),
            fix: Fix::of(vec![edit]),
        }))
    }

    pub(super) fn pin(&self, name: &str, addresses: &[IpAddr]) {
        let Some(hosts) = &self.manifest.hosts else { return };
        if hosts.iter().any(|rule| rule.host().is_name(name)) {
            self.pins.add(name, addresses);
        }
    }
}

/// What is to be connected to.
struct Attempt<'a> {
    rules: &'a Rules,
    to: SocketAddr,
    protocol: Protocol,
    name: Option<&'a str>,
    classified: Classified,
}

impl Attempt<'_> {
    fn judge(&self) -> Result<(), Denied> {
        let rules = self.rules;
        if let Some(rule) = rules.denies(self.to.ip(), &self.classified) {
            return Err(self.denied(Code::PolicyDeny, None, rule, vec![]));
        }
        match self.classified.class {
            Class::Loopback => self.loopback(),
            Class::Metadata if rules.exempt.metadata => Ok(()),
            Class::Metadata => {
                let because = format!("That is {}, which no capability reaches", self.classified);
                let edit = rules.machine_line("metadata = true".to_owned());
                Err(self.denied(Code::Metadata, None, because, vec![edit]))
            }
            Class::Reserved => {
                let because = format!("That is {}, which no capability reaches", self.classified);
                Err(self.denied(Code::Reserved, None, because, vec![]))
            }
            Class::Multicast | Class::Private | Class::Internet => self.network(),
        }
    }

    /// A network beyond this machine: it takes a capability, and that the manifest keeps to no others.
    fn network(&self) -> Result<(), Denied> {
        let rules = self.rules;
        let class = self.classified.class;
        let needed = Capabilities::to_connect(class).expect("one grants each of these classes");
        if let Some(by) = rules.withheld(needed) {
            let because =
                format!("That is {}, which needs {needed}, which {by} withholds", self.classified);
            return Err(self.denied(Code::PolicyDeny, None, because, vec![]));
        }
        let named = self.is_named();
        let mut edits = Vec::new();
        let declared = rules.manifest.capabilities.has(needed);
        if !declared {
            edits.push(rules.declaring(needed));
        }
        if !named {
            edits.push(self.naming());
        }
        if !declared {
            let but = but(rules.manifest.capabilities, needed);
            let because = format!("That is {}, which needs {needed}{but}", self.classified);
            return Err(self.denied(code(needed), Some(needed), because, edits));
        }
        if !named {
            return Err(self.denied(Code::PolicyDeny, None, OTHER_HOSTS.to_owned(), edits));
        }
        Ok(())
    }

    fn port(&self) -> u16 {
        self.to.port()
    }

    fn is_named(&self) -> bool {
        let Some(hosts) = &self.rules.manifest.hosts else { return true };
        let address = self.to.ip();
        let has = |rule: &HostRule| {
            // ICMP has no ports: what may be talked to may be pinged.
            let port = match self.protocol {
                Protocol::Tcp | Protocol::Udp => self.port(),
                Protocol::Icmp => rule.port().unwrap_or_default(),
            };
            let by_name = |name: &str| rule.names(name, port);
            rule.has(address, port)
                || self.name.is_some_and(by_name)
                || self.name.is_none() && self.rules.pins.any(address, by_name)
        };
        hosts.iter().any(has)
    }

    /// The line that names this host as well.
    fn naming(&self) -> Edit {
        let known = self.rules.manifest.hosts.iter().flatten().map(ToString::to_string);
        let port = match self.protocol {
            Protocol::Tcp | Protocol::Udp => format!(":{}", self.port()),
            Protocol::Icmp => String::new(),
        };
        let host = self.name.map(|name| name.trim_end_matches('.'));
        let host = host.filter(|name| name.parse::<HostRule>().is_ok());
        let host = match (host, self.to.ip()) {
            (Some(name), _) => format!("{}{port}", name.to_ascii_lowercase()),
            (None, IpAddr::V6(address)) if !port.is_empty() => format!("[{address}]{port}"),
            (None, address) => format!("{address}{port}"),
        };
        let all = known.chain([host]).map(|host| format!("\"{host}\""));
        self.rules.own_line("client", "hosts", all)
    }

    /// This machine: what the app itself listens on, or what it is exempted for.
    fn loopback(&self) -> Result<(), Denied> {
        let rules = self.rules;
        let port = self.port();
        // What is behind a translator is no port of this machine's, whatever the address in it says.
        let here = self.classified.unwrapped.is_none_or(|(form, _)| form == Form::V4Mapped);
        let has_ports = self.protocol != Protocol::Icmp;
        if here && has_ports && rules.owned.has(self.to) {
            return Ok(());
        }
        let declared = !rules.is_native() || rules.manifest.loopback_out.has(port);
        let exempt = rules.exempt.loopback_out.has(port);
        if here && declared && exempt {
            return Ok(());
        }
        let app = rules.manifest.app();
        if !here {
            let because = format!(
                "That is {}, which no capability and no exemption reaches",
                self.classified
            );
            return Err(self.denied(Code::LoopbackOut, None, because, vec![]));
        }
        if !has_ports || port == 0 {
            let because = format!("That is {}, and nothing there is {app}'s own", self.classified);
            return Err(self.denied(Code::LoopbackOut, None, because, vec![]));
        }
        let because = format!(
            "That is {}, where {app} does not listen on port {port} itself; other programs of this machine \
             no capability reaches, only an exemption",
            self.classified
        );
        let mut edits = Vec::new();
        if !declared {
            let ports =
                rules.manifest.loopback_out.named().iter().chain([&port]).map(u16::to_string);
            edits.push(rules.own_line("loopback", "out", ports));
        }
        if !exempt {
            let line = with_port("loopback_out", rules.exempt.loopback_out.named(), port);
            edits.push(rules.machine_line(line));
        }
        Err(self.denied(Code::LoopbackOut, None, because, edits))
    }

    fn denied(
        &self,
        code: Code,
        missing: Option<Capability>,
        because: String,
        edits: Vec<Edit>,
    ) -> Denied {
        let address = self.to.ip();
        let at = match self.name.filter(|name| name.parse::<IpAddr>().is_err()) {
            Some(name) => format!("{name} at {address}"),
            None => address.to_string(),
        };
        let doing = match self.protocol {
            Protocol::Tcp => format!("reach {at} port {} over TCP", self.port()),
            Protocol::Udp => format!("reach {at} port {} over UDP", self.port()),
            Protocol::Icmp => format!("reach {at} over ICMP"),
        };
        Denied::new(Inner {
            app: self.rules.manifest.app().to_owned(),
            doing,
            code,
            address: Some(self.to),
            classified: Some(self.classified),
            missing,
            because,
            fix: Fix::of(edits),
        })
    }
}

const OTHER_HOSTS: &str = "Its manifest keeps to other hosts (hosts under [client])";

/// The code for a capability that is missing.
pub(super) fn code(missing: Capability) -> Code {
    match missing {
        Capability::InternetClientServer => Code::InternetClientServer,
        Capability::PrivateNetworkClientServer => Code::PrivateNetwork,
        Capability::InternetClient
        | Capability::EnterpriseAuthentication
        | Capability::SharedUserCertificates
        | Capability::Proximity => Code::InternetClient,
    }
}

/// Why what is declared is not enough.
fn but(declared: Capabilities, needed: Capability) -> &'static str {
    let private = needed == Capability::PrivateNetworkClientServer;
    if private && declared.has(Capability::InternetClientServer) {
        "; internetClientServer does not cover home or work networks"
    } else if private && declared.has(Capability::InternetClient) {
        "; internetClient does not cover home or work networks"
    } else if !private && declared.has(Capability::PrivateNetworkClientServer) {
        "; privateNetworkClientServer covers home and work networks alone"
    } else {
        ""
    }
}
