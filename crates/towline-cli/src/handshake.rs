//! The opening handshake on standard error, as curl shows it.

use http::HeaderMap;
use http::Response;
use towline::{Attempt, ConnectionInfo};

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
    if let Some(version) = info.tls_version() {
        eprintln!("* {version}");
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

/// Shows the server's answer.
pub(crate) fn show_response<T>(response: &Response<T>) {
    eprintln!("< {:?} {}", response.version(), response.status());
    show_headers('<', response.headers());
}

fn show_headers(side: char, headers: &HeaderMap) {
    for (name, value) in headers {
        let value = match is_secret(name.as_str()) {
            true => "[not shown]".to_owned(),
            false => crate::print::escape(&String::from_utf8_lossy(value.as_bytes())),
        };
        eprintln!("{side} {name}: {value}");
    }
    eprintln!("{side}");
}

/// Whether a header's value may be somebody's secret. Logs outlive what they were made for.
fn is_secret(name: &str) -> bool {
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
