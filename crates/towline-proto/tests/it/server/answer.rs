//! What a server sends: the answer that opens a WebSocket, and plain ones (RFC 6455 §4.2.2).

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use towline_proto::handshake::{HandshakeError, RequestError, accept_key, response_head};

use super::{instead, parse, receive, right, with};

#[test]
fn the_example_of_rfc_6455_section_1_3() {
    assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    let text = format!("{}frames", with("Sec-WebSocket-Protocol: chat, superchat\r\n"));
    let (consumed, request) = receive(&[text.as_bytes()]).unwrap().unwrap();
    assert_eq!(&text[consumed..], "frames");
    let (head, negotiated) = request.accept(Some("chat"), &HeaderMap::new()).unwrap();
    assert_eq!(
        String::from_utf8(head).unwrap(),
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         Sec-WebSocket-Protocol: chat\r\n\r\n"
    );
    assert_eq!(negotiated.subprotocol.as_deref(), Some("chat"));
}

#[test]
fn an_answer_with_headers_of_the_servers_own() {
    let mut headers = HeaderMap::new();
    headers.append("set-cookie", HeaderValue::from_static("a=1"));
    headers.append("set-cookie", HeaderValue::from_static("b=2"));
    headers.insert("server", HeaderValue::from_static("towline"));
    let (head, negotiated) = parse(&right()).accept(None, &headers).unwrap();
    let head = String::from_utf8(head).unwrap();
    assert!(head.contains("\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"), "{head}");
    assert!(head.ends_with("\r\nServer: towline\r\n\r\n"), "{head}");
    assert_eq!(negotiated.subprotocol, None);
}

#[test]
fn answers_that_must_not_be_sent() {
    let request = parse(&with("Sec-WebSocket-Protocol: a\r\n"));
    for name in ["b", "A", "", "a, b", "a\r\nX-Evil: 1"] {
        let error = request.accept(Some(name), &HeaderMap::new()).unwrap_err();
        let expected = RequestError::SubprotocolNotOffered(name.to_owned());
        assert!(matches!(&error, HandshakeError::Answer(told) if *told == expected), "{error:?}");
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
        // What is wrong inside a server is not its client's business.
        assert!(!String::from_utf8(error.response()).unwrap().contains("Evil"));
    }
    for name in [
        "upgrade",
        "connection",
        "sec-websocket-accept",
        "sec-websocket-protocol",
        "sec-websocket-extensions",
        "sec-websocket-key",
        "sec-websocket-version",
        "content-length",
        "transfer-encoding",
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
        let error = request.accept(None, &headers).unwrap_err();
        let reserved = matches!(error, HandshakeError::Answer(RequestError::Reserved { .. }));
        assert!(reserved, "{name}: {error:?}");
    }
    let unchecked = parse(&instead("Connection", "")).accept(None, &HeaderMap::new());
    assert!(matches!(unchecked, Err(HandshakeError::Connection)));
}

#[test]
fn plain_answers() {
    let print = |status, headers: &HeaderMap, len| {
        String::from_utf8(response_head(status, headers, len)).unwrap()
    };
    let mut headers = HeaderMap::new();
    assert_eq!(
        print(StatusCode::NOT_FOUND, &headers, Some(3)),
        "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(
        print(StatusCode::from_u16(299).unwrap(), &headers, None),
        "HTTP/1.1 299 \r\nConnection: close\r\n\r\n"
    );
    assert!(!print(StatusCode::NO_CONTENT, &headers, Some(0)).contains("Content-Length"));
    headers.insert("connection", HeaderValue::from_static("keep-alive"));
    headers.insert("content-length", HeaderValue::from_static("9"));
    headers.insert("content-type", HeaderValue::from_static("text/html"));
    assert_eq!(
        print(StatusCode::OK, &headers, Some(3)),
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
    );
    assert!(print(StatusCode::OK, &headers, None).contains("Content-Length: 9\r\n"));
    headers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
    assert!(!print(StatusCode::OK, &headers, Some(3)).contains("chunked"));
}
