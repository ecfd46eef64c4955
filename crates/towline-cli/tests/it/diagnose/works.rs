//! Connections that work, and what was to be seen on the way.

use super::peers::{OPEN, answers, stays};
use super::{port, told};
use crate::harness::{run, serve};

#[test]
fn nothing_is_wrong() {
    let echo = serve(&["echo", "--deflate"]);
    let hidden = [(port(&echo.url), "PORT")];
    told("works", &[&echo.url], 0, &hidden);
    told("works-deflate", &[&echo.url, "--deflate"], 0, &hidden);
    // One of two addresses is dead.
    let port = port(&echo.url);
    let two = format!("chat.example:{port}:127.0.0.2,127.0.0.1");
    told("works-name", &[&format!("ws://chat.example:{port}/"), "--resolve", &two], 0, &hidden);
}

#[test]
fn a_redirect_is_a_step() {
    let echo = serve(&["echo"]);
    let moved =
        format!("HTTP/1.1 302 Found\r\nLocation: {}/\r\nContent-Length: 0\r\n\r\n", echo.url);
    let start = answers(moved, stays);
    let hidden = [(&*start, "PORT-1"), (port(&echo.url), "PORT-2")];
    told("works-redirect", &[&format!("ws://127.0.0.1:{start}/"), "-L"], 0, &hidden);
}

#[test]
fn secrets_are_not_shown() {
    let port = answers(OPEN.replace("\r\n\r\n", "\r\nSet-Cookie: id=hunter2\r\n\r\n"), stays);
    let url = format!("ws://ada:hunter2@127.0.0.1:{port}/?token=hunter2");
    let more = [
        "-H",
        "Cookie: id=hunter2",
        "-H",
        "X-Api-Key: hunter2",
        "-H",
        "X-Room: hunter2",
        "--timeout",
        "100ms",
    ];
    let ran = run(&[&["diagnose", &url], &more[..]].concat()).ended(28);
    assert!(!ran.out().contains("hunter2"), "{}", ran.out());
    assert!(ran.out().contains("set-cookie: [not shown]"), "{}", ran.out());
    let ran = run(&[&["diagnose", "--json", &url], &more[..]].concat()).ended(28);
    assert!(!ran.out().contains("hunter2"), "{}", ran.out());
}

/// Neither in the answer's header nor in what is said of it.
#[test]
fn what_a_redirect_holds_is_not_shown() {
    for to in [
        "https://idp.example/login?token=hunter2",
        "https://idp.example/login#token=hunter2",
        "wss://ann:hunter2@idp.example/login",
    ] {
        let headers = format!("Location: {to}\r\nLink: <{to}>; rel=next\r\n");
        let url = format!("ws://127.0.0.1:{}/", super::peers::refuses("302 x", &headers, ""));
        for more in [&[][..], &["--json"], &["-L"]] {
            let ran = run(
                &[&["diagnose", &url, "--resolve", "idp.example:443:127.0.0.1"], more].concat()
            );
            assert!(ran.out().contains("< location: "), "{}", ran.out());
            assert!(!ran.out().contains("hunter2"), "{to}, {more:?}: {}", ran.out());
        }
    }
}

#[test]
fn machines_read_it_too() {
    let port = super::peers::refuses("404 Not Found", "", "");
    let ran = run(&["diagnose", "--json", &format!("ws://127.0.0.1:{port}/")]).ended(22);
    let events: Vec<serde_json::Value> =
        ran.out().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps: Vec<_> = events
        .iter()
        .filter(|event| event["type"] == "step")
        .map(|event| {
            format!("{} {}", event["step"].as_str().unwrap(), event["state"].as_str().unwrap())
        })
        .collect();
    let expected = [
        "address ok",
        "route ok",
        "connect ok",
        "http failed",
        "websocket not reached",
        "ping not reached",
    ];
    assert_eq!(steps, expected);
    let http = &events[3];
    assert_eq!(http["status"], 404);
    assert!(http["ms"].as_f64().unwrap() > 0.0);
    let end = events.last().unwrap();
    assert_eq!(
        (&end["ok"], &end["exit"], &end["step"]),
        (&false.into(), &22.into(), &"http".into())
    );
    assert_eq!(end["web_error_status"], "NotFound");
    assert_eq!(end["hresult"], "0x80190194");
    assert!(end["mend"]["flag"].as_str().unwrap().contains("/PATH"));
    assert!(end["causes"].as_array().unwrap().len() > 1);
    let echo = serve(&["echo"]);
    let ran = run(&["diagnose", "--json", &echo.url]).ended(0);
    let end: serde_json::Value = serde_json::from_str(ran.out().lines().last().unwrap()).unwrap();
    assert_eq!((&end["ok"], &end["exit"]), (&true.into(), &0.into()));
}

#[test]
fn machines_are_told_what_is_wrong_with_a_flag() {
    let args = ["diagnose", "--json", "wss://127.0.0.1/", "--cacert", "/no/such/file.pem"];
    let ran = run(&args).ended(26);
    let event: serde_json::Value = serde_json::from_str(ran.out()).unwrap();
    assert_eq!((&event["type"], &event["exit"]), (&"error".into(), &26.into()));
    assert!(ran.err.contains("/no/such/file.pem"), "{}", ran.err);
}
