//! Addresses, names and TCP.

use super::peers::{closed, stays};
use super::told;
#[cfg(target_os = "linux")]
use crate::harness::Folder;
#[cfg(target_os = "linux")]
use crate::namespace::inside;

#[test]
fn an_address_that_is_none() {
    told("address-http", &["http://127.0.0.1/chat?token=hunter2"], 2, &[]);
    told("address-bare", &["chat.example"], 2, &[]);
    told("address-fragment", &["ws://127.0.0.1/#top"], 2, &[]);
    let shown = told("address-user", &["https://ada:hunter2@chat.example/"], 2, &[]);
    assert!(!shown.contains("hunter2"));
}

#[test]
fn a_name_that_nobody_knows() {
    // Every system, and every network, says it in its own words.
    let ran = crate::harness::run(&["diagnose", "wss://towline.invalid/"]).ended(6);
    let told_by_system = ran.out().split_once("looking up towline.invalid: ").unwrap().1;
    let words = told_by_system.split_once("; ").unwrap().0.to_owned();
    told("name-unknown", &["wss://towline.invalid/"], 6, &[(&words, "WHY")]);
}

#[test]
fn a_name_without_an_address_of_the_family() {
    let args = ["ws://chat.example/", "-6", "--resolve", "chat.example:80:127.0.0.1"];
    told("name-family", &args, 6, &[]);
    told("address-family", &["ws://127.0.0.1/", "-6"], 2, &[]);
    told("proxy-family", &["ws://chat.example/", "-6", "--proxy", "http://127.0.0.1:9"], 2, &[]);
}

#[test]
fn a_port_where_nobody_listens() {
    let port = closed();
    let hidden = [(&*port, "PORT")];
    told("connect-refused", &[&format!("ws://127.0.0.1:{port}/")], 7, &hidden);
    let two = format!("chat.example:{port}:127.0.0.1,127.0.0.2");
    let url = format!("wss://chat.example:{port}/");
    // They are begun a quarter of a second apart, unless the first is refused at once.
    told("connect-refused-twice", &[&url, "--resolve", &two], 7, &hidden);
}

#[test]
fn a_socket_in_the_file_system_where_nobody_listens() {
    let args = ["ws://chat.example/", "--unix-socket", "/nobody/listens"];
    told("connect-unix", &args, 7, &[]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_network_that_leads_nowhere() {
    // TCP has no broadcast.
    told("connect-unreachable", &["ws://255.255.255.255/"], 7, &[]);
}

#[test]
fn an_address_to_connect_from_that_is_not_ours() {
    // RFC 5737
    let port = closed();
    let args = [&*format!("ws://127.0.0.1:{port}/"), "--interface", "192.0.2.77"];
    told("connect-from", &args, 7, &[(&port, "PORT")]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_port_that_drops_what_is_sent() {
    let (port, _waiting, _listening) = super::peers::full();
    let args = [&*format!("ws://127.0.0.1:{port}/"), "--connect-timeout", "300ms"];
    told("connect-dropped", &args, 28, &[(&port, "PORT")]);
}

#[test]
fn silence() {
    let port = super::peers::serves(stays);
    let hidden = [(&*port, "PORT")];
    let limit = ["--connect-timeout", "300ms"];
    let url = format!("ws://127.0.0.1:{port}/");
    told("http-silent", &[&[&*url], &limit[..]].concat(), 28, &hidden);
    let url = format!("wss://127.0.0.1:{port}/");
    told("tls-silent", &[&[&*url], &limit[..]].concat(), 28, &hidden);
}

#[cfg(target_os = "linux")]
#[test]
fn an_interface_that_is_not_there() {
    let port = closed();
    let args = [&*format!("ws://127.0.0.1:{port}/"), "--interface", "nope0"];
    told("connect-interface", &args, 7, &[(&port, "PORT")]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_firewall_of_this_machine() {
    let test = "diagnose::network::a_firewall_of_this_machine";
    // RFC 5737
    if inside(test, &["ip link set lo up", "ip route add prohibit 192.0.2.0/24"]) {
        told("connect-forbidden", &["ws://192.0.2.1/"], 7, &[]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn name_servers_that_do_not_answer() {
    let folder = Folder::new();
    // It takes what it is sent, and never answers.
    let servers = folder.write("resolv.conf", "nameserver 192.0.2.66\noptions timeout:30\n");
    let mount = format!("mount --bind {servers} /etc/resolv.conf");
    let commands = [
        "(ip link add void type dummy 2>/dev/null || ip tuntap add dev void mode tun)",
        "ip link set void up",
        "ip address add 192.0.2.1/24 dev void",
        &mount,
    ];
    if inside("diagnose::network::name_servers_that_do_not_answer", &commands) {
        told("name-silent", &["ws://chat.example/", "--timeout", "300ms"], 28, &[]);
    }
}
