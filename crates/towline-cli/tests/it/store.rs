//! `/upload` and `/download`: never over what is there, never outside the folder.

use std::fs;
use std::thread;

use crate::harness::{Folder, run, run_with, serve};

fn upload(server: &crate::harness::Served, query: &str, content: &[u8]) -> String {
    let url = server.at(&format!("/upload{query}"));
    let ran = run_with(&["connect", &url, "--binary", "--expect", "1"], content).ended(0);
    let (_, rest) = ran.out().split_once(r#""name":""#).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[test]
fn uploads_never_overwrite_each_other() {
    let folder = Folder::new();
    folder.write("film.mkv", "as it was");
    let server = serve(&["serve", "--dir", &folder.path("")]);
    assert_eq!(upload(&server, "?name=film.mkv", b"2"), "film-2.mkv");
    assert_eq!(upload(&server, "?name=film.mkv", b"3"), "film-3.mkv");
    assert_eq!(upload(&server, "", b"1"), "upload");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| upload(&server, "", b"at once"));
        }
    });
    assert_eq!(fs::read_to_string(folder.path("film.mkv")).unwrap(), "as it was");
    let names = ["film-2.mkv", "film-3.mkv", "film.mkv", "upload", "upload-2", "upload-3"];
    assert_eq!(folder.names(), [&names[..], &["upload-4", "upload-5"]].concat());
}

#[test]
fn an_upload_stays_in_the_folder() {
    let outer = Folder::new();
    fs::create_dir(outer.path("shared")).unwrap();
    let server = serve(&["serve", "--dir", &outer.path("shared")]);
    for (query, name) in [
        ("?name=../out", "out"),
        ("?name=..%2f..%2fout2", "out2"),
        ("?name=/etc/out3", "out3"),
        ("?name=..%5Cout4", "out4"),
        ("?name=%2e%2e", "upload"),
        ("?name=.hidden", "hidden"),
    ] {
        assert_eq!(upload(&server, query, b"x"), name);
    }
    assert_eq!(outer.names(), ["shared"]);
}

#[test]
fn a_download_stays_in_the_folder() {
    let outer = Folder::new();
    fs::create_dir_all(outer.path("shared/inner")).unwrap();
    outer.write("secret", "not for you");
    outer.write("shared/.hidden", "not for you either");
    outer.write("shared/two words.txt", "for you");
    outer.write("shared/inner/deep", "for you too");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink("../secret", outer.path("shared/leads out")).unwrap();
        symlink("..", outer.path("shared/up")).unwrap();
        symlink("inner/deep", outer.path("shared/leads in")).unwrap();
    }
    let server = serve(&["serve", "--dir", &outer.path("shared")]);
    let secret = outer.path("secret");
    let mut bad = vec![
        "../secret",
        "..%2fsecret",
        "%2e%2e/secret",
        "%2e%2e%2fsecret",
        "%2E%2E%5Csecret",
        "inner/../../secret",
        "./../secret",
        "/etc/passwd",
        "//etc/passwd",
        "%2fetc%2fpasswd",
        &secret,
        ".hidden",
        "inner",
        "inner/",
        "",
        "absent",
        "two%20words.txt%00",
        "%zz",
        "..%252fsecret",
        "C:%5Csecret",
    ];
    if cfg!(unix) {
        bad.extend(["leads%20out", "up/secret"]);
    }
    for name in bad {
        let request = format!(
            "GET /download/{name} HTTP/1.1\nHost: 127.0.0.1\nConnection: Upgrade\n\
             Upgrade: websocket\nSec-WebSocket-Version: 13\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n"
        );
        let answer = server.http(&request);
        assert!(answer.starts_with("HTTP/1.1 404 "), "{name}: {answer}");
    }
    let mut good = vec![("two%20words.txt", "for you"), ("inner/deep", "for you too")];
    if cfg!(unix) {
        good.push(("leads%20in", "for you too"));
    }
    for (name, content) in good {
        let ran = run(&["recv", &server.at(&format!("/download/{name}")), "-"]).ended(0);
        assert_eq!(ran.out(), content);
    }
}

#[test]
fn half_an_upload_is_removed() {
    let folder = Folder::new();
    let server = serve(&["serve", "--dir", &folder.path("")]);
    let address = server.url.replace("ws://", "");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    use std::io::{Read, Write};
    let request = "GET /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    // 100 bytes are declared and 4 come; a ping would have to wait, so the file's name tells.
    stream.write_all(b"\x82\xe4\0\0\0\0half").unwrap();
    while folder.names().is_empty() {
        thread::yield_now();
    }
    assert!(folder.names()[0].ends_with(".part"));
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    while !folder.names().is_empty() {
        thread::yield_now();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_and_the_server_goes_on() {
    use crate::harness::{Running, bytes};
    use std::process::{Command, Stdio};

    let folder = Folder::new();
    // A limit on the size of files stands for a full disk.
    let script =
        "ulimit -f 1024; trap '' XFSZ; exec \"$0\" serve --listen 127.0.0.1:0 --dir \"$1\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_towline"), &folder.path("")]);
    let mut server = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let url = server.line().replace("listening on ", "") + "/upload";

    let args = ["connect", &url, "--binary", "--expect", "1"];
    let ran = run_with(&args, &bytes(5_000_000)).ended(100);
    assert!(ran.out().starts_with(r#"{"error":"storing the upload: File too large"#));
    assert!(ran.err.contains("1011: the upload was not stored"), "{}", ran.err);
    assert!(folder.names().is_empty(), "{:?}", folder.names());

    assert!(run_with(&args, b"small").ended(0).out().contains(r#""bytes":5"#));
    assert_eq!(folder.names(), ["upload"]);
}
