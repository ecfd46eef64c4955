//! `towline isolate explain`: whether an address may be reached, and why.
//!
//! It asks the same as a connection does, in the same order, so the two never disagree.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use serde_json::{Value, json};
use tokio::net::lookup_host;
use towline::isolation::{Classified, Denied, Fix, Policy, Protocol, Target as File};

use super::target::Target;
use crate::args::ExplainArgs;
use crate::exit::{Code, Failure, Outcome};
use crate::json;

pub(super) async fn run(args: &ExplainArgs) -> Outcome {
    let policy = super::policy(&args.app)?;
    if let Some(path) = args.target.strip_prefix("unix:") {
        return unix(&policy, path, args.json);
    }
    let target = Target::parse(&args.target)?;
    let asked = Asked { policy, target, inbound: args.inbound, json: args.json };
    let addresses = match asked.addresses().await? {
        Ok(addresses) => addresses,
        Err(denied) => {
            asked.show(None, &Err(denied));
            return Err(Failure::new(Code::Denied, ""));
        }
    };
    let mut allowed = false;
    for ip in addresses {
        let judged = asked.judge(ip);
        allowed |= judged.is_ok();
        asked.show(Some(ip), &judged);
    }
    // It has been said why.
    if allowed { Ok(()) } else { Err(Failure::new(Code::Denied, "")) }
}

/// A socket in the file system, which has neither address nor class.
fn unix(policy: &Policy, path: &str, json: bool) -> Outcome {
    let judged = policy.judge_unix(path.as_bytes());
    if json {
        let mut object = json!({
            "v": 1, "type": "explanation", "direction": "out", "path": path, "allowed": judged.is_ok(),
        });
        if let Err(denied) = &judged {
            refused(&mut object, denied);
        }
        json::event(&object);
    } else {
        println!("to the Unix socket {path}");
        verdict(judged.as_ref().err());
    }
    judged.map_err(|_| Failure::new(Code::Denied, ""))
}

struct Asked {
    policy: Policy,
    target: Target,
    inbound: bool,
    json: bool,
}

impl Asked {
    /// The name, if it is one.
    fn name(&self) -> Option<&str> {
        self.target.ip.is_none().then_some(&*self.target.host)
    }

    /// The addresses, or why they are not looked up.
    async fn addresses(&self) -> Outcome<Result<Vec<IpAddr>, Denied>> {
        if let Some(ip) = self.target.ip {
            return Ok(Ok(vec![ip]));
        }
        let host = &self.target.host;
        if let Err(denied) = self.policy.judge_name(host) {
            return Ok(Err(denied));
        }
        let found = lookup_host((host.as_str(), self.target.port)).await;
        let found = found.map_err(|error| {
            Failure::new(
                Code::Resolve,
                format!("looking up {host}: {error}; give its address instead"),
            )
        })?;
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found {
            if !addresses.contains(&address.ip()) {
                addresses.push(address.ip());
            }
        }
        Ok(Ok(addresses))
    }

    fn judge(&self, ip: IpAddr) -> Result<Classified, Denied> {
        let port = self.target.port;
        if !self.inbound {
            return self.policy.judge_connect((ip, port).into(), Protocol::Tcp, self.name());
        }
        // On all addresses, as servers do; who is on this machine may be served on loopback alone.
        let local = match ip.is_loopback() {
            true => ip,
            false => Ipv4Addr::UNSPECIFIED.into(),
        };
        let local = SocketAddr::new(local, port);
        self.policy.judge_listen(local)?;
        // Which port a peer comes from does not matter.
        self.policy.judge_accept((ip, 0).into(), local)
    }

    fn show(&self, ip: Option<IpAddr>, judged: &Result<Classified, Denied>) {
        match self.json {
            true => json::event(&self.object(ip, judged)),
            false => self.print(ip, judged),
        }
    }

    fn print(&self, ip: Option<IpAddr>, judged: &Result<Classified, Denied>) {
        let (arrow, port) = (if self.inbound { "from" } else { "to" }, self.target.port);
        match (self.name(), ip) {
            (Some(name), Some(ip)) => println!("{arrow} {name}, which is {ip}, port {port}"),
            (_, Some(ip)) => println!("{arrow} {ip} port {port}"),
            (_, None) => println!("{arrow} {} port {port}", self.target.host),
        }
        if let Some(ip) = ip {
            let classified = self.policy.classify(ip);
            println!("  class    {}: {classified}", classified.class);
            if let Some(from) = from(ip).filter(|_| !self.inbound) {
                println!("  route    from {from} of this machine");
            }
        }
        verdict(judged.as_ref().err());
    }

    fn object(&self, ip: Option<IpAddr>, judged: &Result<Classified, Denied>) -> Value {
        let classified = ip.map(|ip| self.policy.classify(ip));
        let mut object = json!({
            "v": 1,
            "type": "explanation",
            "direction": if self.inbound { "in" } else { "out" },
            "name": self.name(),
            "address": ip.map(|ip| ip.to_string()),
            "port": self.target.port,
            "class": classified.map(|classified| classified.class.word()),
            "why": classified.map(|classified| classified.why),
            "unwrapped": classified.and_then(|classified| classified.unwrapped).map(|(form, inner)| {
                json!({ "form": form.word(), "address": inner.to_string() })
            }),
            "from": ip.filter(|_| !self.inbound).and_then(from).map(|from| from.to_string()),
            "allowed": judged.is_ok(),
        });
        if let Err(denied) = judged {
            refused(&mut object, denied);
        }
        object
    }
}

/// Why not, and what would mend it.
fn verdict(denied: Option<&Denied>) {
    let Some(denied) = denied else { return println!("  verdict  permitted") };
    println!("  verdict  refused ({}): {denied}", denied.code());
    if denied.fix().is_none() {
        println!("  mend     nothing in its manifest grants this");
    }
    for edit in denied.fix().into_iter().flat_map(Fix::edits) {
        println!("  mend     {} {}: {}", file(edit.target), edit.section, edit.line);
    }
}

/// The same as an object has it.
fn refused(object: &mut Value, denied: &Denied) {
    object["code"] = denied.code().word().into();
    object["missing"] = denied.missing().map(|missing| missing.name()).into();
    object["message"] = denied.to_string().into();
    object["neterror_type"] = denied.neterror_type().into();
    let edits = denied.fix().into_iter().flat_map(Fix::edits).map(
        |edit| json!({ "file": file(edit.target), "section": edit.section, "line": edit.line }),
    );
    object["fix"] = edits.collect::<Vec<_>>().into();
}

fn file(target: File) -> &'static str {
    match target {
        File::MachinePolicy => "machine policy",
        _ => "manifest",
    }
}

/// The address of this machine from which it would go there. Nothing is sent for it.
fn from(ip: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = if ip.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // The port does not matter.
    socket.connect((ip, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
