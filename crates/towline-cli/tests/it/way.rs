//! How a server is reached: the arguments that say so, and what is told of it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::harness::{Ran, run, serve};

/// Connects to a server of its own by a name that only `--resolve` knows, with more arguments.
fn connect(addresses: &str, args: &[&str]) -> (Ran, String) {
    let echo = serve(&["echo"]);
    let port = echo.url.rsplit(':').next().unwrap().to_owned();
    let resolve = format!("app.invalid:{port}:{addresses}");
    let url = format!("ws://app.invalid:{port}/");
    let all = [&["connect", &url, "-v", "--expect", "0", "--resolve", &resolve], args].concat();
    (run(&all), port)
}

#[test]
fn what_became_of_each_address_is_shown() {
    let (ran, port) = connect("[::1],127.0.0.1", &["--prefer-family", "ipv6"]);
    let ran = ran.ended(0);
    let mut lines = ran.err.lines();
    let tried = lines.next().unwrap();
    assert!(tried.starts_with(&format!("* tried [::1]:{port} after 0 ms for ")), "{}", ran.err);
    let tried = lines.next().unwrap();
    assert!(tried.starts_with(&format!("* tried 127.0.0.1:{port} after ")), "{}", ran.err);
    assert!(tried.ends_with(" ms: connected"), "{}", ran.err);
    assert!(ran.err.contains(&format!("* connected to 127.0.0.1:{port} from 127.0.0.1:")));
    assert!(ran.err.contains(&format!("> host: app.invalid:{port}\n")), "{}", ran.err);
    // If none connects, too.
    let (ran, port) = connect("[::1]", &[]);
    let ran = ran.ended(7);
    assert!(ran.err.starts_with(&format!("* tried [::1]:{port} after 0 ms for ")), "{}", ran.err);
}

#[test]
fn one_family_alone() {
    for args in [&["-4"][..], &["--prefer-family", "ipv4"]] {
        let ran = connect("::1,127.0.0.1", args).0.ended(0);
        assert!(ran.err.starts_with("* connected to 127.0.0.1:"), "{}", ran.err);
    }
    let ran = connect("::1,127.0.0.1", &["-6"]).0.ended(7);
    assert!(!ran.err.contains("127.0.0.1"), "{}", ran.err);
    let ran = connect("127.0.0.1", &["--ipv6"]).0.ended(6);
    assert!(ran.err.contains("the name has no IPv6 address"), "{}", ran.err);
}

#[test]
fn a_port_that_is_not_meant_is_looked_up() {
    let url = "ws://app.invalid:1/";
    run(&["connect", url, "--resolve", "app.invalid:2:127.0.0.1"]).ended(6);
    run(&["connect", url, "--resolve", "app.invalid:*:127.0.0.1"]).ended(7);
}

#[test]
fn there_is_one_limit_on_all_of_it_and_one_for_each_address() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", silent.local_addr().unwrap());
    let begun = Instant::now();
    let ran = run(&["connect", &url, "--connect-timeout", "100ms"]).ended(28);
    assert!(ran.err.contains("did not answer in time"), "{}", ran.err);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    // An address that answers is within its own.
    let more = ["--address-timeout", "20s", "--happy-eyeballs-timeout-ms", "20"];
    connect("127.0.0.1", &more).0.ended(0);
}

#[test]
#[cfg(target_os = "linux")] // elsewhere 127.0.0.2 is not there
fn where_it_comes_from_can_be_chosen() {
    let ran = connect("127.0.0.1", &["--interface", "127.0.0.2", "--interface", "lo"]).0.ended(0);
    assert!(ran.err.contains(" from 127.0.0.2:"), "{}", ran.err);
    let ran = connect("127.0.0.1", &["--interface", "no-such-one"]).0.ended(7);
    assert!(ran.err.contains(": over no-such-one: "), "{}", ran.err);
}

#[test]
#[cfg(unix)]
fn a_socket_in_the_file_system() {
    use std::io::copy;
    use std::os::unix::net::UnixListener;
    use std::thread;

    let echo = serve(&["echo"]);
    let folder = crate::harness::Folder::new();
    let path = folder.path("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let address = echo.url.replace("ws://", "");
    thread::spawn(move || {
        let (mut near, _) = listener.accept().unwrap();
        let mut far = std::net::TcpStream::connect(address).unwrap();
        let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        thread::spawn(move || copy(&mut from, &mut to));
        copy(&mut far, &mut near).ok();
        near.shutdown(std::net::Shutdown::Both).ok();
    });
    let args = ["connect", "ws://app.invalid/", "-v", "--expect", "0", "--unix-socket", &path];
    let ran = run(&args).ended(0);
    assert!(ran.err.contains("> host: app.invalid\n"), "{}", ran.err);
    let absent = folder.path("absent");
    let ran = run(&["connect", "ws://app.invalid/", "--unix-socket", &absent]).ended(7);
    assert!(ran.err.contains(&absent), "{}", ran.err);
}

#[test]
fn what_cannot_be_meant_is_bad_usage() {
    for args in [
        &["-4", "-6"][..],
        &["-4", "--prefer-family", "ipv6"],
        &["--prefer-family", "ipv5"],
        &["--resolve", "app.invalid:80"],
        &["--resolve", "127.0.0.1:80:127.0.0.2"],
        &["--connect-timeout", "0"],
        &["--keepalive-time", "soon"],
        &["--send-buffer", "5000000000"],
    ] {
        run(&[&["connect", "ws://app.invalid/"], args].concat()).ended(2);
    }
}
