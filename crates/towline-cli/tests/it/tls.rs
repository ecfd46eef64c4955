//! Whom the command trusts, and who it says it is.

use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::harness::{Folder, Ran, Served, run, serve, towline};

/// A server with a certificate that it has signed itself, for these names.
fn self_signed(names: &[&str], more: &[&str]) -> (Folder, Served) {
    let folder = Folder::new();
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let cert = folder.write("cert.pem", made.cert.pem());
    let key = folder.write("key.pem", made.signing_key.serialize_pem());
    let echo = serve(&[&["echo", "--cert", &cert, "--key", &key], more].concat());
    (folder, echo)
}

fn connect(echo: &Served, args: &[&str]) -> Ran {
    run(&[&["connect", &echo.url, "-v", "--expect", "0"], args].concat())
}

#[test]
fn each_error_has_to_be_named_to_be_ignored() {
    let (folder, echo) = self_signed(&["other.example"], &[]);
    let ran = connect(&echo, &["--cacert", &folder.path("cert.pem")]).ended(60);
    assert!(ran.err.contains("*   invalid-name: it is for another name\n"), "{}", ran.err);
    assert!(!ran.err.contains("untrusted:"), "{}", ran.err);
    // Those that the system trusts are none of ours.
    let nobody = rcgen::generate_simple_self_signed(["nobody".to_owned()]).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "nobody");
    let nobody = folder.write("nobody.pem", params.self_signed(&nobody.signing_key).unwrap().pem());
    let trust = ["--cacert", &*nobody];
    let with = |more: &[&str]| connect(&echo, &[&trust, more].concat());
    let ran = with(&[]).ended(60);
    for shown in ["* certificate for other.example\n", "untrusted: ", "invalid-name: ", "sha256//"]
    {
        assert!(ran.err.contains(shown), "{shown} is not in {}", ran.err);
    }
    with(&["--ignore-certificate-error", "untrusted"]).ended(60);
    with(&["--ignore-certificate-error", "invalid-name"]).ended(60);
    let ran = with(&["--ignore-certificate-error", "untrusted,InvalidName"]).ended(0);
    assert!(ran.err.contains("untrusted: "), "{}", ran.err);
    with(&["-k"]).ended(0);
    with(&["--insecure", "--ca-native"]).ended(0);
    let ran = with(&["--ignore-certificate-error", "revoked"]).ended(2);
    assert!(ran.err.contains("can never be ignored"), "{}", ran.err);
}

#[test]
fn a_pin_is_shown_and_taken() {
    let (folder, echo) = self_signed(&["127.0.0.1"], &[]);
    let shown = connect(&echo, &["-k"]).ended(0).err;
    let pin = shown.lines().find_map(|line| line.strip_prefix("*   key ")).unwrap().to_owned();
    connect(&echo, &["-k", "--pinnedpubkey", &pin]).ended(0);
    connect(&echo, &["-k", "--pinnedpubkey", &folder.path("cert.pem")]).ended(0);
    let other = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    connect(&echo, &["-k", "--pinnedpubkey", &format!("{other};{pin}")]).ended(0);
    let ran = connect(&echo, &["-k", "--pinnedpubkey", other]).ended(60);
    assert!(ran.err.contains("not-pinned: "), "{}", ran.err);
}

#[test]
fn a_server_that_demands_a_certificate_gets_one() {
    let folder = Folder::new();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let people = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["me.example".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "me");
    let me = params.signed_by(&key, &people).unwrap();
    let root = folder.write("people.pem", people.pem());
    let (_server, echo) = self_signed(&["127.0.0.1"], &["--client-cacert", &root]);

    let ran = connect(&echo, &["-k"]).ended(35);
    assert!(ran.err.contains("--cert"), "{}", ran.err);
    let cert = folder.write("me.pem", me.pem());
    let key_file = folder.write("me.key", key.serialize_pem());
    let both = folder.write("both.pem", me.pem() + &key.serialize_pem());
    connect(&echo, &["-k", "--cert", &cert, "--key", &key_file]).ended(0);
    connect(&echo, &["-k", "-E", &both]).ended(0);
    connect(&echo, &["-k", "--cert", &cert]).ended(2);

    let pfx = folder.path("me.pfx");
    let made = Command::new("openssl")
        .args(["pkcs12", "-export", "-passout", "pass:s3cret", "-out", &pfx, "-in", &both])
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        println!("did not run: a certificate from OpenSSL's PKCS#12: there is no openssl here");
        return;
    }
    connect(&echo, &["-k", "--cert", &pfx, "--pass", "s3cret"]).ended(0);
    let pass = folder.write("pass", "s3cret\n");
    connect(&echo, &["-k", "--cert", &pfx, "--pass", &format!("@{pass}")]).ended(0);
    let ran = connect(&echo, &["-k", "--cert", &pfx, "--pass", "s3cre"]).ended(2);
    assert!(ran.err.contains("password") && !ran.err.contains("s3cre"), "{}", ran.err);
}

#[test]
fn versions_and_protocols_are_chosen() {
    let (_folder, echo) = self_signed(&["127.0.0.1"], &[]);
    for (flags, version) in [
        (&["--tls-max", "1.2"][..], "* TLS 1.2\n"),
        (&["--tlsv1.2"], "* TLS 1.3\n"),
        (&["--tlsv1.3"], "* TLS 1.3\n"),
    ] {
        let ran = connect(&echo, &[&["-k"], flags].concat()).ended(0);
        assert!(ran.err.contains(version), "{}", ran.err);
    }
    connect(&echo, &["--tlsv1.3", "--tls-max", "1.2"]).ended(2);
    connect(&echo, &["--alpn", "h2"]).ended(2);
}

#[test]
fn keys_are_logged_where_the_variable_says() {
    let (folder, echo) = self_signed(&["127.0.0.1"], &[]);
    let log = folder.path("keys.log");
    let mut command = towline(&["connect", &echo.url, "-k", "--expect", "0"]);
    assert!(command.env("SSLKEYLOGFILE", &log).status().unwrap().success());
    let logged = std::fs::read_to_string(&log).unwrap();
    assert!(logged.contains("CLIENT_HANDSHAKE_TRAFFIC_SECRET "), "{logged}");
}

#[test]
fn files_that_are_not_right_are_told() {
    let (folder, echo) = self_signed(&["127.0.0.1"], &[]);
    let (absent, junk) = (folder.path("absent"), folder.write("junk", "hello"));
    for flag in ["--cert", "--crlfile", "--pinnedpubkey"] {
        connect(&echo, &[flag, &absent]).ended(26);
        connect(&echo, &[flag, &junk]).ended(2);
    }
}

#[cfg(unix)]
#[test]
fn a_certificate_is_read_anew_at_sighup() {
    let (folder, echo) = self_signed(&["127.0.0.1"], &[]);
    let pin = |folder: &Folder| {
        let pem = std::fs::read(folder.path("cert.pem")).unwrap();
        towline::Pin::from_pem(pem).unwrap().to_string()
    };
    let old = pin(&folder);
    connect(&echo, &["-k", "--pinnedpubkey", &old]).ended(0);
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    folder.write("cert.pem", made.cert.pem());
    folder.write("key.pem", made.signing_key.serialize_pem());
    let new = pin(&folder);
    echo.running.hang_up();
    let begun = std::time::Instant::now();
    while connect(&echo, &["-k", "--pinnedpubkey", &new]).code != Some(0) {
        assert!(begun.elapsed().as_secs() < 60, "it still has the old one");
    }
    // One that cannot be read changes nothing.
    folder.write("cert.pem", "hello");
    echo.running.hang_up();
    connect(&echo, &["-k", "--pinnedpubkey", &new]).ended(0);
}
