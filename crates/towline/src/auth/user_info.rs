//! The user information of an address: `user:password@`, percent-encoded (RFC 3986 §3.2.1).

use super::credentials::Credentials;

impl Credentials {
    /// Reads what stands before the `@`. The first colon ends the name; without one the password is
    /// empty. What is wrong is told without repeating any of it.
    pub(crate) fn from_user_info(text: &str) -> Result<Self, &'static str> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Ok(Self::password(decode(user)?, decode(password)?))
    }
}

/// Undoes percent-encoding (RFC 3986 §2.1).
fn decode(text: &str) -> Result<String, &'static str> {
    let bad = "in the user name or password, % is not followed by two hexadecimal digits: write % \
               as %25";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2).ok_or(bad)?;
        // `from_str_radix` alone would let `+1` pass.
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(bad);
        }
        let digits = str::from_utf8(digits).expect("hexadecimal digits are ASCII");
        bytes.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits are a byte"));
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| "the user name or password is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::{Credentials, decode};

    #[test]
    fn percent_encoding_is_undone() {
        assert_eq!(decode("%41%c3%a9%2f").unwrap(), "Aé/");
        assert_eq!(decode("").unwrap(), "");
        for bad in ["%4", "%", "%g0", "%+1", "%ff"] {
            assert!(decode(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_colon_ends_the_name() {
        for (text, expected) in [
            ("ada:a:b", ("ada", "a:b")),
            ("a%3Ab:c%3Ad", ("a:b", "c:d")),
            ("ada", ("ada", "")),
            (":", ("", "")),
        ] {
            let credentials = Credentials::from_user_info(text).unwrap();
            assert_eq!(credentials.user_and_password(), Some(expected), "{text}");
        }
    }
}
