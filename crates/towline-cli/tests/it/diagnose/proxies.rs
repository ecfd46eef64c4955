//! Proxies that do not lead on.

use super::peers::{answers, closed, refuses, serves, stays};
use super::told;
use crate::harness::{Folder, answering, serve};

#[track_caller]
fn through(name: &str, scheme: &str, port: &str, more: &[&str], code: i32) -> String {
    let proxy = format!("{scheme}://127.0.0.1:{port}");
    let args = ["ws://chat.example:8080/", "--proxy", &proxy];
    let shown = told(name, &[&args, more].concat(), code, &[(port, "PORT")]);
    assert!(!shown.contains("hunter2"), "{shown}");
    shown
}

#[test]
fn a_proxy_that_is_not_there() {
    through("proxy-refused", "http", &closed(), &[], 7);
    let args = ["ws://chat.example/", "--proxy", "http://towline.invalid:3128"];
    let ran = crate::harness::run(&[&["diagnose"], &args[..]].concat()).ended(5);
    let told_by_system = ran.out().split_once("looking up towline.invalid: ").unwrap().1;
    let words = told_by_system.split_once("; ").unwrap().0.to_owned();
    told("proxy-unknown", &args, 5, &[(&words, "WHY")]);
}

#[test]
fn a_proxy_that_refuses() {
    let asks = "Proxy-Authenticate: Basic realm=\"x\"\r\n";
    let page = "Content-Type: text/html\r\n";
    for (name, status, headers, body) in [
        ("proxy-407", "407 Who?", asks, ""),
        ("proxy-403", "403 Forbidden", "", ""),
        ("proxy-502", "502 Bad Gateway", "", ""),
        ("proxy-404", "404 Not Found", "", ""),
        ("proxy-page", "200 OK", page, "<html>"),
        ("proxy-302", "302 Found", "Location: http://login.example/\r\n", ""),
    ] {
        through(name, "http", &refuses(status, headers, body), &[], 97);
    }
    let asks = "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\
        Connection: close\r\nContent-Length: 0\r\n\r\n";
    through("proxy-407-wrong", "http", &answers(asks, drop), &["-U", "ada:hunter2"], 97);
}

#[test]
fn a_script_that_does_not_choose() {
    let folder = Folder::new();
    let script =
        folder.write("bad.pac", "function FindProxyForURL(url, host) {\n  return nothing;\n}\n");
    let hidden = [(&*script, "SCRIPT")];
    told("proxy-script", &["ws://chat.example/", "--proxy-pac", &script], 2, &hidden);
    let port = closed();
    let url = format!("http://127.0.0.1:{port}/proxy.pac");
    let hidden = [(&*port, "PORT")];
    told("proxy-no-script", &["ws://chat.example/", "--proxy-pac", &url], 7, &hidden);
    let script = folder.write("gone.pac", format!(
        "function FindProxyForURL(url, host) {{ return 'PROXY 127.0.0.1:{port}; SOCKS5 127.0.0.1:{port}'; }}"
    ));
    let hidden = [(&*script, "SCRIPT"), (&*port, "PORT")];
    told("proxy-script-all-gone", &["ws://chat.example/", "--proxy-pac", &script], 7, &hidden);
}

#[test]
fn a_proxy_that_speaks_another_protocol() {
    through("proxy-no-http", "http", &answering(b"\x05\xff").to_string(), &[], 97);
    through(
        "proxy-no-socks",
        "socks5h",
        &answering(b"HTTP/1.1 400 x\r\n\r\n").to_string(),
        &[],
        97,
    );
    through("proxy-socks-no", "socks5h", &answering(b"\x05\xff").to_string(), &[], 97);
    let takes_not = answering(b"\x05\x02\x01\x01").to_string();
    through("proxy-socks-wrong", "socks5h", &takes_not, &["-U", "ada:hunter2"], 97);
    let refused = answering(b"\x05\x00\x05\x05\x00\x01\0\0\0\0\0\0").to_string();
    through("proxy-socks-refused", "socks5h", &refused, &[], 97);
    through("proxy-silent", "http", &serves(stays), &["--connect-timeout", "300ms"], 28);
}

#[test]
fn a_proxy_over_tls() {
    through("proxy-no-tls", "https", &answering(b"HTTP/1.1 400 x\r\n\r\n").to_string(), &[], 35);
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let cert = folder.write("cert.pem", made.cert.pem());
    let key = folder.write("key.pem", made.signing_key.serialize_pem());
    let proxy = serve(&["echo", "--cert", &cert, "--key", &key]);
    through("proxy-untrusted", "https", super::port(&proxy.url), &[], 60);
}
