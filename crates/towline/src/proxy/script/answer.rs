//! What a script answers: `PROXY one.example:3128; SOCKS5 two.example; DIRECT`.

use crate::proxy::{Proxy, url};

/// Most ways in an answer that are tried.
const MAX_WAYS: usize = 16;

/// The ways in their order; `None` is directly. What cannot be read is passed over, as browsers do, if
/// anything can be.
pub(super) fn parse(answer: &str) -> Result<Vec<Option<Proxy>>, String> {
    let parts = || answer.split(';').map(str::trim).filter(|part| !part.is_empty());
    // Browsers take no answer for "directly".
    if parts().next().is_none() {
        return Ok(vec![None]);
    }
    let ways: Vec<_> = parts().filter_map(way).take(MAX_WAYS).collect();
    match ways.is_empty() {
        true => Err(format!("it answered {:?}, which names no proxy", shorten(answer))),
        false => Ok(ways),
    }
}

/// One way, if it can be read.
fn way(part: &str) -> Option<Option<Proxy>> {
    let (word, place) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
    let scheme = match &*word.to_ascii_uppercase() {
        "DIRECT" => return Some(None),
        "PROXY" | "HTTP" => "http",
        "HTTPS" => "https",
        // As in browsers: version 4, and the name is looked up here.
        "SOCKS" | "SOCKS4" => "socks4",
        // As in browsers: the name is looked up there.
        "SOCKS5" => "socks5h",
        _ => return None,
    };
    url::parse(&format!("{scheme}://{}", place.trim())).ok().map(Some)
}

/// As much of a text as an error can show.
pub(super) fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

const MAX_SHOWN: usize = 100;

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::proxy::Proxy;

    fn read(answer: &str) -> String {
        let shown = |way: &Option<Proxy>| match way {
            None => "directly".to_owned(),
            Some(proxy) => proxy.to_string(),
        };
        match parse(answer) {
            Ok(ways) => ways.iter().map(shown).collect::<Vec<_>>().join(", "),
            Err(why) => why,
        }
    }

    #[test]
    fn an_answer_is_a_list_of_ways() {
        for (answer, expected) in [
            ("DIRECT", "directly"),
            ("", "directly"),
            (" ; ", "directly"),
            ("PROXY a.example:3128", "http://a.example:3128"),
            ("proxy a.example", "http://a.example:80"),
            ("HTTP a:1;HTTPS  b:2 ;", "http://a:1, https://b:2"),
            ("HTTPS a", "https://a:443"),
            ("SOCKS a; SOCKS4 b:2; SOCKS5 c", "socks4://a:1080, socks4://b:2, socks5h://c:1080"),
            ("PROXY [2001:db8::1]:1; DIRECT", "http://[2001:db8::1]:1, directly"),
            ("QUIC a:1; PROXY :80; PROXY b:1", "http://b:1"),
            ("PROXY a:1\tx; DIRECT", "directly"),
            ("nonsense", "it answered \"nonsense\", which names no proxy"),
            ("PROXY", "it answered \"PROXY\", which names no proxy"),
        ] {
            assert_eq!(read(answer), expected, "{answer}");
        }
        assert_eq!(parse(&"DIRECT;".repeat(100)).unwrap().len(), 16);
        assert!(read(&"x".repeat(1000)).len() < 200);
    }
}
