//! Who the user is: said by flag, file or environment, and shown nowhere.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use crate::harness::{Folder, Ran, Running, run, towline};

/// Runs the command against a server that asks so whatever is said; and what was said each time.
fn refused(challenge: &'static str, args: &[&str], password: Option<&str>) -> (Ran, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let (sender, said) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let value = head.iter().find_map(|line| line.strip_prefix("Authorization: "));
            sender.send(value.unwrap_or_default().to_owned()).unwrap();
            let answer = format!(
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\n\
                 Content-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let mut command = towline(&[&["connect", &url, "-v"], args].concat());
    if let Some(password) = password {
        command.env("TOWLINE_PASSWORD", password);
    }
    let ran = Running::start(&mut command).wait().ended(22);
    for secret in ["hunter2", "YWRhOmh1bnRlcjI="] {
        assert!(!ran.err.contains(secret) && !ran.out().contains(secret), "{}", ran.err);
    }
    (ran, said.try_iter().collect())
}

/// `ada:hunter2`
const BASIC: &str = "Basic YWRhOmh1bnRlcjI=";

#[test]
fn a_password_comes_from_a_flag_a_file_or_the_environment() {
    let folder = Folder::new();
    let file = format!("@{}", folder.write("who", "ada:hunter2\n"));
    let name = format!("@{}", folder.write("name", "ada\r\n"));
    for (user, password) in [
        ("ada:hunter2", None),
        (&*file, None),
        ("ada", Some("hunter2")),
        (&*name, Some("hunter2")),
        ("ada:hunter2", Some("another")),
    ] {
        let (ran, said) = refused("Basic realm=\"a\"", &["-u", user], password);
        assert_eq!(said, ["", BASIC], "{user}");
        assert!(ran.err.contains("are the user name and password"), "{}", ran.err);
    }
    let (_, said) = refused("Basic realm=\"a\"", &["-u", "ada:"], None);
    assert_eq!(said, ["", "Basic YWRhOg=="]);
}

#[test]
fn schemes_are_chosen_as_with_curl() {
    let both = "Basic realm=\"a\", Digest realm=\"a\", nonce=\"b\", NTLM";
    let with = |args: &[&str]| refused(both, &[&["-u", "ada:hunter2"], args].concat(), None).1;
    assert_eq!(with(&["--basic"]), [BASIC]);
    for args in [&["--digest"][..], &["--anyauth"], &[]] {
        let said = with(args);
        assert!(said.len() == 2 && said[1].starts_with("Digest username=\"ada\""), "{said:?}");
    }
    // The first of its two rounds, which the server does not know what to do with.
    assert!(with(&["--ntlm"])[1].starts_with("NTLM TlRMTVNTUAAB"));
    assert_eq!(with(&["--negotiate"]), [""]);
    let said = refused("Bearer", &["--oauth2-bearer", "hunter2"], None).1;
    assert_eq!(said, ["Bearer hunter2"]);
}

#[test]
fn who_names_nobody_has_a_ticket() {
    // There is none here, or no Kerberos at all; the server is asked once.
    for args in [&["--negotiate"][..], &["--negotiate", "-u", ":"]] {
        let answer =
            b"HTTP/1.1 401 Who?\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n";
        let url = format!("ws://127.0.0.1:{}/", crate::harness::answering(answer));
        let mut command = towline(&[&["connect", &url], args].concat());
        command.env("KRB5CCNAME", "FILE:/no/such/file").env("KRB5_CONFIG", "/dev/null");
        let ran = Running::start(&mut command).wait().ended(22);
        assert!(ran.err.contains("answering 127.0.0.1 by Negotiate: "), "{}", ran.err);
    }
}

#[test]
fn what_cannot_be_meant_is_bad_usage() {
    for args in [
        &["--basic"][..],
        &["-u", "a:b", "--basic", "--digest"],
        &["-u", "a:b", "--oauth2-bearer", "c"],
        &["-u", ":b"],
        &["--oauth2-bearer", "a b"],
        &["--max-redirs", "3"],
        &["--negotiate", "--oauth2-bearer", "a"],
        &["--negotiate", "--ntlm", "-u", "a:b"],
    ] {
        run(&[&["connect", "ws://app.invalid/"], args].concat()).ended(2);
    }
    run(&["connect", "ws://app.invalid/", "-u", "@/no/such/file"]).ended(26);
}

#[test]
fn redirects_are_followed_if_that_is_asked_for() {
    let echo = crate::harness::serve(&["echo"]);
    let answer =
        format!("HTTP/1.1 302 Found\r\nLocation: {}/\r\nContent-Length: 0\r\n\r\n", echo.url);
    let port = crate::harness::answering(answer.leak().as_bytes());
    let url = format!("ws://127.0.0.1:{port}/");
    run(&["connect", &url, "--expect", "0"]).ended(22);
    run(&["connect", &url, "--expect", "0", "--location"]).ended(0);
    run(&["connect", &url, "--expect", "0", "-L", "--max-redirs", "0"]).ended(22);
}
