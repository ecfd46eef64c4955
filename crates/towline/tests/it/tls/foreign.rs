//! Somebody else's verifier.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError as Bad, DigitallySignedStruct, Error, SignatureScheme};
use towline::CertificateError::{Expired, Revoked, WrongUsage};
use towline::{Client, ErrorKind, TlsConfig, TlsVersion};

use super::authority::Authority;
use super::errors::{bad, in_2001, set};
use super::fatal::fatal;
use super::{ignorable, look};

/// As on systems that judge the chain themselves and say one thing that is wrong with it.
#[tokio::test]
async fn a_verifier_of_somebody_elses_is_asked_about_trust_alone() {
    let ours = Authority::new();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(ours.roots().into(), provider);
    let config = TlsConfig::from_verifier(verifier.build().unwrap());
    let client = || Client::builder().tls(config.clone());
    let good = look(client(), ours.issue(&["localhost"]).tls()).await.unwrap();
    assert_eq!(good.errors(), []);
    for (what, identity, expected) in bad(&ours) {
        let error = look(client(), identity.tls()).await.unwrap_err();
        let found = set(error.peer_certificates().unwrap().errors());
        // What it says of these it says before it looks at trust, and is taken at its word.
        if !expected.contains(&WrongUsage)
            && !["no name", "an issuer's, self-signed"].contains(&what)
        {
            assert_eq!(found, set(&expected), "{what}");
        }
        assert!(found.is_superset(&set(&expected)), "{what}: {found:?}");
    }
    for (what, identity, _) in fatal(&ours) {
        let client = client().ignore_certificate_errors(ignorable());
        assert!(look(client, identity.unchecked()).await.is_err(), "{what}");
    }
}

/// Says of a certificate what this does, and of signatures that all are good.
#[derive(Debug)]
struct Says(fn(UnixTime) -> Result<(), Error>);

impl Says {
    fn client(self) -> towline::ClientBuilder {
        let config = TlsConfig::from_verifier(Arc::new(self));
        Client::builder().tls(config).ignore_certificate_errors(ignorable())
    }
}

impl ServerCertVerifier for Says {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0(now).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

#[tokio::test]
async fn its_second_answer_tells_what_the_first_one_hid() {
    let ours = Authority::new();
    let identity = ours.issue_with(&["localhost"], in_2001).with(&ours);
    // 2003 in seconds since 1970.
    let expired = |now: UnixTime| match now.as_secs() > 1_041_379_200 {
        true => Err(Error::InvalidCertificate(Bad::Expired)),
        false => Ok(()),
    };
    let shown = look(Says(expired).client(), identity.tls()).await.unwrap();
    assert_eq!(shown.errors(), [Expired]);
    let and_revoked = |now: UnixTime| match now.as_secs() > 1_041_379_200 {
        true => Err(Error::InvalidCertificate(Bad::Expired)),
        false => Err(Error::InvalidCertificate(Bad::Revoked)),
    };
    let error = look(Says(and_revoked).client(), identity.tls()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate, "{error}");
    assert!(error.peer_certificates().unwrap().errors().contains(&Revoked), "{error}");
}

#[tokio::test]
async fn it_is_not_asked_about_the_signature_of_the_handshake() {
    let ours = Authority::new();
    let mut identity = ours.issue(&["localhost"]);
    look(Says(|_| Ok(())).client(), identity.tls()).await.unwrap();
    identity.key = ours.issue(&["localhost"]).key;
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let client = Says(|_| Ok(())).client().max_tls_version(version);
        let error = look(client, identity.unchecked()).await.unwrap_err();
        assert!(error.to_string().contains("BadSignature"), "{version}: {error}");
    }
}
