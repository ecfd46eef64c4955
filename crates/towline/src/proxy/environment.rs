//! What the environment says: `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy` and their kin.

use std::ffi::OsString;

use super::except::Exceptions;
use super::rules::{Choice, Rules};
use super::url;

/// A variable, and what a route through it says.
struct Variable {
    name: &'static str,
    why: &'static str,
}

macro_rules! variables {
    ($($name:literal),*) => {
        &[$(Variable { name: $name, why: concat!($name, " says so") }),*]
    };
}

const PLAIN: &[Variable] =
    variables!["ws_proxy", "WS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"];

const SECURE: &[Variable] =
    variables!["wss_proxy", "WSS_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

const EXCEPT: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// Set where a web server runs this program for a request (RFC 3875 §4.1.12).
const CGI: &str = "REQUEST_METHOD";

/// The rules, if a variable is set that says anything of proxies.
pub(super) fn rules(get: impl Fn(&'static str) -> Option<OsString>) -> Option<Rules> {
    // As to curl, one that is set to nothing is not set.
    let get = |name: &'static str| get(name).filter(|value| !value.is_empty());
    // Where names of variables have no case, `http_proxy` is what a header may set.
    let is_cgi = get(CGI).is_some();
    let get = |name: &'static str| if is_cgi && name == "http_proxy" { None } else { get(name) };
    let plain = choice(PLAIN, get);
    let secure = choice(SECURE, get);
    if plain.is_none() && secure.is_none() {
        return None;
    }
    let list = EXCEPT.into_iter().find_map(get).unwrap_or_default();
    let not_for_ws = match get("HTTP_PROXY") {
        Some(_) => "HTTP_PROXY is not read, since a request can set it: write http_proxy",
        None => "no proxy is set for ws",
    };
    Some(Rules {
        plain: plain.unwrap_or(Choice::Direct(not_for_ws)),
        secure: secure.unwrap_or(Choice::Direct("no proxy is set for wss")),
        except: Exceptions::parse(&list.to_string_lossy()),
        loopback: false,
    })
}

fn choice(
    variables: &'static [Variable],
    get: impl Fn(&'static str) -> Option<OsString>,
) -> Option<Choice> {
    let (variable, value) =
        variables.iter().find_map(|variable| Some((variable, get(variable.name)?)))?;
    let parsed = value.to_str().ok_or("it is not UTF-8").and_then(url::parse);
    Some(match parsed {
        Ok(proxy) => Choice::Through([proxy].into(), variable.why),
        Err(why) => Choice::Bad(variable.name, why),
    })
}

#[cfg(test)]
mod tests {
    use towline_proto::WsUri;

    use super::super::Proxies;
    use super::*;

    /// The way to a server with this environment.
    fn route(environment: &[(&str, &str)], to: &str) -> String {
        let get = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let proxies = Proxies::of(rules(get));
        match proxies.route(&WsUri::parse(to).unwrap()) {
            Ok(route) => route.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_scheme_has_its_variables() {
        assert_eq!(route(&[], "ws://a.example"), "directly: no proxy is set");
        let all: &[_] = &[
            ("ws_proxy", "one"),
            ("WS_PROXY", "two"),
            ("http_proxy", "three"),
            ("all_proxy", "four"),
            ("ALL_PROXY", "five"),
        ];
        for (from, (name, host)) in all.iter().enumerate() {
            let expected = format!("through http://{host}:80: {name} says so");
            assert_eq!(route(&all[from..], "ws://a.example"), expected);
        }
        let all: &[_] = &[
            ("wss_proxy", "one"),
            ("WSS_PROXY", "two"),
            ("https_proxy", "three"),
            ("HTTPS_PROXY", "four"),
            ("all_proxy", "five"),
            ("ALL_PROXY", "six"),
        ];
        for (from, (name, host)) in all.iter().enumerate() {
            let expected = format!("through http://{host}:80: {name} says so");
            assert_eq!(route(&all[from..], "wss://a.example"), expected);
        }
        let one = [("https_proxy", "p")];
        assert_eq!(route(&one, "ws://a.example"), "directly: no proxy is set for ws");
        let one = [("http_proxy", "p")];
        assert_eq!(route(&one, "wss://a.example"), "directly: no proxy is set for wss");
    }

    #[test]
    fn a_variable_that_a_header_can_set_is_not_read() {
        assert_eq!(route(&[("HTTP_PROXY", "p")], "ws://a.example"), "directly: no proxy is set");
        let both = [("HTTP_PROXY", "p"), ("HTTPS_PROXY", "p")];
        let told = route(&both, "ws://a.example");
        assert!(told.starts_with("directly: HTTP_PROXY is not read"), "{told}");
        let cgi = [("http_proxy", "p"), ("REQUEST_METHOD", "GET")];
        assert_eq!(route(&cgi, "ws://a.example"), "directly: no proxy is set");
        let cgi = [("all_proxy", "p"), ("REQUEST_METHOD", "GET")];
        assert_eq!(route(&cgi, "ws://a.example"), "through http://p:80: all_proxy says so");
    }

    #[test]
    fn some_servers_are_excepted() {
        let both = [("all_proxy", "p"), ("NO_PROXY", "a.example"), ("no_proxy", "b.example")];
        assert_eq!(route(&both, "ws://b.example"), "directly: b.example is excepted");
        assert_eq!(route(&both, "ws://a.example"), "through http://p:80: all_proxy says so");
        assert_eq!(route(&both[..2], "wss://a.example:9"), "directly: a.example is excepted");
        assert_eq!(route(&both, "ws://127.0.0.1"), "directly: it is this machine");
    }

    #[test]
    fn empty_is_not_set_and_nonsense_is_told() {
        assert_eq!(route(&[("all_proxy", "")], "ws://a.example"), "directly: no proxy is set");
        let one =
            [("ws_proxy", ""), ("all_proxy", "p"), ("no_proxy", ""), ("NO_PROXY", "b.example")];
        assert_eq!(route(&one, "ws://a.example"), "through http://p:80: all_proxy says so");
        assert_eq!(route(&one, "ws://b.example"), "directly: b.example is excepted");
        let bad = [("all_proxy", "http://ann:s3cret@:1")];
        let told = route(&bad, "ws://a.example");
        assert!(told.starts_with("reading all_proxy: there is no host"), "{told}");
        assert!(!told.contains("s3cret"), "{told}");
        assert_eq!(route(&bad, "ws://localhost"), "directly: it is this machine");
    }
}
