//! What ties credentials to the TLS over which they go: `tls-server-end-point` (RFC 5929 §4).

use sha2::{Digest, Sha256, Sha384, Sha512};

use super::der::{Elements, tag};
use super::fields::Fields;

/// The name of it, and a hash of the certificate; `None` where RFC 5929 §4.1 does not say by which.
pub(super) fn of(certificate: &[u8]) -> Option<Vec<u8>> {
    let hash = match Hash::of(Fields::read(certificate)?.algorithm)? {
        Hash::Sha256 => Sha256::digest(certificate).to_vec(),
        Hash::Sha384 => Sha384::digest(certificate).to_vec(),
        Hash::Sha512 => Sha512::digest(certificate).to_vec(),
    };
    Some([b"tls-server-end-point:", &*hash].concat())
}

enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// That with which the certificate is signed, but for those that are too weak.
    fn of(mut algorithm: Elements<'_>) -> Option<Self> {
        let signature = algorithm.value(tag::OBJECT_IDENTIFIER)?;
        if signature == RSA_PSS {
            // RFC 4055 §3.1: its hash is a parameter, and SHA-1 if there is none.
            let named = algorithm.enter(tag::SEQUENCE).and_then(|mut all| all.enter(HASH));
            let Some(mut named) = named else { return Some(Self::Sha256) };
            return match named.enter(tag::SEQUENCE)?.value(tag::OBJECT_IDENTIFIER)? {
                id if id == SHA_1 => Some(Self::Sha256),
                id => match id.strip_prefix(SHA_2)? {
                    [1] => Some(Self::Sha256),
                    [2] => Some(Self::Sha384),
                    [3] => Some(Self::Sha512),
                    _ => None,
                },
            };
        }
        if let Some([kind]) = signature.strip_prefix(RSA) {
            return match kind {
                // MD5 and SHA-1, in whose place it is this one.
                4 | 5 | 11 => Some(Self::Sha256),
                12 => Some(Self::Sha384),
                13 => Some(Self::Sha512),
                _ => None,
            };
        }
        match signature.strip_prefix(ECDSA)? {
            // SHA-1.
            [1] | [3, 2] => Some(Self::Sha256),
            [3, 3] => Some(Self::Sha384),
            [3, 4] => Some(Self::Sha512),
            // Ed25519 and its like have no hash of their own.
            _ => None,
        }
    }
}

/// `pkcs-1`, 1.2.840.113549.1.1 (RFC 8017 appendix C).
const RSA: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x01";
/// `id-RSASSA-PSS`, the tenth of them.
const RSA_PSS: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A";
/// `id-ecSigType`, 1.2.840.10045.4 (RFC 5758 §3.2).
const ECDSA: &[u8] = b"\x2A\x86\x48\xCE\x3D\x04";
/// `id-sha1`, 1.3.14.3.2.26.
const SHA_1: &[u8] = b"\x2B\x0E\x03\x02\x1A";
/// The hashes of NIST, 2.16.840.1.101.3.4.2.
const SHA_2: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02";
/// Of the parameters of RSASSA-PSS the first.
const HASH: u8 = 0xA0;

#[cfg(test)]
mod tests {
    use rcgen::{
        CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
    };

    use super::*;

    #[test]
    fn the_hash_is_that_of_the_signature() {
        let der = |algorithm| {
            let key = KeyPair::generate_for(algorithm).unwrap();
            CertificateParams::new(vec!["a.example".to_owned()]).unwrap().self_signed(&key).unwrap()
        };
        let one = der(&PKCS_ECDSA_P256_SHA256);
        let expected = [b"tls-server-end-point:", &*Sha256::digest(one.der())].concat();
        assert_eq!(of(one.der()), Some(expected));
        let one = der(&PKCS_ECDSA_P384_SHA384);
        let expected = [b"tls-server-end-point:", &*Sha384::digest(one.der())].concat();
        assert_eq!(of(one.der()), Some(expected));
        assert_eq!(of(der(&PKCS_ED25519).der()), None);
        assert_eq!(of(b"nonsense"), None);
    }

    #[test]
    fn algorithms_have_a_hash_or_none() {
        let object = |id: &[u8]| [&[6, u8::try_from(id.len()).unwrap()], id].concat();
        let inside =
            |tag: u8, bytes: &[u8]| [&[tag, u8::try_from(bytes.len()).unwrap()], bytes].concat();
        let length = |algorithm: &[u8]| {
            Hash::of(Elements::of(algorithm)).map(|hash| match hash {
                Hash::Sha256 => 256,
                Hash::Sha384 => 384,
                Hash::Sha512 => 512,
            })
        };
        for (kind, expected) in [
            (4, Some(256)),
            (5, Some(256)),
            (11, Some(256)),
            (12, Some(384)),
            (13, Some(512)),
            (14, None),
        ] {
            assert_eq!(length(&object(&[RSA, &[kind]].concat())), expected, "{kind}");
        }
        for (kind, expected) in
            [(&[1][..], Some(256)), (&[3, 1], None), (&[3, 2], Some(256)), (&[3, 4], Some(512))]
        {
            assert_eq!(length(&object(&[ECDSA, kind].concat())), expected, "{kind:?}");
        }
        let pss = |hash: &[u8]| {
            let hash = inside(0x30, &object(hash));
            [object(RSA_PSS), inside(0x30, &inside(HASH, &hash))].concat()
        };
        assert_eq!(length(&pss(&[SHA_2, &[2]].concat())), Some(384));
        assert_eq!(length(&pss(SHA_1)), Some(256));
        assert_eq!(length(&pss(&[SHA_2, &[4]].concat())), None);
        assert_eq!(length(&[object(RSA_PSS), inside(0x30, &[])].concat()), Some(256));
    }
}
