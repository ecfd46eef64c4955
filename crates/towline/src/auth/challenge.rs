//! [`Challenge`]: what a peer asks for (RFC 9110 §11.3).

use std::fmt;

use http::{HeaderMap, HeaderName};
use towline_proto::handshake::headers::{is_token, is_token_byte};

use super::scheme::Scheme;

/// Most challenges that are looked at. Servers with everything switched on send five.
const MAX_CHALLENGES: usize = 16;

/// Most parameters of a challenge. Digest, which has the most, has nine.
const MAX_PARAMS: usize = 24;

/// What a peer asks for: a scheme, and either parameters or one token.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Challenge {
    /// As it was spelled.
    pub(super) scheme: String,
    /// What stands there alone: base64, mostly.
    pub(super) token: Option<String>,
    /// Names in lower case, each once; values without the quotation marks.
    params: Vec<(String, Vec<u8>)>,
}

// A token may be half of a secret.
impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

impl Challenge {
    /// The challenges in all headers of that name, in their order.
    ///
    /// What cannot be read ends its header, but takes no challenge away that stood before it. None
    /// goes on in the next header: that is allowed (RFC 9110 §5.3), and nobody does it.
    pub(super) fn all(headers: &HeaderMap, name: &HeaderName) -> Vec<Self> {
        let mut challenges = Vec::new();
        for line in headers.get_all(name) {
            let mut reader = Reader { rest: line.as_bytes() };
            while challenges.len() < MAX_CHALLENGES {
                let Some(challenge) = reader.challenge() else { break };
                challenges.extend(challenge);
            }
        }
        challenges
    }

    pub(super) fn known(&self) -> Option<Scheme> {
        Scheme::named(&self.scheme)
    }

    pub(super) fn param(&self, name: &str) -> Option<&[u8]> {
        self.params.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// A parameter that is a word.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        self.param(name).and_then(|value| str::from_utf8(value).ok())
    }

    /// Whether a parameter is `true`.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.word(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next challenge. `None` at the end, or where nothing can be read any more; `Some(None)`
    /// for one that contradicts itself.
    fn challenge(&mut self) -> Option<Option<Challenge>> {
        self.skip(b" \t,");
        let scheme = self.token()?.to_owned();
        let mut challenge = Challenge { scheme, token: None, params: Vec::new() };
        // RFC 9110 §11.3: it stands alone, or else a space follows.
        if self.skip(b" ") == 0 || self.at_end_of_element() {
            return self.at_end_of_element().then_some(Some(challenge));
        }
        if let Some(token) = self.token68() {
            challenge.token = Some(token.to_owned());
            return Some(Some(challenge));
        }
        let mut sound = true;
        loop {
            self.skip(b" \t,");
            let before = self.rest;
            let Some(name) = self.name() else {
                // It is the next challenge, or the end: whoever reads on will see.
                self.rest = before;
                break;
            };
            let value = self.value()?;
            // RFC 9110 §11.2: each name once. Whichever of two counts, somebody takes the other.
            sound &= challenge.params.len() < MAX_PARAMS && challenge.param(&name).is_none();
            if sound {
                challenge.params.push((name, value));
            }
            if !self.at_end_of_element() {
                return None;
            }
        }
        // After its space there was neither a token nor a parameter: what is it, then?
        if challenge.params.is_empty() {
            return None;
        }
        Some(sound.then_some(challenge))
    }

    /// The name of a parameter, and the mark behind it; `None` if that is not what comes.
    fn name(&mut self) -> Option<String> {
        let name = self.token()?.to_ascii_lowercase();
        self.skip(b" \t");
        self.rest = self.rest.strip_prefix(b"=")?;
        self.skip(b" \t");
        Some(name)
    }

    /// The value of a parameter, which may be quoted.
    fn value(&mut self) -> Option<Vec<u8>> {
        match self.rest.strip_prefix(b"\"") {
            Some(quoted) => {
                self.rest = quoted;
                self.quoted()
            }
            None => self.token().map(|token| token.as_bytes().to_vec()),
        }
    }

    /// The rest of a quoted string, its opening mark being read (RFC 9110 §5.6.4).
    fn quoted(&mut self) -> Option<Vec<u8>> {
        let mut value = Vec::new();
        loop {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            match byte {
                b'"' => return Some(value),
                b'\\' => {
                    let (&escaped, rest) = self.rest.split_first()?;
                    self.rest = rest;
                    value.push(escaped);
                }
                byte => value.push(byte),
            }
        }
    }

    fn token(&mut self) -> Option<&'a str> {
        let len = self.rest.iter().take_while(|&&byte| is_token_byte(byte)).count();
        let (token, rest) = self.rest.split_at(len);
        self.rest = rest;
        str::from_utf8(token).ok().filter(|token| is_token(token))
    }

    /// One word in the letters of base64, if nothing else follows in this element.
    fn token68(&mut self) -> Option<&'a str> {
        let letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
        let letters = self.rest.iter().take_while(|byte| letter(byte)).count();
        let marks = self.rest.iter().skip(letters).take_while(|byte| **byte == b'=').count();
        let (token, rest) = self.rest.split_at(letters + marks);
        let alone = letters > 0 && Reader { rest }.at_end_of_element();
        if !alone {
            return None;
        }
        self.rest = rest;
        str::from_utf8(token).ok()
    }

    fn at_end_of_element(&self) -> bool {
        let rest = self.rest.trim_ascii_start();
        rest.is_empty() || rest.starts_with(b",")
    }

    /// Passes these; gives how many there were.
    fn skip(&mut self, these: &[u8]) -> usize {
        let len = self.rest.iter().take_while(|byte| these.contains(byte)).count();
        self.rest = self.rest.split_at(len).1;
        len
    }
}
