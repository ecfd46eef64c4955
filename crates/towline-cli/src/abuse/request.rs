//! A client's request, as the hostile server sees it.

use towline::proto::handshake::accept_key;

/// A client's opening request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    head: String,
}

impl Request {
    pub(super) fn new(head: String) -> Self {
        Self { head }
    }

    /// What the first line asks for, without the query: `/unmasked`.
    pub(super) fn path(&self) -> &str {
        let target = self.head.split(' ').nth(1).unwrap_or("/");
        target.split_once('?').map_or(target, |(path, _)| path)
    }

    /// What has to be answered to the client's key (RFC 6455 §4.2.2).
    pub(super) fn accept(&self) -> String {
        accept_key(self.header("sec-websocket-key").unwrap_or_default())
    }

    /// Whether the client offers to compress (RFC 7692 §7.1).
    pub(super) fn offers_deflate(&self) -> bool {
        self.header("sec-websocket-extensions")
            .is_some_and(|all| all.contains("permessage-deflate"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim())
    }

    /// The answer that opens a WebSocket, with some headers changed, left out or added.
    pub(super) fn answer(&self, changes: &[(&str, Option<&str>)]) -> Vec<u8> {
        self.answer_by("HTTP/1.1 101 Switching Protocols", changes)
    }

    pub(super) fn answer_by(&self, line: &str, changes: &[(&str, Option<&str>)]) -> Vec<u8> {
        let accept = self.accept();
        let own = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", &*accept),
        ];
        super::bytes::head(line, &own, changes)
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn the_answer_is_that_of_the_rfc() {
        // RFC 6455 §1.3
        let head = "GET /chat?x HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let request = Request::new(head.to_owned());
        assert_eq!(request.path(), "/chat");
        let answer = String::from_utf8(request.answer(&[])).unwrap();
        assert!(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        assert!(!request.offers_deflate());
    }
}
