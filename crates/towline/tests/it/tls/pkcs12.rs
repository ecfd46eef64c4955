//! PKCS#12 files.

use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use towline::{ErrorKind, ServerTls};

use super::authority::{Authority, Identity};
use super::{look, trusting};

fn file(identity: &Identity, algorithm: EncryptionAlgorithm) -> Vec<u8> {
    let certificates = CertificateDer::pem_slice_iter(identity.certificate.as_bytes());
    let certificates = certificates.map(|der| Certificate::from_der(&der.unwrap()).unwrap());
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let key = PrivateKey::from_der(key.secret_der()).unwrap();
    let mut store = KeyStore::new();
    let chain = PrivateKeyChain::new("me", key, certificates);
    store.add_entry("me", KeyStoreEntry::PrivateKeyChain(chain));
    store.writer("secret").encryption_algorithm(algorithm).write().unwrap()
}

#[tokio::test]
async fn an_identity_is_read_from_a_file_of_either_age() {
    let ours = Authority::new();
    let between = ours.delegate("between", |_| {});
    let identity = between.issue(&["localhost"]).with(&between);
    for algorithm in [
        EncryptionAlgorithm::PbeWithHmacSha256AndAes256,
        EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc,
    ] {
        let read = towline::Identity::from_pkcs12(file(&identity, algorithm), "secret").unwrap();
        assert_eq!(read.certificate().names(), ["localhost"]);
        // With those that lead to its root.
        let shown = look(trusting(&ours), ServerTls::new(read)).await.unwrap();
        assert_eq!(shown.intermediates().len(), 1);
    }
}

#[test]
fn a_wrong_password_and_a_bad_file_are_told() {
    let identity = Authority::new().issue(&["localhost"]);
    let good = file(&identity, EncryptionAlgorithm::PbeWithHmacSha256AndAes256);
    for (bytes, password) in
        [(&good[..], "Secret"), (&good, ""), (&good[..100], "secret"), (b"", "secret")]
    {
        let error = towline::Identity::from_pkcs12(bytes, password).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(!error.to_string().contains("ecret"), "{error}");
    }
}
