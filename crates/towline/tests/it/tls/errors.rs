//! All that is wrong with a server's certificates, and what of it is ignored.

use std::collections::BTreeSet;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, date_time_ymd};
use towline::CertificateError::{
    self, Expired, IncompleteChain, InvalidName, Untrusted, WrongUsage,
};
use towline::{Client, ErrorKind, Severity, Step, TlsConfig, WebErrorStatus};

use super::authority::{Authority, Identity};
use super::{ignorable, look, trusting};

pub(super) fn set(errors: &[CertificateError]) -> BTreeSet<CertificateError> {
    errors.iter().copied().collect()
}

pub(super) fn in_2001(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2002, 1, 1);
}

pub(super) fn of_clients(params: &mut CertificateParams) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
}

/// Servers that this authority's client should not trust without being told to.
pub(super) fn bad(ours: &Authority) -> Vec<(&'static str, Identity, Vec<CertificateError>)> {
    let theirs = Authority::new();
    let between = theirs.delegate("between", |_| {});
    let ours_between = ours.delegate("between", |_| {});
    let ours_expired = ours.delegate("expired", in_2001);
    let none = |_: &mut CertificateParams| {};
    vec![
        ("expired", ours.issue_with(&["localhost"], in_2001), vec![Expired]),
        (
            "too early",
            ours.issue_with(&["localhost"], |params| {
                params.not_before = date_time_ymd(2999, 1, 1);
                params.not_after = date_time_ymd(3000, 1, 1);
            }),
            vec![Expired],
        ),
        ("another name", ours.issue(&["other.example"]), vec![InvalidName]),
        ("no name", ours.issue(&[]), vec![InvalidName]),
        ("another purpose", ours.issue_with(&["localhost"], of_clients), vec![WrongUsage]),
        ("a stranger's", theirs.issue(&["localhost"]), vec![IncompleteChain]),
        ("a stranger's, root and all", theirs.issue(&["localhost"]).with(&theirs), vec![Untrusted]),
        (
            "a stranger's, in full",
            between.issue(&["localhost"]).with(&between).with(&theirs),
            vec![Untrusted],
        ),
        (
            "a stranger's without the root",
            between.issue(&["localhost"]).with(&between),
            vec![IncompleteChain],
        ),
        ("ours without the one between", ours_between.issue(&["localhost"]), vec![IncompleteChain]),
        ("self-signed", Identity::self_signed(&["localhost"], none), vec![Untrusted]),
        (
            // As OpenSSL does it.
            "an issuer's, self-signed",
            Identity::self_signed(&["localhost"], |params| {
                params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            }),
            vec![Untrusted],
        ),
        (
            "an issuer's, self-signed, for another purpose",
            Identity::self_signed(&["localhost"], |params| {
                params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
                of_clients(params);
            }),
            vec![Untrusted, WrongUsage],
        ),
        (
            "an issuer of ours has expired",
            ours_expired
                .issue_with(&["localhost"], |params| params.not_before = date_time_ymd(2001, 6, 1))
                .with(&ours_expired),
            vec![Expired],
        ),
        (
            "everything that can be seen in itself",
            Identity::self_signed(&["other.example"], |params| {
                in_2001(params);
                of_clients(params);
            }),
            vec![Expired, Untrusted, InvalidName, WrongUsage],
        ),
        (
            "everything, a stranger's",
            theirs
                .issue_with(&["other.example"], |params| {
                    in_2001(params);
                    of_clients(params);
                })
                .with(&theirs),
            vec![Expired, Untrusted, InvalidName, WrongUsage],
        ),
    ]
}

fn named(error: CertificateError) -> WebErrorStatus {
    match error {
        Expired => WebErrorStatus::CertificateExpired,
        InvalidName => WebErrorStatus::CertificateCommonNameIsIncorrect,
        _ => WebErrorStatus::CertificateIsInvalid,
    }
}

#[tokio::test]
async fn all_that_is_wrong_is_found_and_has_to_be_ignored() {
    let ours = Authority::new();
    for (what, identity, expected) in bad(&ours) {
        let error = look(trusting(&ours), identity.tls()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Certificate, "{what}: {error}");
        assert_eq!(error.step(), Step::Tls);
        // The Windows Runtime names one of them.
        let status = error.web_error_status();
        assert!(expected.iter().any(|wrong| named(*wrong) == status), "{what}: {status:?}");
        let shown = error.peer_certificates().unwrap();
        assert_eq!(set(shown.errors()), set(&expected), "{what}");
        assert_eq!(shown.severity(), Severity::Ignorable, "{what}");

        let client = trusting(&ours).ignore_certificate_errors(expected.iter().copied());
        let shown = look(client, identity.tls()).await.unwrap();
        assert_eq!(set(shown.errors()), set(&expected), "{what}");

        for left_out in &expected {
            let others = ignorable().filter(|error| error != left_out);
            let client = trusting(&ours).ignore_certificate_errors(others);
            let error = look(client, identity.tls()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Certificate, "{what} without {left_out:?}");
        }
    }
}

#[tokio::test]
async fn nothing_is_wrong_with_a_good_one() {
    let ours = Authority::new();
    let between = ours.delegate("between", |_| {});
    let further = between.delegate("further", |_| {});
    for identity in [
        ours.issue(&["localhost"]),
        between.issue(&["localhost"]).with(&between),
        further.issue(&["localhost"]).with(&further).with(&between),
        // Servers send their roots, and in any order, and others beside.
        further
            .issue(&["localhost"])
            .with(&between)
            .with(&ours)
            .with(&Authority::new())
            .with(&further),
        ours.issue_with(&["*.example", "localhost"], |params| {
            params.extended_key_usages =
                vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        }),
    ] {
        let shown = look(trusting(&ours), identity.tls()).await.unwrap();
        assert_eq!((shown.errors(), shown.severity()), (&[][..], Severity::None));
    }
}

#[tokio::test]
async fn a_root_that_is_the_server_itself_needs_no_chain() {
    for ca in [IsCa::NoCa, IsCa::Ca(rcgen::BasicConstraints::Unconstrained)] {
        let identity = Identity::self_signed(&["localhost"], |params| params.is_ca = ca);
        let roots = TlsConfig::roots_pem(&identity.certificate).unwrap();
        let shown = look(Client::builder().tls(roots), identity.tls()).await.unwrap();
        assert_eq!(shown.errors(), []);
    }
    // It is trusted for nothing else by that.
    let identity = Identity::self_signed(&["other.example"], in_2001);
    let roots = TlsConfig::roots_pem(&identity.certificate).unwrap();
    let error = look(Client::builder().tls(roots), identity.tls()).await.unwrap_err();
    assert_eq!(set(error.peer_certificates().unwrap().errors()), set(&[Expired, InvalidName]));
    // One that is not self-signed can be trusted alone, as well.
    let identity = Authority::new().issue(&["localhost"]);
    let roots = TlsConfig::roots_pem(&identity.certificate).unwrap();
    look(Client::builder().tls(roots), identity.tls()).await.unwrap();
}
