//! There is no TLS, or nobody to trust behind it.

use std::io;
use std::net::Ipv6Addr;

use tokio_rustls::rustls::{AlertDescription as Alert, Error as TlsError};
use towline::{
    CertificateError, Error, ErrorKind, Identity, PeerCertificates, Severity, TlsConfig, TlsVersion,
};

use super::line::line;
use super::{Facts, Why};
use crate::handshake::one_line;

pub(super) fn of(error: &Error, facts: &Facts<'_>) -> Why {
    if let Some(shown) = error.peer_certificates() {
        let ignored = crate::tls::ignored(&facts.args.tls);
        let errors = shown.errors().iter().filter(|error| !ignored.contains(error));
        let errors: Vec<_> = errors.copied().collect();
        if !errors.is_empty() {
            return of_certificates(&errors, shown, facts);
        }
    }
    let reason = error.get_ref().and_then(|cause| cause.downcast_ref::<TlsError>());
    match reason {
        Some(TlsError::InvalidMessage(_)) => plain(facts),
        Some(TlsError::AlertReceived(alert)) => alerted(*alert, facts),
        Some(TlsError::PeerIncompatible(_)) => versions(),
        Some(_) => {
            Why::new(["the server does not keep to TLS, or something on the way changes it"])
                .mend("have the server mended, or go by another network")
        }
        None if error.kind() == ErrorKind::TimedOut => plain(facts),
        None => {
            let mut why = plain(facts);
            why.causes.push("a firewall ends what it cannot read along with".to_owned());
            why
        }
    }
}

/// Nothing there speaks TLS.
fn plain(facts: &Facts<'_>) -> Why {
    let why = Why::new([
        &*format!("what listens on port {} does not speak TLS", facts.port()),
        "the server with TLS is on another port, such as 443",
    ]);
    match facts.other_scheme() {
        Some(other) => why
            .mend("name the port where the server speaks TLS; or go without, where nobody can read along")
            .address(&other),
        None => why.mend("connect to the port of the server with TLS"),
    }
}

/// The server said why it does not go on (RFC 8446 §6.2).
fn alerted(alert: Alert, facts: &Facts<'_>) -> Why {
    let has_identity = facts.args.tls.cert.is_some();
    match alert {
        Alert::ProtocolVersion | Alert::InsufficientSecurity => versions(),
        Alert::NoApplicationProtocol => {
            Why::new(["the server speaks none of the application protocols that were offered"])
                .mend("offer the one that WebSocket servers speak")
                .flag("--alpn http/1.1")
                .rust(line!(builder => builder.alpn(["http/1.1"])))
        }
        Alert::UnrecognisedName => {
            Why::new([&*format!("the server has no certificate for the name {}", facts.host())])
                .mend("connect to a name that the server has a certificate for")
        }
        Alert::CertificateRequired => {
            identity(Why::new(["the server wants a certificate of you, and none was given"]))
        }
        Alert::HandshakeFailure | Alert::AccessDenied if !has_identity => identity(Why::new([
            "the server wants a certificate of you, and none was given",
            "the two sides have no version or cipher of TLS in common",
        ])),
        _ if has_identity => identity(Why::new([match alert {
            Alert::CertificateExpired => {
                "the certificate that you showed has run out, or is not valid yet"
            }
            Alert::CertificateRevoked => "the certificate that you showed was revoked",
            Alert::UnknownCA => {
                "the server does not trust who issued the certificate that you showed"
            }
            Alert::UnsupportedCertificate => {
                "the certificate that you showed is for another purpose than clients"
            }
            Alert::DecryptError => {
                "the key that you have is not that of the certificate that you showed"
            }
            _ => {
                "the server does not take the certificate that you showed: its issuer, age or purpose"
            }
        }])),
        _ => versions(),
    }
}

/// Another certificate of one's own is wanted.
fn identity(why: Why) -> Why {
    why.mend("show a certificate that the server takes, with its key")
        .flag("--cert CERT.pem --key KEY.pem")
        .rust(line!(builder => builder.identity(Identity::from_pem(std::fs::read("cert.pem")?, std::fs::read("key.pem")?)?)))
}

fn versions() -> Why {
    Why::new(["the two sides have no version or cipher of TLS in common: the server's may be old"])
        .mend("allow the version that the server speaks, TLS 1.2 at least; or have the server renewed")
        .flag("leave out --tlsv1.3 and --tls-max")
        .rust(line!(builder => builder.min_tls_version(TlsVersion::Tls12)))
}

/// What is wrong with them, the worst first.
fn of_certificates(
    errors: &[CertificateError],
    shown: &PeerCertificates,
    facts: &Facts<'_>,
) -> Why {
    let Some(worst) = worst(errors) else {
        return Why::new(["a check of the program's own refused the server"])
            .mend("look at that check");
    };
    let mut why = of_certificate(worst, shown, facts);
    let others = errors.iter().filter(|error| **error != worst);
    why.causes.extend(others.map(|error| format!("also: {error} ({})", error.name())));
    let names: Vec<_> = errors.iter().map(|error| error.name()).collect();
    let lets_pass = why.flag.as_ref().is_some_and(|flag| flag.starts_with(IGNORE));
    if names.len() > 1 && lets_pass {
        let list: Vec<_> =
            errors.iter().map(|error| format!("CertificateError::{error:?}")).collect();
        let line = line!(builder => builder.ignore_certificate_errors([CertificateError::Expired]));
        why = why
            .flag(format!("{IGNORE} {}", names.join(",")))
            .rust(line.replace("CertificateError::Expired", &list.join(", ")));
    } else if names.len() > 1 && worst.severity() == Severity::Ignorable {
        let others: Vec<_> = names.into_iter().filter(|name| *name != worst.name()).collect();
        why.mend +=
            &format!("; and have the rest mended, or let it pass: {IGNORE} {}", others.join(","));
    }
    why
}

const IGNORE: &str = "--ignore-certificate-error";

pub(super) fn worst(errors: &[CertificateError]) -> Option<CertificateError> {
    ORDER.iter().copied().find(|error| errors.contains(error))
}

/// What the other side said of why it does not go on. With TLS 1.3 it comes in the place of an answer.
pub(super) fn alert(error: &Error) -> Option<Alert> {
    let cause = error.get_ref()?;
    let late = || cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref();
    match cause.downcast_ref().or_else(late) {
        Some(TlsError::AlertReceived(alert)) => Some(*alert),
        _ => None,
    }
}

/// That which no change of settings mends comes first, then that which is the likeliest mistake.
const ORDER: &[CertificateError] = &[
    CertificateError::Revoked,
    CertificateError::InvalidSignature,
    CertificateError::InvalidAuthorityPolicy,
    CertificateError::BasicConstraints,
    CertificateError::UnknownCriticalExtension,
    CertificateError::Other,
    CertificateError::NotPinned,
    CertificateError::IncompleteChain,
    CertificateError::Untrusted,
    CertificateError::InvalidName,
    CertificateError::Expired,
    CertificateError::WrongUsage,
    CertificateError::RevocationFailure,
    CertificateError::RevocationInformationMissing,
];

fn of_certificate(error: CertificateError, shown: &PeerCertificates, facts: &Facts<'_>) -> Why {
    match error {
        CertificateError::Untrusted | CertificateError::IncompleteChain => untrusted(error, shown, facts),
        CertificateError::InvalidName => invalid_name(shown, facts),
        CertificateError::Expired => Why::new([
            "the certificate has run out, and the server has no new one",
            "the clock of this machine is wrong",
        ])
        .mend("have the server get a new certificate; until then, if it must be, let this one pass")
        .flag("--ignore-certificate-error expired")
        .rust(line!(builder => builder.ignore_certificate_errors([CertificateError::Expired]))),
        CertificateError::WrongUsage => {
            Why::new(["the certificate is for something else than servers, such as clients or mail"])
                .mend("have the server get one that is for servers; until then, if it must be, let it pass")
                .flag("--ignore-certificate-error wrong-usage")
                .rust(line!(builder => builder.ignore_certificate_errors([CertificateError::WrongUsage])))
        }
        CertificateError::Revoked => Why::new([
            "the authority has taken the certificate back: its key may be in other hands",
        ])
        .mend("have the server get a new certificate; nothing lets this one pass"),
        CertificateError::RevocationInformationMissing | CertificateError::RevocationFailure => {
            Why::new([
                "no list that was given, or an outdated one, says what the certificate's issuer has revoked",
            ])
            .mend("give a new list of the issuer's")
            .flag("--crlfile LIST.crl")
            .rust(line!(builder => builder.crls(std::fs::read("list.crl")?)))
        }
        CertificateError::NotPinned => {
            let pin = shown.certificate().pin().map_or_else(String::new, |pin| pin.to_string());
            Why::new([
                "the server has a new key since it was pinned",
                "that is another server, or an attacker",
            ])
            .mend("if the server's owner tells you the same new key, pin that")
            .flag(format!("--pinnedpubkey '{pin}'"))
            .rust(line!(builder => builder.pin("PIN".parse().expect("a pin"))).replace("PIN", &pin))
        }
        CertificateError::InvalidSignature => Why::new([
            "somebody has made a certificate in the authority's name",
            "the authority that is trusted here has a new key of the same name",
        ])
        .mend("do not trust it; if the authority has a new certificate, trust that")
        .flag("--cacert CA.pem")
        .rust(line!(builder => builder.tls(TlsConfig::roots_pem(std::fs::read("ca.pem")?)?))),
        _ => Why::new([&*format!("the certificate is no good: {error}")])
            .mend("have the server get another certificate; nothing lets this one pass"),
    }
}

/// Who issued it is not trusted.
fn untrusted(error: CertificateError, shown: &PeerCertificates, facts: &Facts<'_>) -> Why {
    let last = shown.intermediates().last().unwrap_or_else(|| shown.certificate());
    let authority = one_line(last.issuer().as_deref().unwrap_or("(no common name)"));
    let is_own = shown.intermediates().is_empty() && last.issuer() == last.subject();
    let given = facts.args.tls.cacert.is_some();
    let first = match (given, is_own) {
        (true, _) => format!("the authority {authority} is not in the file that --cacert names"),
        (false, true) => "the certificate is the server's own work (self-signed)".to_owned(),
        (false, false) => {
            format!(
                "the authority {authority} is a private one, such as a company's, not trusted here"
            )
        }
    };
    let mut why = Why::new([&*first]);
    if error == CertificateError::IncompleteChain {
        why.causes.push(format!(
            "the server does not send the certificate of {authority}, which stands between its own and \
             its authority's: then that has to be mended there"
        ));
    }
    why.causes.push(
        "somebody reads along: a virus scanner, a company's proxy (then its authority is the one to \
         trust), or an attacker"
            .to_owned(),
    );
    why.mend(format!("trust the authority {authority} by its certificate, if you know it"))
        .flag("--cacert CA.pem")
        .rust(line!(builder => builder.tls(TlsConfig::roots_pem(std::fs::read("ca.pem")?)?)))
}

fn invalid_name(shown: &PeerCertificates, facts: &Facts<'_>) -> Why {
    let host = facts.host();
    let why = Why::new([
        &*format!("the certificate is for other names than {host}"),
        "that is another server: the name leads to the wrong machine",
    ]);
    let names = shown.certificate().names();
    match (names.iter().find(|name| !name.contains('*')), &facts.uri) {
        (Some(name), Some(uri)) => {
            let name = one_line(name);
            let name = match name.parse::<Ipv6Addr>() {
                Ok(ip) => format!("[{ip}]"),
                Err(_) => name,
            };
            let port = match uri.port() {
                443 => String::new(),
                port => format!(":{port}"),
            };
            why.mend(format!("connect to a name that the certificate is for, such as {name}"))
                .address(&facts.at("wss", &format!("{name}{port}")))
        }
        _ => why
            .mend("have the server get a certificate for that name; until then, if it must be, let this one pass")
            .flag("--ignore-certificate-error invalid-name")
            .rust(line!(builder => builder.ignore_certificate_errors([CertificateError::InvalidName]))),
    }
}
