//! Check 52: adding exactly the lines that an error advises makes the attempt succeed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use proptest::prelude::*;
use towline_isolate::{Denied, Fix, Layer, Level, Manifest, Policy, Protocol, Target};

use super::layers::{exempting, manifest};
use super::surroundings;

/// Adds a line to a file as somebody would who was told to.
fn edit(text: &str, section: &str, line: &str) -> String {
    if let Some(element) = section.strip_prefix('<') {
        let element = element.trim_end_matches('>');
        let open = format!("<{element}>");
        if text.contains(&open) {
            return text.replacen(&open, &format!("{open}{line}"), 1);
        }
        let end = text.rfind("</").expect("it ends");
        return format!("{}{open}{line}</{element}>{}", &text[..end], &text[end..]);
    }
    let key = line.split(" =").next().expect("it has a key");
    let mut lines: Vec<&str> = text.lines().collect();
    match lines.iter().position(|known| *known == section) {
        None => lines.extend([section, line]),
        Some(header) => {
            let end = lines[header + 1..].iter().position(|line| line.starts_with('['));
            let own = header + 1..end.map_or(lines.len(), |end| header + 1 + end);
            let is_key = |known: &&str| known.split(" =").next() == Some(key);
            match lines[own.clone()].iter().position(is_key) {
                Some(place) => lines[own.start + place] = line,
                None => lines.insert(own.start, line),
            }
        }
    }
    lines.join("\n")
}

#[derive(Debug)]
struct Files {
    manifest: String,
    machine: String,
}

impl Files {
    fn policy(&self) -> Policy {
        let manifest = Manifest::parse("manifest", self.manifest.as_bytes()).expect(&self.manifest);
        let machine =
            Layer::parse(Level::Machine, "policy", self.machine.as_bytes()).expect(&self.machine);
        Policy::layered(manifest, &machine, &Layer::default()).within(surroundings())
    }

    fn follow(&mut self, fix: &Fix) {
        for advised in fix.edits() {
            let file = match advised.target {
                Target::MachinePolicy => &mut self.machine,
                _ => &mut self.manifest,
            };
            *file = edit(file, &advised.section, &advised.line);
        }
    }

    /// Whether it works once what it advises was done; what cannot be helped is left alone.
    fn check(
        &mut self,
        what: &str,
        judge: impl Fn(&Policy) -> Result<(), Denied>,
    ) -> Result<(), TestCaseError> {
        let Err(denied) = judge(&self.policy()) else { return Ok(()) };
        let Some(fix) = denied.fix() else {
            let helpless = [
                "reserved",
                "policy_deny",
                "metadata",
                "loopback_out",
                "loopback_in",
                "unix_socket",
            ];
            prop_assert!(helpless.contains(&denied.code().word()), "{what}: no advice in {denied}");
            return Ok(());
        };
        self.follow(fix);
        if let Err(still) = judge(&self.policy()) {
            prop_assert!(
                false,
                "{what}: advised by {denied}, and still: {still}\n{}\n{}",
                self.manifest,
                self.machine
            );
        }
        Ok(())
    }
}

fn appx() -> impl Strategy<Value = String> {
    let names = &["internetClient", "internetClientServer", "privateNetworkClientServer"][..];
    let prefix = prop::sample::select(vec!["", "x:"]);
    let declared = prop::option::of(prop::sample::subsequence(names, 0..=3));
    (prefix, declared).prop_map(|(p, declared)| {
        let colon = p.trim_end_matches(':');
        let xmlns = if p.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{colon}") };
        let all = declared.map(|names| {
            let all: String = names.iter().map(|name| format!("<{p}Capability Name='{name}'/>")).collect();
            format!("<{p}Capabilities>{all}</{p}Capabilities>")
        });
        format!(
            "<{p}Package {xmlns}='http://schemas.microsoft.com/appx/2010/manifest'><{p}Identity Name='chat'/>{}\
             </{p}Package>",
            all.unwrap_or_default()
        )
    })
}

fn files() -> impl Strategy<Value = Files> {
    let manifest = prop_oneof![manifest().boxed(), appx().boxed()];
    (manifest, exempting()).prop_map(|(manifest, exempt)| Files {
        manifest,
        machine: format!("[apps.chat]\n{exempt}"),
    })
}

fn address() -> impl Strategy<Value = IpAddr> {
    let named = [
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "192.168.7.7",
        "169.254.169.254",
        "10.9.9.9",
        "fd00::1",
        "224.0.0.1",
    ];
    prop_oneof![
        prop::sample::select(named.map(|address| address.parse().unwrap()).to_vec()),
        any::<u32>().prop_map(|bits| Ipv4Addr::from_bits(bits).into()),
        any::<u32>()
            .prop_map(|bits| Ipv6Addr::from_bits(0x64_ff9b << 96 | u128::from(bits)).into()),
        any::<u128>().prop_map(|bits| Ipv6Addr::from_bits(1 << 125 | bits >> 3).into()),
    ]
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![prop::sample::select(vec![80, 443, 5432, 8443]), 1..u16::MAX]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn to_connect(mut files in files(), address in address(), port in port(), udp: bool, named: bool) {
        let to = SocketAddr::new(address, port);
        let protocol = if udp { Protocol::Udp } else { Protocol::Tcp };
        let name = named.then_some("c.example");
        files.check(&to.to_string(), |policy| policy.judge_connect(to, protocol, name).map(drop))?;
    }

    #[test]
    fn to_ping(mut files in files(), address in address()) {
        let to = SocketAddr::new(address, 0);
        files.check(&to.to_string(), |policy| policy.judge_connect(to, Protocol::Icmp, None).map(drop))?;
    }

    #[test]
    fn to_accept(mut files in files(), address in address(), port in port()) {
        let (peer, local) = (SocketAddr::new(address, 40000), ([0, 0, 0, 0], port).into());
        files.check(&peer.to_string(), |policy| policy.judge_accept(peer, local).map(drop))?;
    }

    #[test]
    fn to_listen(mut files in files(), port in port(), any: bool) {
        let address: IpAddr = if any { [0, 0, 0, 0] } else { [127, 0, 0, 1] }.into();
        let local = SocketAddr::new(address, port);
        files.check(&local.to_string(), |policy| policy.judge_listen(local))?;
    }

    #[test]
    fn to_look_up_and_to_use_a_socket(mut files in files()) {
        files.check("a name", |policy| policy.judge_name("c.example"))?;
        files.check("a socket", |policy| policy.judge_unix(b"/run/c \"d\".sock"))?;
    }
}
