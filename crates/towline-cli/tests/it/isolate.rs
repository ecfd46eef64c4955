//! `towline isolate`, and `--manifest` of the commands that connect and listen.

use std::net::TcpListener;

use serde_json::Value;

use crate::harness::{Folder, Ran, run, towline};

/// Declares nothing, and nothing of the machine's or the user's is in the way.
const NOTHING: &str = "[app]\nname = 'chat'";
const CLIENT: &str = "[app]\nname = 'chat'\ncapabilities = ['internetClient']";

fn explain(manifest: &str, target: &str, more: &[&str]) -> (Ran, Value) {
    let args = [&["isolate", "explain", target, "--app", manifest, "--json"], more].concat();
    let ran = run(&args);
    let line =
        ran.out().lines().next().unwrap_or_else(|| panic!("{target}: {}", ran.err)).to_owned();
    let value = serde_json::from_str(&line).expect(&line);
    (ran, value)
}

fn fixture(name: &str) -> String {
    format!("{}/../towline-isolate/tests/data/manifests/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Check 5.
#[test]
fn twins_are_checked_to_the_same_bytes() {
    let check = |name: &str| {
        let ran = run(&["isolate", "check", "--json", &fixture(name)]).ended(0);
        ran.out().to_owned()
    };
    let twin = check("twin.toml");
    assert!(twin.contains("\"family_name\":\"Contoso.Chat_"), "{twin}");
    for name in ["win80", "win81", "phone81", "win10", "odd-prefixes"] {
        assert_eq!(check(&format!("{name}.appxmanifest")), twin, "{name}");
    }
}

#[test]
fn what_is_odd_is_shown_with_its_place() {
    let ran = run(&["isolate", "check", &fixture("redundant.appxmanifest")]).ended(0);
    let out = ran.out();
    assert!(out.contains("declares      internetClientServer\n"), "{out}");
    assert!(out.contains("internet      may be connected to, and may connect\n"), "{out}");
    assert!(out.contains("private       is out of reach\n"), "{out}");
    assert!(out.contains("odd: line 7, column 5: \"internetClientt\" is no capability"), "{out}");
}

#[test]
fn a_manifest_that_cannot_be_read_is_bad_usage() {
    let folder = Folder::new();
    let slip = folder.write("slip.toml", "[app]\nname = 'chat'\n[cleint]\n");
    let expected =
        format!("towline: {slip}:3:2: there is no key \"cleint\"; did you mean \"client\"?\n");
    assert_eq!(run(&["isolate", "check", &slip]).ended(2).err, expected);
    let connected = run(&["connect", "ws://127.0.0.1:1", "--manifest", &slip]).ended(2);
    assert_eq!(connected.err, expected);
    assert_eq!(run(&["echo", "--manifest", &slip]).ended(2).err, expected);
    let gone = run(&["isolate", "check", &folder.path("gone")]).ended(2);
    assert!(gone.err.contains("gone: cannot be read: "), "{}", gone.err);
}

/// Checks 51 and 56: what is explained is what happens, word for word.
#[test]
fn a_connection_is_refused_as_was_explained() {
    let folder = Folder::new();
    let nothing = folder.write("nothing.toml", NOTHING);
    let client = folder.write("client.toml", CLIENT);
    let strict = folder.write(
        "strict.toml",
        format!("{CLIENT}\n[client]\nhosts = ['chat.example:443']\ndeny = ['9.9.9.9']\n[dns]\nmode = 'off'"),
    );
    for (manifest, host, code, class, neterror) in [
        (&nothing, "8.8.8.8:80", "internet_client", "internet", 2),
        (&client, "10.9.9.9:8080", "private_network", "private", 1),
        (&client, "[64:ff9b::a09:909]:8080", "private_network", "private", 1),
        (&client, "127.0.0.1:5432", "loopback_out", "loopback", 0),
        (&client, "[2002:a9fe:a9fe::1]:80", "metadata", "metadata", 0),
        (&client, "198.51.100.1:80", "reserved", "reserved", 0),
        (&strict, "9.9.9.9:443", "policy_deny", "internet", 0),
        (&strict, "8.8.8.8:443", "policy_deny", "internet", 0),
        (&strict, "chat.example:443", "dns_off", "", 0),
    ] {
        let (ran, explained) = explain(manifest, &format!("ws://{host}/"), &[]);
        ran.ended(9);
        assert_eq!(explained["code"], code, "{explained}");
        assert_eq!(explained["class"].as_str().unwrap_or_default(), class, "{explained}");
        assert_eq!(explained["neterror_type"], neterror, "{explained}");
        assert_eq!(explained["allowed"], false);
        let happened = run(&["connect", &format!("ws://{host}/"), "--manifest", manifest]).ended(9);
        let message = explained["message"].as_str().unwrap();
        assert!(happened.err.contains(message), "{} is not {message}", happened.err);
        for fix in explained["fix"].as_array().unwrap() {
            assert!(happened.err.contains(fix["line"].as_str().unwrap()), "{}", happened.err);
        }
    }
}

#[test]
fn a_server_is_refused_as_was_explained() {
    let folder = Folder::new();
    let client = folder.write("client.toml", CLIENT);
    for (peer, listen, code) in [
        ("10.9.9.9:8443", "0.0.0.0:8443", "private_network"),
        ("127.0.0.1:5432", "127.0.0.1:5432", "critical_port"),
    ] {
        let (ran, explained) = explain(&client, peer, &["--in"]);
        ran.ended(9);
        assert_eq!(explained["code"], code, "{explained}");
        let happened = run(&["echo", "--listen", listen, "--manifest", &client]).ended(9);
        let message = explained["message"].as_str().unwrap();
        assert!(happened.err.contains(message), "{} is not {message}", happened.err);
    }
    let server = "[app]\nname = 'chat'\ncapabilities = ['privateNetworkClientServer']";
    let server = folder.write("server.toml", server);
    for (peer, code) in [
        ("10.9.9.9:8443", None),
        ("8.8.8.8:8443", Some("internet_client_server")),
        ("127.0.0.1:8443", Some("loopback_in")),
        ("169.254.169.254:8443", Some("metadata")),
    ] {
        let (ran, explained) = explain(&server, peer, &["--in"]);
        ran.ended(if code.is_some() { 9 } else { 0 });
        assert_eq!(explained["code"].as_str(), code, "{explained}");
    }
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_refused_as_was_explained() {
    let folder = Folder::new();
    let client = folder.write("client.toml", CLIENT);
    let (ran, explained) = explain(&client, "unix:/run/other.sock", &[]);
    ran.ended(9);
    assert_eq!(explained["code"], "unix_socket");
    let args =
        ["connect", "ws://localhost/", "--unix-socket", "/run/other.sock", "--manifest", &client];
    let happened = run(&args).ended(9);
    assert!(happened.err.contains(explained["message"].as_str().unwrap()), "{}", happened.err);
}

/// Check 46: every spelling of an address is the same address, or none at all.
#[test]
fn spellings_of_an_address_do_not_matter() {
    let folder = Folder::new();
    let client = folder.write("client.toml", CLIENT);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "127.1",
        "0",
        "[::]",
        "[::ffff:7f00:1]",
        "127.0.0.1.",
        "①②⑦.0.0.1",
        "[::1%25lo]",
        "localhost",
    ] {
        let url = format!("ws://{host}:{port}/");
        let ran = run(&["connect", &url, "--manifest", &client]);
        // 2 is what is no address, 6 what no name server knows.
        assert!(matches!(ran.code, Some(2 | 6 | 9)), "{url}: {:?} {}", ran.code, ran.err);
        let visit = listener.accept();
        assert!(visit.is_err(), "{url} got there");
    }
    // The control.
    run(&["connect", &format!("ws://127.0.0.1:{port}/"), "--connect-timeout", "200ms"]);
    listener.accept().expect("without a manifest it gets there");
}

#[test]
fn it_is_explained_in_words() {
    let folder = Folder::new();
    let client = folder.write("client.toml", CLIENT);
    let explain = |target: &str, code| {
        run(&["isolate", "explain", target, "--app", &client]).ended(code).out().to_owned()
    };
    let refused = explain("64:ff9b::a09:909", 9);
    assert!(refused.starts_with("to 64:ff9b::a09:909 port 443\n  class    private: the NAT64 form of 10.9.9.9, a private address (RFC 1918)\n"), "{refused}");
    assert!(
        refused.contains("\n  verdict  refused (private_network): chat may not reach"),
        "{refused}"
    );
    assert!(refused.ends_with("\n  mend     manifest [app]: capabilities = [\"internetClient\", \"privateNetworkClientServer\"]\n"), "{refused}");
    let permitted = explain("https://8.8.8.8/", 0);
    assert!(permitted.ends_with("\n  verdict  permitted\n"), "{permitted}");
    let never = explain("198.51.100.7", 9);
    assert!(never.ends_with("\n  mend     nothing in its manifest grants this\n"), "{never}");
    let bad = run(&["isolate", "explain", "ftp://a/", "--app", &client]).ended(2);
    assert!(bad.err.contains("\"ftp://a/\" is neither a URL nor a host"), "{}", bad.err);
}

#[test]
fn a_diagnosis_mends_it_by_the_manifest() {
    let folder = Folder::new();
    let client = folder.write("client.toml", CLIENT);
    let out = run(&["diagnose", "ws://10.9.9.9/", "--manifest", &client]).ended(9).out().to_owned();
    assert!(out.contains("What would mend it: add `capabilities = ["), "{out}");
}

#[test]
fn a_users_policy_narrows() {
    let folder = Folder::new();
    let client = folder.write("client.toml", CLIENT);
    std::fs::create_dir(folder.path("towline")).unwrap();
    let policy = folder.write("towline/policy.toml", "deny = ['8.8.8.0/24']");
    let ran = towline(&["isolate", "explain", "8.8.8.8", "--app", &client])
        .env("XDG_CONFIG_HOME", folder.path("."))
        .output()
        .unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(9), "{out}");
    assert!(
        out.contains("refused (policy_deny)") && out.contains("denies 8.8.8.0/24"),
        "{policy}: {out}"
    );
}
