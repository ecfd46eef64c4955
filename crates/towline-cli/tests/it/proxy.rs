//! Proxies: the arguments and variables that name them, and what is told of them.

use std::io::{BufRead, BufReader, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use crate::harness::{Folder, Ran, Running, answering, run, serve, towline};

/// A proxy that wants to know ann by her password and leads any name to this machine; its port.
fn proxy() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || lead_on(stream));
        }
    });
    port
}

fn lead_on(mut near: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(near.try_clone()?).lines();
    loop {
        let mut head = Vec::new();
        loop {
            match lines.next().transpose()? {
                None => return Ok(()),
                Some(line) if line.is_empty() => break,
                Some(line) => head.push(line),
            }
        }
        if !head.iter().any(|line| line == "Proxy-Authorization: Basic YW5uOnMzY3JldA==") {
            near.write_all(
                b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\n\
                  Content-Length: 0\r\n\r\n",
            )?;
            continue;
        }
        let port = head[0].split([' ', ':']).nth(2).unwrap().to_owned();
        let mut far = TcpStream::connect(format!("127.0.0.1:{port}"))?;
        near.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        let (mut from, mut to) = (near.try_clone()?, far.try_clone()?);
        thread::spawn(move || copy(&mut from, &mut to));
        copy(&mut far, &mut near)?;
        return near.shutdown(Shutdown::Both);
    }
}

/// Connects to a server of its own by a name that only the proxy knows.
fn connect(args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let echo = serve(&["echo"]);
    let port = echo.url.rsplit(':').next().unwrap().to_owned();
    let url = format!("ws://app.invalid:{port}/");
    let mut command = towline(&[&["connect", &url, "-v", "--expect", "0"], args].concat());
    command.envs(variables.iter().copied());
    Running::start(&mut command).wait()
}

#[test]
fn a_password_that_is_not_typed_is_in_the_environment() {
    let proxy = format!("http://127.0.0.1:{}", proxy());
    let args = ["--proxy", &proxy, "--proxy-user", "ann"];
    connect(&args, &[("TOWLINE_PROXY_PASSWORD", "s3cret")]).ended(0);
    let ran = connect(&args, &[("TOWLINE_PROXY_PASSWORD", "wrong")]).ended(97);
    assert!(!ran.err.contains("wrong"), "{}", ran.err);
}

#[cfg(not(any(windows, target_os = "macos")))]
#[test]
fn where_the_system_has_no_settings_the_environment_counts() {
    let proxy = format!("http://ann:s3cret@127.0.0.1:{}", proxy());
    let ran = connect(&["--proxy-system"], &[("ws_proxy", &proxy)]).ended(0);
    assert!(ran.err.contains("ws_proxy"), "{}", ran.err);
}

#[test]
fn an_argument_names_the_proxy() {
    let port = proxy();
    let folder = Folder::new();
    let file = folder.write("proxy.pw", "ann:s3cret\nand more\n");
    let (plain, full) =
        (format!("127.0.0.1:{port}"), format!("http://ann:s3cret@127.0.0.1:{port}"));
    for args in [
        &["-x", &*full][..],
        &["--proxy", &plain, "--proxy-user", "ann:s3cret"],
        &["--proxy", &plain, "-U", &format!("@{file}")],
        &["--proxy", &plain, "--proxy-user", "ann:s3cret", "--proxy-basic"],
        &["--proxy", &plain, "--proxy-user", "ann:s3cret", "--proxy-anyauth"],
        &["--proxy", &full, "--preproxy", &full],
    ] {
        let ran = connect(args, &[("ws_proxy", "http://127.0.0.1:1")]).ended(0);
        let line = format!("http://127.0.0.1:{port}: the program says so\n");
        assert!(ran.err.contains(&line), "{}", ran.err);
        assert!(!ran.err.contains("s3cret"), "{}", ran.err);
    }
}

#[test]
fn a_variable_names_the_proxy() {
    let port = proxy();
    let full = format!("http://ann:s3cret@127.0.0.1:{port}");
    let ran = connect(&[], &[("http_proxy", &full)]).ended(0);
    let line = format!("* through http://127.0.0.1:{port}: http_proxy says so\n");
    assert!(ran.err.contains(&line), "{}", ran.err);
    let plain = full.replace("ann:s3cret@", "");
    connect(&["-U", "ann:s3cret"], &[("all_proxy", &plain)]).ended(0);
    // Nor is this machine reached through it, but for --proxy.
    let echo = serve(&["echo"]);
    for (args, through) in [(&[][..], false), (&["-x", &full], true)] {
        let mut command = towline(&[&["connect", &echo.url, "-v", "--expect", "0"], args].concat());
        let ran = Running::start(command.env("http_proxy", &full)).wait().ended(0);
        assert_eq!(ran.err.contains("* through "), through, "{}", ran.err);
    }
    // The name is known to the proxy alone.
    connect(&[], &[("HTTP_PROXY", &full)]).ended(6);
    connect(&[], &[("https_proxy", &full)]).ended(6);
    connect(&[], &[("http_proxy", &full), ("no_proxy", ".invalid")]).ended(6);
    connect(&["--noproxy", "app.invalid"], &[("http_proxy", &full)]).ended(6);
    connect(&["-x", ""], &[("http_proxy", &full)]).ended(6);
    connect(&["--noproxy", ""], &[("http_proxy", &full), ("no_proxy", "*")]).ended(0);
    let ran = connect(&[], &[("http_proxy", "http://ann:s3cret@")]).ended(2);
    assert!(ran.err.contains("reading http_proxy: there is no host"), "{}", ran.err);
    assert!(!ran.err.contains("s3cret"), "{}", ran.err);
}

#[test]
fn what_a_proxy_does_wrong_is_told() {
    let port = proxy();
    let plain = format!("http://127.0.0.1:{port}");
    let ran = connect(&["-x", &plain], &[]).ended(97);
    assert!(ran.err.contains("--proxy-user"), "{}", ran.err);
    let ran = connect(&["-x", &plain, "-U", "ann:wr0ng"], &[]).ended(97);
    assert!(ran.err.contains("does not take that user name and password"), "{}", ran.err);
    assert!(!ran.err.contains("wr0ng"), "{}", ran.err);
    for scheme in ["--proxy-digest", "--proxy-ntlm", "--proxy-negotiate"] {
        let ran = connect(&["-x", &plain, "-U", "ann:s3cret", scheme], &[]).ended(97);
        assert!(ran.err.contains("offers Basic; the proxy wants to know"), "{}", ran.err);
    }
    let port = answering(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let ran = connect(&["-x", &format!("127.0.0.1:{port}")], &[]).ended(97);
    assert!(
        ran.err.contains(&format!("asking the proxy http://127.0.0.1:{port} for app.invalid:"))
    );
    let port = answering(b"\x05\xff");
    connect(&["-x", &format!("socks5h://127.0.0.1:{port}")], &[]).ended(97);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = connect(&["-x", &closed.to_string()], &[]).ended(7);
    assert!(ran.err.contains("reaching the proxy http://"), "{}", ran.err);
    connect(&["-x", "proxy.invalid:3128"], &[]).ended(5);
    // The server's name, which is looked up here.
    let ran = connect(&["-x", &format!("socks5://127.0.0.1:{port}")], &[]).ended(6);
    assert!(ran.err.contains("looking up app.invalid"), "{}", ran.err);
}

#[test]
fn a_script_names_the_proxy() {
    let port = proxy();
    let folder = Folder::new();
    let text = format!(
        "function FindProxyForURL(url, host) {{\n  return host === 'app.invalid' ? \
         'PROXY 127.0.0.1:1; PROXY 127.0.0.1:{port}' : nothing;\n}}"
    );
    let file = folder.write("proxy.pac", &text);
    let answer = format!("HTTP/1.0 200 OK\r\n\r\n{text}").leak().as_bytes();
    let at = format!("http://127.0.0.1:{}/proxy.pac", answering(answer));
    for place in [&*file, &at] {
        let args = ["--proxy-pac", place, "-U", "ann:s3cret"];
        let ran = connect(&args, &[("all_proxy", "127.0.0.1:1")]).ended(0);
        let line = format!("* through http://127.0.0.1:{port}: the script {place} says so\n");
        assert!(ran.err.contains(&line), "{}", ran.err);
    }
    // It is for this machine, too, and it has an error there.
    let ran = run(&["connect", "ws://127.0.0.1:1/", "--proxy-pac", &file]).ended(2);
    let words = format!("running the script {file} for 127.0.0.1: line 2: nothing is not defined");
    assert!(ran.err.contains(&words), "{}", ran.err);
    connect(&["--proxy-pac", "/no/such/file"], &[]).ended(26);
    connect(&["--proxy-pac", "ftp://a.example/"], &[]).ended(2);
    connect(&["--proxy-pac", &file, "--noproxy", "app.invalid"], &[]).ended(6);
}

#[test]
fn who_names_nobody_has_a_ticket() {
    let port = answering(
        b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n",
    );
    let proxy = format!("http://127.0.0.1:{port}");
    for args in [&["--proxy-negotiate"][..], &["--proxy-negotiate", "-U", ":"]] {
        // There is none here, or no Kerberos at all.
        let none = [("KRB5CCNAME", "FILE:/no/such/file"), ("KRB5_CONFIG", "/dev/null")];
        let ran = connect(&[&["-x", &proxy], args].concat(), &none).ended(97);
        assert!(ran.err.contains("answering 127.0.0.1 by Negotiate: "), "{}", ran.err);
    }
}

#[test]
fn what_cannot_be_meant_is_bad_usage() {
    for args in [
        &["-x", "ftp://p.example"][..],
        &["-x", "http://p.example:s3cret"],
        &["--preproxy", "http://p.example"],
        &["-x", "p.example", "-U", "s3cret"],
        &["-x", "p.example", "--proxy-digest"],
        &["-x", "p.example", "--proxy-pac", "http://p.example/proxy.pac"],
        &["-x", "p.example", "--proxy-negotiate", "--proxy-ntlm", "-U", "ann:s3cret"],
        &["-x", "p.example", "-U", "ann:s3cret", "--proxy-digest", "--proxy-ntlm"],
    ] {
        let ran = run(&[&["connect", "ws://app.invalid/"], args].concat()).ended(2);
        assert!(!ran.err.contains("s3cret"), "{}", ran.err);
    }
    run(&["connect", "ws://app.invalid/", "-x", "p", "-U", "@/no/such/file"]).ended(26);
}
