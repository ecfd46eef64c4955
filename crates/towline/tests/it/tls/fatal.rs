//! What may never be ignored.

use rcgen::{CertificateParams, CustomExtension, GeneralSubtree, IsCa, NameConstraints};
use rustls::pki_types::CertificateDer;
use towline::CertificateError::{
    self, BasicConstraints, InvalidAuthorityPolicy, InvalidSignature, Other,
    UnknownCriticalExtension, Untrusted,
};
use towline::{Client, ErrorKind, Pin, ServerTls, Severity, TlsConfig, TlsVersion};

use super::authority::{Authority, Identity};
use super::{ignorable, look, trusting};

/// Servers that nobody can be told to trust.
pub(super) fn fatal(ours: &Authority) -> Vec<(&'static str, Identity, CertificateError)> {
    let namesakes = [Authority::named("ours"), Authority::named("ours")];
    let no_issuer = ours.delegate("no issuer", |params| params.is_ca = IsCa::NoCa);
    let short = ours.delegate("short", |params| {
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    });
    let too_long = short.delegate("too long", |_| {});
    let bound = ours.delegate("bound", |params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("example".to_owned())],
            excluded_subtrees: Vec::new(),
        });
    });
    let critical = |params: &mut CertificateParams| {
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    };
    vec![
        ("a namesake's", namesakes[0].issue(&["localhost"]).with(&namesakes[1]), InvalidSignature),
        ("by no issuer", no_issuer.issue(&["localhost"]).with(&no_issuer), BasicConstraints),
        (
            "by one issuer too many",
            too_long.issue(&["localhost"]).with(&too_long).with(&short),
            BasicConstraints,
        ),
        ("by a bound issuer", bound.issue(&["localhost"]).with(&bound), InvalidAuthorityPolicy),
        (
            "with a critical extension",
            ours.issue_with(&["localhost"], critical),
            UnknownCriticalExtension,
        ),
        (
            "an issuer's as a server's",
            ours.issue_with(&["localhost"], |params| {
                params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            }),
            BasicConstraints,
        ),
    ]
}

#[tokio::test]
async fn what_may_never_be_ignored_is_not() {
    let ours = Authority::new();
    for (what, identity, expected) in fatal(&ours) {
        for client in [trusting(&ours), trusting(&ours).ignore_certificate_errors(ignorable())] {
            let error = look(client, identity.unchecked()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Certificate, "{what}: {error}");
            let shown = error.peer_certificates().unwrap();
            assert!(shown.errors().contains(&expected), "{what}: {:?}", shown.errors());
            assert_eq!(shown.severity(), Severity::Fatal, "{what}");
        }
    }
}

#[test]
fn what_may_never_be_ignored_is_refused_when_it_is_set() {
    for error in CertificateError::ALL {
        let client = Client::builder()
            .tls(TlsConfig::roots_pem(Authority::new().pem()).unwrap())
            .ignore_certificate_errors([*error])
            .build();
        match error.severity() {
            Severity::Ignorable => assert!(client.is_ok(), "{error:?}"),
            _ => {
                let told = client.unwrap_err();
                assert_eq!(told.kind(), ErrorKind::InvalidInput, "{told}");
                assert!(told.to_string().contains(error.name()), "{told}");
            }
        }
    }
}

/// Who has seen a certificate can show it; to be its server takes its key.
#[tokio::test]
async fn a_server_without_the_key_of_its_certificate_is_refused() {
    let ours = Authority::new();
    let mut identity = ours.issue(&["localhost"]);
    let pin = Pin::from_pem(&identity.certificate).unwrap();
    identity.key = ours.issue(&["localhost"]).key;
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        for ignored in [Vec::new(), ignorable().collect()] {
            let client = trusting(&ours).max_tls_version(version).pin(pin);
            let client = client.ignore_certificate_errors(ignored);
            let error = look(client, identity.unchecked()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Certificate, "{version}: {error}");
            assert!(error.to_string().contains("BadSignature"), "{version}: {error}");
            // There is nothing wrong with the certificate.
            assert_eq!(error.peer_certificates().unwrap().errors(), []);
        }
    }
}

#[tokio::test]
async fn a_namesake_of_ours_is_a_stranger_if_it_shows_that_it_is_another() {
    let [ours, theirs] = [Authority::named("same"), Authority::named("same")];
    let ignoring = |errors: &[CertificateError]| {
        trusting(&ours).ignore_certificate_errors(errors.iter().copied())
    };
    let in_full = theirs.issue(&["localhost"]).with(&theirs);
    let error = look(ignoring(&[]), in_full.tls()).await.unwrap_err();
    assert_eq!(error.peer_certificates().unwrap().errors(), [Untrusted]);
    look(ignoring(&[Untrusted]), in_full.tls()).await.unwrap();
    // Without its own root, and with ours, its signature is a forged one.
    let everything: Vec<_> = ignorable().collect();
    for forged in [theirs.issue(&["localhost"]), theirs.issue(&["localhost"]).with(&ours)] {
        let error = look(ignoring(&everything), forged.tls()).await.unwrap_err();
        assert_eq!(error.peer_certificates().unwrap().errors(), [InvalidSignature]);
    }
}

#[tokio::test]
async fn bytes_that_are_no_certificate_are_refused() {
    let ours = Authority::new();
    let identity = ours.issue(&["localhost"]);
    for junk in [&b""[..], b"\x30", b"\x30\x80\x00\x00", &[0xff; 60_000], &[0x30; 60_000]] {
        let mut key = identity.certified();
        key.cert = vec![CertificateDer::from(junk.to_vec())];
        let tls = ServerTls::from_rustls(Identity::config_of(key));
        let client = trusting(&ours).ignore_certificate_errors(ignorable());
        let error = look(client, tls).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Certificate | ErrorKind::Tls), "{error}");
        if let Some(shown) = error.peer_certificates() {
            assert_eq!(shown.errors(), [Other]);
            assert_eq!(shown.certificate().subject(), None);
            assert_eq!(shown.certificate().names(), Vec::<String>::new());
            assert_eq!(shown.certificate().pin(), None);
        }
    }
}

#[tokio::test]
async fn a_chain_of_hundreds_takes_no_time() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let identity = theirs.issue(&["localhost"]);
    let mut key = identity.certified();
    let further = CertificateDer::from(theirs.0.der().to_vec());
    key.cert.extend(std::iter::repeat_n(further, 60_000 / theirs.0.der().len()));
    let tls = ServerTls::from_rustls(Identity::config_of(key));
    let begun = std::time::Instant::now();
    let error = look(trusting(&ours), tls).await.unwrap_err();
    assert_eq!(error.peer_certificates().unwrap().errors(), [Untrusted]);
    assert!(begun.elapsed().as_secs() < 10);
}
