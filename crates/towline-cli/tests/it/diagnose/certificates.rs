//! Certificates that are not to be trusted, and clients that are not.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber,
    date_time_ymd,
};

use super::{port, told};
use crate::harness::{Folder, Served, answering, serve};

/// An authority of the test's own, and a folder for what it makes.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: Folder,
}

fn named(names: &[&str], name: &str) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2999, 12, 31);
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(&[], name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(authority("Our Authority"), key).unwrap();
        let folder = Folder::new();
        folder.write("ca.pem", issuer.pem());
        Self { issuer, folder }
    }

    fn ca(&self) -> String {
        self.folder.path("ca.pem")
    }

    /// A server with such a certificate.
    fn serve(&self, params: &CertificateParams) -> Served {
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let cert = self.folder.write("cert.pem", cert.pem());
        let key = self.folder.write("key.pem", key.serialize_pem());
        serve(&["echo", "--cert", &cert, "--key", &key])
    }

    /// What is told of that server by one who trusts the authority.
    #[track_caller]
    fn told(&self, name: &str, params: &CertificateParams, more: &[&str]) {
        let echo = self.serve(params);
        let ca = self.ca();
        let args = [&[&*echo.url, "--cacert", &ca], more].concat();
        told(name, &args, 60, &[(port(&echo.url), "PORT")]);
    }
}

fn good() -> CertificateParams {
    named(&["127.0.0.1"], "Chat")
}

#[test]
fn each_error_of_a_certificate_has_its_cure() {
    let ours = Authority::new();
    ours.told("tls-invalid-name", &named(&["chat.example"], "Chat"), &[]);
    let mut params = good();
    params.not_after = date_time_ymd(2021, 1, 1);
    ours.told("tls-expired", &params, &[]);
    params = named(&["*.chat.example"], "Chat");
    params.not_after = date_time_ymd(2021, 1, 1);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    ours.told("tls-three-errors", &params, &[]);
    params = good();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    ours.told("tls-wrong-usage", &params, &[]);
    // RFC 3849
    ours.told("tls-invalid-name-v6", &named(&["2001:db8::1"], "Chat"), &[]);
}

/// What was ignored is no cause of what fails.
#[test]
fn an_error_that_was_ignored_is_not_blamed() {
    let ours = Authority::new();
    let ignored = ["--ignore-certificate-error", "untrusted,incomplete-chain"];
    let key = KeyPair::generate().unwrap();
    let own = ours
        .folder
        .write("own.pem", named(&["chat.example"], "Chat").self_signed(&key).unwrap().pem());
    let own_key = ours.folder.write("own-key.pem", key.serialize_pem());
    let echo = serve(&["echo", "--cert", &own, "--key", &own_key]);
    let args = [&[&*echo.url], &ignored[..]].concat();
    told("tls-ignored", &args, 60, &[(port(&echo.url), "PORT")]);
    // The server asks for a certificate; with TLS 1.2 that fails where the other would.
    let ca = ours.ca();
    let echo = serve(&["echo", "--cert", &own, "--key", &own_key, "--client-cacert", &ca]);
    told(
        "tls-insecure-identity",
        &[&*echo.url, "-k", "--tls-max", "1.2"],
        35,
        &[(port(&echo.url), "PORT")],
    );
}

#[test]
fn a_proxys_certificate_has_its_own_cures() {
    let ours = Authority::new();
    let ca = ours.ca();
    let through = |name: &str, proxy: &str, code| {
        let url = format!("https://127.0.0.1:{}", port(proxy));
        let args = ["ws://chat.example:8080/", "--proxy", &url, "--proxy-cacert", &ca];
        told(name, &args, code, &[(port(proxy), "PORT")]);
    };
    through("proxy-invalid-name", &ours.serve(&named(&["proxy.example"], "Proxy")).url, 60);
    let mut params = good();
    params.not_after = date_time_ymd(2021, 1, 1);
    through("proxy-expired", &ours.serve(&params).url, 60);
    let other = Authority::new();
    through("proxy-other-authority", &other.serve(&named(&["127.0.0.1"], "Proxy")).url, 60);
    // RFC 8446 §6: protocol_version
    let old = answering(b"\x15\x03\x03\x00\x02\x02\x46");
    through("proxy-old", &format!("wss://127.0.0.1:{old}"), 35);
    let key = KeyPair::generate().unwrap();
    let cert = good().signed_by(&key, &ours.issuer).unwrap();
    let cert = ours.folder.write("cert.pem", cert.pem());
    let key = ours.folder.write("key.pem", key.serialize_pem());
    let proxy = serve(&["echo", "--cert", &cert, "--key", &key, "--client-cacert", &ca]);
    through("proxy-identity", &proxy.url, 97);
}

#[test]
fn an_issuer_that_is_not_trusted() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    // Another name: one of the same name would be taken for a forger.
    let key = KeyPair::generate().unwrap();
    let other = CertifiedIssuer::self_signed(authority("Their Authority"), key).unwrap();
    let between = KeyPair::generate().unwrap();
    let between = CertifiedIssuer::signed_by(authority("Between"), between, &other).unwrap();
    let key = KeyPair::generate().unwrap();
    let cert = good().signed_by(&key, &between).unwrap();
    let key = theirs.folder.write("key.pem", key.serialize_pem());
    let ca = ours.ca();
    for (name, chain) in [
        ("tls-untrusted", format!("{}{}{}", cert.pem(), between.pem(), other.pem())),
        ("tls-incomplete", cert.pem()),
    ] {
        let chain = theirs.folder.write(&format!("{name}.pem"), chain);
        let echo = serve(&["echo", "--cert", &chain, "--key", &key]);
        told(name, &[&echo.url, "--cacert", &ca], 60, &[(port(&echo.url), "PORT")]);
    }
    // Who trusts its root, and is not sent what stands between.
    let root = ours.folder.write("other.pem", other.pem());
    let chain = theirs.folder.path("tls-incomplete.pem");
    let echo = serve(&["echo", "--cert", &chain, "--key", &key]);
    told("tls-missing", &[&echo.url, "--cacert", &root], 60, &[(port(&echo.url), "PORT")]);
    let params = good();
    let own = KeyPair::generate().unwrap();
    let cert = ours.folder.write("own.pem", params.self_signed(&own).unwrap().pem());
    let key = ours.folder.write("own-key.pem", own.serialize_pem());
    let echo = serve(&["echo", "--cert", &cert, "--key", &key]);
    told("tls-self-signed", &[&echo.url, "--cacert", &ca], 60, &[(port(&echo.url), "PORT")]);
    // The same name, and another key.
    let echo = theirs.serve(&good());
    told("tls-signature", &[&echo.url, "--cacert", &ca], 60, &[(port(&echo.url), "PORT")]);
}

#[test]
fn a_certificate_that_was_revoked() {
    let ours = Authority::new();
    let mut params = good();
    params.serial_number = Some(SerialNumber::from(7));
    let list = |serials: &[u64]| CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(2999, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: serials
            .iter()
            .map(|serial| RevokedCertParams {
                serial_number: SerialNumber::from(*serial),
                revocation_time: date_time_ymd(2020, 6, 1),
                reason_code: None,
                invalidity_date: None,
            })
            .collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let revoked = list(&[7]).signed_by(&ours.issuer).unwrap().pem().unwrap();
    let revoked = ours.folder.write("revoked.pem", revoked);
    ours.told("tls-revoked", &params, &["--crlfile", &revoked]);
    let key = KeyPair::generate().unwrap();
    let other = CertifiedIssuer::self_signed(authority("Another"), key).unwrap();
    let useless = list(&[]).signed_by(&other).unwrap().pem().unwrap();
    let useless = ours.folder.write("useless.pem", useless);
    ours.told("tls-no-list", &params, &["--crlfile", &useless]);
}

#[test]
fn a_key_that_was_not_pinned() {
    let ours = Authority::new();
    let echo = ours.serve(&good());
    let ca = ours.ca();
    let other = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let args = ["connect", &echo.url, "--cacert", &ca, "-v", "--expect", "0"];
    let seen = crate::harness::run(&args).ended(0).err;
    let pin = seen.lines().find_map(|line| line.strip_prefix("*   key ")).unwrap().to_owned();
    let hidden = [(port(&echo.url), "PORT"), (&*pin, "PIN")];
    told("tls-pin", &[&echo.url, "--cacert", &ca, "--pinnedpubkey", other], 60, &hidden);
}

#[test]
fn a_server_that_wants_to_know_the_client() {
    let ours = Authority::new();
    let key = KeyPair::generate().unwrap();
    let cert = good().signed_by(&key, &ours.issuer).unwrap();
    let cert = ours.folder.write("cert.pem", cert.pem());
    let key = ours.folder.write("key.pem", key.serialize_pem());
    let ca = ours.ca();
    let echo = serve(&["echo", "--cert", &cert, "--key", &key, "--client-cacert", &ca]);
    let hidden = [(port(&echo.url), "PORT")];
    told("tls-identity", &[&echo.url, "--cacert", &ca], 35, &hidden);
    let stranger = KeyPair::generate().unwrap();
    let shown = named(&[], "Stranger").self_signed(&stranger).unwrap();
    let shown = ours.folder.write("stranger.pem", shown.pem());
    let key = ours.folder.write("stranger-key.pem", stranger.serialize_pem());
    let args = [&*echo.url, "--cacert", &ca, "--cert", &shown, "--key", &key];
    told("tls-stranger", &args, 35, &hidden);
}

#[test]
fn a_port_that_does_not_speak_tls() {
    let plain = serve(&["echo"]);
    let url = plain.url.replace("ws:", "wss:");
    told("tls-plain", &[&url], 35, &[(port(&url), "PORT")]);
    // RFC 8446 §6: version 1.2, handshake_failure, no_application_protocol.
    let alerts: [(&str, &'static [u8]); 3] = [
        ("tls-version", b"\x15\x03\x03\x00\x02\x02\x46"),
        ("tls-alpn", b"\x15\x03\x03\x00\x02\x02\x78"),
        ("tls-unknown-name", b"\x15\x03\x03\x00\x02\x02\x70"),
    ];
    for (name, alert) in alerts {
        let port = answering(alert).to_string();
        told(name, &[&format!("wss://127.0.0.1:{port}/")], 35, &[(&port, "PORT")]);
    }
    let port = answering(b"").to_string();
    told("tls-ended", &[&format!("wss://127.0.0.1:{port}/")], 35, &[(&port, "PORT")]);
}

#[test]
fn what_was_let_pass_is_drawn() {
    let ours = Authority::new();
    let echo = ours.serve(&named(&["chat.example"], "Chat"));
    let ca = ours.ca();
    let args = [&*echo.url, "--cacert", &ca, "--ignore-certificate-error", "invalid-name"];
    told("works-tls", &args, 0, &[(port(&echo.url), "PORT")]);
}
