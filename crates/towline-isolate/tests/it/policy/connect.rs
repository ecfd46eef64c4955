//! Checks 12 to 14, as far as they are decided: who may be connected to.

use towline_isolate::Capability::{
    InternetClient, InternetClientServer, PrivateNetworkClientServer,
};
use towline_isolate::{Class, Policy, Protocol};

use super::{at, code, declaring};

/// One of each class, and how each is refused without a capability.
const TARGETS: [(&str, &str); 14] = [
    ("8.8.8.8:443", "internet_client"),
    ("[2606:4700::1111]:443", "internet_client"),
    ("[64:ff9b::808:808]:443", "internet_client"),
    ("10.9.9.9:443", "private_network"),
    ("100.64.0.9:443", "private_network"),
    ("[fd00::1]:443", "private_network"),
    ("[fe80::1]:443", "private_network"),
    ("[64:ff9b::a09:909]:443", "private_network"),
    ("224.0.0.251:5353", "private_network"),
    ("127.0.0.1:5432", "loopback_out"),
    ("0.0.0.0:5432", "loopback_out"),
    ("192.168.7.7:5432", "loopback_out"),
    ("[2002:a9fe:a9fe::1]:80", "metadata"),
    ("198.51.100.1:80", "reserved"),
];

fn check(policy: &Policy, granted: &[&str]) {
    for (target, refused) in TARGETS {
        let expected = if granted.contains(&refused) { "ok" } else { refused };
        for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::Icmp] {
            assert_eq!(
                code(policy.judge_connect(at(target), protocol, None)),
                expected,
                "{target}"
            );
        }
    }
}

#[test]
fn each_capability_reaches_its_class_and_no_other() {
    check(&declaring(&[]), &[]);
    check(&declaring(&[InternetClient]), &["internet_client"]);
    check(&declaring(&[InternetClientServer]), &["internet_client"]);
    check(&declaring(&[PrivateNetworkClientServer]), &["private_network"]);
    let both = [InternetClient, PrivateNetworkClientServer];
    check(&declaring(&both), &["internet_client", "private_network"]);
}

#[test]
fn without_a_manifest_everything_is_permitted() {
    let policy = Policy::allow_all();
    for (target, _) in TARGETS {
        assert!(policy.judge_connect(at(target), Protocol::Tcp, None).is_ok(), "{target}");
        assert!(policy.judge_accept(at(target), at("0.0.0.0:80")).is_ok(), "{target}");
    }
    assert!(policy.judge_listen(at("0.0.0.0:80")).is_ok() && policy.judge_name("a").is_ok());
    assert!(policy.judge_unix(b"/x").is_ok() && policy.may_listen() && policy.reaches_anything());
    drop(policy.own_listener(at("127.0.0.1:80")));
}

#[test]
fn what_the_app_listens_on_it_may_connect_to_as_long_as_it_does() {
    let policy = declaring(&[]);
    let connect = |address| code(policy.judge_connect(at(address), Protocol::Tcp, None));
    let own = policy.own_listener(at("[::]:7000"));
    let again = policy.clone().own_listener(at("127.0.0.1:7000"));
    for address in ["127.0.0.1:7000", "[::1]:7000", "192.168.7.7:7000", "[::ffff:127.0.0.1]:7000"] {
        assert_eq!(connect(address), "ok", "{address}");
    }
    assert_eq!(connect("127.0.0.1:7001"), "loopback_out");
    // It leads elsewhere, whatever the address in it says.
    assert_eq!(connect("[64:ff9b::7f00:1]:7000"), "loopback_out");
    drop(own);
    assert_eq!(connect("127.0.0.1:7000"), "ok");
    // Somebody else may listen on the same port at another address.
    for address in ["127.0.0.2:7000", "[::1]:7000", "192.168.7.7:7000"] {
        assert_eq!(connect(address), "loopback_out", "{address}");
    }
    assert_eq!(connect("0.0.0.0:7000"), "ok");
    drop(again);
    assert_eq!(connect("127.0.0.1:7000"), "loopback_out");
}

#[test]
fn the_sentence_says_what_was_tried_why_not_and_what_to_add() {
    let policy = declaring(&[PrivateNetworkClientServer]);
    let denied =
        policy.judge_connect(at("8.8.8.8:443"), Protocol::Tcp, Some("dns.example")).unwrap_err();
    assert_eq!(
        denied.to_string(),
        "chat may not reach dns.example at 8.8.8.8 port 443 over TCP. That is an Internet address, which \
         needs internetClient; privateNetworkClientServer covers home and work networks alone. Add \
         `capabilities = [\"internetClient\", \"privateNetworkClientServer\"]` under [app]."
    );
    assert_eq!((denied.errno(), denied.neterror_type()), (13, 2));
    assert_eq!(
        (denied.address(), denied.class()),
        (Some(at("8.8.8.8:443")), Some(Class::Internet))
    );
    assert_eq!(denied.missing(), Some(InternetClient));

    let denied = policy.judge_connect(at("[2002:808:808::1]:1"), Protocol::Icmp, None).unwrap_err();
    assert_eq!(
        denied.to_string(),
        "chat may not reach 2002:808:808::1 over ICMP. That is an address of 6to4 (RFC 3056), here the \
         6to4 form of 8.8.8.8, which no capability reaches."
    );
    assert_eq!((denied.fix(), denied.neterror_type()), (None, 0));

    let denied = policy.judge_connect(at("127.0.0.1:5432"), Protocol::Udp, None).unwrap_err();
    assert_eq!(
        denied.to_string(),
        "chat may not reach 127.0.0.1 port 5432 over UDP. That is a loopback address (RFC 1122), where \
         chat does not listen on port 5432 itself; other programs of this machine no capability reaches, \
         only an exemption. Add `out = [5432]` under [loopback], and `loopback_out = [5432]` under \
         [apps.chat] to the machine's policy."
    );
}

#[cfg(feature = "manifest")]
#[test]
fn an_app_may_keep_to_hosts_and_deny_ranges() {
    let manifest = "[app]\nname = 'chat'\ncapabilities = ['internetClient']\n[client]\n\
                    hosts = ['*.example.net:443', '8.8.4.0/24']\ndeny = ['9.9.9.0/24']";
    let policy = super::policy(manifest, "");
    let connect = |address, name| code(policy.judge_connect(at(address), Protocol::Tcp, name));
    assert_eq!(connect("8.8.8.8:443", Some("a.example.net")), "ok");
    assert_eq!(connect("8.8.8.8:443", Some("A.Example.Net.")), "ok");
    assert_eq!(connect("8.8.8.8:80", Some("a.example.net")), "policy_deny");
    assert_eq!(connect("8.8.8.8:443", Some("example.net")), "policy_deny");
    assert_eq!(connect("8.8.8.8:443", None), "policy_deny");
    assert_eq!(connect("8.8.4.4:1", None), "ok");
    // A name does not make a forbidden address good: it may be rebound.
    assert_eq!(connect("10.0.0.1:443", Some("a.example.net")), "private_network");
    assert_eq!(connect("127.0.0.1:443", Some("a.example.net")), "loopback_out");
    assert_eq!(connect("9.9.9.9:443", Some("a.example.net")), "policy_deny");
    assert_eq!(connect("[64:ff9b::909:909]:443", Some("a.example.net")), "policy_deny");
    assert_eq!(code(policy.judge_proxied("a.example.net", 443)), "ok");
    assert_eq!(code(policy.judge_proxied("example.org", 443)), "policy_deny");
    // Who connects by address was told it by the resolver.
    policy.pin("other.example", &["8.8.8.8".parse().unwrap()]);
    assert_eq!(connect("8.8.8.8:443", None), "policy_deny");
    policy.pin("a.example.net", &["8.8.8.8".parse().unwrap()]);
    assert_eq!(connect("8.8.8.8:443", None), "ok");
    assert_eq!(connect("8.8.8.8:80", None), "policy_deny");
}
