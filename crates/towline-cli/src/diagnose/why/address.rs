//! The address, or a setting, is bad.

use towline::Error;

use super::{Facts, Why};

pub(super) fn of(error: &Error, facts: &Facts<'_>) -> Why {
    let why = Why::new(["the address is not that of a WebSocket server"]);
    match corrected(facts.url) {
        Some(better) => why.mend("connect to the address as it should be").address(&better),
        None => why.mend(error.advice()),
    }
}

/// What was probably meant. Nothing that holds a user name: it would be repeated.
fn corrected(url: &str) -> Option<String> {
    let url = url.trim();
    if url.contains('@') {
        return None;
    }
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => (String::new(), url.trim_start_matches('/')),
    };
    let scheme = match &*scheme {
        "http" | "ws" => "ws",
        "https" | "wss" | "" => "wss",
        _ => return None,
    };
    let better = format!("{scheme}://{rest}");
    towline::proto::WsUri::parse(&better).ok()?;
    // What stands behind a question mark may be a secret.
    Some(match better.split_once('?') {
        Some((before, _)) => format!("{before}?…"),
        None => better,
    })
}

#[cfg(test)]
mod tests {
    use super::corrected;

    #[test]
    fn what_was_meant_is_told_if_it_can_be() {
        for (url, better) in [
            ("http://a.example/x", Some("ws://a.example/x")),
            ("HTTPS://a.example", Some("wss://a.example")),
            ("a.example/x?y", Some("wss://a.example/x?…")),
            ("//a.example", Some("wss://a.example")),
            (" ws://a.example/#top", Some("ws://a.example/")),
            ("ftp://a.example/", None),
            ("ws://a b/", None),
            ("https://ada:hunter2@a.example/", None),
            ("", None),
        ] {
            assert_eq!(corrected(url).as_deref(), better, "{url}");
        }
    }
}
