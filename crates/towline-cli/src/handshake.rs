//! The opening handshake on standard error, as curl shows it.

use http::HeaderMap;
use http::Response;
use towline::{Attempt, ConnectionInfo, PeerCertificates};

/// Shows what became of each address that was tried.
pub(crate) fn show_attempts(attempts: &[Attempt]) {
    for Attempt { address, began, took, outcome, .. } in attempts {
        let (began, took) = (began.as_millis(), took.as_millis());
        eprintln!("* tried {address} after {began} ms for {took} ms: {outcome}");
    }
}

/// Shows how the connection came about.
pub(crate) fn show(info: &ConnectionInfo) {
    show_attempts(info.attempts());
    match (info.peer_addr(), info.local_addr()) {
        (Some(peer), Some(local)) => eprintln!("* connected to {peer} from {local}"),
        (peer, _) => {
            eprintln!("* connected{}", peer.map_or(String::new(), |at| format!(" to {at}")))
        }
    }
    if let Some(route) = info.route() {
        eprintln!("* {route}");
    }
    if let Some(version) = info.tls_version() {
        match info.alpn() {
            None => eprintln!("* {version}"),
            Some(protocol) => {
                eprintln!("* {version}, {}", one_line(&String::from_utf8_lossy(protocol)));
            }
        }
    }
    if let Some(shown) = info.peer_certificates() {
        show_certificates(shown);
    }
    if let Some(request) = info.request() {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        eprintln!("> {} {path} {:?}", request.method(), request.version());
        show_headers('>', request.headers());
    }
    if let Some(response) = info.response() {
        show_response(&response);
    }
    if let Some(name) = info.subprotocol() {
        eprintln!("* subprotocol {name}");
    }
}

/// Shows who the server says it is, and what is wrong with that.
pub(crate) fn show_certificates(shown: &PeerCertificates) {
    let certificate = shown.certificate();
    let names = certificate.names();
    let names: Vec<_> = names.iter().take(MAX_NAMES).map(|name| one_line(name)).collect();
    eprintln!("* certificate for {}", names.join(", "));
    for certificate in std::iter::once(certificate).chain(shown.intermediates()) {
        let name = |name: Option<String>| one_line(name.as_deref().unwrap_or("(no common name)"));
        let (subject, issuer) = (name(certificate.subject()), name(certificate.issuer()));
        eprintln!("*   {subject}, issued by {issuer}");
    }
    if let Some(pin) = certificate.pin() {
        eprintln!("*   key {pin}");
    }
    for error in shown.errors() {
        eprintln!("*   {}: {error}", error.name());
    }
}

/// Text of a peer's, which may be anything.
pub(crate) fn one_line(text: &str) -> String {
    crate::print::escape(text).replace(['\n', '\t'], " ")
}

/// Shows the server's answer.
pub(crate) fn show_response<T>(response: &Response<T>) {
    eprintln!("< {:?} {}", response.version(), response.status());
    show_headers('<', response.headers());
}

fn show_headers(side: char, headers: &HeaderMap) {
    for line in header_lines(headers) {
        eprintln!("{side} {line}");
    }
    eprintln!("{side}");
}

/// Headers as they are shown: without secrets, and without what could drive a terminal.
fn header_lines(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers.iter().map(|(name, value)| {
        let value = match is_secret(name.as_str()) {
            true => NOT_SHOWN.to_owned(),
            false => crate::print::escape(&String::from_utf8_lossy(value.as_bytes())),
        };
        format!("{name}: {value}")
    })
}

/// Stands for a secret.
pub(crate) const NOT_SHOWN: &str = "[not shown]";

/// Most names of a certificate that are shown. Some have hundreds.
const MAX_NAMES: usize = 10;

/// Whether a header's value may be somebody's secret. Logs outlive what they were made for.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let harmless = name.starts_with("sec-websocket-");
    let telling = ["auth", "cookie", "token", "secret", "passw", "key", "session", "credential"];
    !harmless && telling.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn secrets_are_known_by_their_headers_names() {
        for name in ["Authorization", "cookie", "Set-Cookie", "X-Api-Key", "x-access-token"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["Host", "Sec-WebSocket-Key", "Upgrade", "User-Agent", "Origin"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
