//! Heads: where they end, what they may hold, and how much work they make (RFC 9112 §2.1).

use http::header::{HeaderName, HeaderValue};
use http::{Method, Version};
use proptest::prelude::{any, prop, proptest};
use towline_proto::handshake::http1::{HeadError, HeadReader, write_header};
use towline_proto::handshake::{HeadLimits, MAX_HEAD_BYTES, MAX_HEADERS};

/// What came of a head fed in these pieces: its length and its bytes, or the error.
fn feed<'a>(
    limits: HeadLimits,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Option<usize>, HeadError> {
    let mut reader = HeadReader::new(limits);
    let mut before = 0;
    for piece in pieces {
        if let Some(taken) = reader.push(piece)? {
            return Ok(Some(before + taken));
        }
        before += piece.len();
    }
    Ok(None)
}

/// Feeds a head whole, byte by byte, and at every cut, and says what always came of it.
#[track_caller]
fn end_of(input: &[u8]) -> Result<Option<usize>, HeadError> {
    let limits = HeadLimits::default();
    let whole = feed(limits, [input]);
    assert_eq!(feed(limits, input.chunks(1)), whole);
    for cut in 0..=input.len() {
        let (a, b) = input.split_at(cut);
        assert_eq!(feed(limits, [a, b]), whole, "cut at {cut}");
    }
    whole
}

fn request(input: &[u8]) -> Result<http::Request<()>, HeadError> {
    let mut reader = HeadReader::new(HeadLimits::default());
    reader.push(input)?;
    reader.request()
}

fn response(input: &[u8]) -> Result<http::Response<()>, HeadError> {
    let mut reader = HeadReader::new(HeadLimits::default());
    reader.push(input)?;
    reader.response()
}

#[test]
fn a_head_ends_at_its_blank_line_and_not_later() {
    assert_eq!(end_of(b"GET / HTTP/1.1\r\n\r\n"), Ok(Some(18)));
    assert_eq!(end_of(b"GET / HTTP/1.1\r\nA: b\r\n\r\n\x81\x05Hello"), Ok(Some(24)));
    assert_eq!(end_of(b"GET / HTTP/1.1\r\nA: b\r\n\r\n\r\n\r\n"), Ok(Some(24)));
    assert_eq!(end_of(b"GET / HTTP/1.1\r\nA: b\r\n\r"), Ok(None));
    assert_eq!(end_of(b""), Ok(None));
}

#[test]
fn a_finished_reader_takes_nothing_more() {
    let mut reader = HeadReader::new(HeadLimits::default());
    assert_eq!(reader.push(b"GET / HTTP/1.1\r\n\r\n"), Ok(Some(18)));
    assert_eq!(reader.push(b"frames"), Ok(Some(0)));
    assert!(reader.request().is_ok());
}

#[test]
fn a_failed_reader_stays_failed() {
    let mut reader = HeadReader::new(HeadLimits::default());
    assert_eq!(reader.push(b"GET / HTTP/1.1\n"), Err(HeadError::LineEnd));
    assert_eq!(reader.push(b"GET / HTTP/1.1\r\n\r\n"), Err(HeadError::LineEnd));
    assert_eq!(reader.request().unwrap_err(), HeadError::Unfinished);
}

#[test]
fn lines_end_in_cr_lf() {
    for input in [
        "GET / HTTP/1.1\n\n",
        "GET / HTTP/1.1\nA: b\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n\n",
        "GET / HTTP/1.1\r\rA: b\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n\rX",
    ] {
        assert_eq!(end_of(input.as_bytes()), Err(HeadError::LineEnd), "{input:?}");
    }
}

#[test]
fn headers_are_not_folded() {
    assert_eq!(end_of(b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"), Err(HeadError::Folded));
    assert_eq!(end_of(b"GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n"), Err(HeadError::Folded));
    assert_eq!(end_of(b"GET / HTTP/1.1\r\n A: b\r\n\r\n"), Err(HeadError::Folded));
}

#[test]
fn what_is_not_http_is_known_by_its_first_byte() {
    for first in
        [&b"\x16\x03\x01\x02\x00"[..], b"\x81\x05Hello", b"\r\nGET / HTTP/1.1", b" ", b"\0"]
    {
        assert_eq!(end_of(first), Err(HeadError::NotHttp), "{first:?}");
    }
}

#[test]
fn a_head_without_end_is_cut_at_the_limit() {
    // As tokio-websockets 0.13 was not (128 MiB held) and tungstenite 0.20 was not (CVE-2023-43669).
    let endless = [b"GET / HTTP/1.1\r\nA: ".to_vec(), vec![b'a'; 2 * MAX_HEAD_BYTES]].concat();
    assert_eq!(feed(HeadLimits::default(), [&endless[..]]), Err(HeadError::TooLarge));
    assert_eq!(feed(HeadLimits::default(), endless.chunks(1)), Err(HeadError::TooLarge));
    assert_eq!(feed(HeadLimits::default(), [&endless[..MAX_HEAD_BYTES]]), Ok(None));
}

#[test]
fn a_head_in_one_byte_writes_costs_its_length() {
    // The limit is on the bytes looked at. A reader that began again at each write would have
    // looked at half a billion for this head, and be cut off long before its end.
    let mut head = b"GET / HTTP/1.1\r\nA: ".to_vec();
    head.resize(32 * 1024 - 4, b'a');
    head.extend_from_slice(b"\r\n\r\n");
    let limits = |bytes| HeadLimits { bytes, ..HeadLimits::default() };
    assert_eq!(feed(limits(head.len()), head.chunks(1)), Ok(Some(head.len())));
    assert_eq!(feed(limits(head.len() - 1), head.chunks(1)), Err(HeadError::TooLarge));
}

#[test]
fn as_many_headers_as_the_limit_and_no_more() {
    let head = |n: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a:b\r\n".repeat(n)).into_bytes();
    for (n, fits) in
        [(0, true), (1, true), (MAX_HEADERS, true), (MAX_HEADERS + 1, false), (3000, false)]
    {
        let result = feed(HeadLimits::default(), head(n).chunks(7));
        assert_eq!(result.is_ok(), fits, "{n}: {result:?}");
    }
    assert_eq!(feed(HeadLimits::default(), [&head(3000)[..]]), Err(HeadError::TooManyHeaders));
    let generous = HeadLimits { bytes: 1 << 20, headers: 40_000 };
    let mut reader = HeadReader::new(generous);
    reader.push(&head(40_000)).unwrap();
    assert_eq!(reader.request().unwrap().headers().get_all("a").iter().count(), 40_000);
    let none = HeadLimits { headers: 0, ..HeadLimits::default() };
    assert_eq!(feed(none, [&head(0)[..]]), Ok(Some(18)));
    assert_eq!(feed(none, [&head(1)[..]]), Err(HeadError::TooManyHeaders));
}

#[test]
fn more_names_than_a_header_map_holds_are_an_error() {
    let names: String = (0..40_000).map(|i| format!("a{i}:\r\n")).collect();
    let mut reader = HeadReader::new(HeadLimits { bytes: 1 << 20, headers: 40_000 });
    reader.push(format!("GET / HTTP/1.1\r\n{names}\r\n").as_bytes()).unwrap();
    assert_eq!(reader.request().unwrap_err(), HeadError::TooManyHeaders);
}

#[test]
fn a_request_is_parsed_with_its_repeated_headers() {
    let request =
        request(b"GET //a/b?c=d HTTP/1.1\r\nHost: x\r\nA: 1\r\na:  2 \t\r\nB:\r\n\r\n").unwrap();
    assert_eq!((request.method(), request.version()), (&Method::GET, Version::HTTP_11));
    assert_eq!(request.uri(), "//a/b?c=d");
    let values: Vec<_> = request.headers().get_all("A").iter().collect();
    assert_eq!(values, ["1", "2"]);
    assert_eq!(request.headers()["b"], "");
}

#[test]
fn requests_that_are_malformed() {
    use HeadError::{HeaderLine, StartLine, Version};
    for (head, error) in [
        ("GET /\r\n\r\n", StartLine),
        ("GET  / HTTP/1.1\r\n\r\n", StartLine),
        ("GET / a HTTP/1.1\r\n\r\n", Version),
        ("GET\t/ HTTP/1.1\r\n\r\n", StartLine),
        ("GET /#f HTTP/1.1\r\n\r\n", StartLine),
        ("GET /é HTTP/1.1\r\n\r\n", StartLine),
        ("GET /\0 HTTP/1.1\r\n\r\n", StartLine),
        ("G(T / HTTP/1.1\r\n\r\n", StartLine),
        ("GET / HTTP/2.0\r\n\r\n", Version),
        ("GET / HTTP/1.2\r\n\r\n", Version),
        ("GET / http/1.1\r\n\r\n", Version),
        ("GET / HTTP/1.1\r\nA b\r\n\r\n", HeaderLine),
        ("GET / HTTP/1.1\r\nA : b\r\n\r\n", HeaderLine),
        ("GET / HTTP/1.1\r\n: b\r\n\r\n", HeaderLine),
        ("GET / HTTP/1.1\r\nA\0: b\r\n\r\n", HeaderLine),
        ("GET / HTTP/1.1\r\nA: b\0\r\n\r\n", HeaderLine),
        ("GET / HTTP/1.1\r\nA: b\x07\r\n\r\n", HeaderLine),
        ("GET / HTTP/1.1\r\nÄ: b\r\n\r\n", HeaderLine),
    ] {
        assert_eq!(request(head.as_bytes()).unwrap_err(), error, "{head:?}");
    }
}

#[test]
fn responses_are_parsed() {
    let parsed = response(b"HTTP/1.1 404 Not  Found\r\nA: 1\r\nA: 2\r\n\r\n").unwrap();
    assert_eq!((parsed.status().as_u16(), parsed.version()), (404, Version::HTTP_11));
    assert_eq!(parsed.headers().get_all("a").iter().count(), 2);
    assert_eq!(response(b"HTTP/1.0 200\r\n\r\n").unwrap().version(), Version::HTTP_10);
    assert_eq!(response(b"HTTP/1.1 101 \r\n\r\n").unwrap().status(), 101);
    assert_eq!(response(b"HTTP/1.1 1x1 No\r\n\r\n").unwrap_err(), HeadError::StartLine);
    assert_eq!(response(b"HTTP/1.1 099 No\r\n\r\n").unwrap_err(), HeadError::StartLine);
    assert_eq!(response(b"HTTP/3.0 200 OK\r\n\r\n").unwrap_err(), HeadError::Version);
    assert_eq!(response(b"HTTP/1.1 200 OK\0\r\n\r\n").unwrap_err(), HeadError::StartLine);
}

#[test]
fn names_are_printed_as_people_know_them() {
    for (name, printed) in [
        ("sec-websocket-key", "Sec-WebSocket-Key: v\r\n"),
        ("HOST", "Host: v\r\n"),
        ("x-a--b-", "X-A--B-: v\r\n"),
        ("x-1st", "X-1st: v\r\n"),
    ] {
        let mut out = Vec::new();
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        write_header(&mut out, &name, &HeaderValue::from_static("v"));
        assert_eq!(String::from_utf8(out).unwrap(), printed);
    }
}

proptest! {
    #[test]
    fn no_input_panics_and_cuts_never_matter(
        start in prop::sample::select(vec!["", "GET / HTTP/1.1\r\n", "HTTP/1.1 101 OK\r\n"]),
        tail in prop::collection::vec(prop::sample::select(b"\r\n\r\n :,aA\t\0\xff".to_vec()), 0..60),
        noise in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let input = [start.as_bytes(), &tail, &noise].concat();
        let _ = end_of(&input);
        let _ = (request(&input), response(&input));
    }
}
