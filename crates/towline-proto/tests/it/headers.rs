//! Tokens and lists (RFC 9110 §5.6, RFC 6455 §9.1).
#![expect(clippy::unwrap_used, reason = "in the helpers of tests a panic is a failed test")]

use http::header::{CONNECTION, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::{any, prop, proptest};
use towline_proto::handshake::headers::{
    Extension, ListError, extensions, has_token, is_token, subprotocols,
};

fn lines(name: &HeaderName, values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn connection(values: &[&str]) -> bool {
    has_token(&lines(&CONNECTION, values), CONNECTION, "upgrade")
}

fn protocols(values: &[&str]) -> Result<Vec<String>, ListError> {
    subprotocols(&lines(&SEC_WEBSOCKET_PROTOCOL, values))
}

/// Extensions printed back in one plain form: `name;param=value;param, name`.
fn printed(values: &[&str]) -> Result<String, ListError> {
    let print = |extension: &Extension| {
        let params = extension.params.iter().map(|(name, value)| match value {
            Some(value) => format!(";{name}={value}"),
            None => format!(";{name}"),
        });
        format!("{}{}", extension.name, params.collect::<String>())
    };
    let list = extensions(&lines(&SEC_WEBSOCKET_EXTENSIONS, values))?;
    Ok(list.iter().map(print).collect::<Vec<_>>().join(", "))
}

#[test]
fn tokens() {
    for text in ["a", "Z", "0", "chat.v2", "!#$%&'*+-.^_`|~", "__proto__"] {
        assert!(is_token(text), "{text}");
    }
    for text in
        ["", " ", "a b", "a,b", "a;b", "a=b", "a/b", "\"a\"", "a\r\nb", "é", "a\0", "\u{7f}"]
    {
        assert!(!is_token(text), "{text:?}");
    }
    for byte in "()<>@,;:\\\"/[]?={} \t".chars() {
        assert!(!is_token(&byte.to_string()), "{byte}");
    }
}

#[test]
fn a_token_is_found_whole_in_any_case_and_line() {
    for found in [
        &["upgrade"][..],
        &["Upgrade"],
        &["UPGRADE"],
        &["keep-alive, Upgrade"],
        &["keep-alive,Upgrade"],
        &["Upgrade , keep-alive"],
        &[",,\t upgrade\t ,,"],
        &["keep-alive", "Upgrade"],
        &["", "upgrade"],
    ] {
        assert!(connection(found), "{found:?}");
    }
    for missing in [
        &[][..],
        &[""],
        &["notupgrade"],
        &["upgrades"],
        &["up grade"],
        &["keep-alive; upgrade"],
        &["\"upgrade\""],
        &["keep-alive upgrade"],
        &["up", "grade"],
    ] {
        assert!(!connection(missing), "{missing:?}");
    }
}

#[test]
fn a_long_connection_header_is_read_once() {
    // † CVE-2023-26103: matched by backtracking, this took minutes.
    let long = format!("{}{}", " \t".repeat(100_000), ", ".repeat(100_000));
    assert!(!connection(&[&long]));
    assert!(connection(&[&format!("{long}upgrade")]));
}

#[test]
fn subprotocols_in_their_order() {
    let ok = |names: &[&str]| Ok(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
    assert_eq!(protocols(&[]), ok(&[]));
    assert_eq!(protocols(&["chat"]), ok(&["chat"]));
    assert_eq!(protocols(&["b, a"]), ok(&["b", "a"]));
    assert_eq!(protocols(&["b", "a,c"]), ok(&["b", "a", "c"]));
    assert_eq!(protocols(&[" ,b\t,, a ,"]), ok(&["b", "a"]));
    assert_eq!(protocols(&["chat, Chat"]), ok(&["chat", "Chat"]));
    assert_eq!(protocols(&["__proto__, constructor"]), ok(&["__proto__", "constructor"]));
    assert_eq!(protocols(&[""]), Err(ListError::Empty));
    assert_eq!(protocols(&[" , ,"]), Err(ListError::Empty));
    assert_eq!(protocols(&["a b"]), Err(ListError::NotAToken));
    assert_eq!(protocols(&["a;b"]), Err(ListError::NotAToken));
    assert_eq!(protocols(&["\"a\""]), Err(ListError::NotAToken));
    assert_eq!(protocols(&["é"]), Err(ListError::NotAToken));
    assert_eq!(protocols(&["a, a"]), Err(ListError::Duplicate));
    assert_eq!(protocols(&["a", "a"]), Err(ListError::Duplicate));
}

#[test]
fn a_megabyte_of_commas_is_read_once() {
    // CVE-2021-32640: quadratic in ws before 7.4.6.
    let commas = ", ".repeat(1 << 19);
    assert_eq!(protocols(&[&commas]), Err(ListError::Empty));
    assert_eq!(printed(&[&commas]), Err(ListError::Empty));
    assert_eq!(protocols(&[&format!("{commas}a")]).unwrap().len(), 1);
    let many: String = (0..100_000).map(|i| format!("p{i},")).collect();
    assert_eq!(protocols(&[&many]).unwrap().len(), 100_000);
}

#[test]
fn extensions_with_their_parameters() {
    for (values, plain) in [
        (&[][..], ""),
        (&["foo"], "foo"),
        (&["foo, bar"], "foo, bar"),
        (&["foo", "bar"], "foo, bar"),
        (&[",, foo ,,\tbar ,"], "foo, bar"),
        (&["foo; a=1; b"], "foo;a=1;b"),
        (&["foo;a=\"1\""], "foo;a=1"),
        (&["foo ; a = \"1\" ; b , bar"], "foo;a=1;b, bar"),
        (&["foo;a=\"x\\y\""], "foo;a=xy"),
        (&["foo;a=1;a=2"], "foo;a=1;a=2"),
        (&["foo, foo;a"], "foo, foo;a"),
        (&["__proto__;constructor=toString"], "__proto__;constructor=toString"),
        (
            &["permessage-deflate; client_max_window_bits; server_max_window_bits=10"],
            "permessage-deflate;client_max_window_bits;server_max_window_bits=10",
        ),
    ] {
        assert_eq!(printed(values).as_deref(), Ok(plain), "{values:?}");
    }
}

#[test]
fn extensions_that_are_malformed() {
    use ListError::{Empty, NotAToken, UnclosedQuote};
    for (value, error) in [
        ("", Empty),
        (" ,\t, ", Empty),
        (";", NotAToken),
        ("foo;", NotAToken),
        ("foo;;a", NotAToken),
        ("foo;=1", NotAToken),
        ("foo;a=", NotAToken),
        ("foo;a=,bar", NotAToken),
        ("foo;a=1=2", NotAToken),
        ("foo bar", NotAToken),
        ("foo=1", NotAToken),
        ("\"foo\"", NotAToken),
        ("foo;a=\"\"", NotAToken),
        ("foo;a=\"b c\"", NotAToken),
        ("foo;a=\" b\"", NotAToken),
        ("foo;a=\"b,c\"", NotAToken),
        ("foo;a=\"b\"c", NotAToken),
        ("foo;a=é", NotAToken),
        ("foo;a=\"", UnclosedQuote),
        ("foo;a=\"b", UnclosedQuote),
        ("foo;a=\"b\\", UnclosedQuote),
        ("foo;a=\"b\\\"", NotAToken),
    ] {
        assert_eq!(printed(&[value]), Err(error), "{value:?}");
    }
    // A quoted string ends in its own line.
    assert_eq!(printed(&["foo;a=\"b", "c\""]), Err(UnclosedQuote));
}

#[test]
fn an_unclosed_quote_is_read_once() {
    // CVE-2020-7662 and CVE-2020-7663: backtracking over pairs of backslashes.
    let pairs = "\\a".repeat(1 << 19);
    assert_eq!(printed(&[&format!("foo;a=\"{pairs}")]), Err(ListError::UnclosedQuote));
    let many = "foo;a=b;".repeat(100_000);
    assert_eq!(printed(&[&many]), Err(ListError::NotAToken));
}

proptest! {
    #[test]
    fn no_list_panics(
        value in prop::collection::vec(prop::sample::select(b"a1,,;;==\"\"\\ \t\xe9".to_vec()), 0..60),
        other in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut headers = HeaderMap::new();
        for value in [value, other].iter().filter_map(|v| HeaderValue::from_bytes(v).ok()) {
            headers.append(SEC_WEBSOCKET_EXTENSIONS, value.clone());
            headers.append(SEC_WEBSOCKET_PROTOCOL, value.clone());
            headers.append(CONNECTION, value);
        }
        let _ = (extensions(&headers), subprotocols(&headers));
        let _ = has_token(&headers, CONNECTION, "upgrade");
    }

    #[test]
    fn blanks_and_case_never_hide_a_token(before in "[ \t]{0,5}", after in "[ \t]{0,5}", upper: bool) {
        let token = if upper { "UPGRADE" } else { "upgrade" };
        assert!(connection(&[&format!("a,{before}{token}{after},b")]));
    }
}
