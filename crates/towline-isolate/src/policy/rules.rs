//! What the manifest and the policies say together about one app.

use std::net::IpAddr;
use std::sync::Arc;

use super::fix::{Edit, Target};
use super::layer::{AppRules, Layer};
use super::owned::Owned;
use super::pins::Pins;
use crate::{Capabilities, Capability, Classified, Manifest, Ports, Range, Shape, Surroundings};

/// What the manifest and the policies say together about one app.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) manifest: Manifest,
    pub(super) surroundings: Surroundings,
    /// No more than these, say the policies, each with its file.
    limits: Vec<(Capabilities, String)>,
    /// Never these, say the policies.
    deny: Vec<(Range, String)>,
    pub(super) exempt: AppRules,
    pub(super) critical_ports: Vec<u16>,
    pub(super) minimum_backend: Option<String>,
    pub(super) owned: Arc<Owned>,
    pub(super) pins: Arc<Pins>,
}

impl Rules {
    pub(super) fn new(
        manifest: Manifest,
        machine: &Layer,
        user: &Layer,
        surroundings: Surroundings,
    ) -> Self {
        let (mut limits, mut deny) = (Vec::new(), Vec::new());
        let mut exempt = AppRules::default();
        for (layer, may_exempt) in [(machine, true), (user, machine.user_exemptions)] {
            let own = layer.app(manifest.app(), manifest.family_name());
            for rules in [&layer.all, &own] {
                limits.extend(rules.capabilities.map(|limit| (limit, layer.file.clone())));
                deny.extend(rules.deny.iter().map(|range| (*range, layer.file.clone())));
            }
            if may_exempt {
                exempt = both(exempt, own);
            }
        }
        Self {
            critical_ports: [&machine.critical_ports[..], &user.critical_ports].concat(),
            minimum_backend: machine.minimum_backend.clone(),
            manifest,
            surroundings,
            limits,
            deny,
            exempt,
            owned: Arc::default(),
            pins: Arc::default(),
        }
    }

    pub(super) fn within(&self, surroundings: Surroundings) -> Self {
        Self { surroundings, ..self.clone() }
    }

    pub(super) fn granted(&self) -> Capabilities {
        self.limits
            .iter()
            .fold(self.manifest.capabilities(), |granted, (limit, _)| granted.and(*limit))
    }

    /// The policy that does not grant a capability, whatever the manifest declares.
    pub(super) fn withheld(&self, capability: Capability) -> Option<&str> {
        let by = self.limits.iter().find(|(limit, _)| !limit.has(capability));
        by.map(|(_, file)| file.as_str())
    }

    /// The policy, or the manifest itself, that never wants to see an address or what it carries.
    pub(super) fn denies(&self, address: IpAddr, classified: &Classified) -> Option<String> {
        let inner = classified.unwrapped.map(|(_, inner)| inner);
        let has = |range: &Range| {
            range.contains(address) || inner.is_some_and(|inner| range.contains(inner))
        };
        if let Some((range, file)) = self.deny.iter().find(|(range, _)| has(range)) {
            return Some(format!("{file} denies {range}"));
        }
        let range = self.manifest.deny.iter().find(|range| has(range))?;
        Some(format!("Its own manifest denies {range}"))
    }

    pub(super) fn may_listen(&self) -> bool {
        let granted = self.granted();
        granted.has(Capability::InternetClientServer)
            || granted.has(Capability::PrivateNetworkClientServer)
            || !self.exempt.loopback_in.is_empty()
    }

    pub(super) fn reaches_anything(&self) -> bool {
        let granted = self.granted();
        granted.has(Capability::InternetClient)
            || granted.has(Capability::PrivateNetworkClientServer)
    }

    /// Whether the manifest can say more than Windows' can.
    pub(super) fn is_native(&self) -> bool {
        matches!(self.manifest.shape, Shape::Native)
    }

    /// The line that declares one more capability.
    pub(super) fn declaring(&self, capability: Capability) -> Edit {
        match &self.manifest.shape {
            Shape::Appx(prefix) => {
                let prefix = prefix.as_ref().map(|prefix| format!("{prefix}:")).unwrap_or_default();
                let line = format!("<{prefix}Capability Name=\"{capability}\"/>");
                Edit::new(Target::Manifest, format!("<{prefix}Capabilities>"), line)
            }
            Shape::Native => {
                let all = self.manifest.capabilities.with(capability);
                let names = all.iter().map(|capability| format!("\"{capability}\""));
                self.own_line("app", "capabilities", names)
            }
        }
    }

    /// A line of a manifest of ours.
    pub(super) fn own_line(
        &self,
        section: &str,
        key: &str,
        values: impl Iterator<Item = String>,
    ) -> Edit {
        let values = values.collect::<Vec<_>>().join(", ");
        Edit::new(Target::Manifest, format!("[{section}]"), format!("{key} = [{values}]"))
    }

    /// A line about this app in the machine's policy.
    pub(super) fn machine_line(&self, line: String) -> Edit {
        let app = self.manifest.app();
        let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let section = match app.chars().all(is_bare) {
            true => format!("[apps.{app}]"),
            false => format!("[apps.\"{app}\"]"),
        };
        Edit::new(Target::MachinePolicy, section, line)
    }
}

/// What one exempts, and the other.
fn both(one: AppRules, other: AppRules) -> AppRules {
    let ports = |one, other| match (one, other) {
        (Ports::These(one), Ports::These(other)) => Ports::These([one, other].concat()),
        (Ports::Any, _) | (_, Ports::Any) => Ports::Any,
    };
    AppRules {
        loopback_out: ports(one.loopback_out, other.loopback_out),
        loopback_in: ports(one.loopback_in, other.loopback_in),
        critical_ports: [one.critical_ports, other.critical_ports].concat(),
        metadata: one.metadata || other.metadata,
        ..AppRules::default()
    }
}

/// `[…]` with one more port, as a line of TOML has it.
pub(super) fn with_port(key: &str, ports: &[u16], port: u16) -> String {
    let all: Vec<String> = ports.iter().chain([&port]).map(u16::to_string).collect();
    format!("{key} = [{}]", all.join(", "))
}

impl Ports {
    /// Those that are named.
    pub(super) fn named(&self) -> &[u16] {
        match self {
            Self::Any => &[],
            Self::These(ports) => ports,
        }
    }
}
