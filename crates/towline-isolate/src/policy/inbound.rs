//! Who may connect, and where may be listened.

use std::net::SocketAddr;

use super::connect::code;
use super::critical::whose;
use super::denied::Inner;
use super::fix::Edit;
use super::rules::{Rules, with_port};
use super::{Code, Denied, Fix};
use crate::{Capabilities, Capability, Class, Classified, Form};

impl Rules {
    pub(super) fn judge_accept(
        &self,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> Result<Classified, Denied> {
        let classified = self.surroundings.classify(peer.ip());
        let doing = format!("be reached from {} on port {}", peer.ip(), local.port());
        let denied = |code, missing, because, edits| {
            Err(self.inbound(
                doing.clone(),
                peer,
                Some(classified),
                (code, missing),
                because,
                edits,
            ))
        };
        if let Some(rule) = self.denies(peer.ip(), &classified) {
            return denied(Code::PolicyDeny, None, rule, vec![]);
        }
        let needed = match classified.class {
            Class::Loopback => {
                let here = classified.unwrapped.is_none_or(|(form, _)| form == Form::V4Mapped);
                let exempt = self.exempt.loopback_in.has(local.port());
                if here && (self.owned.has(peer) || exempt) {
                    return Ok(classified);
                }
                let line = with_port("loopback_in", self.exempt.loopback_in.named(), local.port());
                let edits = if here { vec![self.machine_line(line)] } else { vec![] };
                let because = format!(
                    "That is {classified}, and another program; those of this machine no capability lets \
                     in, only an exemption"
                );
                return denied(Code::LoopbackIn, None, because, edits);
            }
            Class::Metadata | Class::Reserved => {
                let metadata = classified.class == Class::Metadata;
                let code = if metadata { Code::Metadata } else { Code::Reserved };
                let because = format!("That is {classified}, which no capability lets in");
                return denied(code, None, because, vec![]);
            }
            other => Capabilities::to_accept(other).expect("one grants each of these classes"),
        };
        if let Some(by) = self.withheld(needed) {
            let because =
                format!("That is {classified}, which needs {needed}, which {by} withholds");
            return denied(Code::PolicyDeny, None, because, vec![]);
        }
        let declared = self.manifest.capabilities;
        if declared.has(needed) {
            return Ok(classified);
        }
        let only_out =
            classified.class == Class::Internet && declared.has(Capability::InternetClient);
        let but = if only_out { "; internetClient is for connecting alone" } else { "" };
        let because = format!("That is {classified}, which needs {needed}{but}");
        denied(code(needed), Some(needed), because, vec![self.declaring(needed)])
    }

    pub(super) fn judge_listen(&self, local: SocketAddr) -> Result<(), Denied> {
        let port = local.port();
        // Its own peers are on this machine: nothing comes in from elsewhere, and each is judged.
        if local.ip().to_canonical().is_loopback() && whose(port, &self.critical_ports).is_none() {
            return Ok(());
        }
        let doing = format!("listen on {} port {port}", local.ip());
        let denied = |code, missing, because, edits| {
            Err(self.inbound(doing.clone(), local, None, (code, missing), because, edits))
        };
        let mut edits = Vec::new();
        let mut first = None;
        if !local.ip().to_canonical().is_loopback() && !self.may_listen() {
            let needed = self.to_listen(local);
            if let Some(by) = self.withheld(needed) {
                let because = format!("That needs {needed}, which {by} withholds");
                return denied(Code::PolicyDeny, None, because, vec![]);
            }
            let because = match needed {
                Capability::InternetClientServer => {
                    "To be connected to from the Internet needs internetClientServer".to_owned()
                }
                _ => "To be connected to needs privateNetworkClientServer for home and work networks, or \
                      internetClientServer for the Internet"
                    .to_owned(),
            };
            edits.push(self.declaring(needed));
            first = Some((code(needed), Some(needed), because));
        }
        let critical = whose(port, &self.critical_ports);
        let named = self.manifest.ports.as_ref().map(|ports| ports.contains(&port));
        let exempt = self.exempt.critical_ports.contains(&port);
        let named_well = match (named, critical) {
            (Some(named), _) => named,
            // A manifest of Windows cannot name any.
            (None, Some(_)) => !self.is_native(),
            (None, None) => true,
        };
        if !named_well && port != 0 {
            let ports = self.manifest.ports.iter().flatten().chain([&port]).map(u16::to_string);
            edits.push(self.own_line("server", "ports", ports));
        }
        if critical.is_some() && !exempt {
            let line = with_port("critical_ports", &self.exempt.critical_ports, port);
            edits.push(self.machine_line(line));
        }
        if let Some((code, missing, because)) = first {
            return denied(code, missing, because, edits);
        }
        match critical {
            Some(whose) if !exempt || !named_well => {
                let because = format!(
                    "Port {port} belongs to {whose}, so both the manifest and the machine's policy have to \
                     name it"
                );
                denied(Code::CriticalPort, None, because, edits)
            }
            _ if !named_well => {
                let because = "Its manifest keeps to other ports (ports under [server])".to_owned();
                denied(Code::PolicyDeny, None, because, edits)
            }
            _ => Ok(()),
        }
    }

    /// What it takes to be connected to at an address of this machine.
    fn to_listen(&self, local: SocketAddr) -> Capability {
        let address = local.ip();
        let outside = self.surroundings.classify_from_outside(address).class;
        if !address.is_unspecified() && outside == Class::Internet {
            return Capability::InternetClientServer;
        }
        // Of several that would do, the one that opens less.
        let private = Capability::PrivateNetworkClientServer;
        match self.withheld(private) {
            Some(_) => Capability::InternetClientServer,
            None => private,
        }
    }

    fn inbound(
        &self,
        doing: String,
        address: SocketAddr,
        classified: Option<Classified>,
        (code, missing): (Code, Option<Capability>),
        because: String,
        edits: Vec<Edit>,
    ) -> Denied {
        Denied::new(Inner {
            app: self.manifest.app().to_owned(),
            doing,
            code,
            address: Some(address),
            classified,
            missing,
            because,
            fix: Fix::of(edits),
        })
    }
}
