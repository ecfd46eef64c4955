//! The body of a refusal: where it ends, so that the connection can be used again (RFC 9112 §6.3).

use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderName, Response, Version};
use towline_proto::handshake::headers::has_token;

use super::chunks::Chunks;

/// What is left of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Body {
    /// So many bytes.
    Length(u64),
    /// Chunks (RFC 9112 §7.1).
    Chunked(Chunks),
    /// All to the end of the connection, or where two readers may not agree.
    ToTheEnd,
}

impl Body {
    /// The body behind a head.
    pub(crate) fn of(response: &Response<()>) -> Self {
        let headers = response.headers();
        let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
        let length = (lengths.next(), lengths.next());
        let chunked = headers.contains_key(TRANSFER_ENCODING);
        match (length, chunked) {
            ((None, _), true) if has_token(headers, TRANSFER_ENCODING, "chunked") => {
                Self::Chunked(Chunks::START)
            }
            ((Some(length), None), false) => {
                let length = length.to_str().ok().filter(|text| text.bytes().all(is_digit));
                let length = length.and_then(|text| text.parse().ok());
                length.map_or(Self::ToTheEnd, Self::Length)
            }
            // None, or several that may not agree.
            _ => Self::ToTheEnd,
        }
    }

    /// Takes bytes until the body ends, and adds what it holds to `content`. `Some(n)` says that it has
    /// ended after `n` bytes of these; an error, that where it ends cannot be told.
    pub(crate) fn push(
        &mut self,
        input: &[u8],
        content: &mut Vec<u8>,
    ) -> Result<Option<usize>, ()> {
        let mut rest = input;
        loop {
            match self {
                Self::ToTheEnd => {
                    content.extend_from_slice(rest);
                    return Err(());
                }
                Self::Length(left) => {
                    rest = take(left, rest, content);
                    return Ok((*left == 0).then_some(input.len() - rest.len()));
                }
                Self::Chunked(Chunks::Data(left)) if *left > 0 => {
                    rest = take(left, rest, content);
                    if *left > 0 {
                        return Ok(None);
                    }
                }
                Self::Chunked(chunks) => {
                    let Some((&byte, after)) = rest.split_first() else { return Ok(None) };
                    rest = after;
                    match chunks.next(byte)? {
                        Some(next) => *chunks = next,
                        None => return Ok(Some(input.len() - rest.len())),
                    }
                }
            }
        }
    }
}

/// Moves so many bytes to the content, or as many as there are; gives what is behind them.
fn take<'a>(left: &mut u64, bytes: &'a [u8], content: &mut Vec<u8>) -> &'a [u8] {
    let len = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
    let (taken, rest) = bytes.split_at(len);
    *left -= u64::try_from(len).expect("no more than what is left");
    content.extend_from_slice(taken);
    rest
}

/// Whether the connection goes on behind the body (RFC 9112 §9.3).
pub(super) fn stays(response: &Response<()>) -> bool {
    // Some proxies say by the second what RFC 9110 §7.6.1 says by the first.
    let names = [CONNECTION, HeaderName::from_static("proxy-connection")];
    let headers = response.headers();
    let has = |token| names.iter().any(|name| has_token(headers, name.clone(), token));
    match response.version() {
        Version::HTTP_11 => !has("close"),
        _ => has("keep-alive") && !has("close"),
    }
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use http::{Response, Version};

    use super::{Body, stays};

    fn response(version: Version, lines: &[(&str, &str)]) -> Response<()> {
        let mut response = Response::builder().status(407).version(version);
        for (name, value) in lines {
            response = response.header(*name, *value);
        }
        response.body(()).unwrap()
    }

    /// The body behind a head with these lines.
    fn body(lines: &[(&str, &str)]) -> Body {
        Body::of(&response(Version::HTTP_11, lines))
    }

    /// Where a body ends and what it holds, whole and at every cut.
    #[track_caller]
    fn read(body: Body, input: &[u8]) -> (Result<Option<usize>, ()>, String) {
        let (mut whole, mut content) = (body, Vec::new());
        let ended = whole.push(input, &mut content);
        for cut in 0..=input.len() {
            let (one, two) = input.split_at(cut);
            let (mut parts, mut joined) = (body, Vec::new());
            let end = match parts.push(one, &mut joined) {
                Ok(None) => parts.push(two, &mut joined).map(|end| end.map(|end| end + cut)),
                end => end,
            };
            assert_eq!(end, ended, "cut at {cut}");
            if ended.is_ok() {
                assert_eq!(joined, content, "cut at {cut}");
            }
        }
        (ended, String::from_utf8(content).unwrap())
    }

    #[test]
    fn a_length_says_where_it_ends() {
        let five = body(&[("content-length", "5")]);
        for (input, ends, content) in [
            ("hello", Some(5), "hello"),
            ("hello, and more", Some(5), "hello"),
            ("hell", None, "hell"),
        ] {
            assert_eq!(read(five, input.as_bytes()), (Ok(ends), content.to_owned()));
        }
        let none = body(&[("content-length", "0")]);
        assert_eq!(read(none, b""), (Ok(Some(0)), String::new()));
        assert_eq!(read(none, b"x"), (Ok(Some(0)), String::new()));
    }

    #[test]
    fn chunks_say_where_they_end() {
        let chunked = body(&[("transfer-encoding", "chunked")]);
        for (input, ends, content) in [
            ("0\r\n\r\n", Ok(Some(5)), ""),
            ("5\r\nhello\r\n0\r\n\r\nmore", Ok(Some(15)), "hello"),
            ("5;a=b\r\nhello\r\n1\r\n!\r\n0;c\r\n\r\n", Ok(Some(27)), "hello!"),
            ("1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n", Ok(Some(23)), "x"),
            ("0A\r\n0123456789\r\n000\r\n\r\n", Ok(Some(23)), "0123456789"),
            ("5\nhello\n0\n\n", Ok(Some(11)), "hello"),
            ("5\r\nhello\r\n0\r\n\r", Ok(None), "hello"),
            ("5\r\nhello", Ok(None), "hello"),
            ("", Ok(None), ""),
            ("\r\n", Err(()), ""),
            (";\r\n", Err(()), ""),
            ("g\r\n", Err(()), ""),
            ("-1\r\n", Err(()), ""),
            ("123456789\r\n", Err(()), ""),
            ("1\r\nxy", Err(()), "x"),
        ] {
            assert_eq!(read(chunked, input.as_bytes()), (ends, content.to_owned()), "{input:?}");
        }
    }

    #[test]
    fn where_it_cannot_be_told_it_is_what_is_there() {
        let length = ("content-length", "0");
        for lines in [
            vec![],
            vec![length, length],
            vec![length, ("transfer-encoding", "chunked")],
            vec![("transfer-encoding", "gzip")],
            vec![("content-length", "+1")],
            vec![("content-length", "")],
            vec![("content-length", "0, 0")],
            vec![("content-length", "99999999999999999999")],
        ] {
            assert_eq!(body(&lines), Body::ToTheEnd, "{lines:?}");
        }
        assert_eq!(read(Body::ToTheEnd, b"hello"), (Err(()), "hello".to_owned()));
    }

    #[test]
    fn a_connection_stays_unless_it_is_said() {
        let (new, old) = (Version::HTTP_11, Version::HTTP_10);
        assert!(stays(&response(new, &[])));
        assert!(!stays(&response(new, &[("connection", "keep-alive, Close")])));
        assert!(!stays(&response(new, &[("proxy-connection", "Close")])));
        assert!(!stays(&response(old, &[])));
        assert!(stays(&response(old, &[("proxy-connection", "keep-alive")])));
    }
}
