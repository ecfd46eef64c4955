//! The certificates that a server showed, drawn.

use std::time::SystemTime;

use serde_json::{Value, json};
use time::OffsetDateTime;
use towline::{Certificate, CertificateError, PeerCertificates, Severity};

use crate::handshake::one_line;

/// Most names of a certificate that are shown. Some have hundreds.
const MAX_NAMES: usize = 5;

/// Most certificates of a chain that are shown. A server may send what it likes.
const MAX_CERTIFICATES: usize = 8;

/// Whose certificates they are: of a proxy's nothing can be ignored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Whose {
    Server,
    Proxy,
}

/// The chain, the server's own certificate first, and what is wrong with it.
pub(super) fn drawn(shown: &PeerCertificates, whose: Whose) -> Vec<String> {
    let mut lines = Vec::new();
    let mut last = None;
    for (depth, certificate) in certificates(shown).enumerate() {
        let branch = if depth == 0 { String::new() } else { "   ".repeat(depth - 1) + "└─ " };
        lines.push(format!("{branch}{}", described(certificate, depth == 0)));
        last = Some((depth, certificate));
    }
    if let Some((depth, certificate)) = last
        && certificate.issuer() != certificate.subject()
    {
        let issuer = name(certificate.issuer());
        lines.push(format!("{}└─ {issuer}, which it did not send", "   ".repeat(depth)));
    }
    lines.extend(shown.errors().iter().map(|error| wrong(*error, whose)));
    lines
}

fn certificates(shown: &PeerCertificates) -> impl Iterator<Item = &Certificate> {
    let chain = std::iter::once(shown.certificate()).chain(shown.intermediates());
    chain.take(MAX_CERTIFICATES)
}

fn described(certificate: &Certificate, is_own: bool) -> String {
    let subject = name(certificate.subject());
    let names = certificate.names();
    let mut shown: Vec<_> = names.iter().take(MAX_NAMES).map(|name| one_line(name)).collect();
    if names.len() > MAX_NAMES {
        shown.push("…".to_owned());
    }
    let names = match (is_own, shown.is_empty()) {
        (false, _) => String::new(),
        (true, true) => ", for no host".to_owned(),
        (true, false) => format!(", for {}", shown.join(", ")),
    };
    let (from, to) = (day(certificate.valid_from()), day(certificate.valid_to()));
    format!("{subject}{names}, valid from {from} to {to}")
}

/// What is wrong, how bad that is, and what would let it pass.
fn wrong(error: CertificateError, whose: Whose) -> String {
    let name = error.name();
    match error.severity() {
        Severity::Ignorable if whose == Whose::Proxy => format!("! {name}: {error}"),
        Severity::Ignorable => {
            format!("! {name}: {error}; --ignore-certificate-error {name} would let it pass")
        }
        _ => format!("! {name}: {error}; nothing lets that pass"),
    }
}

fn name(name: Option<String>) -> String {
    one_line(name.as_deref().unwrap_or("(no common name)"))
}

fn day(time: Option<SystemTime>) -> String {
    time.map_or_else(|| "?".to_owned(), |time| OffsetDateTime::from(time).date().to_string())
}

/// The same for machines.
pub(super) fn json(shown: &PeerCertificates) -> Value {
    let certificates: Vec<_> = certificates(shown)
        .map(|certificate| {
            json!({
                "subject": certificate.subject(),
                "issuer": certificate.issuer(),
                "names": certificate.names(),
                "from": day(certificate.valid_from()),
                "to": day(certificate.valid_to()),
                "pin": certificate.pin().map(|pin| pin.to_string()),
            })
        })
        .collect();
    let errors: Vec<_> = shown
        .errors()
        .iter()
        .map(|error| {
            let ignorable = error.severity() == Severity::Ignorable;
            let flag = ignorable.then(|| format!("--ignore-certificate-error {}", error.name()));
            let severity = if ignorable { "ignorable" } else { "fatal" };
            json!({
                "name": error.name(),
                "text": error.to_string(),
                "severity": severity,
                "flag": flag,
            })
        })
        .collect();
    json!({ "chain": certificates, "errors": errors })
}
