//! Lists of what was revoked.

use rcgen::{BasicConstraints, CertificateParams, IsCa};
use towline::CertificateError::{
    Expired, IncompleteChain, RevocationFailure, RevocationInformationMissing, Revoked, Untrusted,
};
use towline::{Client, ErrorKind, Severity, WebErrorStatus};

use super::authority::{Authority, Identity};
use super::errors::in_2001;
use super::{ignorable, look, trusting};

fn numbered(authority: &Authority, serial: u64) -> Identity {
    authority.issue_with(&["localhost"], |params| params.serial_number = Some(serial.into()))
}

#[tokio::test]
async fn what_was_revoked_is_refused_whatever_is_ignored() {
    let ours = Authority::new();
    let list = ours.crl(&[7, 9], 3000);
    look(trusting(&ours).crls(&list), numbered(&ours, 8).tls()).await.unwrap();
    for client in [trusting(&ours), trusting(&ours).ignore_certificate_errors(ignorable())] {
        let error = look(client.crls(&list), numbered(&ours, 7).tls()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Certificate, "{error}");
        let shown = error.peer_certificates().unwrap();
        assert_eq!((shown.errors(), shown.severity()), (&[Revoked][..], Severity::Fatal));
        assert_eq!(error.web_error_status(), WebErrorStatus::CertificateRevoked);
    }
    // Nobody asks without a list.
    look(trusting(&ours), numbered(&ours, 7).tls()).await.unwrap();
}

#[tokio::test]
async fn an_issuer_that_was_revoked_takes_its_own_with_it() {
    let ours = Authority::new();
    let between = ours.delegate("between", |params| params.serial_number = Some(7_u64.into()));
    let identity = || numbered(&between, 8).with(&between);
    let (of_ours, of_between) = (ours.crl(&[7], 3000), between.crl(&[], 3000));
    let client = trusting(&ours).crls(&of_ours).crls(&of_between);
    let error = look(client, identity().tls()).await.unwrap_err();
    assert_eq!(error.peer_certificates().unwrap().errors(), [Revoked]);
    // Each issuer needs its own list.
    let none = ours.crl(&[], 3000);
    let error = look(trusting(&ours).crls(&none), identity().tls()).await.unwrap_err();
    let errors = error.peer_certificates().unwrap().errors();
    assert_eq!(errors, [RevocationInformationMissing]);
}

#[tokio::test]
async fn a_list_that_is_missing_or_useless_can_be_ignored() {
    let (ours, theirs) = (Authority::named("ours"), Authority::new());
    let namesake = Authority::named("ours");
    for (list, expected) in [
        (theirs.crl(&[], 3000), RevocationInformationMissing),
        (ours.crl(&[], 2021), RevocationFailure),
        (namesake.crl(&[], 3000), RevocationFailure),
    ] {
        let identity = numbered(&ours, 8);
        let error = look(trusting(&ours).crls(&list), identity.tls()).await.unwrap_err();
        let errors = error.peer_certificates().unwrap().errors();
        assert!(errors.contains(&expected), "{errors:?}");
        let ignoring = trusting(&ours).crls(&list).ignore_certificate_errors(ignorable());
        let shown = look(ignoring, identity.tls()).await.unwrap();
        assert!(shown.errors().contains(&expected), "{shown:?}");
    }
    // A useless list hides nothing that a good one says.
    let both = trusting(&ours).crls(namesake.crl(&[], 3000)).crls(ours.crl(&[8], 3000));
    let both = both.ignore_certificate_errors(ignorable());
    let error = look(both, numbered(&ours, 8).tls()).await.unwrap_err();
    assert!(error.peer_certificates().unwrap().errors().contains(&Revoked), "{error}");
    // Old, and revoked all the same.
    let old = trusting(&ours).crls(ours.crl(&[8], 2021)).ignore_certificate_errors(ignorable());
    let error = look(old, numbered(&ours, 8).tls()).await.unwrap_err();
    assert_eq!(error.peer_certificates().unwrap().errors(), [RevocationFailure, Revoked]);
}

#[tokio::test]
async fn what_has_expired_may_have_been_revoked_as_well() {
    let ours = Authority::new();
    let identity = ours.issue_with(&["localhost"], |params: &mut CertificateParams| {
        params.serial_number = Some(7_u64.into());
        in_2001(params);
    });
    let client = trusting(&ours).crls(ours.crl(&[7], 3000));
    let client = client.ignore_certificate_errors(ignorable());
    let error = look(client, identity.tls()).await.unwrap_err();
    assert!(error.peer_certificates().unwrap().errors().contains(&Revoked), "{error}");
}

#[tokio::test]
async fn a_list_that_was_good_when_the_certificate_was_is_no_good_now() {
    let ours = Authority::new();
    let identity = ours.issue_with(&["localhost"], in_2001);
    let client = || trusting(&ours).ignore_certificate_errors([Expired]);
    let shown = look(client().crls(ours.crl(&[7], 3000)), identity.tls()).await.unwrap();
    assert_eq!(shown.errors(), [Expired]);
    let old = client().crls(ours.crl_of(&[7], 2000, 2010));
    let error = look(old, identity.tls()).await.unwrap_err();
    assert_eq!(error.peer_certificates().unwrap().errors(), [Expired, RevocationFailure]);
}

#[tokio::test]
async fn of_several_lists_by_one_issuer_the_newest_counts() {
    let ours = Authority::new();
    let [older, newer] = [ours.crl_of(&[7], 2001, 3000), ours.crl_of(&[7, 8], 2002, 3000)];
    let stale = ours.crl_of(&[], 2000, 2001);
    for lists in [[&older, &newer, &stale], [&newer, &stale, &older], [&stale, &older, &newer]] {
        let client = || lists.iter().fold(trusting(&ours), |client, list| client.crls(list));
        let error = look(client(), numbered(&ours, 8).tls()).await.unwrap_err();
        assert_eq!(error.peer_certificates().unwrap().errors(), [Revoked]);
        look(client(), numbered(&ours, 9).tls()).await.unwrap();
    }
}

#[tokio::test]
async fn what_an_issuer_has_revoked_that_nobody_knows_is_not_known() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let itself = |ca| Identity::self_signed(&["localhost"], |params| params.is_ca = ca);
    let between = theirs.delegate("between", |_| {});
    for (identity, expected) in [
        (theirs.issue(&["localhost"]), IncompleteChain),
        (between.issue(&["localhost"]).with(&between), IncompleteChain),
        (itself(IsCa::NoCa), Untrusted),
        (itself(IsCa::Ca(BasicConstraints::Unconstrained)), Untrusted),
    ] {
        let client = trusting(&ours).crls(ours.crl(&[], 3000)).crls(between.crl(&[], 3000));
        let error = look(client, identity.tls()).await.unwrap_err();
        let errors = error.peer_certificates().unwrap().errors();
        assert_eq!(errors, [expected, RevocationInformationMissing]);
    }
}

#[test]
fn a_list_that_is_none_is_told_as_such() {
    for bad in ["", "garbage", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "\x30"] {
        let error = Client::builder().crls(bad).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("revoked"), "{error}");
    }
}
