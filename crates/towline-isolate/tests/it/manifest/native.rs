//! Manifests of ours.

use towline_isolate::{Capability, Dns, HostRule, Ports};

use super::{parse, refusal, warnings};

const FULL: &str = r#"
[app]
name = "chat"
capabilities = ["internetClient", "privateNetworkClientServer"]

[client]
hosts = ["chat.example.net:443", "*.example.net:443", "10.0.0.0/8", "[2001:db8::1]:8443"]
deny  = ["203.0.113.0/24"]
[server]
ports = [8443, 0x50]
[loopback]
out = [5432]
[unix]
allow = ["$XDG_RUNTIME_DIR/chat.sock"]
[dns]
mode = "names"
names = ["Corp.Example."]
"#;

#[test]
fn every_key_is_read() {
    let manifest = parse(FULL).unwrap();
    assert_eq!(manifest.app(), "chat");
    assert!(manifest.capabilities().has(Capability::PrivateNetworkClientServer));
    let hosts: Vec<String> = manifest.hosts().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        hosts,
        ["chat.example.net:443", "*.example.net:443", "10.0.0.0/8", "[2001:db8::1]:8443"]
    );
    assert_eq!(manifest.deny()[0].to_string(), "203.0.113.0/24");
    assert_eq!(manifest.ports(), Some(&[8443, 80][..]));
    assert_eq!(manifest.loopback_out(), &Ports::These(vec![5432]));
    assert_eq!(manifest.unix_allow(), ["$XDG_RUNTIME_DIR/chat.sock"]);
    assert_eq!(manifest.dns(), &Dns::Names(vec!["corp.example".to_owned()]));
    assert_eq!(warnings(&manifest), [""; 0]);
}

#[test]
fn a_slip_is_refused_with_its_place_and_what_may_be_meant() {
    let cases = [
        (
            "[app]\nname = 'x'\ncapabilites = []",
            "m:3:1: there is no key \"capabilites\" in [app]; did you mean \"capabilities\"?",
        ),
        (
            "[app]\nname = 'x'\n[cleint]",
            "m:3:2: there is no key \"cleint\"; did you mean \"client\"?",
        ),
        (
            "[app]\nname = 'x'\n[client]\nquux = 1",
            "m:4:1: there is no key \"quux\" in [client]; there are hosts, deny",
        ),
        ("app = 1", "m:1:7: app is to be a table"),
        ("[app]\nname = 7", "m:2:8: name in [app] is to be a string"),
        ("[app]", "m:1:2: the app has no name; add name = \"…\" under [app]"),
        (
            "[app]\nname = 'a b'",
            "m:2:8: \"a b\" is no name for an app; use letters, digits, -, _ and .",
        ),
        (
            "[app]\nname = 'x'\n[server]\nports = [70000]",
            "m:4:10: ports in [server] is to be a list of ports from 1 to 65535",
        ),
        (
            "[app]\nname = 'x'\n[client]\ndeny = ['10.0.0.1/8']",
            "m:4:9: \"10.0.0.1/8\" in deny: the address goes on behind the bits that the length keeps",
        ),
        (
            "[app]\nname = 'x'\n[client]\nhosts = ['a:b']",
            "m:4:10: \"a:b\" in hosts: after the colon stands no port: 1 to 65535",
        ),
        (
            "[app]\nname = 'x'\n[dns]\nmode = 'aut'",
            "m:4:8: there is no mode \"aut\"; did you mean \"auto\"?",
        ),
        (
            "[app]\nname = 'x'\n[dns]\nmode = 'names'",
            "m:4:8: the mode is names, and there are none; add names = [\"corp.example\"] under [dns]",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(text), expected);
    }
    assert!(refusal("[app]\nname = 'x'\nname = 'y'").starts_with("m:3:1: duplicate key"));
}

#[test]
fn what_is_odd_is_told() {
    let text = "[app]\nname = 'x'\ncapabilities = ['internetClient', 'internetClientServer', 'webcam']\n\
                [client]\nhosts = ['a', 'a']";
    assert_eq!(
        warnings(&parse(text).unwrap()),
        [
            "line 3, column 17: internetClient says nothing beside internetClientServer, which implies it: \
         remove it",
            "line 3, column 59: \"webcam\" is no capability of the network, so it grants nothing",
            "line 5, column 15: \"a\" stands in hosts before: remove one",
        ]
    );
}

#[test]
fn hosts_are_names_or_addresses() {
    let rule = |text: &str| text.parse::<HostRule>().unwrap();
    assert!(rule("Chat.Example.net").names("chat.example.NET.", 1));
    assert!(!rule("chat.example.net:443").names("chat.example.net", 80));
    assert!(rule("*.example.net").names("a.b.example.net", 80));
    assert!(!rule("*.example.net").names("badexample.net", 80));
    assert!(!rule("*.example.net").names(".example.net", 80));
    assert!(rule("10.0.0.0/8").has("::ffff:10.1.1.1".parse().unwrap(), 80));
    assert!(!rule("[::1]:443").has("::1".parse().unwrap(), 80));
    // What looks like an address and is none, and what no name is.
    for text in ["127.1", "0x7f.0.0.1", "2130706433", "a..b", "", "*", "*.*.a", "a b", "http://a"] {
        assert!(text.parse::<HostRule>().is_err(), "{text}");
    }
}
