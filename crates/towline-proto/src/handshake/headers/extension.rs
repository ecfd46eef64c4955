//! [`Extension`]: a name with parameters, which may be quoted (RFC 6455 §9.1).

use http::HeaderMap;
use http::header::SEC_WEBSOCKET_EXTENSIONS;

use super::{ListError, is_token_byte, not_empty};

/// One extension, as it is offered or accepted (RFC 6455 §9.1).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Extension {
    /// The registered name.
    pub name: String,
    /// The parameters in their order, repeated ones included: whether those are wrong is for the
    /// extension to say.
    pub params: Vec<(String, Option<String>)>,
}

/// The extensions that `Sec-WebSocket-Extensions` lists, in their order (RFC 6455 §9.1).
///
/// No header is an empty list; a header that lists nothing is an error.
pub fn extensions(headers: &HeaderMap) -> Result<Vec<Extension>, ListError> {
    let mut list = Vec::new();
    for value in headers.get_all(SEC_WEBSOCKET_EXTENSIONS) {
        let mut cursor = Cursor { rest: value.as_bytes() };
        while cursor.next_element() {
            list.push(cursor.extension()?);
        }
    }
    not_empty(headers, SEC_WEBSOCKET_EXTENSIONS, list)
}

/// A place in one header line. The grammar is that of RFC 6455 §9.1, with blanks allowed between
/// any two tokens as RFC 2616 §2.1, on which it is built, implies.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    /// Goes to the next element of the list, past empty ones; `false` at the end of the line.
    fn next_element(&mut self) -> bool {
        while self.eat(b',') {}
        !self.rest.is_empty()
    }

    fn extension(&mut self) -> Result<Extension, ListError> {
        let name = self.token()?;
        let mut params = Vec::new();
        while self.eat(b';') {
            let param = self.token()?;
            let value = if self.eat(b'=') { Some(self.value()?) } else { None };
            params.push((param, value));
        }
        if !self.rest.is_empty() && !self.eat(b',') {
            return Err(ListError::NotAToken);
        }
        Ok(Extension { name, params })
    }

    fn value(&mut self) -> Result<String, ListError> {
        if !self.eat(b'"') {
            return self.token();
        }
        let mut value = String::new();
        loop {
            let byte = match *self.rest {
                [b'"', ref rest @ ..] => {
                    self.rest = rest;
                    break;
                }
                [] | [b'\\'] => return Err(ListError::UnclosedQuote),
                [b'\\', byte, ref rest @ ..] | [byte, ref rest @ ..] => {
                    self.rest = rest;
                    byte
                }
            };
            // RFC 6455 §9.1: what a quoted string says must be a token as well.
            if !is_token_byte(byte) {
                return Err(ListError::NotAToken);
            }
            value.push(char::from(byte));
        }
        self.skip_blanks();
        if value.is_empty() { Err(ListError::NotAToken) } else { Ok(value) }
    }

    fn token(&mut self) -> Result<String, ListError> {
        self.skip_blanks();
        let len = self.rest.iter().take_while(|&&b| is_token_byte(b)).count();
        let (token, rest) = self.rest.split_at(len);
        self.rest = rest;
        self.skip_blanks();
        if token.is_empty() {
            return Err(ListError::NotAToken);
        }
        Ok(token.iter().copied().map(char::from).collect())
    }

    /// Passes this byte and the blanks on both sides of it, if it is the next one.
    fn eat(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let Some(rest) = self.rest.strip_prefix(&[byte]) else { return false };
        self.rest = rest;
        // Inside quotes a blank counts.
        if byte != b'"' {
            self.skip_blanks();
        }
        true
    }

    fn skip_blanks(&mut self) {
        let blanks = self.rest.iter().take_while(|&&b| b == b' ' || b == b'\t').count();
        self.rest = self.rest.split_at(blanks).1;
    }
}
