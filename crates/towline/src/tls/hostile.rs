//! Certificates that nobody would issue.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::KeyUsage;

use super::chain::Chain;
use super::crls::Lists;
use super::examiner::Examiner;
use super::provider::provider;
use crate::certificate::{Certificate, CertificateError, Severity};

/// An authority, one between, and a server's certificate.
fn chain() -> [CertificateDer<'static>; 3] {
    let ca = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        (params, KeyPair::generate().unwrap())
    };
    let (params, key) = ca("root");
    let root = CertifiedIssuer::self_signed(params, key).unwrap();
    let (params, key) = ca("between");
    let between = CertifiedIssuer::signed_by(params, key, &root).unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = params.signed_by(&KeyPair::generate().unwrap(), &between).unwrap();
    [root.der().clone(), between.der().clone(), leaf.der().clone()]
}

fn examiner(root: &CertificateDer<'static>) -> Examiner {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let algorithms = provider().signature_verification_algorithms;
    Examiner::new(roots, vec![root.clone()], Lists::default(), KeyUsage::server_auth(), algorithms)
}

/// Reads all that can be read.
fn read(der: &CertificateDer<'_>) {
    let shown = Certificate::new(der);
    drop((shown.subject(), shown.issuer(), shown.names(), shown.serial_number()));
    let _ = (shown.valid_from(), shown.valid_to(), shown.fingerprint(), shown.pin());
    drop(format!("{shown:?}"));
}

#[test]
fn no_byte_that_is_changed_goes_through_or_panics() {
    let [root, between, leaf] = chain();
    let (ours, theirs) = (examiner(&root), examiner(&chain()[0]));
    let name = ServerName::try_from("localhost").unwrap();
    let now = UnixTime::now();
    let all_is_well = |leaf: &CertificateDer<'_>, between: &CertificateDer<'_>| {
        let intermediates = [between.clone()];
        let chain = Chain { leaf, intermediates: &intermediates };
        // What a stranger finds is seen with the chain's end as root.
        let (strange, _) = theirs.examine(chain, Some(&name), now);
        assert!(strange.errors().next().is_some());
        let (findings, _) = ours.examine(chain, Some(&name), now);
        findings.0.is_empty()
    };
    assert!(all_is_well(&leaf, &between));
    for at in 0..leaf.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = leaf.to_vec();
            changed[at] ^= change;
            let changed = CertificateDer::from(changed);
            read(&changed);
            assert!(!all_is_well(&changed, &between), "byte {at} ^ {change:#x} of the server's");
        }
    }
    for at in 0..between.len() {
        let mut changed = between.to_vec();
        changed[at] ^= 0x01;
        let changed = CertificateDer::from(changed);
        read(&changed);
        assert!(!all_is_well(&leaf, &changed), "byte {at} of its issuer's");
    }
    for len in 0..leaf.len() {
        let cut = CertificateDer::from(&leaf[..len]);
        read(&cut);
        assert!(!all_is_well(&cut, &between), "{len} bytes");
    }
}

#[test]
fn a_signature_that_was_changed_can_never_be_ignored() {
    let [root, between, leaf] = chain();
    let mut changed = leaf.to_vec();
    // The signature comes last, and its last byte is one of an integer.
    *changed.last_mut().unwrap() ^= 1;
    let changed = CertificateDer::from(changed);
    for trusted in [root.clone(), chain()[0].clone()] {
        let intermediates = [between.clone(), root.clone()];
        let chain = Chain { leaf: &changed, intermediates: &intermediates };
        let (findings, _) = examiner(&trusted).examine(chain, None, UnixTime::now());
        assert!(findings.has(CertificateError::InvalidSignature), "{findings:?}");
        let ignorable: Vec<_> = CertificateError::ALL
            .iter()
            .copied()
            .filter(|error| error.severity() == Severity::Ignorable)
            .collect();
        assert!(findings.refuse(&ignorable).is_err());
    }
}

#[test]
fn what_has_signed_itself_has_to_have_done_so() {
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = is_ca;
        let itself = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let mut changed = itself.der().to_vec();
        *changed.last_mut().unwrap() ^= 1;
        let changed = CertificateDer::from(changed);
        for (leaf, expected) in [(itself.der(), false), (&changed, true)] {
            let shown = Chain { leaf, intermediates: &[] };
            let (findings, _) = examiner(&chain()[0]).examine(shown, None, UnixTime::now());
            assert!(findings.has(CertificateError::Untrusted), "{findings:?}");
            let forged = findings.has(CertificateError::InvalidSignature);
            assert_eq!(forged, expected, "{findings:?}");
        }
    }
}

#[test]
fn issuers_that_answer_for_each_other_in_a_circle_come_to_an_end() {
    let named = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let (key_a, key_b) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let by = |name, key| rcgen::Issuer::new(named(name), key);
    let a = named("a").signed_by(&key_a, &by("b", &key_b)).unwrap();
    let b = named("b").signed_by(&key_b, &by("a", &key_a)).unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = params.signed_by(&KeyPair::generate().unwrap(), &by("a", &key_a)).unwrap();
    let intermediates = [a.der().clone(), b.der().clone()];
    let shown = Chain { leaf: leaf.der(), intermediates: &intermediates };
    let (findings, _) = examiner(&chain()[0]).examine(shown, None, UnixTime::now());
    assert!(findings.has(CertificateError::IncompleteChain), "{findings:?}");
}

/// Each may be the issuer of each: the ways through them are more than anybody can go.
#[test]
fn a_heap_of_namesakes_takes_no_time() {
    let named = |name: &str| {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let by = || rcgen::Issuer::new(named("same"), KeyPair::generate().unwrap());
    let one = |params: CertificateParams| {
        params.signed_by(&KeyPair::generate().unwrap(), &by()).unwrap().der().clone()
    };
    let heap: Vec<_> = (0..200).map(|_| one(named("same"))).collect();
    let leaf = one(CertificateParams::new(vec!["localhost".to_owned()]).unwrap());
    let [root, ..] = chain();
    let begun = std::time::Instant::now();
    let chain = Chain { leaf: &leaf, intermediates: &heap };
    let (findings, _) = examiner(&root).examine(chain, None, UnixTime::now());
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    assert!(findings.errors().next().is_some());
}
