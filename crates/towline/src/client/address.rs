//! The address that a client is given, which may say who the user is (RFC 3986 §3.2.1).

use towline_proto::WsUri;

use crate::auth::Credentials;
use crate::error::{Error, Result};

/// Reads an address, and the user's name and password if they stand in it.
pub(super) fn parse(text: &str) -> Result<(WsUri, Option<Credentials>)> {
    let failed = || {
        // What stands before an '@' may be a password.
        let shown = without_query(text);
        let to = if text.contains('@') { String::new() } else { format!(" to {shown:?}") };
        Error::invalid(format!("connecting{to}"))
    };
    let Some((before, user_info, after)) = split(text) else {
        let uri = WsUri::parse(text).map_err(|error| failed().cause(error))?;
        return Ok((uri, None));
    };
    // The host is what it is without them: errors may tell it.
    let uri = WsUri::parse(&format!("{before}{after}")).map_err(|error| failed().cause(error))?;
    let credentials = credentials(user_info).ok_or_else(|| {
        failed().cause("the user name or password before '@' is not one").advise(
            "write letters other than A to Z, digits and -._~ as their bytes, such as %40 for @",
        )
    })?;
    credentials.check().map_err(|error| failed().cause(error))?;
    Ok((uri, Some(credentials)))
}

/// An address as errors show it: what follows the question mark is often a token.
pub(super) fn without_query(address: &str) -> &str {
    address.split_once('?').map_or(address, |(before, _)| before)
}

/// What stands before, in and behind the user information of an address, if it has any.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find("://")? + 3;
    let (before, rest) = text.split_at(start);
    // A backslash ends it too, for some: with one in it, the address is refused as a whole.
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    // The last one ends it: in front of it there is none that stands for itself.
    let (user_info, _) = authority.rsplit_once('@')?;
    Some((before, user_info, &rest[user_info.len() + 1..]))
}

/// Those that stand before the `@`, if no letter does that may not (RFC 3986 §3.2.1).
fn credentials(user_info: &str) -> Option<Credentials> {
    let may = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:%".contains(&byte);
    if !user_info.bytes().all(may) {
        return None;
    }
    Credentials::from_user_info(user_info).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_the_user_is_may_stand_before_the_host() {
        for (text, uri) in [
            ("ws://ada:hunter2@a.example/x", "ws://a.example/x"),
            ("wss://ada@a.example:8443?q=@", "wss://a.example:8443/?q=@"),
            ("ws://ada:@[::1]/", "ws://[::1]/"),
            ("ws://a%40b:p%3Aq%C3%A9@a.example", "ws://a.example/"),
            ("ws://ada:a:b@a.example/", "ws://a.example/"),
        ] {
            let (parsed, credentials) = parse(text).unwrap();
            assert_eq!(parsed.to_string(), uri);
            assert!(credentials.is_some(), "{text}");
        }
        for text in ["ws://a.example/@", "ws://a.example/?a:b@c", "ws://a.example"] {
            assert!(parse(text).unwrap().1.is_none(), "{text}");
        }
        let (_, credentials) = parse("ws://a%40b:p%3Aq%C3%A9@a.example").unwrap();
        let credentials = credentials.unwrap();
        assert_eq!(credentials.user_and_password(), Some(("a@b", "p:qé")));
    }

    #[test]
    fn a_name_that_is_none_is_not_repeated() {
        for text in [
            "ws://@a.example/",
            "ws://:hunter2@a.example/",
            "ws://ada:hunter2@b@a.example/",
            "ws://ada:hunter2%@a.example/",
            "ws://ada:hunter2%+1@a.example/",
            "ws://ada:hunter2%ff@a.example/",
            "ws://ada:hunter2%0a@a.example/",
            "ws://ada:hunter2 @a.example/",
            "ws://ada:hunter2é@a.example/",
            "ws://ada\\:hunter2@a.example/",
            "ws://a.example\\@b.example/",
            "http://ada:hunter2@a.example/",
            "ws://ada:hunter2@/",
        ] {
            let error = parse(text).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2") && !shown.contains("ada"), "{text}: {shown}");
        }
    }
}
