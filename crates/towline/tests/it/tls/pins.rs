//! Keys that are pinned.

use towline::CertificateError::{NotPinned, Untrusted};
use towline::{Client, ErrorKind, HResult, Pin, TlsConfig};

use super::authority::{Authority, Identity};
use super::{ignorable, look, trusting};

fn pin_of(identity: &Identity) -> Pin {
    Pin::from_pem(&identity.certificate).unwrap()
}

#[tokio::test]
async fn a_server_without_a_pinned_key_is_refused_whatever_is_ignored() {
    let ours = Authority::new();
    let (one, other) = (ours.issue(&["localhost"]), ours.issue(&["localhost"]));
    look(trusting(&ours).pin(pin_of(&one)), one.tls()).await.unwrap();
    // The one that is used, and the one that comes next.
    let both = trusting(&ours).pin(pin_of(&other)).pin(pin_of(&one));
    let shown = look(both, one.tls()).await.unwrap();
    assert_eq!(shown.certificate().pin(), Some(pin_of(&one)));
    for client in [trusting(&ours), trusting(&ours).ignore_certificate_errors(ignorable())] {
        let error = look(client.pin(pin_of(&one)), other.tls()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Certificate, "{error}");
        assert_eq!(error.peer_certificates().unwrap().errors(), [NotPinned]);
        assert!(error.to_string().contains("pinned"), "{error}");
        assert_eq!(error.hresult(), HResult::SECURITY_PROBLEM);
    }
    // The key of an issuer is not the server's.
    let issuer = Pin::from_pem(ours.pem()).unwrap();
    let client = trusting(&ours).pin(issuer);
    assert!(look(client, one.with(&ours).tls()).await.is_err());
}

#[tokio::test]
async fn a_pin_stays_when_it_is_said_later_whom_to_trust() {
    let ours = Authority::new();
    let (one, other) = (ours.issue(&["localhost"]), ours.issue(&["localhost"]));
    let roots = || TlsConfig::roots_pem(ours.pem()).unwrap();
    let client = || Client::builder().pin(pin_of(&one)).tls(roots());
    look(client(), one.tls()).await.unwrap();
    let error = look(client(), other.tls()).await.unwrap_err();
    assert_eq!(error.peer_certificates().unwrap().errors(), [NotPinned]);
    // What cannot be kept is not forgotten silently.
    let config = super::client_config(&ours, rustls::ALL_VERSIONS);
    let error = client().tls(TlsConfig::from_rustls(config)).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

#[tokio::test]
async fn a_pin_makes_up_for_an_issuer() {
    let itself = Identity::self_signed(&["localhost"], |_| {});
    let nobody = TlsConfig::roots_pem(Authority::new().pem()).unwrap();
    let client = || Client::builder().tls(nobody.clone()).ignore_certificate_errors([Untrusted]);
    let shown = look(client().pin(pin_of(&itself)), itself.tls()).await.unwrap();
    assert_eq!(shown.errors(), [Untrusted]);
    let another = Identity::self_signed(&["localhost"], |_| {});
    let error = look(client().pin(pin_of(&itself)), another.tls()).await.unwrap_err();
    assert!(error.peer_certificates().unwrap().errors().contains(&NotPinned), "{error}");
}

#[test]
fn a_pin_is_read_from_a_key_as_well() {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["a".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let pin = Pin::from_pem(certificate.pem()).unwrap();
    assert_eq!(Pin::from_pem(key.public_key_pem()), Ok(pin));
    assert_eq!(pin.to_string().parse(), Ok(pin));
    assert!(Pin::from_pem("").is_err());
    assert!(Pin::from_pem(key.serialize_pem()).is_err());
}
