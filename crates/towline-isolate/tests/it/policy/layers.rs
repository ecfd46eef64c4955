//! Check 6: each layer only narrows.

use proptest::prelude::*;
use towline_isolate::{Layer, Level, Manifest, Policy, Protocol};

use super::{at, surroundings};

const TARGETS: [&str; 12] = [
    "8.8.8.8:443",
    "8.8.8.8:8443",
    "[2606:4700::1111]:443",
    "10.9.9.9:443",
    "[fd00::1]:8443",
    "224.0.0.251:5353",
    "127.0.0.1:5432",
    "192.168.7.7:443",
    "169.254.169.254:80",
    "198.51.100.1:80",
    "[64:ff9b::a09:909]:443",
    "[64:ff9b::808:808]:443",
];

/// All that a policy permits of what it is asked here.
fn permitted(policy: &Policy) -> Vec<String> {
    let mut permitted = Vec::new();
    for target in TARGETS {
        for name in [None, Some("a.example.net")] {
            if policy.judge_connect(at(target), Protocol::Tcp, name).is_ok() {
                permitted.push(format!("connect {target} {name:?}"));
            }
        }
        for local in ["0.0.0.0:443", "0.0.0.0:8443"] {
            if policy.judge_accept(at(target), at(local)).is_ok() {
                permitted.push(format!("accept {target} {local}"));
            }
        }
        if policy.judge_listen(at(target)).is_ok() {
            permitted.push(format!("listen {target}"));
        }
    }
    for name in ["a.example.net", "b.example"] {
        if policy.judge_name(name).is_ok() {
            permitted.push(format!("name {name}"));
        }
    }
    permitted
}

fn list(key: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = String> {
    let some = prop::sample::subsequence(values, 0..=values.len());
    prop::option::of(some).prop_map(move |some| match some {
        Some(some) => format!("{key} = [{}]\n", some.join(", ")),
        None => String::new(),
    })
}

const CAPABILITIES: &[&str] =
    &["'internetClient'", "'internetClientServer'", "'privateNetworkClientServer'"];
const RANGES: &[&str] =
    &["'8.8.8.0/24'", "'10.0.0.0/8'", "'127.0.0.0/8'", "'64:ff9b::/96'", "'::/0'"];
const PORTS: &[&str] = &["443", "8443", "5432", "80"];

pub(super) fn manifest() -> impl Strategy<Value = String> {
    let hosts: &[&str] = &["'*.example.net:443'", "'8.8.8.8'", "'10.0.0.0/8'", "'b.example:80'"];
    let names: &[&str] = &["'example.net'", "'b.example'"];
    let parts = (
        list("capabilities", CAPABILITIES),
        list("hosts", hosts),
        list("deny", RANGES),
        list("ports", PORTS),
        list("out", PORTS),
        list("names", names),
    );
    parts.prop_map(|(capabilities, hosts, deny, ports, out, names)| {
        format!(
            "[app]\nname = 'chat'\n{capabilities}[client]\n{hosts}{deny}[server]\n{ports}[loopback]\n{out}\
             [dns]\n{names}"
        )
    })
}

/// What narrows.
fn narrowing() -> impl Strategy<Value = String> {
    (list("capabilities", CAPABILITIES), list("deny", RANGES)).prop_map(|(one, other)| one + &other)
}

/// What exempts one app.
pub(super) fn exempting() -> impl Strategy<Value = String> {
    let metadata = prop::bool::ANY.prop_map(|metadata| format!("metadata = {metadata}\n"));
    let lists = (
        list("loopback_out", PORTS),
        list("loopback_in", PORTS),
        list("critical_ports", PORTS),
        metadata,
    );
    lists.prop_map(|(out, inbound, critical, metadata)| out + &inbound + &critical + &metadata)
}

/// Everything that narrows for one or for all, and then the exemptions.
pub(super) fn layer() -> impl Strategy<Value = (String, String)> {
    let parts = (narrowing(), list("critical_ports", PORTS), narrowing(), exempting());
    parts.prop_map(|(all, critical, app, exempt)| {
        (format!("{all}{critical}[apps.chat]\n{app}"), exempt)
    })
}

fn policy(manifest: &str, machine: &str, user: &str) -> Policy {
    let manifest = Manifest::parse("m", manifest.as_bytes()).expect(manifest);
    let machine = Layer::parse(Level::Machine, "machine", machine.as_bytes()).expect(machine);
    let user = Layer::parse(Level::User, "user", user.as_bytes()).expect(user);
    Policy::layered(manifest, &machine, &user).within(surroundings())
}

fn within(narrow: &Policy, wide: &Policy) -> Result<(), TestCaseError> {
    let wide = permitted(wide);
    for one in permitted(narrow) {
        prop_assert!(wide.contains(&one), "only the narrower one permits {one}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_user_widens_the_machines_policy(
        manifest in manifest(),
        (machine, exempt) in layer(),
        (user, user_exempt) in layer(),
    ) {
        let machine = machine + &exempt;
        let without = policy(&manifest, &machine, "");
        within(&policy(&manifest, &machine, &(user + &user_exempt)), &without)?;
    }

    #[test]
    fn a_machines_policy_without_exemptions_only_narrows(
        manifest in manifest(),
        (machine, _) in layer(),
        (user, _) in layer(),
    ) {
        let without = policy(&manifest, "", "");
        within(&policy(&manifest, &machine, ""), &without)?;
        // Where the machine permits exemptions a user may have what the machine could.
        let permits = format!("user_exemptions = true\n{machine}");
        within(&policy(&manifest, &permits, &user), &policy(&manifest, &machine, ""))?;
    }

    #[test]
    fn a_manifest_reaches_no_more_than_its_capabilities(
        manifest in manifest(),
        (machine, _) in layer(),
    ) {
        let head = manifest.split("[client]").next().expect("it begins so");
        let bare = policy(head, "", "");
        // Ports and exemptions have their own tests: this is about what lies beyond this machine.
        let beyond = |policy: &Policy| {
            let all = permitted(policy);
            all.into_iter().filter(|one| !one.starts_with("listen")).collect::<Vec<_>>()
        };
        let wide = beyond(&bare);
        for one in beyond(&policy(&manifest, &machine, "")) {
            prop_assert!(wide.contains(&one), "only the narrower one permits {one}");
        }
    }
}

#[test]
fn exemptions_are_for_loopback_and_need_the_machine() {
    let manifest = "[app]\nname = 'chat'\n[loopback]\nout = [5432]";
    let exempt = "[apps.chat]\nloopback_out = [5432, 6000]\nloopback_in = 'any'";
    let judge = |machine: &str, user: &str, port: u16| {
        let policy = policy(manifest, machine, user);
        policy.judge_connect(([127, 0, 0, 1], port).into(), Protocol::Tcp, None).is_ok()
    };
    assert!(judge(exempt, "", 5432));
    assert!(!judge(exempt, "", 6000), "the manifest does not ask for it");
    assert!(!judge("", exempt, 5432));
    assert!(judge("user_exemptions = true", exempt, 5432));
    assert!(!judge("[apps.other]\nloopback_out = [5432]", "", 5432));
    let policy = policy(manifest, exempt, "");
    assert!(policy.judge_accept(at("127.0.0.1:9"), at("0.0.0.0:8443")).is_ok());
    assert!(policy.may_listen());
}

#[test]
fn an_app_of_windows_is_known_by_its_familys_name_too() {
    let manifest = "<Package xmlns='http://schemas.microsoft.com/appx/2010/manifest'>\
                    <Identity Name='Contoso.Chat' Publisher='CN=Microsoft Corporation, O=Microsoft Corporation, \
                    L=Redmond, S=Washington, C=US'/></Package>";
    let machine = "[apps.\"Contoso.Chat_8wekyb3d8bbwe\"]\nloopback_out = [5432]";
    let policy = policy(manifest, machine, "");
    assert!(policy.judge_connect(at("127.0.0.1:5432"), Protocol::Tcp, None).is_ok());
    assert!(policy.judge_connect(at("127.0.0.1:5433"), Protocol::Tcp, None).is_err());
}

#[test]
fn what_only_the_machine_may_say_is_refused_of_a_user() {
    let user = |text: &str| Layer::parse(Level::User, "user.toml", text.as_bytes());
    for text in [
        "private_ranges = ['8.8.8.0/24']",
        "reserved_as = { '198.51.100.0/24' = 'internet' }",
        "user_exemptions = true",
        "metadata_addresses = ['8.8.8.8']",
    ] {
        let key = text.split(' ').next().unwrap();
        let expected = format!(
            "user.toml:1:1: a user's policy cannot say {key}; it belongs in the machine's policy"
        );
        assert_eq!(user(text).unwrap_err().to_string(), expected);
        assert!(Layer::parse(Level::Machine, "m", text.as_bytes()).is_ok(), "{text}");
    }
}

#[test]
fn slips_in_a_policy_are_refused() {
    let refusal = |text: &str| {
        Layer::parse(Level::Machine, "policy.toml", text.as_bytes()).unwrap_err().to_string()
    };
    let cases = [
        ("denny = []", "policy.toml:1:1: there is no key \"denny\"; did you mean \"deny\"?"),
        (
            "minimum_backend = 'privat'",
            "policy.toml:1:19: \"privat\" is no minimum_backend; did you mean \"private\"?",
        ),
        (
            "nat64_prefixes = ['2001:db8::/60']",
            "policy.toml:1:19: \"2001:db8::/60\" in nat64_prefixes is none; RFC 6052 has prefixes of 32, 40, \
             48, 56, 64 and 96 bits",
        ),
        (
            "[apps.chat]\nloopback = 1",
            "policy.toml:2:1: there is no key \"loopback\" in [chat]; did you mean \"loopback_in\"?",
        ),
        (
            "[reserved_as]\n'198.51.100.0/24' = 'loopback'",
            "policy.toml:2:21: \"loopback\" is no 198.51.100.0/24; there are private, internet",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(text), expected);
    }
}

#[test]
fn a_whole_machines_policy_is_read() {
    let text = "private_ranges = ['20.0.0.0/8']\nprivate_ranges_authoritative = false\n\
                internet_proxies = ['10.0.0.1']\nintranet_proxies = ['9.9.9.9']\nproxies_authoritative = true\n\
                neutral_domains = ['a.example']\nreserved_as = { '198.51.100.0/24' = 'private' }\n\
                nat64_prefixes = ['2001:db8:64::/96']\nmetadata_addresses = ['20.0.0.254']\n\
                trusted_networks = ['eth0', '30.0.0.0/8']\nuntrusted_lan = 'private'\n\
                user_exemptions = false\nminimum_backend = 'shared'\ncritical_ports = [8443]\n";
    let machine = Layer::parse(Level::Machine, "m", text.as_bytes()).unwrap();
    let warnings: Vec<String> = machine.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "line 5, column 1: proxies_authoritative has no effect: proxies and domains are never looked for here",
            "line 6, column 1: neutral_domains has no effect: proxies and domains are never looked for here",
        ]
    );
    let policy = Policy::layered(Manifest::new("chat"), &machine, &Layer::default());
    assert_eq!(policy.minimum_backend(), Some("shared"));
    for (address, class) in [
        ("20.1.1.1", "private"),
        ("10.0.0.1", "internet"),
        ("9.9.9.9", "private"),
        ("198.51.100.7", "private"),
        ("2001:db8:64::808:808", "internet"),
        ("20.0.0.254", "metadata"),
        ("30.1.1.1", "private"),
    ] {
        assert_eq!(policy.classify(address.parse().unwrap()).class.word(), class, "{address}");
    }
}
