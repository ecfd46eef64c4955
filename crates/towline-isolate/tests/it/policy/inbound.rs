//! Checks 22 to 24, as far as they are decided: who may connect, and where may be listened.

use towline_isolate::Capability::{
    InternetClient, InternetClientServer, PrivateNetworkClientServer,
};
use towline_isolate::{CRITICAL_PORTS, Policy};

use super::{at, code, declaring};

const PEERS: [(&str, &str); 10] = [
    ("8.8.8.8:40000", "internet_client_server"),
    ("[2606:4700::1111]:40000", "internet_client_server"),
    ("[::ffff:8.8.8.8]:40000", "internet_client_server"),
    ("192.168.77.2:40000", "private_network"),
    ("[fd77::2]:40000", "private_network"),
    ("[::ffff:10.9.9.9]:40000", "private_network"),
    ("169.254.169.254:40000", "metadata"),
    ("203.0.113.1:40000", "reserved"),
    ("127.0.0.1:40000", "loopback_in"),
    ("192.168.7.7:40000", "loopback_in"),
];

fn check(policy: &Policy, granted: &[&str]) {
    for (peer, refused) in PEERS {
        let expected = if granted.contains(&refused) { "ok" } else { refused };
        for local in ["0.0.0.0:8443", "[::]:8443"] {
            assert_eq!(code(policy.judge_accept(at(peer), at(local))), expected, "{peer}");
        }
    }
}

#[test]
fn each_capability_lets_its_class_in_and_no_other() {
    check(&declaring(&[]), &[]);
    check(&declaring(&[InternetClient]), &[]);
    check(&declaring(&[InternetClientServer]), &["internet_client_server"]);
    check(&declaring(&[PrivateNetworkClientServer]), &["private_network"]);
}

#[test]
fn the_apps_own_sockets_may_connect_to_it() {
    let policy = declaring(&[]);
    let one = policy.own_listener(at("127.0.0.1:40000"));
    assert_eq!(code(policy.judge_accept(at("127.0.0.1:40000"), at("0.0.0.0:8443"))), "ok");
    let other = code(policy.judge_accept(at("127.0.0.2:40000"), at("0.0.0.0:8443")));
    assert_eq!(other, "loopback_in");
    drop(one);
    let own = policy.own_listener(at("0.0.0.0:40000"));
    check(&policy, &["loopback_in"]);
    drop(own);
    check(&policy, &[]);
}

#[test]
fn to_listen_takes_a_server_capability_but_not_on_loopback() {
    let refused = declaring(&[InternetClient]);
    assert!(!refused.may_listen());
    let listen = |policy: &Policy, local| code(policy.judge_listen(at(local)));
    assert_eq!(listen(&refused, "0.0.0.0:8443"), "private_network");
    assert_eq!(listen(&refused, "0.0.0.0:0"), "private_network");
    assert_eq!(listen(&refused, "[2001:4860::7]:8443"), "internet_client_server");
    assert_eq!(listen(&refused, "192.168.7.7:8443"), "private_network");
    for local in ["127.0.0.1:8443", "[::1]:0", "[::ffff:127.0.0.1]:8443"] {
        assert_eq!(listen(&refused, local), "ok");
    }
    let granted = declaring(&[InternetClientServer]);
    assert!(granted.may_listen());
    assert_eq!(listen(&granted, "0.0.0.0:8443"), "ok");
    let denied = refused.judge_listen(at("0.0.0.0:8443")).unwrap_err();
    assert_eq!(
        denied.to_string(),
        "chat may not listen on 0.0.0.0 port 8443. To be connected to needs privateNetworkClientServer for \
         home and work networks, or internetClientServer for the Internet. Add `capabilities = \
         [\"internetClient\", \"privateNetworkClientServer\"]` under [app]."
    );
}

#[test]
fn critical_ports_are_for_those_whom_manifest_and_machine_name() {
    let granted = declaring(&[PrivateNetworkClientServer]);
    let listen =
        |policy: &Policy, port: u16| code(policy.judge_listen(([0, 0, 0, 0], port).into()));
    for port in [1, 80, 443, 1023].into_iter().chain(CRITICAL_PORTS.map(|(port, _)| port)) {
        assert_eq!(listen(&granted, port), "critical_port", "{port}");
        assert_eq!(
            code(granted.judge_listen(([127, 0, 0, 1], port).into())),
            "critical_port",
            "{port}"
        );
    }
    assert_eq!(listen(&granted, 1024), "ok");
    assert!(CRITICAL_PORTS.is_sorted(), "so that it can be read");
}

#[cfg(feature = "manifest")]
#[test]
fn a_critical_port_that_only_one_of_them_names_is_refused() {
    let app = "[app]\nname = 'chat'\ncapabilities = ['internetClientServer']\n";
    let ports = format!("{app}[server]\nports = [443, 8443]");
    let exempt = "[apps.chat]\ncritical_ports = [443]";
    let listen = |manifest: &str, machine: &str, port: u16| {
        code(super::policy(manifest, machine).judge_listen(([0, 0, 0, 0], port).into()))
    };
    assert_eq!(listen(app, "", 443), "critical_port");
    assert_eq!(listen(&ports, "", 443), "critical_port");
    assert_eq!(listen(app, exempt, 443), "critical_port");
    assert_eq!(listen(&ports, exempt, 443), "ok");
    assert_eq!(listen(&ports, "", 8443), "ok");
    // Named ports are all that it listens on.
    assert_eq!(listen(&ports, "", 9000), "policy_deny");
    assert_eq!(listen(&ports, "critical_ports = [8443]", 8443), "critical_port");
}
