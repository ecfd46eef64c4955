//! What is in a certificate (RFC 5280 §4.1), and in a list of what was revoked (§5.1).

use std::net::IpAddr;

use super::der::{Element, Elements, tag};
use super::time;

/// The fields of a certificate that somebody asks for. Nothing is checked but where they begin and
/// end.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    /// What is signed.
    pub(crate) signed: &'a [u8],
    pub(crate) signature: &'a [u8],
    /// By which it is signed.
    pub(super) algorithm: Elements<'a>,
    pub(crate) serial: &'a [u8],
    issuer: Elements<'a>,
    validity: Elements<'a>,
    subject: Elements<'a>,
    extensions: Option<Elements<'a>>,
}

impl<'a> Fields<'a> {
    pub(crate) fn read(certificate: &'a [u8]) -> Option<Self> {
        let mut outer = Elements::of(certificate).enter(tag::SEQUENCE)?;
        let signed = outer.next()?;
        let mut inner = Elements::of(signed.whole).enter(tag::SEQUENCE)?;
        inner.value(VERSION);
        let serial = inner.value(tag::INTEGER)?;
        inner.value(tag::SEQUENCE)?;
        let issuer = inner.enter(tag::SEQUENCE)?;
        let validity = inner.enter(tag::SEQUENCE)?;
        let subject = inner.enter(tag::SEQUENCE)?;
        let extensions = inner.find(|field| field.tag == EXTENSIONS);
        // How its algorithm is called; then the signature, in whole bytes.
        let algorithm = outer.enter(tag::SEQUENCE)?;
        let signature = outer.value(tag::BIT_STRING)?.strip_prefix(&[0])?;
        Some(Self {
            signed: signed.whole,
            signature,
            algorithm,
            serial,
            issuer,
            validity,
            subject,
            extensions: extensions.and_then(|all| Elements::of(all.value).enter(tag::SEQUENCE)),
        })
    }

    pub(crate) fn subject(self) -> Option<String> {
        common_name(self.subject)
    }

    pub(crate) fn issuer(self) -> Option<String> {
        common_name(self.issuer)
    }

    /// From when it is valid, in seconds since 1970.
    pub(crate) fn valid_from(mut self) -> Option<i64> {
        time::seconds(self.validity.next()?)
    }

    /// Until when it is valid, in seconds since 1970.
    pub(crate) fn valid_to(mut self) -> Option<i64> {
        time::seconds(self.validity.nth(1)?)
    }

    /// The host names and IP addresses that it is for.
    pub(crate) fn names(self) -> impl Iterator<Item = String> + 'a {
        let names = self.extension(SUBJECT_ALT_NAME).and_then(|mut all| all.enter(tag::SEQUENCE));
        names.into_iter().flatten().filter_map(|name| match name.tag {
            DNS_NAME => Some(std::str::from_utf8(name.value).ok()?.to_owned()),
            IP_ADDRESS => {
                let v4 = <[u8; 4]>::try_from(name.value).map(IpAddr::from);
                let ip = v4.or_else(|_| <[u8; 16]>::try_from(name.value).map(IpAddr::from)).ok()?;
                Some(ip.to_string())
            }
            _ => None,
        })
    }

    /// Whether it may be used for this, or for anything.
    pub(crate) fn allows(self, purpose: &[u8]) -> bool {
        let Some(mut purposes) = self.extension(EXT_KEY_USAGE) else { return true };
        let mut purposes = purposes.enter(tag::SEQUENCE).into_iter().flatten();
        purposes.any(|one| one.tag == tag::OBJECT_IDENTIFIER && one.value == purpose)
    }

    fn extension(self, wanted: &[u8]) -> Option<Elements<'a>> {
        self.extensions.into_iter().flatten().find_map(|extension| {
            let mut parts = Elements::of(extension.value);
            let id = parts.value(tag::OBJECT_IDENTIFIER)?;
            let value = parts.find(|part| part.tag == tag::OCTET_STRING)?;
            (id == wanted).then_some(Elements::of(value.value))
        })
    }
}

/// When a list of what was revoked was made and until when it is up to date, in seconds since 1970.
pub(crate) fn times_of_list(list: &[u8]) -> Option<(i64, i64)> {
    let mut inner = Elements::of(list).enter(tag::SEQUENCE)?.enter(tag::SEQUENCE)?;
    inner.value(tag::INTEGER);
    // How its algorithm is called, and its issuer.
    inner.value(tag::SEQUENCE)?;
    inner.value(tag::SEQUENCE)?;
    Some((time::seconds(inner.next()?)?, time::seconds(inner.next()?)?))
}

fn common_name(name: Elements<'_>) -> Option<String> {
    let mut parts =
        name.filter(|part| part.tag == tag::SET).flat_map(|set| Elements::of(set.value));
    parts.find_map(|part| {
        let mut part = Elements::of(part.value);
        (part.value(tag::OBJECT_IDENTIFIER)? == COMMON_NAME).then(|| part.next().and_then(text))?
    })
}

fn text(text: Element<'_>) -> Option<String> {
    match text.tag {
        tag::UTF8_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING => {
            Some(std::str::from_utf8(text.value).ok()?.to_owned())
        }
        tag::TELETEX_STRING => Some(text.value.iter().copied().map(char::from).collect()),
        tag::BMP_STRING => {
            let (units, []) = text.value.as_chunks() else { return None };
            let units: Vec<_> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}

/// `id-kp-serverAuth`, 1.3.6.1.5.5.7.3.1.
pub(crate) const SERVER_AUTH: &[u8] = b"\x2B\x06\x01\x05\x05\x07\x03\x01";
/// `id-kp-clientAuth`, 1.3.6.1.5.5.7.3.2.
pub(crate) const CLIENT_AUTH: &[u8] = b"\x2B\x06\x01\x05\x05\x07\x03\x02";
/// `id-at-commonName`, 2.5.4.3.
const COMMON_NAME: &[u8] = b"\x55\x04\x03";
/// `id-ce-subjectAltName`, 2.5.29.17.
const SUBJECT_ALT_NAME: &[u8] = b"\x55\x1D\x11";
/// `id-ce-extKeyUsage`, 2.5.29.37.
const EXT_KEY_USAGE: &[u8] = b"\x55\x1D\x25";
/// Fields of a certificate that may be missing.
const VERSION: u8 = 0xA0;
const EXTENSIONS: u8 = 0xA3;
/// Kinds of alternative names.
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

#[cfg(test)]
mod tests {
    use rcgen::string::{BmpString, Ia5String, PrintableString, TeletexString};
    use rcgen::{CertificateParams, DnType, DnValue, KeyPair};

    use super::*;

    #[test]
    fn a_common_name_is_read_in_any_alphabet() {
        for (name, expected) in [
            (DnValue::Utf8String("Grüße".into()), "Grüße"),
            (DnValue::PrintableString(PrintableString::try_from("plain").unwrap()), "plain"),
            (DnValue::Ia5String(Ia5String::try_from("a@b").unwrap()), "a@b"),
            (DnValue::TeletexString(TeletexString::try_from("old").unwrap()), "old"),
            (DnValue::BmpString(BmpString::try_from("Grüße").unwrap()), "Grüße"),
        ] {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.distinguished_name.push(DnType::OrganizationName, "not this");
            params.distinguished_name.push(DnType::CommonName, name);
            let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let read = || Fields::read(made.der()).unwrap();
            assert_eq!(read().subject().as_deref(), Some(expected));
            assert_eq!(read().issuer().as_deref(), Some(expected));
            assert_eq!(read().names().count(), 0);
            assert!(read().allows(CLIENT_AUTH) && read().allows(SERVER_AUTH));
        }
    }

    #[test]
    fn names_are_hosts_and_addresses() {
        let names = ["a.example", "*.b.example", "192.0.2.1", "2001:db8::1"].map(str::to_owned);
        let params = CertificateParams::new(names.clone()).unwrap();
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert!(Fields::read(made.der()).unwrap().names().eq(names));
    }
}
